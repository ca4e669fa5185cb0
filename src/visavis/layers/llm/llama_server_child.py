"""The process that `llama_server.LlamaServer` starts: llama.cpp's HTTP server, for as long as its parent lives.

The first line on standard input is a `Launch` as JSON; the only line on standard output is a `Report`. The end of
standard input ends the process, so it cannot outlive a parent that was killed.
"""

import ctypes
import os
import signal
import sys
import threading
from typing import TextIO

from pydantic import BaseModel

from visavis.priority import THINKING, stand_back


class Launch(BaseModel):
    """What the server should be like."""

    model: str
    api_key: str
    threads: int
    context_tokens: int


class Report(BaseModel):
    """How the start went: the server's address, or why there is none."""

    address: str | None = None
    error: str | None = None


_BATCH_TOKENS = 16
"""A cancelled prompt is only dropped between batches, and the next reply waits for that: with 64 tokens, cancelling
in the middle of a prompt delayed the next reply by up to two seconds, with 16 by 0.4. Reading is 5 % slower."""

_PROMPT_CACHE_MIB = 256
"""For the prompts of other calls; llama.cpp's own default is 8 GiB."""

_ERRORS_AND_WARNINGS = 2

_PR_SET_PDEATHSIG = 1


def main() -> None:
    launch = Launch.model_validate_json(sys.stdin.readline())
    reports = _own_stdout()
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    _die_with_parent()
    stand_back(THINKING)
    try:
        server = _start(launch)
    except ImportError as error:
        report = Report(error=f"llama.cpp cannot be loaded ({error}); on Debian it needs the package libgomp1")
    except RuntimeError:  # xllamacpp gives no reason; llama.cpp has printed it on standard error
        report = Report(error=f"{launch.model} cannot be loaded: it is damaged or no GGUF; run `visavis models verify`")
    else:
        report = Report(address=server.listening_address)
    print(report.model_dump_json(), file=reports, flush=True)
    if report.address:
        threading.Event().wait()


def _own_stdout() -> TextIO:
    """Standard output for reports alone: what libraries print goes to standard error instead."""
    reports = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return reports


def _die_with_parent() -> None:
    """Also while this process is stopped, when it cannot notice the end of its input (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _exit_with_parent() -> None:
    while sys.stdin.readline():
        pass
    os._exit(0)


def _start(launch: Launch):  # type: ignore[no-untyped-def]  # xllamacpp has no types
    # Read when the OpenMP library loads: threads that wait for work must sleep soon, not spin, or two of them on
    # busy cores slow decoding down a hundredfold.
    os.environ["GOMP_SPINCOUNT"] = "1000"
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = launch.model
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [launch.api_key]
    params.ui = False
    params.endpoint_slots = False
    params.n_ctx = launch.context_tokens
    params.n_parallel = 1
    params.n_batch = params.n_ubatch = _BATCH_TOKENS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = launch.threads
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    params.use_jinja = True
    params.verbosity = _ERRORS_AND_WARNINGS
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
