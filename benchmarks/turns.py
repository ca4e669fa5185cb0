"""When the floor is taken after a person's last word, and how often it is taken from one who only paused.

Recorded speech of the test part of `training/end_of_turn` (its README says what that is) is played to the real ear,
floor, recogniser and end-of-turn model on the sound's own time (`benchmarks/turns_time.py`). A complete turn counts as
answered in time if the floor is free for the reply within 500 ms of the last sound of its last word, and an unfinished
one as cut if it is freed before the person goes on (within 1.2 s where a recording does not go on).

Natural pauses, recorded beginnings, hard cuts and synthetic speech are reported apart. `complete_answered` and
`unfinished_cut` are of recorded natural speech. Pauses after complete sentences in the middle of a longer turn are
played too, but nobody can know those, so they count for nothing.
"""

import asyncio
import importlib
import importlib.util
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.report import QUICK, figures, percentile, table
from benchmarks.turns_time import (
    ChargedEndOfTurn,
    ChargedRecogniser,
    ChargedWordsJudge,
    SoundTimeLoop,
    judge_server,
)
from tests.sentences import voiced_span
from training.end_of_turn.evidence import TestPause, all_recordings, read_test_pauses
from training.end_of_turn.pauses import BETWEEN, COMPLETE, HARD_CUT, LEFT_OPEN, PAUSE, SYNTHETIC_COMPLETE, with_silence
from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.conversation.clock import LoopClock
from visavis.conversation.ear import Ear, TurnDone
from visavis.conversation.floor import Floor, TurnEnded
from visavis.conversation.patience import Patience, PatienceSettings
from visavis.layers.llm.llama_server import LlamaServer
from visavis.layers.stt.moonshine import Moonshine
from visavis.layers.turn import VAD_FRAME, EndOfTurn, UnreadPause
from visavis.layers.turn.end_of_turn import CombinedEndOfTurn, with_enough_silence
from visavis.layers.turn.silero import Silero
from visavis.layers.turn.smart_turn import SmartTurn

IN_TIME_MS = 500.0
CUT_WITHIN_S = 1.2
"""Nineteen in twenty natural pauses of the recordings are shorter."""
VAD_ONLY_MS = 700.0
"""Usual silence of systems without a model of the end of turn."""

_PIECE = LISTEN_RATE_HZ // 50
_QUICK_OF_A_KIND = {COMPLETE: 6, PAUSE: 2, LEFT_OPEN: 4}
_QUICK_LONGEST_S = 5.0
_OTHERS_OF_A_KIND = 24
_SEED = 1


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a pause: how long after the last voice the floor was free, or None if it was not."""

    pause: TestPause
    freed_ms: float | None

    @property
    def complete(self) -> bool:
        """Whether an answer was due."""
        return self.pause.kind in {COMPLETE, SYNTHETIC_COMPLETE}

    @property
    def good(self) -> bool:
        """Answered in time, or not cut."""
        if self.complete:
            return self.freed_ms is not None and self.freed_ms <= IN_TIME_MS
        return self.freed_ms is None


@dataclass(frozen=True, slots=True)
class System:
    """A way to decide."""

    name: str
    judge: EndOfTurn | None
    """None: silence alone decides, so nobody listens to the words."""
    patience: PatienceSettings
    words_judge: bool = True
    """Whether the judge may ask a language model."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Everything that listens with it."""

    system: System
    silero: Silero
    recogniser: Moonshine
    server: LlamaServer


class _SmartTurnAlone:
    """The network's own answer, as it is."""

    def __init__(self, smart_turn: SmartTurn) -> None:
        self._smart_turn = smart_turn

    async def probabilities(self, pause: UnreadPause) -> AsyncGenerator[float, None]:
        await pause.words
        yield await self._smart_turn.probability(with_enough_silence(pause.sound, pause.silence_s))


def main() -> None:
    """Measure and report."""
    recogniser, silero, smart_turn = Moonshine(), Silero(), SmartTurn()
    combined = CombinedEndOfTurn(smart_turn)
    systems = (
        System("visavis", combined, PatienceSettings()),
        System("without a language model", combined, PatienceSettings(), words_judge=False),
        System("smart-turn alone", _SmartTurnAlone(smart_turn), PatienceSettings()),
        System(f"voice activity, {VAD_ONLY_MS:.0f} ms", None, PatienceSettings.fixed(VAD_ONLY_MS)),
    )
    chosen = _chosen()
    sounds = _sounds(chosen)
    results: dict[str, list[Played]] = {}
    with judge_server() as server:
        for system in systems:
            listener = Listener(system, silero, recogniser, server)
            results[system.name] = [
                _play(sounds[pause.source, pause.recording], pause, listener)
                for pause in chosen
                if (pause.source, pause.recording) in sounds
            ]
    combined.close()
    recogniser.close()
    _show(results)
    own = [played for played in results["visavis"] if _counts(played.pause)]
    figures(
        {
            "complete_answered": _share([p for p in own if p.complete]),
            "unfinished_cut": 1 - _share([p for p in own if not p.complete]),
            "added_delay_p50_ms": percentile([p.freed_ms for p in own if p.complete and p.freed_ms is not None], 50),
            **_overlaps(),
        }
    )


def _chosen() -> list[TestPause]:
    """All that count and some of the others; in a quick run a few short ones."""
    pauses = read_test_pauses()
    left: dict[tuple[bool, str], float] = dict.fromkeys(((_counts(p), p.kind) for p in pauses), np.inf)
    if QUICK:
        left = {(True, kind): number for kind, number in _QUICK_OF_A_KIND.items()}
    else:
        left |= {key: _OTHERS_OF_A_KIND for key in left if not key[0]}
    chosen = []
    for pause in (pauses[index] for index in np.random.default_rng(_SEED).permutation(len(pauses))):
        key = _counts(pause), pause.kind
        if left.get(key, 0) and not (QUICK and pause.silent_s - pause.begins_s > _QUICK_LONGEST_S):
            left[key] -= 1
            chosen.append(pause)
    return chosen


def _sounds(chosen: Sequence[TestPause]) -> dict[tuple[str, str], Samples]:
    wanted = {(pause.source, pause.recording) for pause in chosen}
    return {
        (recording.source, recording.name): with_silence(recording.sound)
        for recording in all_recordings(lambda name: ("synthetic", name) in wanted)
        if (recording.source, recording.name) in wanted
    }


def _play(sound: Samples, pause: TestPause, listener: Listener) -> Played:
    """Play the turn up to the end of the pause, and a little of what follows."""
    lasts_s = CUT_WITHIN_S if pause.lasts_s is None else pause.lasts_s
    begins, ends = (round(s * LISTEN_RATE_HZ) for s in (pause.begins_s, pause.silent_s + min(lasts_s, CUT_WITHIN_S)))
    turn = sound[begins:ends]
    silent = round(pause.silent_s * LISTEN_RATE_HZ) - begins
    last_sound_s = voiced_span(turn[: silent + LISTEN_RATE_HZ // 20], LISTEN_RATE_HZ)[1] / LISTEN_RATE_HZ
    system = listener.system
    if system.judge is None:
        freed = _by_silence(turn, Floor(patience=Patience(system.patience)), listener.silero)
    else:
        with asyncio.Runner(loop_factory=SoundTimeLoop) as runner:
            freed = runner.run(_listen(turn, pause.asked, system.judge, listener))
    after = [at for at in freed if at > silent / LISTEN_RATE_HZ]
    return Played(pause, 1000 * (after[0] - last_sound_s) if after else None)


def _by_silence(sound: Samples, floor: Floor, silero: Silero) -> list[float]:
    """When silence alone frees the floor, in seconds of `sound`."""
    activity = silero.listen()
    ends = range(VAD_FRAME, len(sound) + 1, VAD_FRAME)
    heard = ((end, floor.hear(activity.probability(sound[end - VAD_FRAME : end]))) for end in ends)
    return [end / LISTEN_RATE_HZ for end, signal in heard if isinstance(signal, TurnEnded)]


async def _listen(sound: Samples, asked: str, judge: EndOfTurn, listener: Listener) -> list[float]:
    """When the floor became free, in seconds of `sound`."""
    loop = asyncio.get_running_loop()

    async def pieces() -> AsyncIterator[Samples]:
        for index in range(0, len(sound) - _PIECE + 1, _PIECE):
            await asyncio.sleep(max(0.0, (index + _PIECE) / LISTEN_RATE_HZ - loop.time()))
            yield sound[index : index + _PIECE]

    floor = Floor(patience=Patience(listener.system.patience))
    of_words = ChargedWordsJudge(listener.server)
    charged = ChargedRecogniser(listener.recogniser), ChargedEndOfTurn(judge, of_words.spent_s)
    asking = of_words if listener.system.words_judge else None
    ear = Ear(listener.silero.listen(), *charged, floor, LoopClock(), asked=lambda: asked, words_judge=asking)
    freed = [loop.time() async for heard in ear.listen(pieces()) if isinstance(heard, TurnDone)]
    await of_words.aclose()
    return freed


def _counts(pause: TestPause) -> bool:
    return pause.source not in {"grid", "synthetic"} and pause.kind not in {BETWEEN, HARD_CUT}


def _share(played: Sequence[Played]) -> float:
    return float(np.mean([p.good for p in played])) if played else float("nan")


def _show(results: dict[str, list[Played]]) -> None:
    parts: dict[str, Callable[[TestPause], bool]] = {
        "recorded, natural": _counts,
        "GRID, read commands, hard cuts": lambda p: p.source == "grid",
        "synthetic": lambda p: p.source == "synthetic",
    }
    for title, belongs in parts.items():
        rows = []
        for name, played in results.items():
            there = [p for p in played if belongs(p.pause)]
            yes, no = [p for p in there if p.complete], [p for p in there if not p.complete]
            delays = [p.freed_ms for p in yes if p.freed_ms is not None]
            answered, cut = f"{_share(yes):.2f} of {len(yes)}", f"{1 - _share(no):.2f} of {len(no)}"
            rows.append((name, answered, cut, percentile(delays, 50), percentile(delays, 95)))
        if any(belongs(p.pause) for p in next(iter(results.values()))):
            table(title, ("", "answered in 500 ms", "unfinished cut", "delay p50 ms", "p95"), rows)
    kinds = sorted({(p.pause.kind, p.pause.source) for p in results["visavis"]})
    by_kind: list[tuple[object, ...]] = []
    for kind, source in kinds:
        row = [[p for p in played if (p.pause.kind, p.pause.source) == (kind, source)] for played in results.values()]
        by_kind.append((f"{kind}, {source}", len(row[0]), *(f"{_share(part):.2f}" for part in row)))
    table("Right, by kind", ("kind, source", "n", *results), by_kind)


def _overlaps() -> dict[str, float]:
    """The figures about speech into the replica's, from their own sets."""
    if importlib.util.find_spec("benchmarks.turns_overlaps") is None:
        return {}
    measured: dict[str, float] = importlib.import_module("benchmarks.turns_overlaps").measure()
    return measured


if __name__ == "__main__":
    main()
