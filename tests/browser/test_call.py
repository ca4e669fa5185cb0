"""A person talks with the replica: a real server, a real browser, recorded human speech."""

import asyncio
import json
import re
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from scipy.signal import resample_poly

from tests.sentences import SENTENCES, sentence
from tests.server import RunningServer
from tests.speech import word_errors
from tests.visitor import RATE_HZ, Visitor, loud_spans, visitor
from visavis.audio import LISTEN_RATE_HZ
from visavis.layers.stt.moonshine import Moonshine

pytestmark = [pytest.mark.browser, pytest.mark.models]

MOUTH = (0.38, 0.5, 0.24, 0.16)
"""Where Mira's mouth is: x, y, width, height as shares of the picture."""


@pytest.fixture
def fake_microphone(tmp_path: Path):
    """A WAV file for Chromium's fake microphone: silence, a human sentence, then silence for a while."""
    path = tmp_path / "microphone.wav"
    sound = np.concatenate([np.zeros(8 * RATE_HZ), sentence("tt-monkeysintro", RATE_HZ), np.zeros(30 * RATE_HZ)])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    return path


def recognised(sound: np.ndarray) -> str:
    """What our recogniser understands of sound at 48 kHz."""

    async def listen() -> str:
        utterance = Moonshine().utterance()
        utterance.feed(resample_poly(sound, LISTEN_RATE_HZ, RATE_HZ).astype(np.float32))
        return await utterance.final()

    # Not on this thread: Playwright's own loop runs on it.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, listen()).result()


def arrival_rate(person: Visitor) -> float:
    """Pictures that arrive a second, over two seconds."""
    begun, arrived = person.now(), person.frames_received()
    person.wait(2)
    return (person.frames_received() - arrived) / (person.now() - begun)


def utterances(person: Visitor, role: str) -> list[str]:
    found = [event["properties"] for event in person.events("conversation.utterance")]
    return [properties["speech"] for properties in found if properties["role"] == role]


def test_spoken_sentence_is_understood_and_answered_with_sound_and_a_moving_mouth(
    server: RunningServer, fake_microphone: Path
):
    # A small window: without a graphics card, the browser draws on the cores that the server needs.
    with visitor(
        f"--use-file-for-fake-audio-capture={fake_microphone}", own_microphone=False, size=(480, 640)
    ) as person:
        person.join(server.demo_url)
        rates = [arrival_rate(person) for _ in range(2)]
        person.page.evaluate(f"visitor.watch({', '.join(map(str, MOUTH))})")
        person.wait_until_replica_is_quiet(2)
        person.wait(2)
        while max(rates) < 24 and len(rates) < 8:
            rates.append(arrival_rate(person))  # a machine that stands still for a moment gets another chance
        assert max(rates) >= 24, rates
        recording, frames, said = person.recording(), person.frames(), utterances(person, "replica")

        (heard,) = utterances(person, "user")
        assert word_errors(SENTENCES["tt-monkeysintro"], heard) <= 1

        spans = loud_spans(recording.replica, gap_s=0.8)
        sound = recording.replica[round(spans[0][0] * RATE_HZ) : round(spans[-1][1] * RATE_HZ)]
        assert word_errors(" ".join(said), recognised(sound)) <= 0.2 * len(" ".join(said).split())

        speaking = np.zeros(len(frames), bool)
        for start, stop in spans:
            inside = (frames[:, 0] > recording.start + start + 0.1) & (frames[:, 0] < recording.start + stop - 0.1)
            speaking |= inside
        near = np.zeros(len(frames), bool)
        for start, stop in spans:
            near |= (frames[:, 0] > recording.start + start - 0.4) & (frames[:, 0] < recording.start + stop + 0.4)
        moving, resting = frames[speaking, 1].mean(), frames[~near, 1].mean()
        assert moving > 2.5 * resting, f"mouth changes {moving:.2f} while speaking, {resting:.2f} in silence"


def test_barge_in_stops_the_replica(server: RunningServer):
    with visitor() as person:
        person.join(server.link(audio_only=True))
        person.wait_for(lambda: person.events("conversation.replica.started_speaking"), "the greeting")
        person.wait(0.8)
        begun = person.say(sentence("something-terribly-wrong"))
        person.wait_until_replica_is_quiet(1)
        stopped = person.events("conversation.replica.stopped_speaking")[0]
        assert stopped["properties"]["interrupted"]
        person.wait(1)
        recording = person.recording()
        at = round((stopped["_at"] + 0.3 - recording.start) * RATE_HZ)
        assert np.abs(recording.replica[at : at + RATE_HZ // 5]).max() < 0.02
        assert stopped["_at"] > begun


def respond(text: str) -> str:
    """JavaScript that has the person's typed `text` answered."""
    message = {"event_type": "conversation.respond", "properties": {"text": text}}
    return f"visitor.send(JSON.stringify({json.dumps(message)}))"


def test_garbage_on_the_data_channel_is_answered_and_so_is_the_typed_message_after_it(server: RunningServer):
    with visitor() as person:
        person.join(server.link(audio_only=True))
        person.wait_until_replica_is_quiet(1)
        for garbage in ("not json", "[1, 2]", '{"event_type": "conversation.fly"}', "x" * 70_000):
            person.page.evaluate("text => visitor.send(text)", garbage)
        person.wait_for(lambda: person.count("conversation.error") >= 4, "four answers")
        person.page.evaluate(respond("Hello there"))
        person.wait_until_replica_is_quiet(2)
        assert utterances(person, "user") == ["Hello there"]
        person.wait_for(lambda: len(utterances(person, "replica")) == 2, "both of the replica's utterances")


def test_second_tab_is_told_that_the_call_is_taken_and_a_page_closed_in_mid_sentence_frees_the_line(
    server: RunningServer,
):
    with visitor() as next_person:
        with visitor() as person:
            person.join(server.link(audio_only=True))
            next_person.page.goto(person.page.url)
            next_person.page.get_by_role("button", name="Join").click()
            next_person.wait_for(lambda: "another tab" in next_person.page.inner_text("body"), "the explanation")
            person.page.evaluate(respond("Tell me a very long story about the sea"))
            person.wait_for(lambda: person.count("conversation.replica.started_speaking") == 2, "the answer")
        next_person.join(server.link(audio_only=True))
        next_person.wait_until_replica_is_quiet(1)
        assert not [line for line in server.log if "Traceback" in line]


def test_killed_language_model_is_told_in_words_and_the_next_turn_works(server: RunningServer):
    # With openers the replica speaks before the model has written a word, and then its successor is asked instead.
    persona = {
        "persona_name": "Ada",
        "system_prompt": "You tell stories.",
        "greeting": "Hello.",
        "layers": {"conversational_flow": {"openers": False}},
    }
    with visitor() as person:
        person.join(server.link(persona, audio_only=True))
        person.wait_until_replica_is_quiet(1)
        model = server.language_model()
        person.page.evaluate(respond("Tell me a very long story about the sea and all of its islands"))
        person.wait_for(lambda: person.count("conversation.replica.started_speaking") == 2, "the story")
        model.kill()
        person.wait_until_replica_is_quiet(2)
        assert "lost my train of thought" in utterances(person, "replica")[-1]
        assert person.events("conversation.error")
        person.page.evaluate(respond("Are you there again?"))
        person.wait_until_replica_is_quiet(3)
        assert "lost my train of thought" not in utterances(person, "replica")[-1]


def test_host_who_ends_the_conversation_is_named_and_dead_links_show_a_friendly_page(server: RunningServer):
    with visitor() as person:
        link = server.link(audio_only=True)
        person.join(link)
        person.wait_until_replica_is_quiet(1)
        person.page.request.post(f"{server.base_url}/v2/conversations/{link.rsplit('/', 1)[-1]}/end")
        body = person.page.locator("body")
        expect(body).to_contain_text("The host has ended the call", timeout=30_000)
        expect(body).to_contain_text(utterances(person, "replica")[0])
        for url, explanation in ((link, "ended"), (f"{server.base_url}/c/c0000000000000000", "link")):
            person.page.goto(url)
            expect(body).to_contain_text(re.compile(explanation, re.IGNORECASE), timeout=30_000)
            assert not person.page.get_by_role("button", name="Join").is_visible()
