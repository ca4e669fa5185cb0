"""Echo mode: from the first chunk of sound that a client sends to the first sound of it that the person hears.

A real server with its real face and a real Chromium; recorded human sentences go in by the data channel, from the page
itself. In the browser, what comes back is laid over what was sent (the lag of their cross-correlation), so silence at
the beginning of a sentence does not count. On the server, it is the time until the first packet leaves. Senders differ:
one sends in real time, as a speech engine's player does, one in chunks of 20 ms, one as fast as the network takes it.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import psutil

from benchmarks.report import PLAIN, QUICK, figures, percentile, stolen_percent, table
from tests.echoing import chunks, echo_persona, returned, stream
from tests.sentences import SENTENCES, sentence
from tests.server import running_server
from tests.visitor import RATE_HZ, Visitor, visitor

TIMES = 3 if QUICK else 24
SENT_AT_HZ = 24_000
SENDERS = {"real time, 100 ms": (0.1, 0.1), "real time, 20 ms": (0.02, 0.02), "at once, 250 ms": (0.25, 0.0)}
"""Length of a chunk, and time between two, in seconds."""


@dataclass
class Measured:
    """What one sender met with."""

    browser_ms: list[float] = field(default_factory=list)
    server_ms: list[float] = field(default_factory=list)
    alike: list[float] = field(default_factory=list)


def main() -> None:
    """Measure and report."""
    measured = {sender: Measured() for sender in SENDERS}
    before = psutil.cpu_times()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server("--persona", echo_persona(Path(folder))) as server,
        visitor(**PLAIN) as person,
    ):
        person.join(server.demo_url)
        person.wait(2)
        for number, name in enumerate(islice(cycle(SENTENCES), TIMES)):
            for sender, (chunk_s, every_s) in SENDERS.items():
                _echo(person, name, f"{sender} {number}", chunk_s, every_s, measured[sender])
    stolen = stolen_percent(before, psutil.cpu_times())
    table(
        "First chunk to first sound, ms",
        ("sender", "browser p50", "p95", "server p50", "p95", "alike"),
        [(sender, *_row(one)) for sender, one in measured.items()],
    )
    every = list(measured.values())
    browser = [value for one in every for value in one.browser_ms]
    server_ms = [value for one in every for value in one.server_ms]
    figures(
        {
            "times": len(browser),
            "stolen_percent": stolen,
            "first_sound_p50_ms": percentile(browser, 50),
            "first_sound_p95_ms": percentile(browser, 95),
            "server_first_sound_p50_ms": percentile(server_ms, 50),
            "server_first_sound_p95_ms": percentile(server_ms, 95),
            "correlation_p50": percentile([value for one in every for value in one.alike], 50),
        }
    )


def _echo(person: Visitor, name: str, inference_id: str, chunk_s: float, every_s: float, into: Measured) -> None:
    sent = sentence(name)
    positions = np.arange(0, len(sent), RATE_HZ / SENT_AT_HZ)
    at_rate = np.interp(positions, np.arange(len(sent)), sent).astype(np.float32)
    person.recording()
    begun = stream(person, chunks(at_rate, SENT_AT_HZ, inference_id, chunk_s), every_s)

    def stopped() -> Sequence[object]:
        events = person.events("conversation.replica.stopped_speaking")
        return [event for event in events if event["inference_id"] == inference_id]

    person.wait_for(stopped, "the end of the echo")
    person.wait(0.5)
    heard_at, alike = returned(person.recording(), sent)
    (started,) = [
        event
        for event in person.events("conversation.replica.started_speaking")
        if event["inference_id"] == inference_id
    ]
    into.browser_ms.append(1000 * (heard_at - begun.at))
    into.server_ms.append(1000 * (started["timestamp"] - begun.unix))
    into.alike.append(100 * float(np.median(alike)))


def _row(one: Measured) -> tuple[float, ...]:
    browser, server = one.browser_ms, one.server_ms
    return (
        percentile(browser, 50),
        percentile(browser, 95),
        percentile(server, 50),
        percentile(server, 95),
        percentile(one.alike, 50),
    )


if __name__ == "__main__":
    main()
