"""The tools of one call, and what is being done with them.

Owner of the calls that run, and of those that a client was asked to do and has not answered.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from visavis.conversation import events
from visavis.conversation.clock import Clock
from visavis.conversation.interactions import ToolResult
from visavis.errors import BadInputError
from visavis.layers.llm import Function, ToolRequest
from visavis.layers.tools import Tool, ToolError
from visavis.layers.tools.arguments import read_arguments
from visavis.layers.tools.description import ToolDescription

_log = logging.getLogger(__name__)

PATIENCE_S = 2.0
"""How long a reply waits for a client that does not say whether it will ever answer."""

PASSED_ON = "The request has been passed on. Its result is not known yet: say only that you have asked."

LONGEST_RESULT = 4_000
"""Characters of a result that a language model is given."""

_EXPLAINED = (
    "The tool failed: {}. Say in a few words that it did not work, without any detail, and what you can do instead."
)


_call_id: ContextVar[str] = ContextVar("call_id")
"""Of the request that a task does; each is a task of its own."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a tool."""

    request: ToolRequest
    tool: Tool | None
    text: str
    failed: bool = False


Late = Callable[[str, str, bool], None]
"""Takes the name of a tool, a result that came when no reply waited for it, and whether one shall be made from it."""


class Toolbox:
    """Runs tools for replies; what has begun is finished even when its reply is dropped."""

    def __init__(
        self, tools: Iterable[Tool], stream: events.EventStream, clock: Clock, tasks: asyncio.TaskGroup
    ) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._events = stream
        self._clock = clock
        self._tasks = tasks
        self._late: Late = lambda name, text, respond: None
        self._asked: dict[str, asyncio.Future[str]] = {}
        self._overdue: dict[str, ToolDescription] = {}

    def tell_late_results(self, late: Late) -> None:
        """Hand results to `late` for which no reply waits."""
        self._late = late

    def add(self, described: ToolDescription) -> None:
        """Add one that the client in the call does."""

        async def run(arguments: Mapping[str, Any]) -> str:
            return await self._ask_client(described, arguments, _call_id.get())

        self._tools[described.name] = Tool(
            described.name,
            described.description,
            described.parameters,
            run,
            on_call=described.on_call,
            on_resolve=described.on_resolve or "generate_response",
            static_filler=described.static_filler,
            timeout_s=described.timeout,
        )

    @property
    def functions(self) -> tuple[Function, ...]:
        """What a language model is told."""
        return tuple(tool.function for tool in self._tools.values())

    def tool(self, name: str) -> Tool | None:
        """The tool of that name."""
        return self._tools.get(name)

    def start(self, request: ToolRequest) -> asyncio.Task[Outcome]:
        """Begin to do it. The task never fails."""
        return self._tasks.create_task(self._outcome(request))

    def go_on(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work` as long as the call lasts."""
        self._tasks.create_task(work)

    def settle(self, result: ToolResult) -> None:
        """A client has done what it was asked to. Raises `BadInputError` when nothing of that id was asked."""
        given = result.properties
        text = given.output if isinstance(given.output, str) else json.dumps(given.output, ensure_ascii=False)
        if waiting := self._asked.pop(given.tool_call_id, None):
            if given.status == "error":
                waiting.set_exception(ToolError(text or "the client could not do it"))
            else:
                waiting.set_result(text or "Done.")
        elif overdue := self._overdue.pop(given.tool_call_id, None):
            respond = overdue.on_resolve in (None, "generate_response", "response_in_result")
            self._late(overdue.name, _EXPLAINED.format(text) if given.status == "error" else text, respond)
        else:
            expected = "the id of a tool call that waits for its result; none does"
            raise BadInputError("properties.tool_call_id", given.tool_call_id, expected)

    async def _outcome(self, request: ToolRequest) -> Outcome:
        began_at = self._clock.now()
        tool = self._tools.get(request.name)
        _call_id.set(request.call_id)
        outcome = await _done(request, tool)
        self._events.emit(
            events.ToolOutcome(
                name=request.name,
                status="error" if outcome.failed else "success",
                duration=round(self._clock.now() - began_at, 3),
                tool_call_id=request.call_id,
            )
        )
        if tool and tool.on_resolve == "add_to_context":
            self._late(tool.name, outcome.text, False)
        return outcome

    async def _ask_client(self, described: ToolDescription, arguments: Mapping[str, Any], call_id: str) -> str:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._asked[call_id] = answer
        call = events.ToolCall(name=described.name, arguments=json.dumps(arguments), tool_call_id=call_id)
        self._events.emit(call)
        if described.on_resolve == "fire_and_forget":
            self._set_aside(call_id, described)
            return PASSED_ON
        patience_s = PATIENCE_S if described.on_resolve is None else described.timeout
        try:
            async with asyncio.timeout(patience_s):
                return await answer
        except TimeoutError:
            self._set_aside(call_id, described)
            if described.on_resolve is None:
                return PASSED_ON
            raise ToolError(f"no result came within {patience_s:g} s") from None
        finally:
            self._asked.pop(call_id, None)

    def _set_aside(self, call_id: str, described: ToolDescription) -> None:
        self._asked.pop(call_id, None)
        self._overdue[call_id] = described


async def _done(request: ToolRequest, tool: Tool | None) -> Outcome:
    try:
        if tool is None:
            raise ToolError(f"there is no tool {request.name!r}")
        arguments = read_arguments(request.arguments, tool.parameters)
        async with asyncio.timeout(tool.timeout_s + 1.0):  # who runs it has a limit of its own
            text = await tool.run(arguments)
    except ToolError as error:
        _log.info("tool %s failed: %s", request.name, error)
        return Outcome(request, tool, _EXPLAINED.format(error), failed=True)
    except TimeoutError:
        return Outcome(request, tool, _EXPLAINED.format("it took too long"), failed=True)
    except Exception:
        _log.exception("tool %s failed", request.name)
        return Outcome(request, tool, _EXPLAINED.format("something went wrong inside it"), failed=True)
    return Outcome(request, tool, text[:LONGEST_RESULT])
