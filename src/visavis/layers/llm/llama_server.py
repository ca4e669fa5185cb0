"""llama.cpp's OpenAI server in a child process that is watched, restarted, and never outlives this one."""

import asyncio
import logging
import secrets
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from pydantic import SecretStr, ValidationError

from visavis.errors import EngineError
from visavis.layers.llm import Message
from visavis.layers.llm.endpoint import LAYER
from visavis.layers.llm.llama_server_child import Launch, Report
from visavis.layers.llm.openai_compatible import OpenAICompatible
from visavis.layers.settings import LanguageModelSettings

_log = logging.getLogger(__name__)

_FIRST_BACKOFF_S = 0.1
_LONGEST_BACKOFF_S = 10.0
_STABLE_AFTER_S = 30.0
"""A child that ran this long did not crash because of how it was started."""

_MOST_CRASHES_AT_START = 3
_START_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 2.0
_FEW_CORES = 4

_LONGEST_LOG_LINE = 1 << 20


class LlamaServer:
    """Serves one GGUF file on 127.0.0.1, at a free port, to those who know this object's key.

    `async with LlamaServer(path) as server` starts it, `await server.ready()` waits until it answers. After a crash
    it is started again, at another port. Owns the child process and the knowledge of where it answers.
    """

    def __init__(self, model: Path, *, threads: int | None = None, context_tokens: int = 4096) -> None:
        """`threads` are for inference; None takes one per physical core, but two to four on any larger machine.

        `context_tokens` is the longest prompt and reply together.
        """
        self.model = model
        self.api_key = SecretStr(secrets.token_urlsafe(32))
        self._threads = threads or _sensible_threads()
        self._context_tokens = context_tokens
        self._supervisor: asyncio.Task[None] | None = None
        self._child: Process | None = None
        self._base_url: str | None = None
        self._failure: EngineError | None = None
        self._waking: asyncio.TimerHandle | None = None
        self._settled = asyncio.Event()

    async def __aenter__(self) -> Self:
        if not self.model.is_file():
            raise EngineError(LAYER, f"there is no model file {self.model}; run `visavis models pull`")
        self._supervisor = asyncio.create_task(self._supervise(), name="llama server")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._supervisor is not None:
            self._supervisor.cancel()
            with suppress(asyncio.CancelledError):
                await self._supervisor

    async def ready(self) -> str:
        """Wait until the server answers, after a crash as well; its `base_url`.

        Raises `visavis.errors.EngineError` if it cannot be started.
        """
        while self._base_url is None:
            await self._settled.wait()
            if self._failure is not None:
                raise self._failure
        return self._base_url

    @property
    def base_url(self) -> str:
        """Address of the running server's API; `EngineError` while there is none."""
        if self._base_url is None:
            raise self._failure or EngineError(LAYER, "the built-in model is still starting; try again in a moment")
        return self._base_url

    def busy_s(self) -> float:
        """Seconds that the child has computed on all its threads; what its work takes where nothing else runs.

        Raises `visavis.errors.EngineError` while there is no child.
        """
        try:
            spent = psutil.Process(self.pid).cpu_times() if self.pid is not None else None
        except psutil.Error:
            spent = None
        if spent is None:
            raise EngineError(LAYER, "the built-in model is still starting; try again in a moment")
        return float(spent.user + spent.system) / self._threads

    def rest(self, seconds: float) -> None:
        """Stand still for `seconds`, or until `wake`, where cores are few.

        On two busy cores a prompt that is being read, cancelled or not, keeps recognition from them for 200 ms.
        """
        if self._child is not None and self._base_url is not None and (psutil.cpu_count() or 1) <= _FEW_CORES:
            self._signal(signal.SIGSTOP)
            if self._waking:
                self._waking.cancel()
            self._waking = asyncio.get_running_loop().call_later(seconds, self.wake)

    def wake(self) -> None:
        """Go on after a `rest`."""
        if self._waking:
            self._waking.cancel()
            self._waking = None
            self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._child is not None:
            with suppress(ProcessLookupError):
                self._child.send_signal(number)

    @property
    def pid(self) -> int | None:
        """Process id of the child, if there is one."""
        return self._child.pid if self._child is not None else None

    async def _supervise(self) -> None:
        now = asyncio.get_running_loop().time
        crashes_at_start, backoff_s = 0, _FIRST_BACKOFF_S
        try:
            while crashes_at_start < _MOST_CRASHES_AT_START:
                started_at = now()
                crashes_at_start = 0 if await self._run_once() else crashes_at_start + 1
                if now() - started_at > _STABLE_AFTER_S:
                    backoff_s = _FIRST_BACKOFF_S
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, _LONGEST_BACKOFF_S)
            self._give_up(f"the server for {self.model} ended {crashes_at_start} times before it was ready")
        except EngineError as error:
            self._give_up(error.reason)
        except Exception as error:
            _log.exception("the language model's server could not be run")
            self._give_up(f"the server for {self.model} could not be run: {error}")

    def _give_up(self, reason: str) -> None:
        self._failure = EngineError(LAYER, reason)
        self._settled.set()

    async def _run_once(self) -> bool:
        """One life of the child, from start to crash; whether it ever answered."""
        async with self._running_child() as child:
            address = await self._address(child)
            if address is not None and await self._answers(address):
                self._base_url = address
                self._settled.set()
                _log.info("language model %s is ready", self.model.name)
            try:
                status = await child.wait()
            finally:
                was_ready, self._base_url = self._base_url is not None, None
                self._settled.clear()
            _log.warning("the language model's server ended with status %d; starting it again", status)
        return was_ready

    @asynccontextmanager
    async def _running_child(self) -> AsyncIterator[Process]:
        command = (sys.executable, "-m", "visavis.layers.llm.llama_server_child")
        child = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=_LONGEST_LOG_LINE, start_new_session=True
        )
        self._child = child
        logging_task = asyncio.create_task(_log_lines(child))
        try:
            yield child
        finally:
            self.wake()
            await _stop(child)
            self._child = None
            await logging_task

    async def _address(self, child: Process) -> str | None:
        """Where the child answers, or None if it ended or hung; `EngineError` if it says that it never will."""
        assert child.stdin is not None and child.stdout is not None
        launch = Launch(
            model=str(self.model),
            api_key=self.api_key.get_secret_value(),
            threads=self._threads,
            context_tokens=self._context_tokens,
        )
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                child.stdin.write(launch.model_dump_json().encode() + b"\n")
                await child.stdin.drain()
                report = Report.model_validate_json(await child.stdout.readline())
        except TimeoutError:
            child.kill()
            return None
        except (OSError, ValidationError):
            return None
        if report.error is not None:
            raise EngineError(LAYER, report.error)
        return f"{report.address}/v1"

    async def _answers(self, base_url: str) -> bool:
        """Have one token made, so that the first real reply finds everything in memory."""
        settings = LanguageModelSettings(
            base_url=base_url, model=self.model.stem, api_key=self.api_key, max_tokens=1, first_token_timeout_s=60
        )
        model = OpenAICompatible(settings)
        try:
            async for _ in model.stream([Message("user", "Hi")]):
                pass
        except EngineError as error:
            _log.debug("warming up failed: %s", error)
            return False
        finally:
            await model.aclose()
        return True


async def _log_lines(child: Process) -> None:
    assert child.stderr is not None
    async for line in child.stderr:
        _log.debug("%s", line.decode(errors="replace").rstrip())


async def _stop(child: Process) -> None:
    """Ask the child to end by closing its input, then make it."""
    if child.returncode is not None:
        return
    assert child.stdin is not None
    child.stdin.close()
    try:
        async with asyncio.timeout(_STOP_TIMEOUT_S):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()


def _sensible_threads() -> int:
    """More than the physical cores slow decoding down, and more than four hardly speed it up."""
    logical = psutil.cpu_count() or 1
    physical = psutil.cpu_count(logical=False) or logical
    return min(logical, max(2, min(physical, 4)))
