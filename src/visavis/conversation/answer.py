"""The text of one reply: the language model's words, and the tools that it uses on the way to them.

A reply may be prepared before it is certain that the person has finished. Until it is committed, no tool with side
effects runs for it, and nothing of it enters the context.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from uuid import uuid4

from visavis.conversation.context import Context
from visavis.conversation.slowness import not_in_silence
from visavis.conversation.spending import Bill
from visavis.conversation.toolbox import Outcome, Toolbox
from visavis.errors import EngineError
from visavis.layers.llm import Function, LanguageModel, Message, Piece, ToolRequest, words_of
from visavis.layers.tools import Tool

FILLER_AFTER_S = 0.7
"""A tool that takes longer than this is worth a word to the person."""

STILL_AFTER_S = 5.0
"""And so is one that takes as long as this."""

FILLERS = ("Let me check that.", "One moment, please.", "Let me see.", "Just a second.")
STILL = "This is taking a little longer than usual."

GAVE_UP = "I'm sorry, I could not get that done."

MOST_ROUNDS = 4
"""Of tools, within one reply; after that the model has to answer with what it knows."""


class Answer:
    """One reply in the making. `text` is read once."""

    def __init__(
        self,
        model: LanguageModel,
        messages: Sequence[Message],
        toolbox: Toolbox | None = None,
        bill: Bill | None = None,
        shows: Callable[[], Awaitable[bytes | None]] | None = None,
    ) -> None:
        """Without a `toolbox` the model answers in words alone.

        `bill` adds up what it costs; `shows` gives what the person shows at that moment, a JPEG.
        """
        self._model = model
        self._bill = bill or Bill(lambda spent: None)
        self._shows = shows
        self._messages = list(messages)
        self._toolbox = toolbox
        self._committed = asyncio.Event()
        self._context: Context | None = None
        self._rounds: list[Message] = []
        self._finished = False

    def commit(self, context: Context) -> None:
        """It is what the person gets: its tools may run, and what they tell enters `context`."""
        self._context = context
        context.add_tool_round(self._rounds)
        self._committed.set()
        self._bill.fate(heard=True)

    def drop(self) -> None:
        """Nobody gets it."""
        self._bill.fate(heard=False)

    async def text(self) -> AsyncGenerator[str, None]:
        """The words, piece by piece."""
        try:
            await self._look()
            async with aclosing(self._words()) as words:
                async for word in words:
                    yield word
        except (GeneratorExit, asyncio.CancelledError):
            self._bill.fate(heard=False)
            raise
        finally:
            self._bill.over()

    async def _look(self) -> None:
        """Let the model see what the person shows; of all turns only the newest has a picture."""
        if self._shows and self._messages[-1].role == "user" and (picture := await self._shows()):
            self._messages[-1] = replace(self._messages[-1], picture=picture)

    async def _words(self) -> AsyncGenerator[str, None]:
        functions = self._toolbox.functions if self._toolbox else ()
        for round_ in range(MOST_ROUNDS + 1):
            requests: list[ToolRequest] = []
            said = ""
            usable = functions if round_ < MOST_ROUNDS else ()
            asked = self._pieces(usable)
            # One on this machine is slow when the machine is; more to say would not make it quicker.
            made = asked if self._model.shares_processor else not_in_silence(asked, self._committed)
            async with aclosing(made) as pieces:
                async for piece in pieces:
                    if isinstance(piece, ToolRequest):
                        requests.append(ToolRequest(f"call_{uuid4().hex[:16]}", piece.name, piece.arguments))
                    elif heard := words_of(piece):
                        said += heard
                        yield heard
            if not usable:  # a model that wants tools for ever has to say something at last
                if functions and not said.strip():
                    yield GAVE_UP
                return
            if not requests:
                return
            async with aclosing(self._used(requests, said)) as words:
                async for word in words:
                    yield word
            if self._finished:
                return

    async def _pieces(self, usable: Sequence[Function]) -> AsyncGenerator[Piece, None]:
        """What the model says to one request."""
        stream = self._model.stream(self._messages, usable) if usable else self._model.stream(self._messages)
        self._bill.begin(self._messages)
        try:
            async with aclosing(stream) as pieces:  # type: ignore[type-var]
                async for piece in pieces:
                    self._bill.take(piece)
                    yield piece
        except EngineError:
            self._bill.failed()
            raise

    async def _used(self, requests: list[ToolRequest], said: str) -> AsyncGenerator[str, None]:
        """Have the tools do their work; yields what is said meanwhile, or what they say themselves."""
        assert self._toolbox
        tools = [self._toolbox.tool(request.name) for request in requests]
        if any(tool is not None and tool.has_side_effects for tool in tools):
            await self._committed.wait()
        running = [self._toolbox.start(request) for request in requests]
        awaited = [
            task
            for task, tool in zip(running, tools, strict=True)
            if tool is None or tool.on_resolve not in _NOT_AWAITED
        ]
        try:
            async with aclosing(self._fillers(awaited, tools, said)) as fillers:
                async for filler in fillers:
                    yield filler
        except (GeneratorExit, asyncio.CancelledError):
            if self._committed.is_set():  # what has begun for the person is finished, and remembered
                self._toolbox.go_on(self._remember_later(requests, running))
            else:
                for task in running:
                    task.cancel()
            raise
        outcomes = [
            task.result() if task.done() else Outcome(request, tool, "Begun; it goes on by itself.")
            for request, task, tool in zip(requests, running, tools, strict=True)
        ]
        self._remember(requests, outcomes)
        self._finished = all(map(_speaks_for_itself, outcomes))
        if self._finished:
            for outcome in outcomes:
                yield f"{spoken(outcome.text)} "

    async def _fillers(
        self, running: Sequence[asyncio.Task[Outcome]], tools: Sequence[Tool | None], said: str
    ) -> AsyncGenerator[str, None]:
        """Wait until all of `running` are done, and say a word when that takes long."""
        tool = next(
            (tool for tool in tools if tool is not None and tool.on_call not in ("silent", "passthrough")), None
        )
        waiting = set(running)
        if tool is not None and tool.on_call == "static_filler" and tool.static_filler:
            await self._committed.wait()
            yield f"{tool.static_filler} "
        elif tool is not None and waiting and not said.strip():
            _, waiting = await asyncio.wait(waiting, timeout=FILLER_AFTER_S)
            if waiting:
                await self._committed.wait()
                yield f"{FILLERS[len(self._messages) % len(FILLERS)]} "
        if waiting and tool is not None:
            _, waiting = await asyncio.wait(waiting, timeout=STILL_AFTER_S)
            if waiting:
                yield f"{STILL} "
        if waiting:
            await asyncio.wait(waiting)

    async def _remember_later(self, requests: Sequence[ToolRequest], running: Sequence[asyncio.Task[Outcome]]) -> None:
        self._remember(requests, await asyncio.gather(*running))

    def _remember(self, requests: Sequence[ToolRequest], outcomes: Sequence[Outcome]) -> None:
        asked = Message("assistant", "", tuple(requests))
        told = [Message("tool", outcome.text, call_id=outcome.request.call_id) for outcome in outcomes]
        self._messages += [asked, *told]
        if self._context:
            self._context.add_tool_round([asked, *told])
        else:
            self._rounds += [asked, *told]


_NOT_AWAITED = ("fire_and_forget", "add_to_context")


def _speaks_for_itself(outcome: Outcome) -> bool:
    return outcome.tool is not None and outcome.tool.on_resolve == "response_in_result" and not outcome.failed


def spoken(result: str) -> str:
    """What a tool wants said: its whole result, or the member of a JSON object that is named for that."""
    try:
        found = json.loads(result)
    except ValueError:
        return result
    if isinstance(found, dict):
        for name in ("response", "message", "speech", "text", "result"):
            if isinstance(found.get(name), str):
                return str(found[name])
    return found if isinstance(found, str) else result
