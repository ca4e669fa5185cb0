"""`/v2/personas` (and `/v2/pals`): who speaks."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import WithJsonSchema

from visavis.api import pagination, vocabulary
from visavis.api.answers import FromStore, errors, moment, shown
from visavis.api.json_patch import OPERATIONS_SCHEMA, patched
from visavis.api.persona_document import PersonaBody, with_defaults
from visavis.api.pronunciations import dictionary_warnings
from visavis.api.runnable import CREDENTIALS, check_mcp, outside_addresses, snapshot, validated, warnings
from visavis.api.shapes import CheckedPersona, CreatedPersona, Listed, ShownPersona
from visavis.api.system import STOCK_REPLICA_ID, SystemPersonas
from visavis.errors import BadInputError
from visavis.layers.tools.built_in import SYSTEM_TOOLS
from visavis.outbound import PrivateAddresses, check_url
from visavis.store import Store
from visavis.store.personas import StoredPersona
from visavis.store.secrets import MASK, is_secret, masked

router = APIRouter(prefix="/v2/personas", tags=["personas"])

_SERVER_SETS = ("persona_id", "persona_type", "created_at", "updated_at", "data", "warnings")

_UNKNOWN = {400: "Invalid persona_id: there is no persona 'p0123456789ab'"}
_FORBIDDEN = {403: "'ptutor' is a persona of the system, which cannot be changed or deleted; create one of your own."}
_CREATED = {
    "persona_id": "p0123456789ab",
    "pal_id": "p0123456789ab",
    "persona_name": "Ines",
    "pal_name": "Ines",
    "created_at": "2026-11-01T10:00:00Z",
    "warnings": [],
}
_SHOWN = {
    "persona_id": "p0123456789ab",
    "persona_name": "Ines",
    "system_prompt": "You are Ines, a cheerful guide at the Harbour Museum.",
    "pipeline_mode": "full",
    "default_replica_id": "rmira",
    "layers": {"conversational_flow": {"turn_taking_patience": "medium"}},
    "persona_type": "user",
    "created_at": "2026-11-01T10:00:00Z",
    "updated_at": "2026-11-01T10:00:00Z",
}


@router.post(
    "", responses=shown(CreatedPersona, _CREATED) | errors({400: "persona_name: 7 is not valid; expected a string"})
)
async def create_persona(request: Request, store: FromStore, body: PersonaBody) -> dict[str, Any]:
    """Make a persona. What this server keeps without acting on it yet is listed under `warnings`."""
    given = _without_server_fields(body.given())
    document = await _checked(request, store, given)
    made = await store.personas.create(document)
    return vocabulary.in_both(
        {
            "persona_id": made.persona_id,
            "persona_name": document["persona_name"],
            "created_at": moment(made.created_at),
            "warnings": [
                *warnings(given),
                *await _unknown(store, given),
            ],
        }
    )


@router.post(
    "/check",
    responses=shown(CheckedPersona, {"valid": True, "warnings": []})
    | errors({400: "persona_name: 7 is not valid; expected a string"}),
)
async def check_persona(
    request: Request,
    store: FromStore,
    body: PersonaBody,
    persona_id: Annotated[
        str | None, Query(max_length=100, description="The persona it would change: its secrets may stay `********`.")
    ] = None,
) -> dict[str, Any]:
    """What `POST /v2/personas` would say to this persona, without making it: a 400 names the field that is wrong."""
    given = _without_server_fields(body.given())
    before = await find(_system(request), store, persona_id) if persona_id else None
    await _checked(request, store, given, masked(before) if before else None)
    return {"valid": True, "warnings": warnings(given)}


@router.get("", responses=shown(Listed[ShownPersona], {"data": [_SHOWN], "total_count": 1}))
async def list_personas(
    request: Request,
    store: FromStore,
    page: pagination.FromOne,
    persona_type: Annotated[Literal["user", "system"] | None, Query(description="Only these; `pal_type` too.")] = None,
) -> dict[str, Any]:
    """Personas: your own, newest first, then those of the system."""
    system = _system(request).list() if persona_type != "user" else []
    if persona_type == "system":
        return pagination.listed([_masked(one) for one in system[page.offset :][: page.limit]], len(system))
    own = await store.personas.page(limit=page.limit, offset=page.offset, kind="user")
    _, rest = pagination.behind(page, own.total)
    found = [_described(one) for one in own.items] + [_masked(one) for one in system[rest.offset :][: rest.limit]]
    return pagination.listed(found, own.total + len(system))


@router.get("/{persona_id}", responses=shown(ShownPersona, _SHOWN) | errors(_UNKNOWN))
async def get_persona(request: Request, store: FromStore, persona_id: str) -> dict[str, Any]:
    """One persona, complete; secrets are `********`."""
    if found := _system(request).get(persona_id):
        return vocabulary.in_both(_masked(found))
    return vocabulary.in_both(_described(await store.personas.get(persona_id)))


@router.patch(
    "/{persona_id}",
    responses=shown(ShownPersona, _SHOWN, "The persona as it is now.")
    | errors(_UNKNOWN | _FORBIDDEN | {422: "Invalid JSON patch format"})
    | {304: {"description": "The patch changes nothing."}},
)
async def change_persona(
    request: Request,
    store: FromStore,
    persona_id: str,
    operations: Annotated[
        Any,
        WithJsonSchema(OPERATIONS_SCHEMA),
        Body(
            description="A JSON Patch (RFC 6902).",
            examples=[[{"op": "replace", "path": "/layers/conversational_flow/turn_taking_patience", "value": "high"}]],
        ),
    ] = None,
) -> Response:
    """Change a persona by a JSON Patch. A secret that the patch does not touch stays as it is."""
    _system(request).refuse_change(persona_id)
    before = await store.personas.get(persona_id)
    changed = patched(before.document, operations)
    if changed is None:
        return Response(status_code=304)
    document = await _checked(request, store, _without_server_fields(changed), before.document)
    after = await store.personas.replace(persona_id, document)
    return JSONResponse(vocabulary.in_both(_described(after)))


@router.delete("/{persona_id}", status_code=204, responses=errors(_UNKNOWN | _FORBIDDEN))
async def delete_persona(
    request: Request,
    store: FromStore,
    persona_id: str,
    hard: Annotated[bool, Query(description="Also remove its data, which is kept otherwise.")] = False,
) -> Response:
    """Delete a persona. Conversations that were made with it go on as they are."""
    _system(request).refuse_change(persona_id)
    await store.personas.delete(persona_id, hard=hard)
    return Response(status_code=204)


async def find(system: SystemPersonas, store: Store, persona_id: str) -> dict[str, Any]:
    """A persona's document, secrets included. Raises `NotFoundError`."""
    return system.get(persona_id) or (await store.personas.get(persona_id, reveal=True)).document


async def _checked(
    request: Request, store: Store, given: dict[str, Any], before: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The complete document; raises `BadInputError` for one that could not run."""
    document = with_defaults(PersonaBody.checked(given).given())
    _check_secrets(document, before or {})
    if document["pipeline_mode"] not in ("echo", "speech-to-speech") and not document["system_prompt"]:
        raise BadInputError("system_prompt", document["system_prompt"], "a text, because pipeline_mode is 'full'")
    replica_id = document["default_replica_id"]
    if replica_id and replica_id != STOCK_REPLICA_ID:
        await store.replicas.get(replica_id)
    tools = [one for one in document.get("tool_ids") or () if one not in SYSTEM_TOOLS]
    persona = validated(snapshot(document, tools=await store.tools.documents(tools)))
    settings = request.app.state.settings
    check_mcp(persona, settings.mcp_commands)
    private = PrivateAddresses.parse(settings.allow_private_urls)
    for field, url in outside_addresses(persona):
        check_url(field, url, private)
    return document


async def _unknown(store: Store, given: Mapping[str, Any]) -> list[str]:
    """What the persona names that does not exist, one line each."""
    found = await dictionary_warnings(store, given)
    for tool_id in given.get("tool_ids") or ():
        if tool_id not in SYSTEM_TOOLS and not await store.tools.documents([tool_id]):
            found.append(f"tool_ids: there is no tool {tool_id!r}")
    return found


def _check_secrets(document: Any, before: Any, at: str = "") -> None:
    """A mask stands for a secret that is stored, and only for use at the address that it was stored for."""
    if isinstance(document, list):
        for index, inner in enumerate(document):
            old = before[index] if isinstance(before, list) and index < len(before) else None
            _check_secrets(inner, old, f"{at}.{index}")
        return
    if not isinstance(document, dict):
        return
    old = before if isinstance(before, dict) else {}
    for name, value in document.items():
        here = f"{at}.{name}".lstrip(".")
        if value == MASK and is_secret(name) and old.get(name) != MASK:
            raise BadInputError(here, value, "the secret itself: none is stored here")
        _check_secrets(value, old.get(name), here)
    if old.get("base_url") and document.get("base_url") != old["base_url"]:
        for name in CREDENTIALS:
            if MASK in _texts(document.get(name)):
                expected = "the secret itself again: it was given for another base_url"
                raise BadInputError(f"{at}.{name}".lstrip("."), MASK, expected)


def _texts(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else [value]


def _without_server_fields(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in _SERVER_SETS}


def _system(request: Request) -> SystemPersonas:
    found: SystemPersonas = request.app.state.system_personas
    return found


def _masked(document: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = masked(document)
    return shown


def _described(stored: StoredPersona) -> dict[str, Any]:
    return {
        "persona_id": stored.persona_id,
        **stored.document,
        "persona_type": stored.kind,
        "created_at": moment(stored.created_at),
        "updated_at": moment(stored.updated_at),
    }
