"""The server's side of a worker process: starts it, speaks with it, and starts another one when it has died.

Owner of the process and of which conversations are in it.
"""

import asyncio
import itertools
import logging
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from visavis.config import Settings
from visavis.errors import VisavisError
from visavis.hosting.errors import BusyError
from visavis.hosting.place import CallOver, Happened, Tell
from visavis.hosting.plan import Plan, revealed
from visavis.hosting.worker_protocol import (
    Begin,
    CallIsOver,
    Connect,
    Done,
    End,
    EventHappened,
    Failed,
    Farewell,
    FromWorker,
    Interact,
    Line,
    ModelIs,
    Ready,
    ToWorker,
    WhereIsModel,
    raised,
)

_log = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
"""Between two starts of a worker that does not come up."""

END_S = 5.0
"""How long a worker may take to end when it is not needed any more."""

FindModel = Callable[[WhereIsModel], Awaitable[ModelIs]]
"""Where a shared language model answers."""


class WorkerProcess:
    """A `visavis.hosting.place.Place` in another process. `run` keeps one alive."""

    def __init__(self, settings: Settings, find_model: FindModel, tell: Tell) -> None:
        self._settings = settings
        self._find_model = find_model
        self._tell = tell
        self._process: Process | None = None
        self._line: Line | None = None
        self._ready = False
        self._requests = itertools.count()
        self._waiting: dict[int, asyncio.Future[str | None]] = {}
        self._conversations: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def ready(self) -> bool:
        """It takes calls."""
        return self._ready

    @property
    def pid(self) -> int | None:
        """Of the process, if there is one."""
        return self._process.pid if self._process else None

    async def connect(self, plan: Plan, sdp_offer: str) -> str:
        """See `visavis.hosting.place.Place`, as for all that follow."""
        self._conversations.add(plan.conversation_id)
        answer = await self._ask(lambda number: Connect(request=number, plan=plan.as_json(), sdp_offer=sdp_offer))
        return answer or ""

    async def interact(self, plan: Plan, message: Mapping[str, Any]) -> None:
        self._conversations.add(plan.conversation_id)
        await self._ask(lambda number: Interact(request=number, plan=plan.as_json(), message=dict(message)))

    async def farewell(self, conversation_id: str, text: str) -> None:
        if conversation_id in self._conversations:
            await self._ask(lambda number: Farewell(request=number, conversation_id=conversation_id, text=text))

    async def end(self, conversation_id: str, reason: str) -> None:
        if conversation_id in self._conversations:
            await self._ask(lambda number: End(request=number, conversation_id=conversation_id, reason=reason))
            self._conversations.discard(conversation_id)

    async def run(self) -> None:
        """Keep a worker running until cancelled."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                was_ready = await self._run_once()
            except Exception:
                _log.exception("a worker could not be run")
                was_ready = False
            pause_s = FIRST_PAUSE_S if was_ready else min(2 * pause_s, LONGEST_PAUSE_S)
            await asyncio.sleep(pause_s)

    async def _run_once(self) -> bool:
        """One process from its start to its end; whether it ever took calls."""
        ours, theirs = socket.socketpair(socket.AF_UNIX)
        try:
            # In a session of its own, so that Ctrl-C reaches the server only, which ends calls in order.
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "visavis.hosting.worker",
                str(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=DEVNULL,
                stdout=DEVNULL,
                start_new_session=True,
            )
        finally:
            theirs.close()
        was_ready = False
        try:
            reader, writer = await asyncio.open_unix_connection(sock=ours)
            self._line = Line(reader, writer)
            self._line.send(Begin(settings=revealed(self._settings.model_dump())))
            while (message := await self._line.receive()) is not None:
                self._take(message)
                was_ready = was_ready or self._ready
        finally:
            await self._bury()
        return was_ready

    def _take(self, message: FromWorker | ToWorker) -> None:
        match message:
            case Ready(problem=""):
                self._ready = True
                _log.info("worker %s takes calls", self.pid)
            case Ready(problem=problem):
                _log.error("a worker cannot start: %s", problem)
                assert self._line
                self._line.close()
            case Done(request=number, answer=answer):
                if waiting := self._waiting.get(number):
                    waiting.set_result(answer)
            case Failed(request=number):
                if waiting := self._waiting.get(number):
                    waiting.set_exception(raised(message))
            case EventHappened(conversation_id=conversation_id, event=event):
                self._tell(Happened(conversation_id, event))
            case CallIsOver(conversation_id=conversation_id, left=left, failed_step=step):
                self._tell(CallOver(conversation_id, left, step))
            case WhereIsModel():
                task = asyncio.create_task(self._tell_model(message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _tell_model(self, wanted: WhereIsModel) -> None:
        found = await self._find_model(wanted)
        if self._line:
            self._line.send(found)

    async def _ask(self, message: Callable[[int], ToWorker]) -> str | None:
        if not (self._ready and self._line):
            raise BusyError("The server is getting ready for more calls. Please try again in a moment.", 5)
        number = next(self._requests)
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._line.send(message(number))
            return await answer
        finally:
            del self._waiting[number]

    async def _bury(self) -> None:
        """The process has ended, or shall."""
        crashed = self._ready
        self._ready = False
        if self._line:
            self._line.close()
            self._line = None
        process, self._process = self._process, None
        lost, self._conversations = self._conversations, set()
        for waiting in list(self._waiting.values()):
            if not waiting.done():
                waiting.set_exception(VisavisError("The process of this call has died. Please try again."))
        for conversation_id in lost:
            self._tell(CallOver(conversation_id, left=False, failed_step="worker"))
        if process:
            status = await _ended(process)
            if crashed:
                _log.warning("a worker ended with status %s; %d conversations were in it", status, len(lost))


async def _ended(process: Process) -> int:
    """Wait for a process whose line is closed; make it end if it does not."""
    try:
        async with asyncio.timeout(END_S):
            return await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        return await process.wait()
