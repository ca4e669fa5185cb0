"""What the model knows of each pause, computed once and kept in the cache folder."""

import asyncio
import hashlib
import json
import pickle
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from training.end_of_turn.hesitations import said, sentences
from training.end_of_turn.pauses import HESITATION, SYNTHETIC_COMPLETE, Example, examples, never
from training.end_of_turn.sources import CACHE, TEST, Recording, recordings
from visavis import models
from visavis.audio import Samples
from visavis.layers.stt.moonshine import MIN_SAMPLES
from visavis.layers.stt.moonshine_networks import MoonshineBase
from visavis.layers.stt.recording import Recording as Trimmer
from visavis.layers.turn import Pause
from visavis.layers.turn.end_of_turn import with_enough_silence
from visavis.layers.turn.silero import Silero
from visavis.layers.turn.smart_turn import SmartTurn

_VERSION = 2
"""Raise it when examples are made in another way."""


TEST_PAUSES = Path(__file__).with_name("test_pauses.jsonl")
"""The labelled pauses of the test part, so that a benchmark need not label them again."""


@dataclass(frozen=True, slots=True)
class TestPause:
    """A pause of the test part: where it is, what it is, and how long it lasts (None: to the end of the recording)."""

    source: str
    recording: str
    kind: str
    begins_s: float
    silent_s: float
    lasts_s: float | None
    asked: str

    __test__ = False  # not for pytest


def heard() -> list[tuple[Example, float]]:
    """Every example, and what smart-turn thinks of it. The first time this takes some ten minutes of one core."""
    folder = CACHE / f"examples-{_VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    return [pair for recording in all_recordings() for pair in _kept(folder, recording)]


def write_test_pauses(known: list[tuple[Example, float]]) -> None:
    """Keep where the pauses of the test part are; needs no sound."""
    rows = [
        TestPause(
            example.source,
            example.recording,
            example.kind,
            round(example.turn_s[0], 3),
            round(example.turn_s[1], 3),
            round(example.lasts_s, 3) if np.isfinite(example.lasts_s) else None,
            example.pause.asked,
        )
        for example, _ in known
        if example.part == TEST
    ]
    TEST_PAUSES.write_text("".join(json.dumps(asdict(row)) + "\n" for row in rows), encoding="utf-8")


def read_test_pauses() -> list[TestPause]:
    """The pauses of the test part."""
    return [TestPause(**json.loads(line)) for line in TEST_PAUSES.read_text(encoding="utf-8").splitlines()]


def all_recordings(synthetic: Callable[[str], bool] = lambda name: True) -> Iterator[Recording]:
    """All that are there, then those sentences spoken by the built-in voice whose name is wanted."""
    yield from recordings()
    for sentence in sentences():
        if synthetic(sentence.name):
            sound = said(sentence.text)
            yield Recording(
                "synthetic", "hibari", sentence.name, sound, sentence.part, sentence.complete, asked=sentence.asked
            )


def _kept(folder: Path, recording: Recording) -> list[tuple[Example, float]]:
    key = hashlib.sha256(recording.sound.tobytes() + repr((recording.name, recording.ends)).encode()).hexdigest()[:24]
    path = folder / f"{key}.pickle"
    if path.is_file():
        kept: list[tuple[Example, float]] = pickle.loads(path.read_bytes())
        return [(replace(example, part=recording.part), looked) for example, looked in kept]
    engines = _Engines.get()
    found = [(_synthetic(e), engines.look(e.pause)) for e in examples(recording, engines.activity, engines.transcribe)]
    path.write_bytes(pickle.dumps(found))
    print(recording.source, recording.name, [(e.kind, round(p, 2)) for e, p in found], file=sys.stderr)
    return found


def _synthetic(example: Example) -> Example:
    if example.source != "synthetic":
        return example
    return replace(example, kind=SYNTHETIC_COMPLETE if example.complete else HESITATION)


class _Engines:
    """The networks, loaded when the first example needs them."""

    _made: "_Engines | None" = None

    def __init__(self) -> None:
        self.activity = Silero().listen()
        self._base = MoonshineBase(models.path("moonshine-base-en"))
        self._smart_turn = SmartTurn()

    @classmethod
    def get(cls) -> "_Engines":
        cls._made = cls._made or cls()
        return cls._made

    def transcribe(self, sound: Samples) -> str:
        """As the recogniser does at a pause: without the silence, and never less than it can hear."""
        trimmer = Trimmer()
        trimmer.append(sound)
        speech = trimmer.speech()
        if speech is None:
            return ""
        lacking = max(0, MIN_SAMPLES - len(speech.samples))
        return self._base.transcribe(np.pad(speech.samples, (lacking // 2, lacking - lacking // 2)), never()).text

    def look(self, pause: Pause) -> float:
        """smart-turn's probability."""
        return asyncio.run(self._smart_turn.probability(with_enough_silence(pause.sound, pause.silence_s)))
