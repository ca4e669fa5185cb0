"""`/v2/tools`: what personas can do besides talking, and which of them a persona has."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from visavis.api import pagination
from visavis.api.answers import FromStore, errors, moment, shown
from visavis.api.bodies import Body, first_problem
from visavis.api.runnable import snapshot, validated
from visavis.api.shapes import Listed
from visavis.api.system import SystemPersonas
from visavis.errors import BadInputError
from visavis.layers.tools.built_in import LOOK, LOOK_AT, NOTHING, SYSTEM_TOOLS
from visavis.layers.tools.description import ToolDescription
from visavis.outbound import PrivateAddresses, check_url
from visavis.store import Store
from visavis.store.secrets import MASK, is_secret
from visavis.store.tools import StoredTool

router = APIRouter(prefix="/v2/tools", tags=["tools"])
of_personas = APIRouter(prefix="/v2/personas/{persona_id}/tools", tags=["tools"])

MOST_TOOLS = 50
"""Of one persona."""

_DEFAULTS: Mapping[str, Any] = {
    "origin": "llm",
    "on_call": "generate_filler",
    "on_resolve": "fire_and_forget",
    "static_filler": "",
    "tags": [],
    "trigger_type": "in_call",
}
_SERVER_SETS = ("tool_id", "tool_type", "created_at", "updated_at")
_EXAMPLE = {
    "tool_id": "t0123456789ab",
    "name": "get_weather",
    "description": "Look up the weather at a place.",
    "parameters": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
    "delivery": {"api": {"url": "https://weather.example.org/now", "method": "GET", "query_params": {"q": "{place}"}}},
    "origin": "llm",
    "on_call": "generate_filler",
    "on_resolve": "generate_response",
    "static_filler": "",
    "tags": [],
    "trigger_type": "in_call",
    "tool_type": "user",
    "created_at": "2026-11-01T10:00:00Z",
    "updated_at": "2026-11-01T10:00:00Z",
}
_UNKNOWN = {404: "There is no tool 't0123456789ab'."}
_INVALID = {400: "delivery: {} is not valid; expected exactly one of app_message and api"}


class ToolBody(Body):
    """Body of `POST /v2/tools`; of `PATCH`, the fields that change."""

    name: Annotated[str, Field(max_length=64, examples=["get_weather"])] | None = None
    description: Annotated[str, Field(max_length=10_000, examples=["Look up the weather at a place."])] | None = None
    parameters: dict[str, Any] | None = None
    delivery: Annotated[dict[str, Any], Field(examples=[{"app_message": True}])] | None = None
    tags: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=32)] | None = None


class ShownTool(BaseModel):
    """A tool as the API shows it."""

    model_config = ConfigDict(extra="allow")

    tool_id: str
    name: str


class ToolIds(Body):
    """Tools that a persona gets."""

    tool_ids: Annotated[list[Annotated[str, Field(max_length=100)]], Field(min_length=1, max_length=MOST_TOOLS)]


@router.post("", responses=shown(ShownTool, _EXAMPLE) | errors(_INVALID))
async def create_tool(request: Request, store: FromStore, body: ToolBody) -> dict[str, Any]:
    """Make a tool. `delivery` says who does it: `app_message` the client in the call, `api` another server."""
    document = _checked(request, {**_DEFAULTS, **_without_server_fields(body.given())})
    _refuse_masks(document)
    return _described(await store.tools.create(document))


@router.get("", responses=shown(Listed[ShownTool], {"data": [_EXAMPLE], "total_count": 1}))
async def list_tools(
    store: FromStore,
    page: pagination.FromOne,
    type: Annotated[
        Literal["user", "system", "all"], Query(description="Own ones, those of visavis, or both.")
    ] = "all",
    sort: Annotated[Literal["asc", "desc"], Query(description="By when they were made.")] = "desc",
    name_or_uuid: Annotated[
        str | None, Query(max_length=100, description="Only the one with this id, and those with this in their name.")
    ] = None,
) -> dict[str, Any]:
    """Tools: your own, then those of visavis itself."""
    system = (
        [system_tool(name) for name in SYSTEM_TOOLS if (name_or_uuid or "").lower() in name] if type != "user" else []
    )
    if type == "system":
        return pagination.listed(system[page.offset :][: page.limit], len(system))
    own = await store.tools.page(limit=page.limit, offset=page.offset, oldest_first=sort == "asc", wanted=name_or_uuid)
    _, rest = pagination.behind(page, own.total)
    found = [_described(one) for one in own.items] + system[rest.offset :][: rest.limit]
    return pagination.listed(found, own.total + len(system))


@router.get("/{tool_id}", responses=shown(ShownTool, _EXAMPLE) | errors(_UNKNOWN))
async def get_tool(store: FromStore, tool_id: str) -> dict[str, Any]:
    """One tool; secrets are `********`."""
    return system_tool(tool_id) if tool_id in SYSTEM_TOOLS else _described(await store.tools.get(tool_id))


@router.patch("/{tool_id}", responses=shown(ShownTool, _EXAMPLE, "As it is now.") | errors(_UNKNOWN | _INVALID))
async def change_tool(request: Request, store: FromStore, tool_id: str, body: ToolBody) -> dict[str, Any]:
    """Change the fields that are given. A secret that is sent back as `********` stays as it is."""
    before = (await store.tools.get(tool_id)).document
    given = _without_server_fields(body.given())
    document = _checked(request, {**before, **given})
    if _host(before) != _host(document):
        _refuse_masks(document)
    return _described(await store.tools.replace(tool_id, document))


@router.delete("/{tool_id}", status_code=204, responses=errors(_UNKNOWN))
async def delete_tool(store: FromStore, tool_id: str) -> Response:
    """Delete a tool. Conversations that were made with it go on as they are; personas lose it."""
    await store.tools.delete(tool_id)
    return Response(status_code=204)


@of_personas.get("", responses=shown(Listed[ShownTool], {"data": [_EXAMPLE], "total_count": 1}))
async def tools_of_persona(request: Request, store: FromStore, persona_id: str) -> dict[str, Any]:
    """The tools of a persona."""
    found = []
    for tool_id in (await _document(request, store, persona_id)).get("tool_ids") or []:
        found.append(system_tool(tool_id) if tool_id in SYSTEM_TOOLS else _described(await store.tools.get(tool_id)))
    return pagination.listed(found, len(found))


@of_personas.post("", responses=shown(ToolIds, {"tool_ids": ["t0123456789ab", "end_call"]}) | errors(_UNKNOWN))
async def give_tools(request: Request, store: FromStore, persona_id: str, body: ToolIds) -> dict[str, Any]:
    """Give a persona tools, besides those that it has."""
    for tool_id in body.tool_ids:
        if tool_id not in SYSTEM_TOOLS:
            await store.tools.get(tool_id)
    before = await _document(request, store, persona_id)
    wanted = list(dict.fromkeys([*(before.get("tool_ids") or []), *body.tool_ids]))
    if len(wanted) > MOST_TOOLS:
        raise BadInputError("tool_ids", len(wanted), f"at most {MOST_TOOLS} tools for one persona")
    return await _set_tools(request, store, persona_id, wanted)


@of_personas.delete("/{tool_id}", responses=errors(_UNKNOWN))
async def take_tool(request: Request, store: FromStore, persona_id: str, tool_id: str) -> Response:
    """Take a tool from a persona."""
    before = (await _document(request, store, persona_id)).get("tool_ids") or []
    if tool_id not in before:
        text = f"The persona {persona_id!r} has no tool {tool_id[:80]!r}."
        return JSONResponse({"error": text, "message": text}, 404)
    await _set_tools(request, store, persona_id, [one for one in before if one != tool_id])
    return Response(status_code=204)


async def _document(request: Request, store: Store, persona_id: str) -> dict[str, Any]:
    system: SystemPersonas = request.app.state.system_personas
    return system.get(persona_id) or (await store.personas.get(persona_id)).document


async def _set_tools(request: Request, store: Store, persona_id: str, tool_ids: list[str]) -> dict[str, Any]:
    system: SystemPersonas = request.app.state.system_personas
    system.refuse_change(persona_id)
    document = (await store.personas.get(persona_id)).document | {"tool_ids": tool_ids}
    validated(snapshot(document, tools=await resolved(store, tool_ids)))
    await store.personas.replace(persona_id, document)
    return {"persona_id": persona_id, "pal_id": persona_id, "tool_ids": tool_ids}


async def resolved(store: Store, tool_ids: list[str]) -> list[dict[str, Any]]:
    """The documents of a persona's own tools, secrets included; those that were deleted meanwhile are gone."""
    return await store.tools.documents([one for one in tool_ids if one not in SYSTEM_TOOLS])


def system_tool(name: str) -> dict[str, Any]:
    """A tool of visavis itself, as the API describes one."""
    described = next(text for known, text in SYSTEM_TOOLS.items() if known == name)
    return {
        "tool_id": name,
        **_DEFAULTS,
        "name": name,
        "description": described,
        "parameters": dict(LOOK_AT if name == LOOK else NOTHING),
        "on_resolve": "generate_response",
        "tool_type": "system",
    }


def _checked(request: Request, document: dict[str, Any]) -> dict[str, Any]:
    if "delivery" not in document:
        raise BadInputError("delivery", None, 'exactly one of {"app_message": true} and {"api": {...}}')
    try:
        described = ToolDescription.model_validate(document)
    except ValidationError as error:
        raise first_problem(error.errors(include_url=False)) from None
    if described.name in SYSTEM_TOOLS:
        raise BadInputError("name", described.name, "a name that no tool of visavis has")
    if described.delivery.api:
        private = PrivateAddresses.parse(request.app.state.settings.allow_private_urls)
        check_url("delivery.api.url", described.delivery.api.url, private)
        if described.delivery.api.auth.type == "oauth2_client_credentials":
            check_url("delivery.api.auth.token_url", described.delivery.api.auth.token_url, private)
    return document


def _refuse_masks(document: Any, at: str = "") -> None:
    """A mask stands for a secret that is stored for the same host; here is none."""
    if isinstance(document, dict):
        for name, value in document.items():
            here = f"{at}.{name}".lstrip(".")
            if value == MASK and (is_secret(name) or name == "value"):
                raise BadInputError(here, value, "the secret itself: none is stored for this address")
            _refuse_masks(value, here)


def _host(document: Mapping[str, Any]) -> Any:
    api = (document.get("delivery") or {}).get("api") or {}
    auth = api.get("auth") or {}
    return str(api.get("url", "")).split("/")[:3], str(auth.get("token_url", "")).split("/")[:3]


def _without_server_fields(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in _SERVER_SETS}


def _described(stored: StoredTool) -> dict[str, Any]:
    return {
        "tool_id": stored.tool_id,
        **stored.document,
        "tool_type": "user",
        "created_at": moment(stored.created_at),
        "updated_at": moment(stored.updated_at),
    }
