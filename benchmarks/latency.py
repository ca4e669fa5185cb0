"""Utterance to utterance, as the person experiences it: end of their last word to the replica's first sound.

A real server, a real Chromium, recorded human sentences; both sides are recorded in the browser on one AudioContext
clock. The stages are the server's own (`conversation.latency`), in ms after the person's last voice reached it. The
same with speculation switched off comes from a second server, between the two halves of the first one's turns.
"""

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import psutil
import yaml

from benchmarks.report import PLAIN, QUICK, figures, percentile, stolen_percent, table
from tests.sentences import SENTENCES, sentence
from tests.server import RunningServer, running_server
from tests.visitor import RATE_HZ, Visitor, loud_spans, visitor
from visavis.conversation.latency import STAGES
from visavis.conversation.persona import DEMO

TURNS = 3 if QUICK else 42
TURNS_WITHOUT = 2 if QUICK else 14
ANSWER_S = 20.0


@dataclass
class Measured:
    """What one way of answering took."""

    u2u_ms: list[float] = field(default_factory=list)
    rows: list[tuple[str, object]] = field(default_factory=list)
    stages: list[dict[str, float]] = field(default_factory=list)

    def stage_ms(self, stage: str) -> list[float]:
        return [stages[stage] for stages in self.stages if stage in stages]

    @property
    def waits_ms(self) -> list[float]:
        """From the first sound to the first of the reply's own words, where an opener came first."""
        gaps = [stages["own_words"] - stages["sent"] for stages in self.stages if "own_words" in stages]
        return [gap for gap in gaps if gap > 1]


def main() -> None:
    """Measure and report."""
    speculating, waiting = Measured(), Measured()
    names = list(islice(cycle(SENTENCES), TURNS))
    before = psutil.cpu_times()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server() as server,
        running_server("--persona", str(_without_speculation(Path(folder)))) as without,
    ):
        _measure(server, names[: TURNS // 2], speculating)
        _measure(without, names[:TURNS_WITHOUT], waiting)
        _measure(server, names[TURNS // 2 :], speculating)
    stolen = stolen_percent(before, psutil.cpu_times())
    table("Last word to first sound, in the browser", ("sentence", "ms"), speculating.rows)
    table("The same without speculation", ("sentence", "ms"), waiting.rows)
    table(
        "On the server, ms after the last voice",
        ("stage", "p50", "p95", "p50 without speculation"),
        [
            (stage, *(percentile(speculating.stage_ms(stage), p) for p in (50, 95)), _p50(waiting.stage_ms(stage)))
            for stage in STAGES
        ],
    )
    on, off = _p50(speculating.u2u_ms), _p50(waiting.u2u_ms)
    own_on, own_off = (_p50(measured.stage_ms("own_words")) for measured in (speculating, waiting))
    figures(
        {
            "turns": len(speculating.rows),
            "stolen_percent": stolen,
            "answered": len(speculating.u2u_ms),
            "u2u_p50_ms": on,
            "u2u_p95_ms": percentile(speculating.u2u_ms, 95),
            "u2u_max_ms": max(speculating.u2u_ms, default=float("nan")),
            "u2u_p50_ms_no_speculation": off,
            "faster_percent": 100 * (1 - on / off),
            "own_words_faster_percent": 100 * (1 - own_on / own_off),
            "opened_percent": 100 * len(speculating.waits_ms) / max(len(speculating.stages), 1),
            "opener_to_own_words_p50_ms": _p50(speculating.waits_ms),
            **{f"{stage}_p50_ms": _p50(speculating.stage_ms(stage)) for stage in STAGES},
        }
    )


def _p50(values: Sequence[float]) -> float:
    return percentile(values, 50)


def _without_speculation(folder: Path) -> Path:
    persona: dict[str, Any] = DEMO.model_dump(mode="json", exclude_unset=True)
    persona["layers"] = {"conversational_flow": {"speculation": False}}
    path = folder / "persona.yaml"
    path.write_text(yaml.safe_dump(persona), encoding="utf-8")
    return path


def _measure(server: RunningServer, names: Sequence[str], into: Measured) -> None:
    with visitor(**PLAIN) as person:
        person.join(server.demo_url)
        person.wait_until_replica_is_quiet(1)
        spoken = [_turn(person, name, number) for number, name in enumerate(names, 1)]
        recording = person.recording()
        into.stages += [event["properties"]["stages"] for event in person.events("conversation.latency")]
    sounds = [recording.start + start for start, _ in loud_spans(recording.replica, gap_s=0.1)]
    for name, begun, ended in spoken:
        # A sound before the end of the sentence is a false cut-in, and no latency.
        cut_in = any(begun + 0.3 < at < ended for at in sounds)
        first = next((at for at in sounds if at >= ended), None)
        if first is not None and not cut_in:
            into.u2u_ms.append(1000 * (first - ended))
        into.rows.append(
            (SENTENCES[name], "cut in" if cut_in else 1000 * (first - ended) if first is not None else "no answer")
        )


def _turn(person: Visitor, name: str, number: int) -> tuple[str, float, float]:
    """Say one sentence and wait for its answer to begin, then cut it short; name, begin and end of the sentence."""
    sound = sentence(name, RATE_HZ)
    answered = person.count("conversation.latency")
    begun = person.say(sound)
    person.wait(len(sound) / RATE_HZ)
    with contextlib.suppress(AssertionError):
        person.wait_for(lambda: person.count("conversation.latency") > answered, "the answer", ANSWER_S)
    # The sound itself is still on its way when the server reports it.
    person.wait(0.6)
    person.page.evaluate("visitor.send(JSON.stringify({event_type: 'conversation.interrupt'}))")
    person.wait(0.4 + 0.05 * (number % 5))
    return name, begun, begun + len(sound) / RATE_HZ


if __name__ == "__main__":
    main()
