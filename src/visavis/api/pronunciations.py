"""`/v2/pronunciation-dictionaries`: how personas say certain words."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi import Body as InBody
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from visavis.api import pagination
from visavis.api.answers import FromStore, errors, moment, shown
from visavis.api.bodies import Body, check_storable
from visavis.api.json_patch import OPERATIONS_SCHEMA, patched
from visavis.errors import BadInputError
from visavis.layers.tts.dictionary import MOST_RULES, Rule
from visavis.store import Store
from visavis.store.errors import NotFoundError
from visavis.store.pronunciations import StoredDictionary

router = APIRouter(prefix="/v2/pronunciation-dictionaries", tags=["pronunciation dictionaries"])

_OF_SERVER = ("pronunciation_dictionary_id", "rules_count", "created_at", "updated_at")
_RULE = {"text": "Nguyen", "pronunciation": "win", "type": "alias", "case_sensitive": False, "word_boundaries": True}
_LISTED = {
    "pronunciation_dictionary_id": "pd_0123456789ab",
    "name": "Names of our customers",
    "rules_count": 1,
    "created_at": "2026-11-01T10:00:00Z",
    "updated_at": "2026-11-01T10:00:00Z",
}
_SHOWN = _LISTED | {"rules": [_RULE]}
_UNKNOWN = {404: "Pronunciation dictionary not found"}
_INVALID = {400: "rules: 'Nguyen' is not valid; expected each text once"}


class Dictionary(Body):
    """Body of `POST /v2/pronunciation-dictionaries`."""

    name: Annotated[str, Field(min_length=1, max_length=255, examples=["Names of our customers"])]
    rules: Annotated[list[Rule], Field(default_factory=list, max_length=MOST_RULES, examples=[[_RULE]])]


class ShownDictionary(BaseModel):
    """A dictionary as the API shows it; lists leave the rules out."""

    model_config = ConfigDict(extra="allow")

    pronunciation_dictionary_id: str
    name: str
    rules_count: int


class ListedDictionaries(BaseModel):
    """A page of them."""

    data: list[ShownDictionary]
    total_count: int
    page: int
    limit: int


@router.post(
    "",
    status_code=201,
    responses={201: shown(ShownDictionary, _SHOWN)[200], **errors(_INVALID)},
)
async def create_dictionary(store: FromStore, body: Dictionary) -> dict[str, Any]:
    """Make a dictionary, which `layers.tts.pronunciation_dictionary_id` of personas names."""
    return _whole(await store.pronunciations.create(_document(body)))


@router.get("", responses=shown(ListedDictionaries, {"data": [_LISTED], "total_count": 1, "page": 0, "limit": 10}))
async def list_dictionaries(
    store: FromStore,
    page: pagination.FromZero,
    sort: Annotated[Literal["asc", "desc"], Query(description="By when they were made.")] = "desc",
) -> dict[str, Any]:
    """Dictionaries without their rules; `page` counts from 0."""
    found = await store.pronunciations.page(limit=page.limit, offset=page.offset, oldest_first=sort == "asc")
    listed = pagination.listed([_without_rules(one) for one in found.items], found.total)
    return listed | {"page": page.number, "limit": page.limit}


@router.get("/{dictionary_id}", responses=shown(ShownDictionary, _SHOWN) | errors(_UNKNOWN))
async def get_dictionary(store: FromStore, dictionary_id: str) -> dict[str, Any]:
    """One dictionary with its rules."""
    return _whole(await store.pronunciations.get(dictionary_id))


@router.patch(
    "/{dictionary_id}",
    responses=shown(ShownDictionary, _SHOWN, "As it is now.")
    | errors(_UNKNOWN | _INVALID | {422: "Invalid JSON patch format"})
    | {304: {"description": "The patch changes nothing."}},
)
async def change_dictionary(
    store: FromStore,
    dictionary_id: str,
    operations: Annotated[
        Any,
        WithJsonSchema(OPERATIONS_SCHEMA),
        InBody(
            description="A JSON Patch (RFC 6902); an object with `name` or `rules` or both replaces those.",
            examples=[[{"op": "replace", "path": "/rules/0/pronunciation", "value": "gwin"}]],
        ),
    ] = None,
) -> Response:
    """Change a dictionary by a JSON Patch, or by the fields that change. Conversations that have begun keep it."""
    before = await store.pronunciations.get(dictionary_id)
    changed: dict[str, Any] | None
    if isinstance(operations, dict):  # what the hosted service's own clients send
        changed = {**before.document, **operations}
    else:
        changed = patched(before.document, operations)
    if changed is None or changed == before.document:
        return Response(status_code=304)
    document = _document(Dictionary.checked(changed))
    return JSONResponse(_whole(await store.pronunciations.replace(dictionary_id, document)))


@router.delete("/{dictionary_id}", status_code=204, responses=errors(_UNKNOWN))
async def delete_dictionary(store: FromStore, dictionary_id: str) -> Response:
    """Delete a dictionary. Personas that name it speak without it; conversations that have begun keep it."""
    await store.pronunciations.delete(dictionary_id)
    return Response(status_code=204)


async def with_dictionary(store: Store, document: Mapping[str, Any]) -> dict[str, Any]:
    """A persona's document with the rules of the dictionary that it names, if there is one."""
    layers = dict(document.get("layers") or {})
    speaking = dict(layers.get("tts") or {})
    speaking.pop("pronunciation_rules", None)
    if wanted := speaking.get("pronunciation_dictionary_id"):
        with suppress(NotFoundError):
            speaking["pronunciation_rules"] = (await store.pronunciations.get(wanted)).document["rules"]
    return {**document, "layers": {**layers, "tts": speaking}}


async def dictionary_warnings(store: Store, given: Mapping[str, Any]) -> list[str]:
    """What of the dictionary that a persona names has no effect, one line each."""
    field = "pronunciation_dictionary_id"
    wanted = ((given.get("layers") or {}).get("tts") or {}).get(field)
    if not wanted:
        return []
    try:
        rules = (await store.pronunciations.get(wanted)).document["rules"]
    except NotFoundError:
        return [f"layers.tts.{field}: there is no dictionary {wanted!r}"]
    sounds = [rule["text"] for rule in rules if rule["type"] == "ipa"]
    return [f"layers.tts.{field}: no voice takes rules of type ipa yet: {', '.join(sounds)[:80]}"] if sounds else []


def _document(body: Dictionary) -> dict[str, Any]:
    """What is stored. Raises `BadInputError` for texts that two rules are for."""
    seen: set[str] = set()
    for rule in body.rules:
        if rule.text in seen:
            raise BadInputError("rules", rule.text, "each text once")
        seen.add(rule.text)
    document = {"name": body.name, "rules": [rule.model_dump(mode="json") for rule in body.rules]}
    check_storable(document)
    return document


def _without_rules(stored: StoredDictionary) -> dict[str, Any]:
    return {
        "pronunciation_dictionary_id": stored.dictionary_id,
        "name": stored.document["name"],
        "rules_count": len(stored.document["rules"]),
        "created_at": moment(stored.created_at),
        "updated_at": moment(stored.updated_at),
    }


def _whole(stored: StoredDictionary) -> dict[str, Any]:
    return _without_rules(stored) | {"rules": stored.document["rules"]}
