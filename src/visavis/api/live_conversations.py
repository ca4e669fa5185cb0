"""`/v2/conversations`: create, look up, list, end, and the signalling of a call."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from visavis.api.live import LiveConversation, LiveConversations
from visavis.api.signalling import ice_servers_for_browsers
from visavis.config import Settings
from visavis.conversation.persona import Persona
from visavis.errors import BadInputError

router = APIRouter(prefix="/v2/conversations", tags=["conversations"])

DEMO_PERSONA_ID = "pdemo"


class ConversationProperties(BaseModel):
    """Limits of one conversation, in seconds. Fields that are not known yet are kept out of the way."""

    model_config = ConfigDict(extra="allow")

    max_call_duration: float = Field(3600, gt=0)
    participant_absent_timeout: float = Field(300, gt=0)
    participant_left_timeout: float = Field(0, ge=0)


class ConversationRequest(BaseModel):
    """Body of `POST /v2/conversations`; everything is optional."""

    model_config = ConfigDict(extra="allow")

    persona_id: str | None = None
    replica_id: str | None = None
    conversation_name: str = Field("", max_length=200)
    conversational_context: str = Field("", max_length=20_000)
    custom_greeting: str | None = Field(None, max_length=1_000)
    properties: ConversationProperties = ConversationProperties()


class SessionDescription(BaseModel):
    """An SDP offer or answer."""

    sdp: str = Field(max_length=100_000)
    type: str


def _live(request: Request) -> LiveConversations:
    live: LiveConversations = request.app.state.live
    return live


def _persona(request: Request) -> Persona:
    persona: Persona = request.app.state.persona
    return persona


Live = Annotated[LiveConversations, Depends(_live)]
DefaultPersona = Annotated[Persona, Depends(_persona)]


@router.post("")
async def create_conversation(
    request: Request, live: Live, persona: DefaultPersona, body: ConversationRequest | None = None
) -> dict[str, Any]:
    """Make a conversation; opening its `conversation_url` is the call."""
    body = body or ConversationRequest()
    if body.persona_id not in (None, DEMO_PERSONA_ID):
        raise BadInputError("persona_id", body.persona_id, f"{DEMO_PERSONA_ID!r}, the only persona of this server")
    if body.replica_id not in (None, live.replica_id):
        raise BadInputError("replica_id", body.replica_id, f"{live.replica_id!r}, the only replica of this server")
    changes: dict[str, Any] = {}
    if body.conversational_context:
        changes["context"] = f"{persona.context}\n\n{body.conversational_context}".strip()
    if body.custom_greeting is not None:
        changes["greeting"] = body.custom_greeting
    created = live.create(
        persona.model_copy(update=changes),
        name=body.conversation_name,
        max_call_duration_s=body.properties.max_call_duration,
        participant_absent_timeout_s=body.properties.participant_absent_timeout,
        participant_left_timeout_s=body.properties.participant_left_timeout,
    )
    return _described(request, created)


@router.get("")
async def list_conversations(
    request: Request,
    live: Live,
    status: Annotated[str | None, Query(pattern="^(active|ended)$")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    page: Annotated[int, Query(ge=0)] = 1,
) -> dict[str, Any]:
    """Conversations of this server, newest first."""
    found = [one for one in live.list() if status in (None, one.status)]
    start = max(page - 1, 0) * limit
    return {"data": [_described(request, one) for one in found[start : start + limit]], "total_count": len(found)}


@router.get("/{conversation_id}")
async def get_conversation(request: Request, live: Live, conversation_id: str, verbose: bool = False) -> dict[str, Any]:
    """One conversation; `verbose` adds its events and why it ended."""
    found = live.get(conversation_id)
    described = _described(request, found) | {"ice_servers": ice_servers_for_browsers(request.app.state.settings)}
    if verbose:
        described |= {"shutdown_reason": found.shutdown_reason, "events": found.events}
    return described


@router.post("/{conversation_id}/end")
async def end_conversation(live: Live, conversation_id: str) -> Response:
    """Hang up. Ending an ended conversation does nothing."""
    await live.end(live.get(conversation_id), "end_conversation_api")
    return Response()


@router.post("/{conversation_id}/offer")
async def offer(live: Live, conversation_id: str, description: SessionDescription) -> SessionDescription:
    """Join the call: the page's SDP offer, candidates included, for our answer."""
    if description.type != "offer":
        raise BadInputError("type", description.type, "'offer'")
    return SessionDescription(sdp=await live.connect(conversation_id, description.sdp), type="answer")


def _described(request: Request, live: LiveConversation) -> dict[str, Any]:
    settings: Settings = request.app.state.settings
    return {
        "conversation_id": live.conversation_id,
        "conversation_name": live.name,
        "conversation_url": f"{settings.base_url}/c/{live.conversation_id}",
        "status": live.status,
        "created_at": live.created_at.isoformat().replace("+00:00", "Z"),
        "persona_id": DEMO_PERSONA_ID,
        "replica_id": request.app.state.live.replica_id,
        "persona": {"persona_name": live.conversation.persona.persona_name},
        "replica": {"replica_name": live.conversation.replica.name},
        "in_call": live.in_call,
    }
