"""Taking part in a conversation without its data channel: messages over REST, events as a stream, both by WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from visavis.api.answers import errors
from visavis.api.auth import Caller
from visavis.api.errors import answer
from visavis.api.hosted import FromHosting, check_may_take_part
from visavis.api.limits import within_rate
from visavis.conversation.events import ConversationError
from visavis.errors import BadInputError, VisavisError
from visavis.hosting.hosting import Hosting
from visavis.transport.messages import parse

router = APIRouter(tags=["interactions"])

KEEP_ALIVE_S = 15.0
"""Proxies close connections on which nothing comes for longer."""

_LONGEST_REASON = 123
"""Bytes of the reason that a WebSocket is closed with (RFC 6455)."""

_Token = Annotated[str | None, Query(max_length=4_000, description="The meeting token, where one is asked for.")]
_After = Annotated[int, Query(ge=0, le=2**53, description="Only events with a larger `seq`.")]


class Message(BaseModel):
    """A message of the interactions protocol."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "conversation_id": "c123456789ab",
                "event_type": "conversation.echo",
                "properties": {"text": "Hello."},
            }
        },
    )

    conversation_id: Annotated[str, Field(min_length=1, max_length=100)]
    event_type: Annotated[str, Field(max_length=100, examples=["conversation.echo"])]
    properties: dict[str, Any] | None = None


@router.post(
    "/v2/interactions",
    dependencies=[Depends(within_rate)],
    responses=errors(
        {
            400: "properties.text: None is not valid; expected a value",
            401: "Invalid access token",
            403: "This API key may not do this; it takes one with the scope 'write'.",
            404: "There is no conversation 'c0'.",
            409: "Nobody is in this call.",
            410: "This conversation has ended.",
            429: "Too many requests with this key; try again in 3 s.",
            503: "All lines are taken at the moment. Please try again in a minute.",
        }
    ),
)
async def interact(hosting: FromHosting, caller: Caller, message: Message) -> dict[str, str]:
    """Give a conversation a message, as its page could over the data channel.

    What changes the context counts from now on, also before somebody has joined. What is to be said or stopped needs
    somebody in the call, except in a `chat`.
    """
    await hosting.interact(message.conversation_id, message.model_dump(exclude_none=True))
    return {"status": "ok"}


@router.get(
    "/v2/conversations/{conversation_id}/events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events; `id` is the event's `seq`, `event` its type, `data` all of it.",
            "content": {"text/event-stream": {}},
        },
        **errors(
            {
                400: "Last-Event-ID: 'x' is not valid; expected the number of an event",
                401: "Invalid access token",
                403: "This conversation asks for its meeting token",
                404: "There is no conversation 'c0'.",
            }
        ),
    },
)
async def follow(
    request: Request,
    hosting: FromHosting,
    conversation_id: str,
    t: _Token = None,
    after: _After = 0,
    live: Annotated[bool, Query(description="Go on with what happens from now on; false ends with what has.")] = True,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
) -> StreamingResponse:
    """All events of a conversation, from the first or from `Last-Event-ID` on, until it has ended."""
    await check_may_take_part(request, conversation_id, t, "read")
    if last_event_id:
        if not (last_event_id.isascii() and last_event_id.isdigit()):
            raise BadInputError("Last-Event-ID", last_event_id, "the number of an event")
        after = int(last_event_id)
    happened = hosting.events(conversation_id, after, live=live)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_as_server_sent(happened), media_type="text/event-stream", headers=headers)


@router.websocket("/v2/conversations/{conversation_id}/ws")
async def talk(
    socket: WebSocket, hosting: FromHosting, conversation_id: str, t: _Token = None, after: _After = 0
) -> None:
    """The events of a conversation as JSON objects, and messages for it the same way.

    Who may not take part is told by the code that closes the connection: 4000 and the HTTP status, since browsers tell
    a page nothing of an answer that refuses to open one.
    """
    await socket.accept()
    try:
        await check_may_take_part(socket, conversation_id, t, "write")
    except VisavisError as error:
        await socket.close(
            4000 + answer(error).status_code, str(error).encode()[:_LONGEST_REASON].decode(errors="ignore")
        )
        return
    try:
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(_take_messages(socket, hosting, conversation_id))
            async for event in hosting.events(conversation_id, after):
                await socket.send_json(event)
            reading.cancel()
        await socket.close()
    except* WebSocketDisconnect:
        pass


async def _take_messages(socket: WebSocket, hosting: Hosting, conversation_id: str) -> None:
    while True:
        text = await socket.receive_text()
        try:
            await hosting.interact(conversation_id, parse(text))
        except VisavisError as error:
            await socket.send_json(_complaint(conversation_id, error))


def _complaint(conversation_id: str, error: VisavisError) -> dict[str, Any]:
    event = ConversationError.of(error) if isinstance(error, BadInputError) else ConversationError(message=str(error))
    return {
        "message_type": event.message_type,
        "event_type": event.event_type,
        "conversation_id": conversation_id,
        "properties": event.properties(),
    }


async def _as_server_sent(happened: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[str]:
    """The text of a `text/event-stream`, with a comment whenever nothing has happened for a while."""
    coming = asyncio.ensure_future(anext(happened, None))
    try:
        while True:
            await asyncio.wait([coming], timeout=KEEP_ALIVE_S)
            if not coming.done():
                yield ": still here\n\n"
                continue
            event = coming.result()
            if event is None:
                return
            data = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
            yield f"id: {event['seq']}\nevent: {event['event_type']}\ndata: {data}\n\n"
            coming = asyncio.ensure_future(anext(happened, None))
    finally:
        coming.cancel()
