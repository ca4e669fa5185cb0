"""What one call costs: CPU of the server and its language model, memory, and the frames that arrive for it.

A real Chromium in the call; every ten seconds the person says a sentence and is answered. 100 % is one core.
"""

import time

import psutil

from benchmarks.report import PLAIN, QUICK, figures, table
from tests.sentences import SENTENCES, sentence
from tests.server import running_server
from tests.visitor import RATE_HZ, visitor

SECONDS = 20 if QUICK else 60
TURN_S = 10


def main() -> None:
    """Measure and report."""
    with running_server() as server, visitor(**PLAIN) as person:
        person.join(server.demo_url)
        person.wait_until_replica_is_quiet(1)
        tree = {"server": psutil.Process(server.process.pid), "language model": server.language_model()}
        before, frames, started = _cpu_seconds(tree), person.frames_received(), time.monotonic()
        for _, name in zip(range(SECONDS // TURN_S), SENTENCES, strict=False):
            person.say(sentence(name, RATE_HZ))
            person.wait(max(0.0, TURN_S - (time.monotonic() - started) % TURN_S))
        took = time.monotonic() - started
        percent = {part: 100 * (spent - before[part]) / took for part, spent in _cpu_seconds(tree).items()}
        rss = {part: process.memory_info().rss / 1e6 for part, process in tree.items()}
        fps = (person.frames_received() - frames) / took
    table("One call", ("part", "CPU %", "RSS MB"), [(part, percent[part], rss[part]) for part in tree])
    figures(
        {
            "cpu_percent": sum(percent.values()),
            "server_cpu_percent": percent["server"],
            "language_model_cpu_percent": percent["language model"],
            "rss_mb": sum(rss.values()),
            "fps_received": fps,
        }
    )


def _cpu_seconds(tree: dict[str, psutil.Process]) -> dict[str, float]:
    return {part: sum(process.cpu_times()[:2]) for part, process in tree.items()}


if __name__ == "__main__":
    main()
