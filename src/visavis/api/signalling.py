"""How a page joins its call: one SDP offer for one answer, and the helpers that it may ask for its own address."""

from typing import Annotated

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from visavis.api.answers import errors
from visavis.api.errors import body
from visavis.api.hosted import FromHosting
from visavis.config import Settings
from visavis.errors import BadInputError
from visavis.hosting.errors import ConversationEndedError
from visavis.transport.ice import ice_servers

router = APIRouter(prefix="/v2/conversations", tags=["conversations"])


class Offer(BaseModel):
    """A browser's SDP offer with all of its candidates."""

    sdp: Annotated[str, Field(max_length=100_000)]
    type: Annotated[str, Field(examples=["offer"])]
    token: Annotated[str | None, Field(max_length=4_000, description="The meeting token, where one is asked for.")] = (
        None
    )


class Answer(BaseModel):
    """The server's SDP answer."""

    sdp: str
    type: str = "answer"


@router.post(
    "/{conversation_id}/offer",
    response_model=Answer,
    responses=errors(
        {
            400: "sdp: 'hello' is not valid; expected a browser's SDP offer",
            403: "This conversation asks for its meeting token",
            404: "There is no conversation 'c0'.",
            409: "Somebody is in this call already, perhaps you in another tab.",
            410: "This conversation has ended.",
            503: "All lines are taken at the moment. Please try again in a minute.",
        }
    ),
)
async def offer(hosting: FromHosting, conversation_id: str, given: Offer) -> Answer | Response:
    """Join the call. No key is needed: who has the link has the conversation's id, and its token where it has one."""
    if given.type != "offer":
        raise BadInputError("type", given.type, "'offer'")
    try:
        return Answer(sdp=await hosting.connect(conversation_id, given.sdp, given.token))
    except ConversationEndedError as error:
        return JSONResponse(body(str(error)) | {"shutdown_reason": error.reason}, 410)


def ice_servers_for_browsers(settings: Settings) -> list[dict[str, str]]:
    """The STUN and TURN servers as `RTCConfiguration.iceServers` wants them."""
    servers = []
    for server in ice_servers(settings.ice_servers):
        described = {"urls": str(server.urls)}
        if server.username and server.credential:
            described |= {"username": server.username, "credential": server.credential}
        servers.append(described)
    return servers
