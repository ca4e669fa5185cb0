"""Servers of the Model Context Protocol as a source of tools: over HTTP, or commands that the operator allows."""

import asyncio
import dataclasses
import logging
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal, Self

import httpx2
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from visavis.guarded_transport import GuardedTransport
from visavis.layers.settings import checked_address
from visavis.layers.tools import Tool, ToolError
from visavis.outbound import Outbound

_log = logging.getLogger(__name__)

CONNECT_S = 5.0
"""For the connection and the list of tools; a server that takes longer is left out of the call."""

MOST_TOOLS = 100
"""Of one server."""

TIMEOUT_S = 30.0

Commands = Mapping[str, Sequence[str]]
"""Programs that may be started, with their arguments, by name."""


class McpServer(BaseModel):
    """A server as a persona names it, in the words of OpenAI's `mcp` tools."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    type: Literal["mcp"] = "mcp"
    server_label: str = Field(pattern=r"^[A-Za-z]\w{0,31}$", description="Tells it from others.")
    server_url: str | None = Field(None, max_length=2_000, description="Its address, for streamable HTTP.")
    command: str | None = Field(None, max_length=100, description="Instead, a name from VISAVIS_MCP_COMMANDS.")
    authorization: SecretStr | None = Field(None, description="Sent as a bearer token.")
    headers: Mapping[str, SecretStr] = Field(default_factory=dict, description="Further HTTP headers.")
    allowed_tools: tuple[str, ...] | None = Field(None, description="Only these of its tools; None is all.")
    require_approval: Literal["never"] = "never"
    timeout: float = Field(TIMEOUT_S, gt=0, le=60, description="Seconds for one use of a tool.")

    @field_validator("server_url")
    @classmethod
    def _is_http(cls, url: str | None) -> str | None:
        return None if url is None else checked_address(url)

    @model_validator(mode="after")
    def _one_way_to_reach_it(self) -> Self:
        if (self.server_url is None) == (self.command is None):
            raise ValueError("exactly one of server_url and command")
        return self


@asynccontextmanager
async def mcp_tools(
    wanted: Sequence[McpServer], outbound: Outbound, commands: Commands
) -> AsyncIterator[tuple[Tool, ...]]:
    """The tools of these servers, for as long as a conversation lasts; a server that fails is left out and logged."""
    connections = [_Connection(one, outbound, commands) for one in wanted]
    try:
        found = await asyncio.gather(*(one.tools() for one in connections))
        names: set[str] = set()
        tools = []
        for server, listed in zip(wanted, found, strict=True):
            for tool in listed:
                name = tool.name if tool.name not in names else f"{server.server_label}_{tool.name}"[:64]
                names.add(name)
                tools.append(dataclasses.replace(tool, name=name))
        yield tuple(tools)
    finally:
        await asyncio.gather(*(one.aclose() for one in connections))


class _Connection:
    """One server. Owner of the task that the library's connection lives in, since it may not leave its task."""

    def __init__(self, server: McpServer, outbound: Outbound, commands: Commands) -> None:
        self._server = server
        self._outbound = outbound
        self._commands = commands
        self._task: asyncio.Task[None] | None = None
        self._client: asyncio.Future[Any] | None = None
        self._hang_up = asyncio.Event()

    async def tools(self) -> list[Tool]:
        """What it offers; empty when it cannot be asked."""
        try:
            async with asyncio.timeout(CONNECT_S):
                client = await self._connected()
                listed: list[Any] = []
                cursor = None
                while len(listed) < MOST_TOOLS:
                    page = await client.list_tools(cursor=cursor)
                    listed += page.tools
                    if (cursor := page.next_cursor) is None:
                        break
        except Exception as error:  # the library lets anything through
            _log.error("MCP server %s is left out: %s", self._server.server_label, _reason(error))
            return []
        allowed = self._server.allowed_tools
        return [self._tool(one) for one in listed[:MOST_TOOLS] if allowed is None or one.name in allowed]

    async def aclose(self) -> None:
        """Hang up."""
        self._hang_up.set()
        if self._task:
            await asyncio.wait([self._task], timeout=CONNECT_S)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _tool(self, listed: Any) -> Tool:
        async def run(arguments: Mapping[str, Any]) -> str:
            return await self._use(listed.name, arguments)

        name = re.sub(r"[^\w-]", "_", listed.name)[:64]
        reads_only = bool(listed.annotations and listed.annotations.read_only_hint)
        parameters = listed.input_schema or {"type": "object", "properties": {}}
        return Tool(
            name,
            listed.description or listed.name,
            parameters,
            run,
            has_side_effects=not reads_only,
            timeout_s=self._server.timeout,
        )

    async def _use(self, name: str, arguments: Mapping[str, Any]) -> str:
        timeout_s = self._server.timeout
        try:
            async with asyncio.timeout(timeout_s):
                client = await self._connected()
                result = await client.call_tool(name, dict(arguments), read_timeout_seconds=timeout_s)
        except TimeoutError:
            raise ToolError(f"no result came within {timeout_s:g} s") from None
        except Exception as error:  # the library lets anything through
            self._hang_up.set()  # whatever it was, the next use has a connection of its own
            raise ToolError(f"its server did not do it: {_reason(error)}") from None
        text = "\n".join(part.text for part in result.content if part.type == "text").strip()
        if result.is_error:
            raise ToolError(text or "its server gave no reason")
        return text or "Done."

    async def _connected(self) -> Any:
        """The library's client; made when there is none, or none any more."""
        if self._task and self._hang_up.is_set():
            await asyncio.wait([self._task])
        if self._task is None or self._task.done():
            self._hang_up.clear()
            self._client = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._hold(self._client), name=f"MCP {self._server.server_label}")
        assert self._client
        return await asyncio.shield(self._client)

    async def _hold(self, ready: asyncio.Future[Any]) -> None:
        """Keep the connection until it is closed or breaks."""
        try:
            async with self._open() as client:
                ready.set_result(client)
                await self._hang_up.wait()
        except Exception as error:
            if not ready.done():
                ready.set_exception(error)
                ready.exception()  # somebody may have stopped waiting
            else:
                _log.warning("MCP server %s was lost: %s", self._server.server_label, _reason(error))

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Any]:
        # Here, because few personas need it and it takes long to import.
        from mcp import Client, StdioServerParameters
        from mcp.client.streamable_http import streamable_http_client

        server = self._server
        if server.command is not None:
            if server.command not in self._commands:
                raise ToolError(f"the command {server.command!r} is not among VISAVIS_MCP_COMMANDS")
            program, *arguments = self._commands[server.command]
            async with Client(StdioServerParameters(command=program, args=arguments)) as client:
                yield client
            return
        headers = {name: value.get_secret_value() for name, value in server.headers.items()}
        if server.authorization is not None:
            headers["authorization"] = f"Bearer {server.authorization.get_secret_value()}"
        assert server.server_url
        guarded = GuardedTransport(self._outbound)
        async with (
            httpx2.AsyncClient(transport=guarded, headers=headers, timeout=server.timeout, trust_env=False) as http,
            Client(streamable_http_client(server.server_url, http_client=http)) as client,
        ):
            yield client


def _reason(error: BaseException) -> str:
    """The innermost cause: the library wraps failures in groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return (str(error) or type(error).__name__)[:200]
