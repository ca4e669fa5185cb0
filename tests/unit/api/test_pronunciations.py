"""`/v2/pronunciation-dictionaries` over HTTP on a real store, and the personas that name one."""

from typing import Any

import pytest

from tests.unit.api.server import Server
from visavis.api.pronunciations import with_dictionary
from visavis.api.runnable import runnable

NAMES = {"name": "Names", "rules": [{"text": "Nguyen", "pronunciation": "win", "type": "alias"}]}
PATH = "/v2/pronunciation-dictionaries"


async def made(here: Server, **more: Any) -> dict[str, Any]:
    answer = await here.client.post(PATH, json=NAMES | more)
    assert answer.status_code == 201
    return dict(answer.json())


async def test_a_dictionary_is_made_shown_changed_listed_and_deleted(here: Server):
    first = await made(here)
    at = f"{PATH}/{first['pronunciation_dictionary_id']}"
    assert first["rules_count"] == 1
    assert first["rules"] == [NAMES["rules"][0] | {"case_sensitive": False, "word_boundaries": True}]
    assert (await here.client.get(at)).json() == first
    add = [{"op": "add", "path": "/rules/-", "value": {"text": "SQL", "pronunciation": "sequel", "type": "alias"}}]
    changed = (await here.client.patch(at, json=add)).json()
    assert changed["rules_count"] == 2 and changed["updated_at"] >= first["updated_at"]
    renamed = await here.client.patch(at, json={"name": "Other names"})
    assert (renamed.json()["name"], renamed.json()["rules_count"]) == ("Other names", 2)
    assert (await here.client.patch(at, json={"name": "Other names"})).status_code == 304
    assert (await here.client.patch(at, json={"rules": 7})).status_code == 400
    listed = (await here.client.get(f"{PATH}?limit=5&sort=asc")).json()
    assert (listed["total_count"], listed["page"], listed["limit"]) == (1, 0, 5)
    assert "rules" not in listed["data"][0] and listed["data"][0]["rules_count"] == 2
    assert (await here.client.delete(at)).status_code == 204
    assert (await here.client.get(at)).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"rules": []}, "name"),
        ({"name": ""}, "name"),
        (NAMES | {"rules": NAMES["rules"] * 2}, "rules"),
        (NAMES | {"rules": [NAMES["rules"][0] | {"type": "sampa"}]}, "rules.0.type"),
        (NAMES | {"rules": [{"text": "a", "type": "alias"}]}, "rules.0.pronunciation"),
        (NAMES | {"rules": [NAMES["rules"][0] | {"text": " "}]}, "rules.0.text"),
    ],
)
async def test_what_is_wrong_is_named(here: Server, body: dict[str, Any], field: str):
    refused = await here.client.post(PATH, json=body)
    assert refused.status_code == 400 and refused.json()["error"].startswith(f"{field}:")


async def test_a_persona_speaks_by_the_dictionary_that_it_names(here: Server):
    dictionary = await made(here)
    tts = {"pronunciation_dictionary_id": dictionary["pronunciation_dictionary_id"]}
    persona = await here.create("personas", persona_name="A", system_prompt="You are A.", layers={"tts": tts})
    assert persona["warnings"] == []
    stored = (await here.store.personas.get(persona["persona_id"])).document
    found = runnable(await with_dictionary(here.store, stored))
    assert [rule.pronunciation for rule in found.layers.tts.pronunciation_rules] == ["win"]
    await here.client.delete(f"{PATH}/{dictionary['pronunciation_dictionary_id']}")
    found = runnable(await with_dictionary(here.store, stored))
    assert found.layers.tts.pronunciation_rules == ()


async def test_rules_of_sounds_are_kept_and_told_to_have_no_effect(here: Server):
    rule = {"text": "quay", "pronunciation": "kiː", "type": "ipa"}
    dictionary = await made(here, rules=[rule])
    tts = {"pronunciation_dictionary_id": dictionary["pronunciation_dictionary_id"]}
    persona = await here.create("personas", persona_name="A", system_prompt="You are A.", layers={"tts": tts})
    assert "ipa yet: quay" in persona["warnings"][0]


async def test_a_dictionary_that_does_not_exist_is_told(here: Server):
    layers = {"tts": {"pronunciation_dictionary_id": "pd_000000000000"}}
    persona = await here.create("personas", persona_name="A", system_prompt="You are A.", layers=layers)
    assert persona["warnings"] == ["layers.tts.pronunciation_dictionary_id: there is no dictionary 'pd_000000000000'"]
