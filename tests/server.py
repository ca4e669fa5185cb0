"""A visavis server as a user starts one: its own process, by the command line, on loopback and a free port."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import psutil


@dataclass
class RunningServer:
    """A server and what it has printed."""

    process: subprocess.Popen[str]
    demo_url: str = ""
    log: list[str] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        """`http://127.0.0.1:port`."""
        return self.demo_url.removesuffix("/demo")

    def link(self, persona: Mapping[str, Any] | None = None, *, audio_only: bool = False) -> str:
        """The link of a new conversation, with the demo persona or with one of these properties.

        audio_only: nobody is seen, which leaves a busy machine enough time for what is heard.
        """
        body: dict[str, Any] = {"audio_only": audio_only}
        if persona:
            body["persona_id"] = self._made("personas", persona)["persona_id"]
        return str(self._made("conversations", body)["conversation_url"])

    def _made(self, resource: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = httpx.post(f"{self.base_url}/v2/{resource}", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def language_model(self) -> psutil.Process:
        """The child process that the built-in language model runs in."""
        return next(
            child
            for child in psutil.Process(self.process.pid).children(recursive=True)
            if any("llama" in part for part in child.cmdline())
        )

    def killed_with_its_workers(self) -> int:
        """Kill it without a word, and see the processes of its jobs end too; returns how many there were."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        workers = [one for one in family if any("jobs.child" in part for part in one.cmdline())]
        self.process.kill()
        self.process.wait()
        _, alive = psutil.wait_procs(workers, 20)
        assert not alive
        return len(workers)


@contextmanager
def running_server(*options: str, **environment: str) -> Iterator[RunningServer]:
    """Start `visavis serve` with `options` and stop it in the end.

    It asks for no key unless the environment says `VISAVIS_DEV="false"`, and forgets everything unless there is a
    `VISAVIS_DATA`.
    """
    with TemporaryDirectory(prefix="visavis-") as data:
        ours = {"VISAVIS_ICE_ADDRESSES": '["127.0.0.1"]', "VISAVIS_DEV": "true", "VISAVIS_DATA": data}
        with _serving(options, {**os.environ, **ours, **environment, "COLUMNS": "200"}) as server:
            yield server


def stop(process: subprocess.Popen[str]) -> None:
    """End a server as Ctrl+C does. Raises `subprocess.TimeoutExpired` if it hangs, and kills it then."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


@contextmanager
def _serving(options: tuple[str, ...], environment: dict[str, str]) -> Iterator[RunningServer]:
    process = subprocess.Popen(
        [sys.executable, "-m", "visavis", "serve", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    server = RunningServer(process)
    assert process.stdout and process.stderr
    errors = process.stderr

    def collect() -> None:
        server.log.extend(errors)

    collector = threading.Thread(target=collect, daemon=True)
    collector.start()
    try:
        for line in process.stdout:
            if found := re.search(r"Talk now: (\S+)", line):
                server.demo_url = found[1]
                break
        else:
            collector.join()
            raise AssertionError("the server did not start:\n" + "".join(server.log))
        yield server
    finally:
        stop(process)
        collector.join(5)
