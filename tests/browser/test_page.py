"""What the call page does for people: without devices, with dead links, through lost connections, by key and by ear."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from tests.sentences import SENTENCES, sentence
from tests.server import RunningServer
from tests.speech import word_errors
from tests.visitor import Visitor, visitor

pytestmark = [pytest.mark.browser, pytest.mark.models]


@contextmanager
def http_server(folder: Path) -> Iterator[str]:
    """Somebody else's web site with the files of `folder`; gives its address."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        try:
            yield f"http://localhost:{site.server_port}"
        finally:
            site.shutdown()


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=re.compile(name))


def wait_for_text(person: Visitor, text: str, seconds: float = 30) -> None:
    person.wait_for(lambda: text in person.page.inner_text("body"), f"{text!r} on the page", seconds)


def write(page: Page, text: str) -> None:
    """Type into the page's own message field."""
    field = page.get_by_role("textbox")
    if not field.is_visible():
        page.keyboard.press("t")
    field.fill(text)
    field.press("Enter")


def utterances(person: Visitor, role: str) -> list[str]:
    found = [event["properties"] for event in person.events("conversation.utterance")]
    return [properties["speech"] for properties in found if properties["role"] == role]


def test_without_microphone_the_page_says_why_and_the_call_goes_on_in_writing(server: RunningServer):
    with visitor(allowed=()) as person:
        person.page.goto(server.demo_url)
        wait_for_text(person, "This page may not use your microphone")
        person.join(server.demo_url)
        wait_for_text(person, "without a microphone")
        assert not button(person.page, "Mute").is_visible()

        person.wait_until_replica_is_quiet(1)
        shown = len(person.frames())
        write(person.page, "Hello there")
        person.wait_for(lambda: person.page.inner_text(".caption.replica"), "a caption of the answer")
        person.wait_until_replica_is_quiet(2)
        assert utterances(person, "user") == ["Hello there"]
        assert utterances(person, "replica")[-1] in person.page.inner_text("#lines")
        assert len(person.frames()) > shown + 25


def test_microphone_that_is_allowed_during_the_call_is_heard(server: RunningServer):
    with visitor() as person:
        person.page.add_init_script("visitor.askForDevicesFor(4000)")
        person.join(server.link(audio_only=True))
        wait_for_text(person, "without a microphone")
        button(person.page, "^Mute").wait_for(state="visible")
        person.wait_until_replica_is_quiet(1)
        person.say(sentence("transfer"))
        (heard,) = person.wait_for(lambda: utterances(person, "user"), "being understood")
        assert word_errors(SENTENCES["transfer"], heard) <= 1
        assert len(person.events("system.replica_present")) == 1, "without another connection"


def test_leaving_shows_the_transcript_and_offers_it_as_a_file(server: RunningServer, tmp_path: Path):
    with visitor() as person:
        person.join(server.link(audio_only=True))
        person.wait_until_replica_is_quiet(1)
        write(person.page, "Hello there")
        person.wait_until_replica_is_quiet(2)
        said = [event["properties"] for event in person.events("conversation.utterance")]
        person.page.keyboard.press("Escape")
        button(person.page, "Leave").click()
        wait_for_text(person, "You have left the call")
        for utterance in said:
            assert utterance["speech"] in person.page.inner_text("body")
        with person.page.expect_download() as download:
            person.page.get_by_role("link", name="Download").click()
        download.value.save_as(tmp_path / "transcript.txt")
        lines = (tmp_path / "transcript.txt").read_text("utf-8").splitlines()
        names = {"user": "You", "replica": "Mira"}
        assert [re.sub(r"^\[.*?\] ", "", line) for line in lines] == [
            f"{names[utterance['role']]}: {utterance['speech']}" for utterance in said
        ]


def test_muting_silences_the_microphone(server: RunningServer):
    def energy() -> float:
        return sum(report["totalAudioEnergy"] for report in person.statistics("media-source") if "audioLevel" in report)

    def energy_of(action: Callable[[], object]) -> float:
        before = energy()
        action()
        person.wait(1.8)
        return energy() - before

    with visitor() as person:
        person.join(server.link(audio_only=True))
        person.wait_until_replica_is_quiet(1)
        button(person.page, "^Mute").click()
        assert energy_of(lambda: person.say(sentence("transfer"))) < 1e-9
        assert not person.events("conversation.user.started_speaking")
        person.page.keyboard.press("m")
        assert energy_of(lambda: person.say(sentence("transfer"))) > 1e-4
        person.wait_for(lambda: person.events("conversation.user.started_speaking"), "being heard")


def test_call_works_inside_another_page(server: RunningServer, tmp_path: Path):
    (tmp_path / "index.html").write_text(
        f'<iframe src="{server.demo_url}" allow="microphone; camera; autoplay" width="800" height="600"></iframe>'
    )
    with visitor() as person, http_server(tmp_path) as other_site:
        person.page.goto(other_site)
        inside = person.page.frame_locator("iframe")
        inside.get_by_role("button", name="Join").click()
        inside.locator(".caption.replica").wait_for(state="visible")


def test_normal_call_complains_of_nothing_and_asks_nothing_of_any_other_host(server: RunningServer):
    with visitor(recorder=False) as person:
        page = person.page
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(server.demo_url)
        button(page, "Join").click()
        page.locator(".caption.replica").wait_for(state="visible")
        write(page, "Hello there")
        page.locator("#lines .line.replica").nth(1).wait_for(state="visible")
        page.keyboard.press("Escape")
        button(page, "Leave").click()
        page.get_by_role("heading", name="You have left the call").wait_for(state="visible")
        assert complaints == []
        assert all(url.startswith((server.base_url, "blob:", "data:")) for url in person.urls)
