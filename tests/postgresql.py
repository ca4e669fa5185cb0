"""A PostgreSQL server of our own, on a free port and in a temporary folder (Debian's package `postgresql`)."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

_INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


def is_installed() -> bool:
    """Whether there are server binaries on this machine."""
    return bool(_INSTALLED)


@dataclass
class Postgresql:
    """One server; `new_database` makes an empty database in it."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=count)

    def new_database(self) -> str:
        """The URL of a new database."""
        name = f"visavis_{next(self._numbers)}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "visavis", name)
        return f"postgresql://visavis@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Start it on its port and wait until it answers."""
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=60"]
        self.process = subprocess.Popen(
            [_INSTALLED[-1] / "postgres", "-D", self.folder / "data", "-p", str(self.port), "-k", "", *options],
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("ab"),
            user=_user(),
        )
        ready = [str(_INSTALLED[-1] / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        for _ in range(300):
            if subprocess.run(ready, check=False).returncode == 0:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError("PostgreSQL did not start:\n" + (self.folder / "log").read_text())

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT is a fast shutdown, SIGKILL a crash."""
        if self.process:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None

    def initialise(self) -> None:
        """Make its data folder."""
        self._run("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", "visavis", "--no-sync")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run([_INSTALLED[-1] / program, *arguments], check=True, capture_output=True, user=_user())


@contextmanager
def running_postgresql() -> Iterator[Postgresql]:
    """A server for as long as the context lasts."""
    folder = Path(tempfile.mkdtemp(prefix="visavis-postgresql-"))
    if _user():
        os.chown(folder, pwd.getpwnam(str(_user())).pw_uid, -1)
    server = Postgresql(folder, _free_port())
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        server.stop(signal.SIGQUIT)  # nothing in it is needed any more
        shutil.rmtree(folder, ignore_errors=True)


def _user() -> str | None:
    """It refuses to run as root."""
    if os.geteuid():
        return None
    return next(name for name in ("postgres", "nobody") if any(name == user.pw_name for user in pwd.getpwall()))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
