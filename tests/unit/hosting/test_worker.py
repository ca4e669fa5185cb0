"""Calls in worker processes, on a real server with real engines."""

import json
import time
from collections.abc import Iterator

import httpx
import psutil
import pytest

from tests.server import RunningServer, running_server

pytestmark = [pytest.mark.models, pytest.mark.slow]

PATIENCE_S = 120
"""Until something must have happened; a busy machine needs a while to load the engines."""


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    places = {
        "VISAVIS_MAX_CONVERSATIONS": "2",
        "VISAVIS_IN_PROCESS_CONVERSATIONS": "0",
        "VISAVIS_CONVERSATIONS_PER_WORKER": "1",
    }
    with running_server("--quality", "tiny", **places) as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.base_url}/v2", timeout=60) as client:
        yield client


def workers(server: RunningServer) -> dict[int, psutil.Process]:
    children = psutil.Process(server.process.pid).children()
    return {child.pid: child for child in children if "visavis.hosting.worker" in child.cmdline()}


def chat(client: httpx.Client) -> str:
    """A chat that has begun; its id."""
    conversation_id = client.post("/conversations", json={"chat": True}).json()["conversation_id"]
    deadline = time.monotonic() + PATIENCE_S
    while (answer := ask(client, conversation_id)).status_code == 503 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert answer.status_code == 200, answer.text
    return str(conversation_id)


def ask(client: httpx.Client, conversation_id: str, text: str = "How are you?") -> httpx.Response:
    message = {
        "conversation_id": conversation_id,
        "event_type": "conversation.respond",
        "properties": {"text": text},
    }
    return client.post("/interactions", json=message)


def said_until(client: httpx.Client, conversation_id: str, event_type: str, after: int = 0) -> list[dict]:
    """The events of a conversation until one of this type."""
    found = []
    with client.stream("GET", f"/conversations/{conversation_id}/events?after={after}", timeout=PATIENCE_S) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line.removeprefix("data: ")))
                if found[-1]["event_type"] == event_type:
                    return found
    return found


def ended(client: httpx.Client, conversation_id: str) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = client.get(f"/conversations/{conversation_id}?verbose=true").json()
        if found["status"] == "ended":
            return str(found["shutdown_reason"])
        time.sleep(0.2)
    raise AssertionError("it did not end")


def test_workers_answer_with_the_servers_language_model(server: RunningServer, client: httpx.Client):
    conversation_id = chat(client)
    happened = said_until(client, conversation_id, "conversation.latency")
    assert "conversation.error" not in {event["event_type"] for event in happened}
    models = [
        child
        for child in psutil.Process(server.process.pid).children(recursive=True)
        if any("llama_server_child" in part for part in child.cmdline())
    ]
    assert len(models) == 1
    unusable = ask(client, conversation_id, text="")
    assert unusable.status_code == 400 and "properties.text" in unusable.json()["error"]
    client.post(f"/conversations/{conversation_id}/end")
    assert ended(client, conversation_id) == "end_conversation_endpoint_hit"
    transcript = client.get(f"/conversations/{conversation_id}/transcript").json()["transcript"]
    assert [line["role"] for line in transcript][:2] == ["system", "user"]


def test_killed_worker_ends_only_its_own_call_and_is_replaced(server: RunningServer, client: httpx.Client):
    first, second = chat(client), chat(client)
    before = workers(server)
    assert len(before) == 2
    full = client.post("/conversations")
    assert full.status_code == 503 and int(full.headers["retry-after"]) > 0

    # The worker that began to work first has the first call, or the second: whichever, the other goes on.
    next(iter(before.values())).kill()
    deadline = time.monotonic() + PATIENCE_S
    gone: list[str] = []
    while not gone and time.monotonic() < deadline:
        gone = [one for one in (first, second) if client.get(f"/conversations/{one}").json()["status"] == "ended"]
        time.sleep(0.1)
    (lost,) = gone
    assert ended(client, lost) == "internal error occurred at step worker"
    assert ask(client, lost).status_code == 410
    other = second if lost == first else first
    seen = said_until(client, other, "conversation.utterance")[-1]["seq"]
    assert ask(client, other, "Are you still there?").status_code == 200
    assert said_until(client, other, "conversation.utterance", after=seen)[-1]["properties"]["speech"]

    third = chat(client)
    after = workers(server)
    assert len(after) == 2 and after.keys() != before.keys()
    for one in (other, third):
        client.post(f"/conversations/{one}/end")


def test_workers_end_with_a_server_that_is_killed():
    settings = {"VISAVIS_MAX_CONVERSATIONS": "1", "VISAVIS_IN_PROCESS_CONVERSATIONS": "0"}
    with running_server("--quality", "tiny", **settings) as server:
        with httpx.Client(base_url=f"{server.base_url}/v2", timeout=60) as client:
            conversation_id = chat(client)
            assert conversation_id
        left_behind = list(workers(server).values())
        assert left_behind
        server.process.kill()
        gone, alive = psutil.wait_procs(left_behind, timeout=20)
        assert gone and not alive
