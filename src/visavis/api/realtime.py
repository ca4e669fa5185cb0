"""`/v1/realtime`: visavis' own pipeline behind the OpenAI Realtime protocol, for programs that were written for it."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse

from visavis.api.auth import Gatekeeper, NotAllowedError
from visavis.api.errors import answer
from visavis.api.hosted import FromHosting
from visavis.api.personas import find
from visavis.api.pronunciations import with_dictionary
from visavis.api.runnable import runnable
from visavis.conversation.persona import Persona
from visavis.errors import VisavisError
from visavis.hosting.calls import Engines
from visavis.hosting.errors import BusyError
from visavis.hosting.plan import Plan
from visavis.layers import Layers
from visavis.layers.llm import Function
from visavis.layers.tts.stock_voices import DEFAULT, VOICE_NAMES
from visavis.realtime.session import Session
from visavis.store import Store
from visavis.store.errors import NotFoundError

router = APIRouter(tags=["realtime"])

LONGEST_S = 60 * 60
"""Of one session, as in the protocol."""

_KEY_IN_PROTOCOL = "openai-insecure-api-key."
"""Browsers cannot set headers on a WebSocket, so the protocol lets them show their key as a subprotocol."""

_ASSISTANT = Persona(
    persona_name="Assistant",
    system_prompt="You are a helpful, friendly assistant who talks with somebody by voice.",
)


@router.websocket("/v1/realtime")
async def serve(
    socket: WebSocket,
    hosting: FromHosting,
    model: Annotated[str, Query(max_length=200)] = "",
) -> None:
    """A session of the OpenAI Realtime protocol.

    `model` is the id of a persona, whose prompt, functions and layers are then used; any other name is the pipeline of
    this server with a plain prompt.
    """
    try:
        await _admit(socket)
        persona = await _persona(socket, model)
        if hosting.engines is None:
            raise BusyError("This server runs no engines for /v1/realtime.")
        with hosting.line():
            offered = socket.scope.get("subprotocols") or ()
            await socket.accept(subprotocol="realtime" if "realtime" in offered else None)
            await _talk(socket, hosting.engines, persona, model)
    except VisavisError as error:
        refusal = answer(error)
        told = {"type": "invalid_request_error", "code": None, "param": None, "message": str(error)}
        headers = {name: value for name, value in refusal.headers.items() if name == "retry-after"}
        await socket.send_denial_response(JSONResponse({"error": told}, refusal.status_code, headers))


async def _admit(socket: WebSocket) -> None:
    gatekeeper: Gatekeeper = socket.app.state.gatekeeper
    scheme, _, token = socket.headers.get("authorization", "").partition(" ")
    shown = token.strip() if scheme.lower() == "bearer" else socket.headers.get("x-api-key")
    for offered in socket.scope.get("subprotocols") or ():
        if offered.startswith(_KEY_IN_PROTOCOL):
            shown = offered.removeprefix(_KEY_IN_PROTOCOL)
    key = await gatekeeper.admit(shown, socket)
    if not key.scopes & {"write", "admin"}:
        raise NotAllowedError("This API key may not do this; it takes one with the scope 'write'.")


async def _persona(socket: WebSocket, model: str) -> Persona:
    store: Store = socket.app.state.store
    try:
        document = await find(socket.app.state.system_personas, store, model)
    except NotFoundError:
        return _ASSISTANT
    tools = await store.tools.documents(document.get("tool_ids") or [])
    found = runnable(await with_dictionary(store, document), tools=tools)
    return _ASSISTANT if found.pipeline_mode != "full" else found


async def _talk(socket: WebSocket, engines: Engines, persona: Persona, model: str) -> None:
    sending = asyncio.Lock()

    async def send(message: Mapping[str, Any]) -> None:
        async with sending:
            await socket.send_text(json.dumps(message, ensure_ascii=False))

    async def receive() -> Any:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        text = message.get("text") or (message.get("bytes") or b"").decode("utf-8", "replace")
        try:
            return json.loads(text)
        except ValueError:
            return None  # the session says what is wrong with it

    def open_layers(voice: str) -> AbstractAsyncContextManager[Layers]:
        layers = persona.layers
        if voice in VOICE_NAMES:
            layers = layers.model_copy(update={"tts": layers.tts.model_copy(update={"voice": voice})})
        wanted = persona.model_copy(update={"layers": layers, "tools": ()})
        return engines.layers(Plan(conversation_id="realtime", persona=wanted, replica_id="", audio_only=True))

    session = Session(
        send,
        open_layers,
        model=model or "visavis",
        instructions=f"{persona.system_prompt}\n\n{persona.context}".strip(),
        functions=tuple(Function(one.name, one.description, one.parameters) for one in persona.tools),
        voice=persona.layers.tts.voice or DEFAULT,
    )
    try:
        async with asyncio.timeout(LONGEST_S):
            await session.run(receive)
    except* TimeoutError:
        await socket.close(1001, "The session has reached its longest duration.")
    except* WebSocketDisconnect:
        pass
