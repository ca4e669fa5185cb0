"""`/v2/conversations`: create, look up, list, end, delete."""

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from visavis.api import conversation_document, pagination, runnable, vocabulary
from visavis.api.answers import FromSettings, FromStore, errors, moment, shown
from visavis.api.auth import Caller, Gatekeeper, NotAllowedError
from visavis.api.background import FromLinks
from visavis.api.conversation_document import LONGEST_S, MOST_PARTICIPANTS, ConversationBody, ConversationProperties
from visavis.api.idempotency import ANSWERS as REPEATED
from visavis.api.idempotency import PerhapsAgain
from visavis.api.limits import Limits as KeyLimits
from visavis.api.personas import find
from visavis.api.pronunciations import with_dictionary
from visavis.api.replicas import check_usable
from visavis.api.shapes import CreatedConversation, Latency, Listed, ListedConversation, ShownConversation, Transcript
from visavis.api.signalling import ice_servers_for_browsers
from visavis.api.system import DEMO_PERSONA_ID, STOCK_REPLICA_ID, SystemPersonas, stand_in, stock_preview
from visavis.api.tools import resolved
from visavis.api.transcripts import as_text, as_webvtt
from visavis.config import Settings
from visavis.conversation.persona import Persona
from visavis.errors import BadInputError
from visavis.hosting import meeting_tokens, shutdown
from visavis.hosting.errors import UnknownConversationError
from visavis.hosting.hosting import Hosting
from visavis.hosting.plan import Limits, Plan
from visavis.outbound import PrivateAddresses, check_url
from visavis.store import Store
from visavis.store.conversations import StoredConversation
from visavis.store.errors import NotFoundError
from visavis.store.keys import ApiKey
from visavis.store.secrets import masked
from visavis.videos.links import Links

router = APIRouter(prefix="/v2/conversations", tags=["conversations"])

_MOST_METADATA_CHARS = 16_000
_TESTED = "test_mode"
"""Shutdown reason of a conversation that was made to test only."""

_UNKNOWN = {400: "Invalid conversation_id: there is no conversation 'c0123'"}
_SHOWN = {
    "conversation_id": "c0123456789abcdef0123",
    "conversation_name": "Tour",
    "conversation_url": "http://127.0.0.1:8770/c/c0123456789abcdef0123",
    "status": "active",
    "callback_url": "",
    "persona_id": "pguide",
    "replica_id": "rmira",
    "created_at": "2026-11-01T10:00:00Z",
    "updated_at": "2026-11-01T10:00:00Z",
}


@router.post(
    "",
    responses=shown(CreatedConversation, _SHOWN | {"warnings": []})
    | errors(
        {
            400: "properties.max_call_duration: -1 is not valid; expected greater than 0",
            403: "This API key may not do this; it takes one with the scope 'write'.",
        }
    )
    | REPEATED,
)
async def create_conversation(
    request: Request,
    store: FromStore,
    settings: FromSettings,
    caller: Caller,
    once: PerhapsAgain,
    body: ConversationBody | None = None,
) -> JSONResponse:
    """Make a conversation; opening its `conversation_url` is the call.

    Nothing runs until somebody opens it. What this server keeps without acting on it yet is listed under `warnings`.
    """

    async def create() -> dict[str, Any]:
        if not (body and body.test_mode):
            _hosting(request).check_room()
        limits: KeyLimits = request.app.state.limits
        async with limits.one_more_conversation(caller):
            return await _created(request, store, settings, caller, body or ConversationBody())

    return await once(create)


@router.get("", responses=shown(Listed[ListedConversation], {"data": [_SHOWN], "total_count": 1}))
async def list_conversations(
    store: FromStore,
    settings: FromSettings,
    page: pagination.FromOne,
    status: Annotated[Literal["active", "ended"] | None, Query(description="Only these.")] = None,
) -> dict[str, Any]:
    """Conversations, newest first."""
    found = await store.conversations.page(limit=page.limit, offset=page.offset, status=status)
    return pagination.listed([_described(settings, one) for one in found.items], found.total)


@router.post("/{conversation_id}/end", response_class=Response, responses=errors(_UNKNOWN))
async def end_conversation(request: Request, store: FromStore, conversation_id: str) -> Response:
    """Hang up. Ending an ended conversation does nothing."""
    await store.conversations.get(conversation_id)
    await _hosting(request).end(conversation_id, shutdown.ENDED_BY_REQUEST)
    return Response()


@router.delete("/{conversation_id}", status_code=204, responses=errors(_UNKNOWN))
async def delete_conversation(
    request: Request,
    store: FromStore,
    conversation_id: str,
    hard: Annotated[bool, Query(description="Also remove all that is stored of it, which is kept otherwise.")] = False,
) -> Response:
    """Delete a conversation; one that is active ends."""
    found = await store.conversations.get(conversation_id)
    if found.status == "active":
        await _hosting(request).end(conversation_id, shutdown.DELETED)
    await store.conversations.delete(conversation_id, hard=hard)
    return Response(status_code=204)


@router.get(
    "/{conversation_id}/transcript",
    responses=shown(
        Transcript,
        {
            "conversation_id": "c0123456789abcdef0123",
            "transcript": [
                {
                    "role": "user",
                    "content": "Hello.",
                    "timestamp": 1790000000.1,
                    "seconds_from_start": 2.5,
                    "duration": 0.6,
                }
            ],
        },
        more={"text/plain": {"schema": {"type": "string"}}, "text/vtt": {"schema": {"type": "string"}}},
    )
    | errors(_UNKNOWN),
)
async def get_transcript(
    request: Request,
    store: FromStore,
    conversation_id: str,
    format: Annotated[
        Literal["json", "text", "vtt"] | None,
        Query(description="`vtt` is WebVTT. Without it, the Accept header decides (text/plain, text/vtt)."),
    ] = None,
) -> Response:
    """Who said what, so far. Of the replica only what was heard."""
    found = await store.conversations.get(conversation_id)
    said = await store.conversations.transcript(conversation_id)
    name = str((await store.conversations.snapshot(conversation_id))["persona"]["persona_name"])
    accepted = request.headers.get("accept", "")
    if format == "vtt" or (format is None and "text/vtt" in accepted):
        return PlainTextResponse(as_webvtt(said, name), media_type="text/vtt")
    if format == "text" or (format is None and "text/plain" in accepted):
        return PlainTextResponse(as_text(said, name))
    return JSONResponse({"conversation_id": found.conversation_id, "transcript": said})


@router.get(
    "/{conversation_id}/latency",
    responses=shown(
        Latency,
        {
            "conversation_id": "c0123456789abcdef0123",
            "turns": [
                {"turn_idx": 1, "utterance_to_utterance_ms": 480.2, "stages": {"last_voice": 0.0, "sent": 480.2}}
            ],
            "utterance_to_utterance_p50_ms": 480.2,
            "utterance_to_utterance_p95_ms": 480.2,
        },
    )
    | errors(_UNKNOWN),
)
async def get_latency(store: FromStore, conversation_id: str) -> dict[str, Any]:
    """The waterfall of every answered turn: when each stage was done, in ms since the person's last voice."""
    found = await store.conversations.get(conversation_id)
    turns = await store.conversations.latency(conversation_id)
    times = sorted(ms for turn in turns if (ms := turn.get("utterance_to_utterance_ms")) is not None)
    return {
        "conversation_id": found.conversation_id,
        "turns": turns,
        "utterance_to_utterance_p50_ms": _quantile(times, 0.5),
        "utterance_to_utterance_p95_ms": _quantile(times, 0.95),
    }


public = APIRouter(prefix="/v2/conversations", tags=["conversations"])
"""What whoever has the link may ask."""


@public.get(
    "/{conversation_id}",
    responses=shown(ShownConversation, _SHOWN)
    | errors(
        _UNKNOWN
        | {
            401: "Invalid access token",
            403: "This API key may not do this; it takes one with the scope 'read'.",
            404: "There is no conversation 'c0123'.",
            429: "Too many requests with this key; try again in 3 s.",
        }
    ),
)
async def get_conversation(
    request: Request,
    store: FromStore,
    settings: FromSettings,
    links: FromLinks,
    conversation_id: str,
    verbose: Annotated[bool, Query(description="Also the request, `events` and `shutdown_reason`.")] = False,
) -> dict[str, Any]:
    """One conversation. Without a key, whoever has its link learns what the call's page shows."""
    caller = await _perhaps_caller(request)
    try:
        found = await store.conversations.get(conversation_id)
    except NotFoundError:
        if caller is None:
            raise UnknownConversationError(conversation_id[:80]) from None
        raise
    snapshot = await store.conversations.snapshot(conversation_id)
    page = await _for_page(request, settings, links, found, snapshot)
    if caller is None:
        return page
    described = _described(settings, found) | page
    if verbose:
        asked: dict[str, Any] = masked(snapshot.get("request", {}))
        described = (
            asked
            | described
            | {
                "properties": found.properties,
                "metadata": found.metadata,
                "shutdown_reason": found.shutdown_reason,
                "events": [_as_webhook(found, event) for event in await store.conversations.events(conversation_id)],
            }
        )
    return vocabulary.in_both(described)


async def standing_conversation(request: Request) -> str:
    """The id of the conversation behind the standing link: one that waits for somebody, made when there is none."""
    store: Store = request.app.state.store
    known: str | None = getattr(request.app.state, "standing_conversation", None)
    if known and not _hosting(request).in_call(known):
        try:
            found = await store.conversations.get(known)
        except NotFoundError:
            found = None
        if found and found.status == "active" and not found.started_at:
            return known
    document = await find(_system(request), store, DEMO_PERSONA_ID)
    plan = Plan(persona=runnable.runnable(document), replica_id=document["default_replica_id"])
    made = await store.conversations.create(
        snapshot=plan.as_json(),
        persona_id=DEMO_PERSONA_ID,
        replica_id=plan.replica_id,
        name=document["persona_name"],
        expires_at=datetime.now(UTC) + _STANDS,
    )
    request.app.state.standing_conversation = made.conversation_id
    return made.conversation_id


_STANDS = timedelta(days=1)


async def _created(
    request: Request, store: Store, settings: Settings, caller: ApiKey, body: ConversationBody
) -> dict[str, Any]:
    given = body.given()
    properties = body.properties or ConversationProperties()
    _check(settings, given)
    persona_id = stand_in(body.persona_id or DEMO_PERSONA_ID)
    document = await find(_system(request), store, persona_id)
    replica_id = stand_in(body.replica_id or document.get("default_replica_id") or STOCK_REPLICA_ID)
    replica = await check_usable(store, "replica_id", replica_id)
    overrides = given.get("overrides") or {}
    merged = runnable.merge(document, overrides)
    tools = await resolved(store, merged.get("tool_ids") or [])
    persona = runnable.runnable(await with_dictionary(store, merged), tools=tools)
    plan = _plan(body, properties, persona, replica_id)
    if replica and replica.document.get("green_screen"):
        plan = plan.model_copy(update={"green_screen": True})
    if plan.green_screen and replica and not replica.document.get("background_is_replaceable", True):
        expected = "false: this replica is always seen before its own background"
        raise BadInputError("properties.apply_greenscreen", True, expected)
    made = await store.conversations.create(
        snapshot=plan.as_json() | {"request": {name: given[name] for name in given if name not in _OWN_COLUMNS}},
        persona_id=persona_id,
        replica_id=replica_id,
        name=body.conversation_name or document.get("persona_name") or "",
        status="ended" if body.test_mode else "active",
        shutdown_reason=_TESTED if body.test_mode else None,
        callback_url=body.callback_url or None,
        key_id=caller.key_id,
        properties=(given.get("properties") or {}) | plan.limits.model_dump(),
        metadata=body.metadata,
        expires_at=None
        if body.test_mode
        else datetime.now(UTC) + timedelta(seconds=plan.limits.participant_absent_timeout),
    )
    described = _described(settings, made)
    if plan.require_auth:
        secret = await store.signing_secret(meeting_tokens.SECRET_NAME)
        expires_at = made.expires_at or made.created_at
        described["meeting_token"] = meeting_tokens.issue(secret, made.conversation_id, made.nonce, expires_at)
    described["warnings"] = _warnings(given, document)
    return vocabulary.in_both(described)


_OWN_COLUMNS = ("properties", "metadata", "conversation_name", "callback_url", "persona_id", "replica_id")


def _check(settings: Settings, given: dict[str, Any]) -> None:
    if given.get("callback_url"):
        check_url("callback_url", given["callback_url"], PrivateAddresses.parse(settings.allow_private_urls))
    if len(json.dumps(given.get("metadata") or {})) > _MOST_METADATA_CHARS:
        raise BadInputError("metadata", "...", f"at most {_MOST_METADATA_CHARS} characters of JSON")


def _plan(
    body: ConversationBody,
    properties: ConversationProperties,
    persona: Persona,
    replica_id: str,
) -> Plan:
    facts = [persona.context, body.conversational_context or "", _told(body.metadata or {})]
    changes = {"context": "\n\n".join(fact for fact in facts if fact)}
    if body.custom_greeting is not None:
        changes["greeting"] = body.custom_greeting
    return Plan(
        persona=persona.model_copy(update=changes),
        replica_id=replica_id,
        limits=Limits(
            max_call_duration=min(properties.max_call_duration, LONGEST_S),
            participant_left_timeout=properties.participant_left_timeout,
            participant_absent_timeout=properties.participant_absent_timeout,
        ),
        language=properties.language or "english",
        require_auth=bool(body.require_auth or properties.require_auth),
        test_mode=bool(body.test_mode),
        audio_only=bool(body.audio_only),
        green_screen=bool(properties.apply_greenscreen),
        people=min(body.max_participants or 2, MOST_PARTICIPANTS) - 1,
        chat=bool(body.chat),
    )


def _told(metadata: dict[str, Any]) -> str:
    """Metadata as a language model reads it best: one fact a line."""
    lines = [f"{name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in metadata.items()]
    return "\n".join(["About this call:", *lines]) if lines else ""


def _warnings(given: dict[str, Any], document: dict[str, Any]) -> list[str]:
    found = conversation_document.warnings(given)
    found += [f"overrides.{line}" for line in runnable.warnings(given.get("overrides") or {})]
    if given.get("persona_id"):
        found += [f"persona {given['persona_id']}: {line}" for line in runnable.warnings(document)]
    return found


async def _perhaps_caller(request: Request) -> ApiKey | None:
    """The key of a request that shows one, or that needs none. Raises what `Gatekeeper.admit` raises."""
    gatekeeper: Gatekeeper = request.app.state.gatekeeper
    settings: Settings = request.app.state.settings
    text = request.headers.get("x-api-key")
    if text is None and not settings.dev:
        return None
    caller = await gatekeeper.admit(text, request)
    if not caller.scopes & {"read", "admin"}:
        raise NotAllowedError("This API key may not do this; it takes one with the scope 'read'.")
    limits: KeyLimits = request.app.state.limits
    limits.spend_request(caller)
    return caller


async def _for_page(
    request: Request, settings: Settings, links: Links, found: StoredConversation, snapshot: dict[str, Any]
) -> dict[str, Any]:
    face = await _face(request.app.state.store, links, found.replica_id)
    if snapshot.get("require_auth") or snapshot.get("audio_only") or snapshot.get("chat"):
        face["thumbnail_video_url"] = None
    return {
        "conversation_id": found.conversation_id,
        "conversation_name": found.name,
        "status": found.status,
        "persona": {"persona_name": snapshot["persona"]["persona_name"]},
        "replica": face,
        "in_call": _hosting(request).in_call(found.conversation_id),
        "require_auth": bool(snapshot.get("require_auth")),
        "audio_only": bool(snapshot.get("audio_only")),
        "chat": bool(snapshot.get("chat")),
        "green_screen": bool(snapshot.get("green_screen")),
        "sees": _sees(snapshot["persona"]),
        "ice_servers": ice_servers_for_browsers(settings),
    }


def _sees(persona: dict[str, Any]) -> bool:
    """Whether it looks at the person. Conversations of before it could see say nothing of it."""
    perception: dict[str, Any] = persona.get("layers", {}).get("perception") or {"perception_model": "off"}
    return bool(perception["perception_model"] != "off")


async def _face(store: Store, links: Links, replica_id: str | None) -> dict[str, Any]:
    """The replica's name and a short film of it, if there is one."""
    if replica_id in (None, STOCK_REPLICA_ID):
        film = links.preview(STOCK_REPLICA_ID) if stock_preview() else None
        return {"replica_name": "Mira", "thumbnail_video_url": film}
    try:
        replica = await store.replicas.get(str(replica_id))
    except NotFoundError:
        return {"replica_name": "Replica", "thumbnail_video_url": None}
    film = links.preview(replica.replica_id) if replica.document.get("preview") else None
    return {"replica_name": replica.name, "thumbnail_video_url": film}


def _described(settings: Settings, found: StoredConversation) -> dict[str, Any]:
    return {
        "conversation_id": found.conversation_id,
        "conversation_name": found.name,
        "conversation_url": f"{settings.base_url}/c/{found.conversation_id}",
        "status": found.status,
        "callback_url": found.callback_url or "",
        "persona_id": found.persona_id,
        "replica_id": found.replica_id,
        "created_at": moment(found.created_at),
        "updated_at": moment(found.updated_at),
        "started_at": moment(found.started_at),
        "ended_at": moment(found.ended_at),
    }


def _as_webhook(found: StoredConversation, event: dict[str, Any]) -> dict[str, Any]:
    at = datetime.fromtimestamp(event["timestamp"], UTC)
    return event | {"timestamp": moment(at), "webhook_url": found.callback_url or ""}


def _quantile(times: list[float], part: float) -> float | None:
    return times[min(len(times) - 1, int(part * len(times)))] if times else None


def _hosting(request: Request) -> Hosting:
    found: Hosting = request.app.state.hosting
    return found


def _system(request: Request) -> SystemPersonas:
    found: SystemPersonas = request.app.state.system_personas
    return found
