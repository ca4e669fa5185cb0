"""Barge-in as the person experiences it: their first sound to the replica's silence, in the browser, and a still mouth.

A real server and a real Chromium; recorded human sentences are spoken into the replica's speech. Both sides are
recorded in the browser on one AudioContext clock. The person's side is taken where the microphone would be, the
replica's where the loudspeaker would, so the figures hold the whole way there and back over loopback.
"""

from itertools import cycle, islice

import numpy as np
import psutil

from benchmarks.report import PLAIN, QUICK, figures, percentile, stolen_percent, table
from tests.sentences import SENTENCES, sentence
from tests.server import running_server
from tests.visitor import RATE_HZ, Recording, Visitor, loud_spans, visitor

TIMES = 5 if QUICK else 25
STORY = " ".join(
    "Once upon a time there was a small harbour town where the lighthouse keeper told a long story every evening "
    "about ships and storms and people who had come from far away and stayed".split()
)
QUIET_S = 0.25
"""Silence of the replica that counts as having stopped; its own pauses inside a sentence are shorter."""

_MORE_THAN_SWAY = 2.5


def main() -> None:
    """Measure and report."""
    with running_server() as server, visitor(**PLAIN) as person:
        person.join(server.demo_url)
        person.wait_until_replica_is_quiet(1)
        person.page.evaluate("visitor.watch(0.38, 0.62, 0.24, 0.14)")
        before = psutil.cpu_times()
        spoken = [_interrupt(person, name, n) for n, name in enumerate(islice(cycle(SENTENCES), TIMES))]
        stolen = stolen_percent(before, psutil.cpu_times())
        recording, frames = person.recording(), person.frames()
        overlaps = person.events("conversation.overlap")
    rows, silences, mouths, noticed = [], [], [], []
    for name, onset in spoken:
        if (silent := _silent_at(recording, onset)) is None:
            rows.append((SENTENCES[name], "not talking", "", ""))
            continue
        silences.append(1000 * (silent - onset))
        mouths.append(1000 * (_still_at(frames, onset) - onset))
        began = [e["_at"] for e in overlaps if e["properties"]["outcome"] == "began" and e["_at"] > onset]
        noticed.append(1000 * (min(began, default=np.nan) - onset))
        rows.append((SENTENCES[name], noticed[-1], silences[-1], mouths[-1]))
    table("Person's first sound to ... in the browser, ms", ("sentence", "noticed", "silence", "still mouth"), rows)
    figures(
        {
            "times": len(silences),
            "stolen_percent": stolen,
            "noticed_p50_ms": percentile(noticed, 50),
            "silence_p50_ms": percentile(silences, 50),
            "silence_p95_ms": percentile(silences, 95),
            "mouth_p50_ms": percentile(mouths, 50),
            "mouth_p95_ms": percentile(mouths, 95),
        }
    )


def _interrupt(person: Visitor, name: str, number: int) -> tuple[str, float]:
    """Let the replica tell its story, speak into it; when the sentence's first sound came."""
    started = person.count("conversation.replica.started_speaking")
    stopped = person.count("conversation.replica.stopped_speaking")
    person.page.evaluate(
        "text => visitor.send(JSON.stringify({event_type: 'conversation.echo', properties: {modality: 'text', text}}))",
        STORY,
    )
    # No microphone is without noise, and only from its noise does the server learn that there is no echo.
    person.say(np.random.default_rng(number).normal(0, 3e-4, 8 * RATE_HZ).astype(np.float32))
    person.wait_for(lambda: person.count("conversation.replica.started_speaking") > started, "the story")
    person.wait(1.0 + 0.13 * (number % 9))
    sound = sentence(name, RATE_HZ)
    begun = person.say(sound)
    person.wait(len(sound) / RATE_HZ)
    person.wait_for(lambda: person.count("conversation.replica.stopped_speaking") > stopped, "its end")
    person.wait(0.5)
    person.page.evaluate("visitor.send(JSON.stringify({event_type: 'conversation.interrupt'}))")
    person.wait(1.2)
    person.page.evaluate("visitor.send(JSON.stringify({event_type: 'conversation.interrupt'}))")
    person.wait(0.5)
    return name, begun + loud_spans(sound)[0][0]


def _silent_at(recording: Recording, onset: float) -> float | None:
    """When the sound that the replica was making at `onset` ended; None if it made none."""
    for start, stop in loud_spans(recording.replica, floor=0.003, gap_s=QUIET_S):
        if recording.start + start < onset < recording.start + stop:
            return recording.start + stop
    return None


def _still_at(frames: np.ndarray, onset: float) -> float:  # type: ignore[type-arg]
    """When the last picture came in which more moved than the sway of a silent head."""
    times, change = frames[:, 0], frames[:, 1]
    sway = np.median(change[(times > onset + 0.7) & (times < onset + 1.3)])
    moved = times[(times >= onset) & (times < onset + 0.7) & (change > _MORE_THAN_SWAY * sway)]
    return float(moved.max()) if len(moved) else onset


if __name__ == "__main__":
    main()
