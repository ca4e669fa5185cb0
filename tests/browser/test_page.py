"""What the call page does for people: without devices, with dead links, through lost connections, by key and by ear."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from tests.sentences import SENTENCES, sentence
from tests.server import RunningServer, running_server
from tests.speech import word_errors
from tests.visitor import Visitor, visitor

pytestmark = [pytest.mark.browser, pytest.mark.models]


@pytest.fixture(scope="module")
def server():
    with running_server("--quality", "tiny") as running:
        yield running


def create(server: RunningServer, page: Page, **properties: float) -> str:
    """A new conversation; returns its link."""
    made = page.request.post(f"{server.base_url}/v2/conversations", data={"properties": properties})
    assert made.ok, made.text()
    return str(made.json()["conversation_url"])


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


@pytest.mark.parametrize(
    ("explanation", "options"),
    [
        ("This page may not use your microphone", {"allowed": ()}),
        ("No microphone found", {"devices": False}),
    ],
    ids=["refused", "missing"],
)
def test_without_microphone_the_page_says_why_and_the_call_goes_on_in_writing(
    server: RunningServer, explanation: str, options: dict[str, Any]
):
    with visitor(**options) as person:
        person.page.goto(server.demo_url)
        wait_for_text(person, explanation)
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
        person.join(server.demo_url)
        wait_for_text(person, "without a microphone")
        button(person.page, "^Mute").wait_for(state="visible")
        person.wait_until_replica_is_quiet(1)
        person.say(sentence("transfer"))
        (heard,) = person.wait_for(lambda: utterances(person, "user"), "being understood")
        assert word_errors(SENTENCES["transfer"], heard) <= 1
        assert len(person.events("system.replica_present")) == 1, "without another connection"


def test_leaving_shows_the_transcript_and_offers_it_as_a_file(server: RunningServer, tmp_path: Path):
    with visitor() as person:
        person.join(server.demo_url)
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


@pytest.mark.parametrize("by", ["button", "key"])
def test_muting_silences_the_microphone(server: RunningServer, by: str):
    def energy() -> float:
        return sum(report["totalAudioEnergy"] for report in person.statistics("media-source") if "audioLevel" in report)

    def energy_of(action: Callable[[], object]) -> float:
        before = energy()
        action()
        person.wait(1.8)
        return energy() - before

    def press(name: str) -> None:
        if by == "key":
            person.page.keyboard.press("m")
        else:
            button(person.page, name).click()

    with visitor() as person:
        person.join(server.demo_url)
        person.wait_until_replica_is_quiet(1)
        press("^Mute")
        assert energy_of(lambda: person.say(sentence("transfer"))) < 1e-9
        assert not person.events("conversation.user.started_speaking")
        press("^Unmute")
        assert energy_of(lambda: person.say(sentence("transfer"))) > 1e-4
        person.wait_for(lambda: person.events("conversation.user.started_speaking"), "being heard")


def test_keys_switch_camera_captions_and_message_field(server: RunningServer):
    with visitor() as person:
        person.join(server.demo_url)
        page, own = person.page, person.page.locator("#own")
        own.wait_for(state="visible")
        page.keyboard.press("v")
        own.wait_for(state="hidden")
        page.keyboard.press("v")
        own.wait_for(state="visible")

        person.wait_for(lambda: page.inner_text("#captions"), "captions of the greeting")
        page.keyboard.press("c")
        assert not page.locator("#captions").is_visible()
        page.keyboard.press("c")
        assert page.locator("#captions").count() == 1

        field = page.get_by_role("textbox")
        page.keyboard.press("t")
        field.wait_for(state="visible")
        page.keyboard.type("mvct")
        assert field.input_value() == "mvct", "keys are letters while typing"
        assert own.is_visible()
        page.keyboard.press("Escape")
        field.wait_for(state="hidden")
        assert page.evaluate("document.activeElement.dataset.switch") == "panel", "the focus is not lost"


def test_own_picture_moves_to_every_corner(server: RunningServer):
    with visitor() as person:
        person.join(server.demo_url)
        own, stage = person.page.locator("#own"), person.page.locator("#stage").bounding_box()
        assert stage

        def corner() -> tuple[bool, bool]:
            person.wait(0.5)
            box = own.bounding_box()
            assert box
            assert box["x"] >= stage["x"] and box["x"] + box["width"] <= stage["x"] + stage["width"]
            assert box["y"] >= stage["y"] and box["y"] + box["height"] <= stage["y"] + stage["height"]
            return (
                box["x"] + box["width"] / 2 > stage["x"] + stage["width"] / 2,
                box["y"] + box["height"] / 2 > stage["y"] + stage["height"] / 2,
            )

        own.focus()
        seen = []
        for key in ("ArrowUp", "ArrowLeft", "ArrowDown", "ArrowRight"):
            person.page.keyboard.press(key)
            seen.append(corner())
        assert seen == [(True, False), (False, False), (False, True), (True, True)]

        box = own.bounding_box()
        assert box
        person.page.mouse.move(box["x"] + 20, box["y"] + 20)
        person.page.mouse.down()
        person.page.mouse.move(stage["x"] + 60, stage["y"] + 60, steps=5)
        person.page.mouse.up()
        assert corner() == (False, False)


def test_spoken_turn_shows_its_latency_and_stages(server: RunningServer):
    with visitor() as person:
        person.join(server.demo_url)
        person.wait_until_replica_is_quiet(1)
        assert not button(person.page, "median").is_visible()
        person.say(sentence("tt-monkeysintro"))
        (latency,) = person.wait_for(lambda: person.events("conversation.latency"), "the latency")
        read_out = button(person.page, "median")
        read_out.wait_for(state="visible")
        milliseconds = round(latency["properties"]["utterance_to_utterance_ms"])
        assert f"{milliseconds} ms" in read_out.inner_text()
        read_out.click()
        waterfall = person.page.get_by_role("complementary", name="Last turn")
        assert waterfall.locator("dt").count() == len(latency["properties"]["stages"])
        person.page.keyboard.press("Escape")
        waterfall.wait_for(state="hidden")


def test_host_who_ends_the_conversation_is_named_as_the_reason(server: RunningServer):
    with visitor() as person:
        link = create(server, person.page)
        person.join(link)
        person.wait_until_replica_is_quiet(1)
        person.page.request.post(f"{server.base_url}/v2/conversations/{link.rsplit('/', 1)[-1]}/end")
        wait_for_text(person, "The host has ended the call")
        assert utterances(person, "replica")[0] in person.page.inner_text("body")


def test_devices_chosen_in_the_lobby_are_the_ones_in_the_call(server: RunningServer):
    with visitor("--use-fake-device-for-media-stream=device-count=2", own_microphone=False) as person:
        page = person.page
        page.goto(server.demo_url)
        chosen = {}
        for kind in ("Microphone", "Camera"):
            choice = page.get_by_role("combobox", name=kind)
            choice.wait_for(state="visible")
            used = choice.input_value()
            other = next(
                value
                for value in choice.locator("option").evaluate_all("all => all.map(one => one.value)")
                if value != used
            )
            choice.select_option(other)
            chosen[kind] = other
            person.wait_for(lambda choice=choice, other=other: choice.input_value() == other, "the choice")
        person.wait(0.5)
        button(page, "Join").click()
        person.wait_for(lambda: person.events("system.replica_present"), "the replica")
        assert page.evaluate("visitor.microphone().deviceId") == chosen["Microphone"]
        camera = "document.getElementById('call-own').srcObject.getTracks()[0].getSettings().deviceId"
        assert page.evaluate(camera) == chosen["Camera"]


def test_level_meter_moves_with_the_voice(server: RunningServer):
    with visitor() as person:
        person.page.goto(server.demo_url)
        meter = person.page.get_by_role("meter")
        meter.wait_for(state="visible")
        quiet = int(meter.get_attribute("aria-valuenow") or 0)
        person.say(sentence("transfer"))
        person.wait_for(lambda: int(meter.get_attribute("aria-valuenow") or 0) > quiet + 30, "the meter")


def test_call_works_inside_another_page(server: RunningServer, tmp_path: Path):
    (tmp_path / "index.html").write_text(
        f'<iframe src="{server.demo_url}" allow="microphone; camera; autoplay" width="800" height="600"></iframe>'
    )
    with visitor() as person, http_server(tmp_path) as other_site:
        person.page.goto(other_site)
        inside = person.page.frame_locator("iframe")
        inside.get_by_role("button", name="Join").click()
        inside.locator(".caption.replica").wait_for(state="visible")


def test_normal_call_under_the_page_policy_complains_of_nothing(server: RunningServer):
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
