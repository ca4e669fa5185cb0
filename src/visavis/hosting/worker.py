"""A process that runs calls for a server: `python -m visavis.hosting.worker DESCRIPTOR`, started by the server.

The descriptor is its end of a socket to the server. When the other end closes, the process ends, so that it cannot
outlive a server that was killed.
"""

import asyncio
import itertools
import logging
import os
import socket
import sys
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr

from visavis.config import Settings
from visavis.errors import EngineError, VisavisError
from visavis.hosting.answering import answerer
from visavis.hosting.calls import Calls
from visavis.hosting.engines import SharedEngines
from visavis.hosting.faces import Faces
from visavis.hosting.place import CallOver, Report
from visavis.hosting.plan import Plan
from visavis.hosting.worker_protocol import (
    Begin,
    CallIsOver,
    Connect,
    Done,
    End,
    EventHappened,
    Farewell,
    Interact,
    Line,
    ModelIs,
    Ready,
    SharedModel,
    ToWorker,
    WhereIsModel,
    failed,
)
from visavis.layers.builtin import start_speech
from visavis.layers.llm.built_in import BuiltInModel
from visavis.layers.llm.endpoint import LAYER
from visavis.layers.llm.vendor import vendor_model
from visavis.layers.turn.words_judge import SmallModelJudge
from visavis.outbound import outbound_of

_log = logging.getLogger(__name__)


class ServersModel:
    """A llama.cpp process of the server, seen from a worker: a `visavis.layers.llm.built_in.ModelServer`.

    Where it answers changes when it was started again, so the server is asked for every reply.
    """

    def __init__(self, line: Line, wanted: SharedModel) -> None:
        self.model = Path("built-in")
        self.api_key = SecretStr("")
        self._line = line
        self._wanted = wanted
        self._requests = itertools.count()
        self._asked: dict[int, asyncio.Future[ModelIs]] = {}

    async def ready(self) -> str:
        """Its address; see `visavis.layers.llm.built_in.ModelServer`."""
        request = next(self._requests)
        answer: asyncio.Future[ModelIs] = asyncio.get_running_loop().create_future()
        self._asked[request] = answer
        try:
            self._line.send(WhereIsModel(request=request, model=self._wanted))
            found = await answer
        finally:
            del self._asked[request]
        if found.base_url is None:
            raise EngineError(LAYER, found.problem)
        self.model, self.api_key = Path(found.name), SecretStr(found.api_key)
        return found.base_url

    def answered(self, answer: ModelIs) -> None:
        """The server has said where."""
        if waiting := self._asked.get(answer.request):
            waiting.set_result(answer)

    def rest(self, seconds: float) -> None:
        """Nothing: other calls need it too."""

    def wake(self) -> None:
        """Nothing: it never rests."""


class Work:
    """One worker's life. Owner of the tasks that requests have begun."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._models = {wanted: ServersModel(line, wanted) for wanted in get_args(SharedModel)}
        self._calls: Calls | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until the server hangs up."""
        begin = await self._line.receive()
        if not isinstance(begin, Begin):
            return
        # The line is read while the engines load: the server tells where the language model is.
        opening = asyncio.create_task(self._open(Settings(**begin.settings)))
        try:
            while (message := await self._line.receive()) is not None:
                if isinstance(message, ModelIs):
                    self._models[message.model].answered(message)
                elif isinstance(message, Connect | Interact | Farewell | End):
                    self._start(self._obey(message))
        finally:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)

    async def _open(self, settings: Settings) -> None:
        """Load everything, say so, and keep it until cancelled."""
        try:
            async with AsyncExitStack() as stack:
                built_in = self._models["language model"]
                model = vendor_model(settings.llm) if settings.llm else BuiltInModel(built_in)
                await stack.enter_async_context(aclosing(model))
                judge = SmallModelJudge(self._models["words judge"])
                await stack.enter_async_context(aclosing(judge))
                layers = await stack.enter_async_context(start_speech(model, judge))
                threads = ThreadPoolExecutor(settings.conversations_per_worker, thread_name_prefix="render")
                stack.callback(threads.shutdown, wait=False, cancel_futures=True)
                engines = SharedEngines(layers, Faces(), outbound_of(settings), settings.mcp_commands)
                self._calls = Calls(engines, answerer(settings), self._tell, threads)
                self._line.send(Ready())
                await asyncio.Event().wait()
        except VisavisError as error:
            self._line.send(Ready(problem=str(error)))

    async def _obey(self, message: ToWorker) -> None:
        assert not isinstance(message, Begin | ModelIs)
        if self._calls is None:
            return
        calls, answer = self._calls, None
        try:
            match message:
                case Connect():
                    answer = await calls.connect(Plan.model_validate(message.plan), message.sdp_offer)
                case Interact():
                    await calls.interact(Plan.model_validate(message.plan), message.message)
                case Farewell():
                    await calls.farewell(message.conversation_id, message.text)
                case End():
                    await calls.end(message.conversation_id, message.reason)
        except Exception as error:
            if not isinstance(error, VisavisError):
                _log.exception("request of the server failed")
            self._line.send(failed(message.request, error))
        else:
            self._line.send(Done(request=message.request, answer=answer))

    def _tell(self, report: Report) -> None:
        if isinstance(report, CallOver):
            self._line.send(
                CallIsOver(conversation_id=report.conversation_id, left=report.left, failed_step=report.failed_step)
            )
        else:
            self._line.send(EventHappened(conversation_id=report.conversation_id, event=dict(report.event)))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _main(end: socket.socket) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=end)
    await Work(Line(reader, writer)).run()


def main() -> None:
    """Run a worker on the descriptor that the command line names."""
    logging.basicConfig(level="WARNING", format="worker %(process)d: %(message)s")
    logging.getLogger("visavis").setLevel("INFO")
    sys.setswitchinterval(0.001)  # as in the server
    asyncio.run(_main(socket.socket(fileno=int(sys.argv[1]))))
    os._exit(0)  # engines' threads have nothing left to lose


if __name__ == "__main__":
    main()
