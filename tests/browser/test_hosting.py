"""Calls in worker processes as people meet them: a real server, a real browser."""

import httpx
import psutil
import pytest
from playwright.sync_api import expect

from tests.server import RunningServer, running_server
from tests.visitor import visitor

pytestmark = [pytest.mark.browser, pytest.mark.models]


@pytest.fixture(scope="module")
def server():
    with running_server("--quality", "tiny", VISAVIS_IN_PROCESS_CONVERSATIONS="0") as running:
        yield running


def create(server: RunningServer, **body: object) -> dict:
    answer = httpx.post(f"{server.base_url}/v2/conversations", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def join(person, url: str) -> None:
    """Enter a call; while the worker still loads its engines, the page tries again by itself."""
    person.page.goto(url)
    person.page.evaluate("visitor.ready")
    person.page.get_by_role("button", name="Join").click()
    person.wait_for(lambda: person.count("system.replica_present"), "the replica", 120)


def test_call_in_a_worker_has_pictures_and_its_crash_is_told(server: RunningServer):
    made = create(server, custom_greeting="Hello there.")
    with visitor() as person:
        join(person, made["conversation_url"])
        person.wait_until_replica_is_quiet(1, 60)
        person.wait_for(lambda: person.frames_received() > 10, "pictures", 60)
        (worker,) = [
            child
            for child in psutil.Process(server.process.pid).children()
            if "visavis.hosting.worker" in child.cmdline()
        ]
        worker.kill()
        expect(person.page.get_by_role("heading", name="Something went wrong")).to_be_visible(timeout=60_000)
    found = httpx.get(f"{server.base_url}/v2/conversations/{made['conversation_id']}?verbose=true", timeout=60).json()
    assert found["shutdown_reason"] == "internal error occurred at step worker"


def test_private_call_opens_with_its_token_only_and_sound_alone_needs_no_picture(server: RunningServer):
    made = create(server, require_auth=True, audio_only=True, custom_greeting="Hello there.")
    with visitor() as person:
        person.page.goto(f"{made['conversation_url']}?t=guessed")
        person.page.get_by_role("button", name="Join").click()
        expect(person.page.get_by_role("heading", name="This call is private")).to_be_visible(timeout=30_000)
        join(person, f"{made['conversation_url']}?t={made['meeting_token']}")
        person.wait_until_replica_is_quiet(1, 60)
        assert person.page.locator("#veil .monogram").is_visible()
        assert not person.statistics("inbound-rtp") or all(
            report["kind"] == "audio" for report in person.statistics("inbound-rtp")
        )
