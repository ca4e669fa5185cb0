"""`/v2/personas` over HTTP on a real store."""

import pytest

from tests.unit.api.server import Server

GUIDE = {"persona_name": "Ines", "system_prompt": "You are Ines."}


async def test_created_persona_can_be_looked_up_in_both_vocabularies(here: Server):
    made = await here.create("personas", **GUIDE)
    assert made["persona_id"] == made["pal_id"] and made["persona_id"].startswith("p")
    assert made["warnings"] == []
    found = await here.get(f"pals/{made['pal_id']}")
    assert (found["persona_name"], found["pal_name"], found["persona_type"]) == ("Ines", "Ines", "user")
    assert found["layers"]["conversational_flow"]["face_interruptibility"] == "medium"


async def test_persona_is_accepted_in_the_second_vocabulary(here: Server):
    made = await here.create(
        "pals",
        pal_name="Ines",
        system_prompt="You are Ines.",
        default_face_id="rmira",
        layers={"conversational_flow": {"face_interruptibility": "low"}},
    )
    found = await here.get(f"personas/{made['persona_id']}")
    assert found["persona_name"] == "Ines"
    assert found["default_replica_id"] == found["default_face_id"] == "rmira"
    assert found["layers"]["conversational_flow"]["replica_interruptibility"] == "low"


async def test_both_names_of_a_field_must_agree(here: Server):
    body = GUIDE | {"pal_name": "Ana"}
    response = await here.client.post("/v2/personas", json=body)
    assert response.status_code == 400
    assert "pal_name" in response.json()["error"] and "Ines" in response.json()["error"]


async def test_unknown_fields_and_engines_are_kept_and_named(here: Server):
    layers = {
        "tts": {"tts_engine": "cartesia", "external_voice_id": "v1", "voice_settings": {"speed": "fast"}},
        "llm": {"model": "tavus-gpt-oss", "tools": [{"type": "function", "function": {"name": "f"}}]},
        "transport": {"transport_type": "livekit"},
    }
    made = await here.create("personas", **GUIDE, colour="green", document_ids=["d1"], layers=layers)
    named = " ".join(made["warnings"])
    for word in ("colour", "document_ids", "cartesia", "tavus-gpt-oss", "layers.transport"):
        assert word in named
    found = await here.get(f"personas/{made['persona_id']}")
    assert found["colour"] == "green"
    for name, layer in layers.items():
        assert found["layers"][name] == layer


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"system_prompt": ""}, "system_prompt"),
        ({"system_prompt": 7}, "system_prompt"),
        ({"pipeline_mode": "sideways"}, "pipeline_mode"),
        ({"layers": {"conversational_flow": {"turn_taking_patience": "endless"}}}, "turn_taking_patience"),
        ({"layers": {"llm": {"base_url": "https://host/v1"}}}, "layers.llm.model"),
        ({"layers": {"llm": {"base_url": "ftp://host", "model": "m"}}}, "layers.llm.base_url"),
        ({"layers": {"llm": {"api_key": "********"}}}, "layers.llm.api_key"),
        ({"layers": []}, "layers"),
        ({"persona_name": "a\x00b"}, "persona_name"),
        ({"default_replica_id": "r404"}, "replica_id"),
    ],
)
async def test_unusable_field_is_named(refusing: Server, change, field):
    response = await refusing.client.post("/v2/personas", json=GUIDE | change)
    assert response.status_code == 400
    assert field in response.json()["error"]
    assert response.json()["error"] == response.json()["message"]


async def test_echo_persona_needs_no_prompt(here: Server):
    made = await here.create("personas", persona_name="Parrot", pipeline_mode="echo")
    assert made["warnings"] == []


async def test_secret_is_never_shown_and_survives_changes(here: Server):
    llm = {"base_url": "https://host/v1", "model": "m", "api_key": "sk-secret"}
    persona_id = (await here.create("personas", **GUIDE, layers={"llm": llm}))["persona_id"]
    path = f"/v2/personas/{persona_id}"
    assert (await here.client.get(path)).json()["layers"]["llm"]["api_key"] == "********"
    renamed = await here.client.patch(path, json=[{"op": "replace", "path": "/persona_name", "value": "Ana"}])
    assert renamed.status_code == 200 and "sk-secret" not in renamed.text
    assert (await here.store.personas.get(persona_id, reveal=True)).document["layers"]["llm"]["api_key"] == "sk-secret"


@pytest.mark.parametrize("op", ["copy", "move"])
async def test_secret_cannot_be_copied_to_where_it_is_shown(here: Server, op):
    llm = {"base_url": "https://host/v1", "model": "m", "api_key": "sk-secret"}
    persona_id = (await here.create("personas", **GUIDE, layers={"llm": llm}))["persona_id"]
    patch = [{"op": op, "from": "/layers/llm/api_key", "path": "/persona_name"}]
    response = await here.client.patch(f"/v2/personas/{persona_id}", json=patch)
    assert "sk-secret" not in response.text
    assert "sk-secret" not in (await here.client.get(f"/v2/personas/{persona_id}")).text


async def test_secret_does_not_follow_to_another_address(here: Server):
    llm = {"base_url": "https://host/v1", "model": "m", "api_key": "sk-secret"}
    persona_id = (await here.create("personas", **GUIDE, layers={"llm": llm}))["persona_id"]
    patch = [{"op": "replace", "path": "/layers/llm/base_url", "value": "https://elsewhere/v1"}]
    response = await here.client.patch(f"/v2/personas/{persona_id}", json=patch)
    assert response.status_code == 400 and "api_key" in response.json()["error"]
    patch.append({"op": "replace", "path": "/layers/llm/api_key", "value": "sk-other"})
    assert (await here.client.patch(f"/v2/personas/{persona_id}", json=patch)).status_code == 200


async def test_patch_in_either_vocabulary_changes_the_persona(here: Server):
    path = f"/v2/pals/{(await here.create('personas', **GUIDE))['persona_id']}"
    patch = [
        {"op": "replace", "path": "/pal_name", "value": "Ana"},
        {"op": "replace", "path": "/layers/conversational_flow/face_interruptibility", "value": "high"},
        {"op": "add", "path": "/layers/tts/tts_engine", "value": "cartesia"},
    ]
    changed = (await here.client.patch(path, json=patch)).json()
    assert changed["persona_name"] == "Ana"
    assert changed["layers"]["conversational_flow"]["replica_interruptibility"] == "high"
    assert changed["layers"]["tts"]["tts_engine"] == "cartesia"


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        ([{"op": "replace", "path": "/persona_name", "value": "Ines"}], 304),
        ([], 304),
        ({"op": "replace"}, 422),
        ([{"op": "rename", "path": "/persona_name"}], 422),
        ([{"op": "replace", "path": "persona_name", "value": "x"}], 422),
        ([{"op": "add", "path": "/persona_name"}], 422),
        (None, 422),
        ([{"op": "remove", "path": "/nothing"}], 400),
        ([{"op": "replace", "path": "/pipeline_mode", "value": "sideways"}], 400),
        ([{"op": "test", "path": "/persona_name", "value": "Ana"}], 400),
        ([{"op": "replace", "path": "", "value": []}], 400),
    ],
)
async def test_patch_that_does_not_fit_says_how(here: Server, patch, status):
    path = f"/v2/personas/{(await here.create('personas', **GUIDE))['persona_id']}"
    before = (await here.client.get(path)).json()
    response = await here.client.patch(path, json=patch)
    assert response.status_code == status, response.text
    if status == 422:
        assert response.json()["message"] == "Invalid JSON patch format"
    assert (await here.client.get(path)).json() == before


async def test_deleted_persona_is_gone(here: Server):
    for hard in ("true", "false"):
        path = f"/v2/personas/{(await here.create('personas', **GUIDE))['persona_id']}"
        response = await here.client.delete(path, params={"hard": hard})
        assert (response.status_code, response.content) == (204, b"")
        assert (await here.client.get(path)).status_code == 400
        assert (await here.client.delete(path)).status_code == 400


async def test_lists_count_pages_from_one_and_take_nought_for_the_first(here: Server):
    ids = [(await here.create("personas", **GUIDE))["persona_id"] for _ in range(3)]
    own = "personas?persona_type=user&limit=2"
    first, second = await here.get(f"{own}&page=1"), await here.get(f"{own}&page=2")
    assert await here.get(f"{own}&page=0") == first
    assert first["total_count"] == 3
    assert [one["persona_id"] for one in first["data"] + second["data"]] == list(reversed(ids))
    assert (await here.get("pals/?pal_type=user"))["total_count"] == 3


async def test_list_goes_on_from_own_personas_to_those_of_the_system(here: Server):
    own = (await here.create("personas", **GUIDE))["persona_id"]
    everything = await here.get("personas?limit=100")
    assert everything["data"][0]["persona_id"] == own
    assert (
        everything["total_count"]
        == len(everything["data"])
        == 1 + (await here.get("personas?persona_type=system"))["total_count"]
    )
    paged = [one for page in range(1, 9) for one in (await here.get(f"personas?limit=3&page={page}"))["data"]]
    assert paged == everything["data"]


async def test_templates_can_be_read_and_not_changed(here: Server):
    listed = (await here.get("personas?persona_type=system&limit=100"))["data"]
    templates = [one for one in listed if one.get("is_template")]
    assert len(templates) >= 8
    assert {one["default_replica_id"] for one in listed} == {"rmira"}
    path = "/v2/personas/ptutor"
    assert (await here.client.get(path)).json()["persona_type"] == "system"
    for response in (
        await here.client.delete(path),
        await here.client.patch(path, json=[{"op": "remove", "path": "/greeting"}]),
    ):
        assert response.status_code == 403
        assert "ptutor" in response.json()["error"]


async def test_what_a_get_gives_can_be_posted_as_ones_own(here: Server):
    template = await here.get("personas/ptutor")
    made = await here.create("personas", **template)
    assert made["persona_id"] != "ptutor" and made["warnings"] == []
    found = await here.get(f"personas/{made['persona_id']}")
    assert found["system_prompt"] == template["system_prompt"] and found["persona_type"] == "user"


async def test_persona_is_checked_without_being_made(here: Server):
    checked = await here.client.post("/v2/personas/check", json=GUIDE | {"document_ids": ["d1"]})
    assert checked.json() == {"valid": True, "warnings": ["document_ids: documents are not available yet"]}
    for body, field in (
        ({"persona_name": "Ines"}, "system_prompt"),
        (GUIDE | {"layers": {"llm": {"base_url": "https://a.example/v1"}}}, "layers.llm.model"),
        (GUIDE | {"layers": {"llm": {"api_key": "********"}}}, "layers.llm.api_key"),
        (GUIDE | {"layers": {"conversational_flow": {"turn_taking_patience": "some"}}}, "layers.conversational_flow."),
    ):
        response = await here.client.post("/v2/personas/check", json=body)
        assert response.status_code == 400 and response.json()["error"].startswith(field)
    assert (await here.get("personas?persona_type=user"))["total_count"] == 0


async def test_stored_secret_may_stay_masked_in_a_check(here: Server):
    layers = {"llm": {"base_url": "https://a.example/v1", "model": "m", "api_key": "sk-1"}}
    made = await here.create("personas", **GUIDE, layers=layers)
    masked = GUIDE | {"layers": {"llm": layers["llm"] | {"api_key": "********"}}}
    path = f"/v2/personas/check?persona_id={made['persona_id']}"
    assert (await here.client.post(path, json=masked)).status_code == 200
    masked["layers"]["llm"]["base_url"] = "https://b.example/v1"
    assert (await here.client.post(path, json=masked)).status_code == 400
    assert (await here.client.post("/v2/personas/check?persona_id=p404", json=GUIDE)).status_code == 400


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("layers", "field"),
    [
        ({"tts": {"tts_engine": "openai", "base_url": "http://10.0.0.7/v1"}}, "layers.tts.base_url"),
        ({"stt": {"stt_engine": "openai", "base_url": "http://127.0.0.1:1/v1"}}, "layers.stt.base_url"),
        ({"sts": {"base_url": "http://169.254.169.254/v1", "model": "m"}}, "layers.sts.base_url"),
    ],
)
async def test_engine_at_a_private_address_is_refused_with_its_field(refusing: Server, layers, field):
    body = {"persona_name": "A", "system_prompt": "B", "pipeline_mode": "speech-to-speech", "layers": layers}
    response = await refusing.client.post("/v2/personas", json=body)
    assert response.status_code == 400
    assert field in response.json()["message"] and "VISAVIS_ALLOW_PRIVATE_URLS" in response.json()["message"]
