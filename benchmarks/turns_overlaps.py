"""Does the replica go on after a backchannel, and stop for an interruption?

Each sound is heard while the replica speaks, by the real ear, floor and recogniser on the sound's own time
(`benchmarks/turns_time.py`): voice holds the replica, and `visavis.conversation.overlap` says from the words whether it
goes on. Recorded sounds: backchannels of the AMI meeting corpus (CC BY 4.0) out of pyannote-audio's tests, where nobody
else speaks (`python -m training.end_of_turn fetch` gets them); interruptions from the same meetings, a telephone call,
GRID and Debian's asterisk prompts. Synthetic ones, reported apart: hibari, and where installed flite and espeak-ng.
"""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.report import QUICK, figures, percentile, table
from benchmarks.turns_time import ChargedEndOfTurn, ChargedRecogniser, SoundTimeLoop
from tests.sentences import FOLDER, SENTENCES, sentence, voiced_span
from tests.speech import grid_clip, grid_names, grid_words, read_audio
from training.end_of_turn.sources import recordings
from visavis.audio import LISTEN_RATE_HZ, PLAYOUT_RATE_HZ, Samples
from visavis.conversation.clock import LoopClock
from visavis.conversation.ear import Ear, OverlapBegan, OverlapPassed, TurnStarted
from visavis.conversation.floor import Doing, Floor
from visavis.layers.stt.moonshine import Moonshine
from visavis.layers.tts.hibari import Hibari
from visavis.layers.turn import UnreadPause
from visavis.layers.turn.silero import Silero

BACKCHANNEL, INTERRUPTION = "backchannel", "interruption"
BEFORE_S, AFTER_S = 0.6, 2.5
_LEVEL = 0.06
_PIECE = LISTEN_RATE_HZ // 50
_MARGIN_S = 0.08
_QUICK_OF_A_KIND = 5


@dataclass(frozen=True)
class Overlapping:
    """A sound that is heard while the replica speaks."""

    kind: str
    source: str
    said: str
    sound: Samples

    @property
    def recorded(self) -> bool:
        """A human being said it."""
        return self.source not in {"hibari", "flite", "espeak-ng"}


@dataclass(frozen=True)
class Outcome:
    """What became of it."""

    item: Overlapping
    held_ms: float | None
    """From the first sound until the replica was held; None if it never was."""
    passed_ms: float | None
    """From the first sound until the replica could go on."""
    stopped_ms: float | None
    """From the first sound until it was taken for an interruption; None if it was not."""

    @property
    def right(self) -> bool:
        """The replica went on after a backchannel, and stopped for an interruption."""
        return (self.stopped_ms is None) == (self.item.kind == BACKCHANNEL)


def main() -> None:
    """Measure and report."""
    figures(measure())


def measure() -> dict[str, float]:
    """Measure, print the tables and return the figures, those of recorded sounds without a suffix."""
    recogniser, silero = Moonshine(), Silero()
    outcomes = [_play(item, silero, recogniser) for item in _chosen()]
    recogniser.close()
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.item.kind, outcome.item.source), []).append(outcome)
    columns = ("sound", "n", "wrong", "held", "held until ms, p50", "p95", "stop decided ms, p50", "p95")
    rows = [(f"{kind}, {source}", *_row(groups[kind, source])) for kind, source in sorted(groups)]
    table("Speech into the replica's speech (ms from its first sound)", columns, rows)
    wrong = [outcome for outcome in outcomes if not outcome.right]
    table("Taken wrongly", ("said", "kind", "source"), [(o.item.said, o.item.kind, o.item.source) for o in wrong])
    values: dict[str, float] = {}
    for suffix, recorded in (("", True), ("_synthetic", False)):
        there = [outcome for outcome in outcomes if outcome.item.recorded == recorded]
        for kind, name in ((BACKCHANNEL, "backchannel_stops"), (INTERRUPTION, "interruptions_missed")):
            some = [outcome for outcome in there if outcome.item.kind == kind]
            values[name + suffix] = float(np.mean([not outcome.right for outcome in some])) if some else float("nan")
            values[f"{kind}s{suffix}"] = len(some)
        values[f"resumed_p50_ms{suffix}"] = percentile([o.passed_ms for o in there if o.passed_ms is not None], 50)
    return values


def _row(outcomes: Sequence[Outcome]) -> tuple[object, ...]:
    passed = [outcome.passed_ms for outcome in outcomes if outcome.passed_ms is not None]
    stopped = [outcome.stopped_ms for outcome in outcomes if outcome.stopped_ms is not None]
    return (
        len(outcomes),
        sum(not outcome.right for outcome in outcomes),
        sum(outcome.held_ms is not None for outcome in outcomes),
        *(percentile(values, share) for values in (passed, stopped) for share in (50, 95)),
    )


def _play(item: Overlapping, silero: Silero, recogniser: Moonshine) -> Outcome:
    rng = np.random.default_rng(1)
    before, after = round(BEFORE_S * LISTEN_RATE_HZ), round(AFTER_S * LISTEN_RATE_HZ)
    begins = BEFORE_S + voiced_span(item.sound, LISTEN_RATE_HZ, floor=0.1)[0] / LISTEN_RATE_HZ
    sound = np.pad(item.sound, (before, after))
    sound = np.asarray(sound + rng.normal(0, 3e-4, len(sound)), np.float32)
    with asyncio.Runner(loop_factory=SoundTimeLoop) as runner:
        times = runner.run(_listen(sound, silero, recogniser))
    return Outcome(item, *(None if at is None else 1000 * (at - begins) for at in times))


class _NeverAsked:
    """The end of the turn is of no interest here."""

    async def probabilities(self, pause: UnreadPause) -> AsyncGenerator[float, None]:
        await pause.words
        yield 1.0


async def _listen(
    sound: Samples, silero: Silero, recogniser: Moonshine
) -> tuple[float | None, float | None, float | None]:
    """When an overlap began, was passed over last, and was taken for a turn."""
    loop = asyncio.get_running_loop()
    floor = Floor()
    floor.replica = Doing.SPEAKING

    async def pieces() -> AsyncIterator[Samples]:
        for index in range(0, len(sound) - _PIECE + 1, _PIECE):
            await asyncio.sleep(max(0.0, (index + _PIECE) / LISTEN_RATE_HZ - loop.time()))
            yield sound[index : index + _PIECE]

    ear = Ear(silero.listen(), ChargedRecogniser(recogniser), ChargedEndOfTurn(_NeverAsked()), floor, LoopClock())
    began = passed = None
    async for heard in ear.listen(pieces()):
        match heard:
            case OverlapBegan():
                began = began or loop.time()
            case OverlapPassed():
                passed = loop.time()
            case TurnStarted():
                return began, None, loop.time()
    return began, passed, None


def _chosen() -> list[Overlapping]:
    items = [*_recorded_backchannels(), *_recorded_interruptions(), *_synthetic()]
    if not QUICK:
        return items
    order = np.random.default_rng(1).permutation(len(items))
    left: dict[tuple[str, bool], int] = {}
    chosen = []
    for item in (items[index] for index in order):
        key = item.kind, item.recorded
        left[key] = left.get(key, _QUICK_OF_A_KIND) - 1
        if left[key] >= 0:
            chosen.append(item)
    return chosen


_MEETING_BACKCHANNELS = (
    ("trn00", 3.17, 0.80, "okay, okay"),
    ("trn00", 10.45, 0.50, "okay"),
    ("trn00", 20.94, 0.45, "mm-hmm"),
    ("trn01", 2.98, 0.39, "mm-hmm"),
    ("trn01", 18.70, 0.96, "okay"),
    ("trn01", 22.27, 0.46, "yeah"),
    ("trn02", 20.70, 0.69, "oh yeah"),
    ("trn05", 1.46, 0.66, "mm"),
    ("trn05", 5.94, 0.34, "okay"),
    ("trn06", 10.54, 0.65, "mm-hmm"),
    ("tst01", 16.50, 0.54, "okay"),
)
"""Recording, start and length in seconds by the corpus, and what is said by the recogniser (final text)."""
_MEETING_INTERRUPTIONS = (
    ("dev01", 19.57, 0.80, "what's a username?"),
    ("tst01", 4.39, 0.35, "no"),
    ("tst01", 4.77, 0.37, "no, no"),
    ("sample", 6.69, 0.43, "hello?"),
    ("sample", 7.55, 0.80, "hello?"),
)
_PROMPTS = {
    "vm-no": "no",
    "hello": "hello",
    "goodbye": "goodbye",
    "vm-sorry": "I'm sorry, ...",
    "im-sorry": "I'm sorry",
    "auth-thankyou": "thank you",
    "cancelled": "cancelled",
    "one-moment-please": "one moment, please",
}
"""Short prompts that are interruptions when said to somebody who speaks."""


def _recorded_backchannels() -> Iterator[Overlapping]:
    yield from _meetings(BACKCHANNEL, _MEETING_BACKCHANNELS)


def _recorded_interruptions() -> Iterator[Overlapping]:
    yield from _meetings(INTERRUPTION, _MEETING_INTERRUPTIONS)
    if FOLDER.is_dir():
        for name, said in (_PROMPTS | SENTENCES).items():
            yield Overlapping(INTERRUPTION, "prompts", said, _levelled(sentence(name, LISTEN_RATE_HZ)))
    for name in grid_names()[::5]:
        sound, said = grid_clip(name)
        words = grid_words(name)
        yield Overlapping(INTERRUPTION, "GRID", said, _levelled(_cut(sound, words[0][1], words[-1][2])))


def _meetings(kind: str, places: Sequence[tuple[str, float, float, str]]) -> Iterator[Overlapping]:
    sounds = {r.name: r.sound for r in recordings() if r.source in {"meetings", "telephone"}}
    for name, start, length, said in places:
        if name in sounds:
            yield Overlapping(kind, "meetings", said, _levelled(_cut(sounds[name], start, start + length)))


_SAID = {
    BACKCHANNEL: (
        "Mm-hmm.|Uh-huh.|Mm.|Yeah.|Yes.|Right.|Okay.|I see.|Exactly.|Sure.|Oh really?|Oh.|Yeah, yeah.|Great."
        "|Of course.|That's right.|Ha ha ha.|Wow."
    ).split("|"),
    INTERRUPTION: (
        "Wait.|Stop.|No.|Hold on.|Wait, what was that?|Excuse me.|Yeah, but how much is it?|Stop it, please."
        "|What do you mean?|Okay, but what about the weekend?|Sorry, I have a question.|No, that's not right."
        "|Can you say that again?|My name is Anna.|Never mind.|Monday.|Not that one.|How long does it take?"
    ).split("|"),
}
_ESPEAK_VOICES = ("en-us+m3", "en-us+f2", "en-gb+m7", "en-gb+f4")
_FLITE_VOICES = ("slt", "rms", "awb", "kal16")


def _synthetic() -> Iterator[Overlapping]:
    for kind, texts in _SAID.items():
        for text in texts[:: 4 if QUICK else 1]:
            yield Overlapping(kind, "hibari", text, _levelled(asyncio.run(_hibari(text))))
            for source, command in _programs(text):
                with tempfile.TemporaryDirectory() as folder:
                    file = Path(folder) / "said.wav"
                    subprocess.run([*command, str(file)], check=True, capture_output=True)
                    yield Overlapping(kind, source, text, _levelled(read_audio(file)))


def _programs(text: str) -> Iterator[tuple[str, list[str]]]:
    if shutil.which("flite"):
        for voice in _FLITE_VOICES[:: 2 if QUICK else 1]:
            yield "flite", ["flite", "-voice", voice, "-t", text, "-o"]
    if shutil.which("espeak-ng"):
        for voice in _ESPEAK_VOICES[:: 2 if QUICK else 1]:
            yield "espeak-ng", ["espeak-ng", "-v", voice, text, "-w"]


_voices: list[Hibari] = []


async def _hibari(text: str) -> Samples:
    if not _voices:
        _voices.append(Hibari())
    pcm = np.concatenate([speech.pcm async for speech in _voices[0].stream(text)])
    spectrum = np.fft.rfft(pcm.astype(np.float32) / 32768)
    size = len(pcm) * LISTEN_RATE_HZ // PLAYOUT_RATE_HZ
    return np.asarray(np.fft.irfft(spectrum[: size // 2 + 1], size) * size / len(pcm), np.float32)


def _cut(sound: Samples, start_s: float, stop_s: float) -> Samples:
    """A piece with a little room at its ends, faded in and out."""
    start, stop = (round(s * LISTEN_RATE_HZ) for s in (max(0.0, start_s - _MARGIN_S), stop_s + _MARGIN_S))
    piece = sound[start:stop].copy()
    ramp = np.linspace(0, 1, round(_MARGIN_S * LISTEN_RATE_HZ), dtype=np.float32)
    piece[: len(ramp)] *= ramp
    piece[-len(ramp) :] *= ramp[::-1]
    return piece


def _levelled(sound: Samples) -> Samples:
    """`sound` at a speaking level, by its voiced part."""
    start, stop = voiced_span(sound, LISTEN_RATE_HZ, floor=0.2)
    return np.asarray(sound * (_LEVEL / np.sqrt(np.mean(sound[start:stop] ** 2))), np.float32)


if __name__ == "__main__":
    main()
