"""The sound's own time: an event loop whose clock jumps over silence and stands still while a network computes.

Then what the computation cost is charged to the clock. So a test set runs faster than real time, and every decision
comes as late as it would on an otherwise idle core.
"""

import asyncio
import contextlib
import selectors
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import replace
from time import process_time
from typing import Any, TypeVar

from visavis.audio import Samples
from visavis.layers.llm.llama_server import LlamaServer
from visavis.layers.stt import SpeechToText, Utterance
from visavis.layers.turn import Ending, EndOfTurn, UnreadPause
from visavis.layers.turn.words_judge import SmallModelJudge, words_judge

_Result = TypeVar("_Result")


class _Selector(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.computing = 0

    def select(self, timeout: float | None = None) -> Any:
        if self.computing:
            return super().select(0 if timeout == 0 else None)
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


class SoundTimeLoop(asyncio.SelectorEventLoop):
    """See above. Time passes only between computations."""

    def __init__(self) -> None:
        self._own = _Selector()
        super().__init__(self._own)

    def time(self) -> float:
        """Seconds of sound so far."""
        return self._own.now

    @contextlib.contextmanager
    def standing_still(self) -> Iterator[None]:
        """No time passes while what is inside is awaited."""
        self._own.computing += 1
        try:
            yield
        finally:
            self._own.computing -= 1

    @contextlib.asynccontextmanager
    async def charged(self, spent_s: Callable[[], float] = process_time) -> AsyncIterator[None]:
        """Work in threads is awaited inside; its processor time (networks run on one thread) passes afterwards."""
        began = spent_s()
        with self.standing_still():
            yield
        await asyncio.sleep(spent_s() - began)


def sound_time() -> SoundTimeLoop:
    """The running loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SoundTimeLoop)
    return loop


def _charged() -> contextlib.AbstractAsyncContextManager[None]:
    return sound_time().charged()


class ChargedRecogniser:
    """A recogniser whose work takes its time."""

    def __init__(self, recogniser: SpeechToText) -> None:
        self._recogniser = recogniser

    def utterance(self) -> "_ChargedUtterance":
        """Start recognising a new stretch of speech."""
        return _ChargedUtterance(self._recogniser.utterance())


class _ChargedUtterance:
    def __init__(self, utterance: Utterance) -> None:
        self._utterance = utterance

    def feed(self, samples: Samples) -> None:
        self._utterance.feed(samples)

    async def partial(self) -> str:
        async with _charged():
            return await self._utterance.partial()

    async def final(self) -> str:
        async with _charged():
            return await self._utterance.final()


class ChargedEndOfTurn:
    """A judge of the end of turn whose work takes its time."""

    def __init__(self, judge: EndOfTurn, spent_s: Callable[[], float] = process_time) -> None:
        """`spent_s` is the processor time used so far by everything that the judge asks."""
        self._judge = judge
        self._spent_s = spent_s

    async def probabilities(self, pause: UnreadPause) -> AsyncGenerator[float, None]:
        """That of the judge, as on a single core: after the words, which are charged for themselves."""
        known = asyncio.get_running_loop().create_future()
        known.set_result(await pause.words)
        judging = self._judge.probabilities(replace(pause, words=known))
        while True:
            async with sound_time().charged(self._spent_s):
                probability = await anext(judging, None)
            if probability is None:
                return
            yield probability


class ChargedWordsJudge:
    """A words judge that reads along free of charge; what it takes for a verdict is counted by `spent_s`.

    Its server runs in a thread with a clock of its own.
    """

    def __init__(self, server: LlamaServer) -> None:
        self._server = server
        self._judge = SmallModelJudge(server, timeout_s=60)

    async def read(self, asked: str, text: str) -> None:
        """Let the judge read, while no time passes."""
        with sound_time().standing_still():
            await self._judge.read(asked, text)

    async def ending(self, asked: str, text: str) -> Ending | None:
        """Its verdict; whoever asks is charged for it."""
        return await self._judge.ending(asked, text)

    def spent_s(self) -> float:
        """Processor time of this process and the server's."""
        return process_time() + self._server.busy_s()

    async def aclose(self) -> None:
        """End its connections; the server goes on."""
        with sound_time().standing_still():
            await self._judge.aclose()


@contextlib.contextmanager
def judge_server() -> Iterator[LlamaServer]:
    """A server of the built-in words judge, in a thread with a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    stack = contextlib.AsyncExitStack()

    async def start() -> LlamaServer:
        judge = await stack.enter_async_context(words_judge())
        assert judge and isinstance(judge.server, LlamaServer)
        await judge.server.ready()
        return judge.server

    def run(work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    try:
        yield run(start())
    finally:
        run(stack.aclose())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
