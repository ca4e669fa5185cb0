"""What people do in Studio, in a real browser on a real server: make a persona, talk with it, read what was said."""

import base64
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from playwright.sync_api import Frame, expect

from tests.browser.studio import choose_file, open_studio
from tests.portrait import portrait
from tests.sentences import SENTENCES, sentence
from tests.server import RunningServer
from tests.speech import word_errors
from tests.visitor import Visitor, visitor

pytestmark = [pytest.mark.browser, pytest.mark.models]

SPOKEN = "please-try-call-later"
LONGEST_TRAINING_S = 240


def call_frame(person: Visitor) -> Frame:
    """The call page inside Studio."""
    return cast(
        Frame,
        person.wait_for(
            lambda: next((one for one in person.page.frames if "/c/" in one.url), None), "the call's frame"
        ),
    )


def speak(inside: Frame, name: str) -> None:
    samples = np.ascontiguousarray(sentence(name), np.float32)
    inside.evaluate("data => visitor.say(data)", base64.b64encode(samples.tobytes()).decode())


def test_persona_from_a_template_is_talked_with_and_the_transcript_read(server: RunningServer):
    with visitor(size=(1440, 1000)) as person:
        page = person.page
        open_studio(page, server.base_url)
        page.get_by_role("link", name="Personas", exact=True).click()
        page.get_by_role("link", name="Museum guide").click()
        page.get_by_label("Name", exact=True).fill("Ines")
        page.get_by_role("tab", name="Face").click()
        page.get_by_role("radio", name="Mira").check(force=True)
        page.get_by_role("button", name="Create persona").click()
        expect(page.get_by_role("heading", name="Ines", level=1)).to_be_visible()
        expect(page.get_by_role("button", name="Save")).to_be_disabled()
        page.get_by_role("button", name="Test call").click()

        inside = call_frame(person)
        inside.get_by_role("button", name="Join").click()
        turns = page.get_by_role("log", name="Transcript")
        expect(turns).to_contain_text("Welcome to the Harbour Museum", timeout=60_000)
        said = turns.locator(".line.replica p:not(.open)")
        expect(said).to_have_count(1, timeout=60_000)
        speak(inside, SPOKEN)
        expect(turns.locator(".line.user p")).not_to_be_empty(timeout=30_000)
        expect(said).to_have_count(2, timeout=60_000)
        page.get_by_role("tab", name="Latency").click()
        expect(page.locator(".live .waterfall dt").filter(has_text="Words recognised")).to_be_visible(timeout=60_000)
        page.get_by_role("tab", name="Events").click()
        expect(page.get_by_role("list", name="Events")).to_contain_text("utterance")
        inside.get_by_role("button", name="Leave").click()

        page.get_by_role("link", name="Open its record").click(timeout=30_000)
        transcript = page.get_by_role("region", name="Transcript")
        expect(transcript).to_contain_text("Welcome to the Harbour Museum", timeout=30_000)
        heard = transcript.locator(".line.user p").first.inner_text()
        assert word_errors(SENTENCES[SPOKEN], heard) <= 1
        transcript.locator(".line.replica .time").nth(1).click()
        assert page.locator(".events .within").count() > 0, "the events of that moment are shown"
        assert page.locator("[aria-label='Latency'] .waterfall dt").count() > 3


def test_replica_is_made_from_an_uploaded_picture(server: RunningServer, tmp_path: Path):
    photo = tmp_path / "me.png"
    photo.write_bytes(portrait())
    with visitor(recorder=False) as person:
        page = person.page
        open_studio(page, server.base_url, "replicas/new")
        page.get_by_role("radio", name="One photo").check(force=True)
        page.get_by_role("button", name="Make replica").click()
        expect(page.get_by_text("Choose a file first.")).to_be_visible()
        choose_file(page, photo)
        page.get_by_label("Name of the replica").fill("Ines")
        page.get_by_role("button", name="Make replica").click()
        expect(page.get_by_text("Name the person who is seen.")).to_be_visible()
        page.get_by_label("Full name of the person").fill("Ines Okafor")
        page.get_by_role("checkbox").check()
        page.get_by_role("button", name="Make replica").click()
        expect(page.get_by_role("progressbar", name="Training progress")).to_be_visible(timeout=30_000)
        expect(page.get_by_role("button", name="Talk now")).to_be_visible(timeout=LONGEST_TRAINING_S * 1000)
        expect(page.get_by_text("Declared for Ines Okafor")).to_be_visible()
        playing = "() => { const film = document.querySelector('.film video'); return film && film.currentTime > 0.5; }"
        page.wait_for_function(playing, timeout=30_000)


def test_camera_that_sees_nobody_is_told_so_before_recording(server: RunningServer):
    with visitor(recorder=False) as person:
        page = person.page
        open_studio(page, server.base_url, "replicas/new")
        page.get_by_label("Full name of the person").fill("Ines Okafor")
        page.get_by_role("button", name="Turn on camera and microphone").click()
        expect(page.get_by_text("One person, looking at the camera")).to_be_visible(timeout=60_000)
        page.get_by_role("button", name="Start recording").click()
        expect(page.locator(".prompter")).to_contain_text("I, Ines Okafor, agree that a replica of me", timeout=30_000)
        expect(page.get_by_role("button", name="Finish")).to_be_disabled()
