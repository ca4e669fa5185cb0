"""Utterance to utterance, as the person experiences it: end of their last word to the replica's first sound.

A real server, a real Chromium, recorded human sentences; both sides are recorded in the browser on one AudioContext
clock. The stages are the server's own (`conversation.latency`), in ms after the person's last voice reached it.
"""

import contextlib
from itertools import cycle, islice

import psutil

from benchmarks.report import PLAIN, QUICK, figures, percentile, stolen_percent, table
from tests.sentences import SENTENCES, sentence
from tests.server import running_server
from tests.visitor import RATE_HZ, Visitor, loud_spans, visitor
from visavis.conversation.latency import STAGES

TURNS = 5 if QUICK else 27
ANSWER_S = 20.0


def main() -> None:
    """Measure and report."""
    with running_server() as server, visitor(**PLAIN) as person:
        person.join(server.demo_url)
        person.wait_until_replica_is_quiet(1)
        before = psutil.cpu_times()
        spoken = [_turn(person, name, number) for number, name in enumerate(islice(cycle(SENTENCES), TURNS), 1)]
        stolen = stolen_percent(before, psutil.cpu_times())
        recording = person.recording()
        latencies = person.events("conversation.latency")
    sounds = [recording.start + start for start, _ in loud_spans(recording.replica, gap_s=0.1)]
    rows, u2u = [], []
    for name, begun, ended in spoken:
        # A sound before the end of the sentence is a false cut-in, and no latency.
        cut_in = any(begun + 0.3 < at < ended for at in sounds)
        first = next((at for at in sounds if at >= ended), None)
        if first is not None and not cut_in:
            u2u.append(1000 * (first - ended))
        rows.append((SENTENCES[name], "cut in" if cut_in else u2u[-1] if first is not None else "no answer"))
    table("Last word to first sound, in the browser", ("sentence", "ms"), rows)
    stages = {stage: [e["properties"]["stages"].get(stage) for e in latencies] for stage in STAGES}
    stages = {stage: [value for value in values if value is not None] for stage, values in stages.items()}
    table(
        "On the server, ms after the last voice",
        ("stage", "p50", "p95"),
        [(stage, percentile(values, 50), percentile(values, 95)) for stage, values in stages.items()],
    )
    figures(
        {
            "turns": len(spoken),
            "stolen_percent": stolen,
            "answered": len(u2u),
            "u2u_p50_ms": percentile(u2u, 50),
            "u2u_p95_ms": percentile(u2u, 95),
            "u2u_max_ms": max(u2u, default=float("nan")),
            **{f"{stage}_p50_ms": percentile(values, 50) for stage, values in stages.items()},
        }
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
