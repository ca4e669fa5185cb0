"""Minutes of conversation as people have it: pauses, backchannels, interruptions, coughs; and bad circumstances.

The replica's side is the built-in pipeline with the smallest language model: what it says does not matter here.
`LONG_CALL_MINUTES=5` makes the call as long as that.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import count
from typing import Any

import numpy as np
import pytest

from tests.lossy import lossy_path
from tests.sentences import SENTENCES, sentence
from tests.server import RunningServer
from tests.speech import word_errors
from tests.visitor import RATE_HZ, Visitor, visitor
from visavis.audio import Samples
from visavis.layers.tts.hibari import Hibari

pytestmark = [pytest.mark.browser, pytest.mark.models, pytest.mark.slow]

STORY = (
    "Once upon a time there was a small harbour town where the lighthouse keeper told a long story every evening about "
    "ships and storms and people who had come from far away and stayed."
)
RNG = np.random.default_rng(3)
MINUTES = float(os.environ.get("LONG_CALL_MINUTES", "1"))
"""How long the call is; one round of everything at least."""
PICTURES_FROM_MINUTES = 5
"""Shorter calls, as every run of the tests has one, are about what is heard alone."""


@cache
def synthetic(text: str) -> Samples:
    """`text` in a synthetic voice, 48 kHz: for words of which there is no recording."""

    async def speak() -> Samples:
        pieces = [speech.pcm async for speech in Hibari().stream(text)]
        return np.concatenate(pieces).astype(np.float32) / 32768

    # Not on this thread: Playwright's own loop runs on it.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, speak()).result()


def cough() -> Samples:
    """Two bursts of noise, as a cough has."""
    burst = RNG.normal(0, 0.25, RATE_HZ * 12 // 100) * np.exp(-np.arange(RATE_HZ * 12 // 100) / (RATE_HZ * 0.04))
    return np.concatenate([burst, np.zeros(RATE_HZ // 10), 0.7 * burst]).astype(np.float32)


def with_pause(name: str, seconds: float) -> Samples:
    """A sentence with `seconds` of silence put where it is quietest in its middle."""
    sound = sentence(name, RATE_HZ)
    size = RATE_HZ // 50
    levels = np.sqrt((sound[: len(sound) // size * size].reshape(-1, size) ** 2).mean(axis=1))
    third = len(levels) // 3
    cut = (third + int(levels[third : 2 * third].argmin())) * size
    return np.concatenate([sound[:cut], np.zeros(round(seconds * RATE_HZ), np.float32), sound[cut:]])


def two_people() -> Samples:
    one, other = sentence("conf-onlyperson", RATE_HZ), sentence("demo-nomatch", RATE_HZ)[::-1]
    sound = np.zeros(max(len(one), len(other)) + RATE_HZ // 2, np.float32)
    sound[: len(one)] += one
    sound[RATE_HZ // 2 : RATE_HZ // 2 + len(other)] += 0.7 * other
    return np.tile(sound, 2)


def music() -> Samples:
    time = np.arange(8 * RATE_HZ) / RATE_HZ
    notes = 220 * 2 ** (np.array([0, 4, 7, 12, 7, 4, 5, 9])[(4 * time).astype(int) % 8] / 12)
    phase = 2 * np.pi * np.cumsum(notes) / RATE_HZ
    return (0.15 * (np.sin(phase) + 0.5 * np.sin(2 * phase) + 0.3 * np.sin(3 * phase))).astype(np.float32)


def fan() -> Samples:
    noise = np.cumsum(RNG.normal(0, 1, 8 * RATE_HZ))
    noise -= np.convolve(noise, np.ones(2400) / 2400, "same")
    return (0.08 * noise / noise.std()).astype(np.float32)


def phone() -> Samples:
    time = np.arange(8 * RATE_HZ) / RATE_HZ
    ringing = (time % 3 < 1) * (np.sin(2 * np.pi * 440 * time) + np.sin(2 * np.pi * 480 * time))
    return (0.15 * ringing).astype(np.float32)


DISTURBANCES = (two_people, music, fan, phone)


class Talk:
    """What a person does in the long call; each step waits until the replica is through."""

    def __init__(self, person: Visitor) -> None:
        self.person = person

    def properties(self, kind: str) -> list[dict[str, Any]]:
        return [event["properties"] for event in self.person.events(kind)]

    def said(self, role: str) -> list[str]:
        return [u["speech"] for u in self.properties("conversation.utterance") if u["role"] == role]

    def outcomes(self) -> list[str]:
        return [o["outcome"] for o in self.properties("conversation.overlap")]

    def ask(self, sound: Samples) -> tuple[str, str]:
        """Say `sound`; what was understood and what was answered."""
        asked, answered = len(self.said("user")), len(self.said("replica"))
        self.person.say(sound)
        self.person.wait(len(sound) / RATE_HZ)
        self.person.wait_for(lambda: len(self.said("replica")) > answered, "an answer", 40)
        return " ".join(self.said("user")[asked:]), self.said("replica")[-1]

    def say_into_story(self, sound: Samples) -> tuple[dict[str, Any], list[str]]:
        """Say `sound` while the replica tells its story; the story as it was heard, and what the overlap was."""
        stories, overlaps = len(self.said("replica")), len(self.outcomes())
        started = self.person.count("conversation.replica.started_speaking")
        self.person.page.evaluate(
            "text => visitor.send(JSON.stringify({event_type: 'conversation.echo',"
            " properties: {modality: 'text', text}}))",
            STORY,
        )
        self.person.wait_for(lambda: self.person.count("conversation.replica.started_speaking") > started, "the story")
        self.person.wait(1.5)
        self.person.say(sound)
        self.person.wait_for(lambda: len(self.said("replica")) > stories, "the story's end", 40)
        story = [u for u in self.properties("conversation.utterance") if u["role"] == "replica"][stories]
        self.person.wait(0.3)
        return story, self.outcomes()[overlaps:]

    def until_quiet(self) -> None:
        """Wait until nobody speaks."""

        def speaking() -> int:
            started, stopped = (self.person.count(f"conversation.{verb}_speaking") for verb in ("started", "stopped"))
            return started - stopped

        self.person.wait_for(lambda: speaking() == 0, "silence", 40)
        self.person.wait(1.0)
        self.person.wait_for(lambda: speaking() == 0, "silence", 40)


@pytest.mark.flaky(reruns=1)
def test_minutes_with_pauses_backchannels_interruptions_coughs_and_disturbances(server: RunningServer):
    questions = list(SENTENCES)
    hits: dict[str, list[bool]] = {}

    def note(kind: str, *, good: bool) -> None:
        hits.setdefault(kind, []).append(good)

    with visitor(allowed=("microphone",), size=(512, 640)) as person:
        talk = Talk(person)
        person.join(server.link(audio_only=MINUTES < PICTURES_FROM_MINUTES))
        person.wait_until_replica_is_quiet(1)
        begun = person.now()
        for number in count():
            if person.now() - begun > (MINUTES - 0.5) * 60:  # the last round takes its time, too
                break
            name = questions[3 * number]
            heard, _ = talk.ask(sentence(name, RATE_HZ))
            note("understood", good=word_errors(SENTENCES[name], heard) <= 2)
            talk.until_quiet()

            name = "conf-getpin" if number % 2 else "pls-hold-while-try"
            turns = len(talk.said("user"))
            talk.ask(with_pause(name, 0.5))
            talk.until_quiet()
            note("pause", good=len(talk.said("user")) == turns + 1)

            word = ("Yeah.", "Okay.", "I see.", "Right.")[number % 4]
            story, outcomes = talk.say_into_story(synthetic(word))
            note("backchannel", good=story["speech"] == STORY)
            assert outcomes in ([], ["began", "backchannel"], ["began", "noise"], ["began", "interruption"]), outcomes
            talk.until_quiet()

            story, outcomes = talk.say_into_story(sentence(questions[3 * number + 1], RATE_HZ))
            note("interruption", good=bool(story.get("interrupted")))
            if story.get("interrupted"):
                assert STORY.startswith(story["speech"])
            talk.until_quiet()

            story, _ = talk.say_into_story(cough())
            note("cough", good=story["speech"] == STORY)
            talk.until_quiet()

            for noise in DISTURBANCES:
                sound = noise()
                person.say(sound)
                person.wait(len(sound) / RATE_HZ + 2)
                talk.until_quiet()  # and the next round's question shows that the floor is free
        person.page.get_by_role("button", name="Leave").click()
        person.wait(0.5)
        log = person.events()
    check_log(log)
    shares = {kind: sum(good) / len(good) for kind, good in hits.items()}
    assert shares["interruption"] == 1, shares
    if len(hits["interruption"]) > 1:
        assert all(share >= 0.5 for share in shares.values()), shares


def check_log(log: list[dict[str, Any]]) -> None:
    """What must hold in every call: an unbroken numbering, every beginning with its end, every overlap judged."""
    numbered = [event["seq"] for event in log if "seq" in event]
    assert numbered == sorted(set(numbered))
    for role in ("user", "replica"):
        kinds = [e["event_type"] for e in log if e["event_type"].startswith(f"conversation.{role}.")]
        starts, stops = kinds[::2], kinds[1::2]
        assert set(starts) <= {f"conversation.{role}.started_speaking"}, kinds
        assert set(stops) <= {f"conversation.{role}.stopped_speaking"}, kinds
    outcomes = [e["properties"]["outcome"] for e in log if e["event_type"] == "conversation.overlap"]
    assert set(outcomes[::2]) <= {"began"} and "began" not in outcomes[1::2], outcomes


def test_three_percent_packet_loss_neither_loses_words_nor_holds_the_floor(server: RunningServer):
    with (
        visitor(allowed=("microphone",), size=(512, 640)) as person,
        lossy_path(person.page, 0.03) as relays,
    ):
        talk = Talk(person)
        person.join(server.demo_url)
        person.wait_until_replica_is_quiet(1)
        errors = words = 0
        for name in ("conf-now-muted", "check-number-dial-again"):
            heard, answer = talk.ask(sentence(name, RATE_HZ))
            errors += word_errors(SENTENCES[name], heard)
            words += len(SENTENCES[name].split())
            assert answer
            talk.until_quiet()
        story, _ = talk.say_into_story(sentence("something-terribly-wrong", RATE_HZ))
        assert story["interrupted"]
        talk.until_quiet()
        assert person.frames_received() > 0
        person.page.get_by_role("button", name="Leave").click()
        person.wait(0.5)
        share = sum(r.dropped for r in relays) / sum(r.dropped + r.passed for r in relays)
        assert 0.02 < share < 0.04
        assert errors <= 0.2 * words
        check_log(person.events())
