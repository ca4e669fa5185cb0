"""Messages over REST and WebSocket, events as a stream, and a server that is stopped: a real one, with real engines."""

import json
import signal
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.server import RunningServer, running_server

pytestmark = [pytest.mark.models, pytest.mark.slow]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server("--quality", "tiny", VISAVIS_MAX_CONVERSATIONS="2", VISAVIS_DRAIN_S="1") as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.base_url}/v2", timeout=60) as client:
        yield client


def create(client: httpx.Client, **body: Any) -> dict[str, Any]:
    response = client.post("/conversations", json=body)
    assert response.status_code == 200, response.text
    created: dict[str, Any] = response.json()
    return created


def socket_to(server: RunningServer, conversation_id: str, query: str = "") -> ClientConnection:
    address = server.base_url.replace("http", "ws", 1)
    return connect(f"{address}/v2/conversations/{conversation_id}/ws{query}", proxy=None)


def say(socket: ClientConnection, event_type: str, **properties: Any) -> None:
    socket.send(json.dumps({"event_type": event_type, "properties": properties}))


def hear(socket: ClientConnection, event_type: str) -> dict[str, Any]:
    """The next event of a type."""
    while True:
        event: dict[str, Any] = json.loads(socket.recv(timeout=60))
        if event["event_type"] == event_type:
            return event


def streamed(client: httpx.Client, conversation_id: str, headers: dict[str, str] | None = None) -> list[list[str]]:
    """The blocks of the server-sent events so far, without comments."""
    answer = client.get(f"/conversations/{conversation_id}/events?live=false", headers=headers or {})
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [block.splitlines() for block in answer.text.split("\n\n") if block and not block.startswith(":")]


def test_chat_by_websocket_and_its_events_as_a_stream(server: RunningServer, client: httpx.Client):
    conversation_id = create(client, chat=True, custom_greeting="Good morning.")["conversation_id"]
    with socket_to(server, conversation_id) as socket:
        say(socket, "conversation.respond")
        assert hear(socket, "conversation.error")["properties"]["field"] == "properties.text"
        say(socket, "conversation.respond", text="Who are you?")
        assert hear(socket, "conversation.utterance")["properties"] == {"role": "user", "speech": "Who are you?"}
        assert hear(socket, "conversation.utterance")["properties"]["role"] == "replica"
        say(socket, "conversation.leave")
        shut = hear(socket, "system.shutdown")
        assert shut["properties"]["shutdown_reason"] == "participant_left_timeout reached"
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv(timeout=60)
        assert closed.value.rcvd and closed.value.rcvd.code == 1000

    blocks = streamed(client, conversation_id)
    numbers = [int(block[0].removeprefix("id: ")) for block in blocks]
    assert numbers == sorted(set(numbers))
    types = [block[1].removeprefix("event: ") for block in blocks]
    assert types[-1] == "application.usage_ready" and "conversation.utterance.streaming" not in types
    assert json.loads(blocks[-1][2].removeprefix("data: "))["seq"] == numbers[-1]
    rest = streamed(client, conversation_id, {"Last-Event-ID": str(numbers[-3])})
    assert [block[0] for block in rest] == [f"id: {number}" for number in numbers[-2:]]


def test_refusals_are_told_by_the_code_that_closes_the_socket(server: RunningServer, client: httpx.Client):
    private = create(client, require_auth=True)
    for conversation_id, query, code in (
        ("c0", "", 4404),
        (private["conversation_id"], "", 4403),
        (private["conversation_id"], "?t=guessed", 4403),
    ):
        with socket_to(server, conversation_id, query) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=10)
            assert closed.value.rcvd and closed.value.rcvd.code == code
    with socket_to(server, private["conversation_id"], f"?t={private['meeting_token']}") as socket:
        client.post(f"/conversations/{private['conversation_id']}/end")
        assert hear(socket, "system.shutdown")
    assert client.get("/conversations/c0/events").status_code == 404
    assert client.get(f"/conversations/{private['conversation_id']}/events?live=false").status_code == 403
    bad = client.get(f"/conversations/{private['conversation_id']}/events", headers={"Last-Event-ID": "x"})
    assert bad.status_code in (400, 403)


def test_what_needs_somebody_in_the_call_is_refused_before(client: httpx.Client):
    conversation_id = create(client)["conversation_id"]
    message = {"conversation_id": conversation_id, "event_type": "conversation.echo", "properties": {"text": "Hi."}}
    assert client.post("/interactions", json=message).status_code == 409
    context = {"event_type": "conversation.append_llm_context", "properties": {"context": "It rains."}}
    assert client.post("/interactions", json={"conversation_id": conversation_id, **context}).status_code == 200
    assert client.post("/interactions", json={"event_type": "conversation.interrupt"}).status_code == 400
    assert client.post("/interactions", json=message | {"conversation_id": "c0"}).status_code == 404


def test_stopped_server_says_goodbye(server: RunningServer, client: httpx.Client):
    waiting = create(client)["conversation_id"]
    conversation_id = create(client, chat=True, custom_greeting="", properties={"language": "French"})[
        "conversation_id"
    ]
    with socket_to(server, conversation_id) as socket:
        say(socket, "conversation.echo", text="Hello.")
        assert hear(socket, "conversation.utterance")["properties"]["speech"] == "Hello."
        server.process.send_signal(signal.SIGTERM)
        refused = threading.Event()
        while not refused.is_set():  # the signal takes a moment to be noticed
            answer = client.post("/conversations")
            if answer.status_code == 503:
                assert int(answer.headers["retry-after"]) > 0
                refused.set()
        spoken = hear(socket, "conversation.utterance")["properties"]["speech"]
        assert "Au revoir" in spoken
        assert hear(socket, "conversation.ended")["properties"] == {"reason": "server_shutdown"}
    assert server.process.wait(30) == 0
    assert waiting  # it goes on waiting: see test_hosting.py
