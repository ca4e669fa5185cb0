"""Parrot mode as its client and the person see it: a real server, a real browser, recorded human speech."""

import json

import numpy as np
import pytest

from tests.echoing import Begun, chunks, returned, stream
from tests.sentences import sentence
from tests.server import RunningServer
from tests.visitor import RATE_HZ, Visitor, loud_spans, visitor

pytestmark = [pytest.mark.browser, pytest.mark.models]

ECHO = {"persona_name": "Echo", "pipeline_mode": "echo"}

MOUTH = (0.38, 0.5, 0.24, 0.16)
"""Where Mira's mouth is: x, y, width, height as shares of the picture."""

WINDOW = {"size": (480, 640)}
"""Small: without a graphics card, the browser draws on the cores that the server needs."""


def wait_for_end(person: Visitor, inference_id: str) -> dict:
    def ended():
        events = person.events("conversation.replica.stopped_speaking")
        return next((event for event in events if event["inference_id"] == inference_id), None)

    return person.wait_for(ended, f"the end of {inference_id}")


def test_streamed_sound_comes_out_of_the_loudspeaker_as_it_was(server: RunningServer):
    with visitor(**WINDOW) as person:
        person.join(server.link(ECHO, audio_only=True))
        person.wait(1.5)
        for rate_hz in (16_000, 24_000):
            sent = two_sentences()
            person.recording()
            begun, end = echo(person, sent, rate_hz)
            at, alike = returned(person.recording(), sent)
            assert np.quantile(alike, 0.75) > 0.85, "what the browser neither stretched nor lost on a busy machine"
            assert at > begun.at
            assert not end["properties"]["interrupted"]
            assert end["properties"]["duration"] == pytest.approx(len(sent) / RATE_HZ + 0.06, abs=0.1)
        assert not person.events("conversation.error")
        assert not person.events("conversation.utterance")


def test_lips_move_with_streamed_sound(server: RunningServer):
    # Apart from the sound: looking at every picture costs the browser so much that it plays with gaps.
    with visitor(**WINDOW) as person:
        person.join(server.link(ECHO))
        person.page.evaluate(f"visitor.watch({', '.join(map(str, MOUTH))})")
        person.wait(2.5)
        sent = two_sentences()
        begun, _ = echo(person, sent, 16_000)
        frames = person.frames()
        speaking = (frames[:, 0] > begun.at + 0.5) & (frames[:, 0] < begun.at + len(sent) / RATE_HZ)
        resting = frames[:, 0] < begun.at
        # The upper quarter: lips move in most pictures of speech, a head that sways or blinks in few.
        moved, rested = (np.quantile(frames[when, 1][5:], 0.75) for when in (speaking, resting))
        assert moved > 2 * rested


def two_sentences():
    spoken = np.concatenate([sentence("tt-monkeysintro"), np.zeros(RATE_HZ // 5), sentence("tt-weasels")])
    return spoken.astype(np.float32)


def echo(person: Visitor, sent: np.ndarray, rate_hz: int) -> tuple[Begun, dict]:
    """Have `sent` (48 kHz) echoed at another rate, to its last sound; when it was begun, and the event of its end."""
    name = f"at {rate_hz} Hz"
    samples = np.interp(np.arange(0, len(sent), RATE_HZ / rate_hz), np.arange(len(sent)), sent).astype(np.float32)
    begun = stream(person, chunks(samples, rate_hz, name), 0.1)
    end = wait_for_end(person, name)
    person.wait(2.5)  # a busy browser plays what has been sent up to two seconds later
    return begun, end


def test_interrupt_stops_the_echo_and_the_next_one_is_heard(server: RunningServer):
    sent = np.tile(sentence("tt-monkeysintro"), 4)
    with visitor(**WINDOW) as person:
        person.join(server.link(ECHO, audio_only=True))
        person.wait(1.0)
        person.recording()
        stream(person, chunks(sent, RATE_HZ, "long", 0.25), 0.01)
        person.wait_for(lambda: person.count("conversation.replica.started_speaking") == 1, "the echo")
        person.wait(1.0)
        person.page.evaluate("visitor.send(JSON.stringify({event_type: 'conversation.interrupt'}))")
        cut = wait_for_end(person, "long")
        assert cut["properties"]["interrupted"]
        person.wait(1.5)
        heard_s = sum(stop - start for start, stop in loud_spans(person.recording().replica))
        assert 0.5 < heard_s < 0.5 * len(sent) / RATE_HZ
        person.page.evaluate(
            "text => visitor.send(text)",
            json.dumps({"event_type": "conversation.echo", "properties": {"text": "Here I am.", "inference_id": "t"}}),
        )
        assert not wait_for_end(person, "t")["properties"]["interrupted"]
        (utterance,) = person.events("conversation.utterance")
        assert (utterance["properties"]["speech"], utterance["inference_id"]) == ("Here I am.", "t")


def test_person_who_speaks_is_reported_and_does_not_stop_the_echo(server: RunningServer):
    sent = np.tile(sentence("pls-hold-while-try"), 3)
    with visitor(**WINDOW) as person:
        person.join(server.link(ECHO, audio_only=True))
        person.wait(1.0)
        stream(person, chunks(sent, RATE_HZ, "u1", 0.25), 0.25)
        person.wait(1.0)
        person.say(sentence("tt-weasels"))
        person.wait_for(lambda: person.count("conversation.user.stopped_speaking"), "the person's silence")
        assert not wait_for_end(person, "u1")["properties"]["interrupted"]
        assert person.count("conversation.user.started_speaking")
        assert not person.events("conversation.utterance")
