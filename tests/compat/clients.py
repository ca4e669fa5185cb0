"""Other makers' clients, unchanged, in the virtual environment that `make setup-test` makes for them."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.compat.recorder import Exchange, Recorder

ENVIRONMENT = Path(__file__).parents[2] / ".venv-clients"
_PROGRAMS = Path(__file__).parent / "programs"
_LONGEST_S = 120


@dataclass(frozen=True)
class Ran:
    """What came of a program, and what it asked the server."""

    code: int
    out: str
    err: str
    exchanges: list[Exchange]

    @property
    def json(self) -> Any:
        """What it printed."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Clients:
    """Runs programs that know of one server."""

    recorder: Recorder
    key: str
    folder: Path
    """Where they run: an empty home, with no settings of whoever runs the tests."""

    def tavus(self, *arguments: str) -> Ran:
        """A command of tavus-cli."""
        return self._run([str(ENVIRONMENT / "bin" / "tavus"), *arguments])

    def program(self, name: str, *arguments: str) -> Ran:
        """One of `programs/`, which use clients that are libraries."""
        return self._run([str(ENVIRONMENT / "bin" / "python"), str(_PROGRAMS / f"{name}.py"), *arguments])

    def _run(self, command: list[str]) -> Ran:
        self.recorder.take()
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._variables(),
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr, self.recorder.take())

    def _variables(self) -> dict[str, str]:
        return {
            "PATH": f"{ENVIRONMENT / 'bin'}:{os.environ.get('PATH', '')}",
            "HOME": str(self.folder),
            "COLUMNS": "200",
            "TAVUS_API_KEY": self.key,
            "TAVUS_PUBLIC_API_BASE_URL": f"{self.recorder.url}/v2",
            "TAVUS_PORTAL_API_BASE_URL": f"{self.recorder.url}/portal",
            "TAVUS_PAL_MAKER_URL": f"{self.recorder.url}/maker",
        }
