"""Tools of real MCP servers, over HTTP and over stdin and stdout."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from pydantic import ValidationError

from visavis.api.runnable import check_mcp, runnable
from visavis.errors import BadInputError
from visavis.layers.tools import Tool, ToolError, mcp
from visavis.layers.tools.mcp import McpServer, mcp_tools
from visavis.outbound import Outbound, PrivateAddresses

COMMANDS = {"weather": [sys.executable, "-m", "tests.unit.layers.mcp_server"]}
EVERYWHERE = Outbound(PrivateAddresses(every=True))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with much else to do takes its time to start a program."""
    monkeypatch.setattr(mcp, "CONNECT_S", 60.0)


class Guard:
    """In front of a server: keeps the headers of requests, and may ask for a token."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.seen: list[dict[str, str]] = []
        self.token = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            self.seen.append(headers)
            if self.token and headers.get("authorization") != f"Bearer {self.token}":
                await send({"type": "http.response.start", "status": 401, "headers": []})
                await send({"type": "http.response.body", "body": b"no"})
                return
        await self.app(scope, receive, send)


@asynccontextmanager
async def served() -> AsyncIterator[tuple[str, Guard]]:
    from tests.unit.layers.mcp_server import server

    guard = Guard(server().streamable_http_app())
    web = uvicorn.Server(uvicorn.Config(guard, port=0, log_level="critical", timeout_graceful_shutdown=1))
    task = asyncio.create_task(web.serve())
    while not web.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield f"http://localhost:{web.servers[0].sockets[0].getsockname()[1]}/mcp", guard
    web.should_exit = True
    await task


def named(tools: tuple[Tool, ...]) -> dict[str, Tool]:
    return {tool.name: tool for tool in tools}


async def test_tools_over_http_are_listed_described_and_used():
    async with served() as (url, guard):
        wanted = McpServer(server_label="weather", server_url=url, authorization="secret")
        async with mcp_tools([wanted], EVERYWHERE, {}) as found:
            tools = named(found)
            assert set(tools) == {"forecast", "set_alarm", "doze", "die"}
            forecast = tools["forecast"]
            assert forecast.description == "Tell the weather at a place."
            assert forecast.parameters["required"] == ["place"] and not forecast.has_side_effects
            assert tools["set_alarm"].has_side_effects
            assert await forecast.run({"place": "Rome", "days": 2}) == "Sunny in Rome for 2 days."
            assert await tools["set_alarm"].run({"wind": 3}) == "Done it."
            with pytest.raises(ToolError, match="never negative"):
                await tools["set_alarm"].run({"wind": -1})
    assert guard.seen[0]["authorization"] == "Bearer secret" and guard.seen[0]["host"].startswith("localhost:")


async def test_only_what_is_allowed_is_offered_and_names_that_clash_are_told_apart():
    async with served() as (url, _):
        first = McpServer(server_label="one", server_url=url, allowed_tools=("forecast",))
        second = McpServer(server_label="two", server_url=url, allowed_tools=("forecast",))
        async with mcp_tools([first, second], EVERYWHERE, {}) as found:
            assert [tool.name for tool in found] == ["forecast", "two_forecast"]
            assert await found[1].run({"place": "Oslo"}) == "Sunny in Oslo for 1 days."


async def test_slow_tool_is_given_up():
    async with served() as (url, _):
        wanted = McpServer(server_label="weather", server_url=url, timeout=0.5)
        async with mcp_tools([wanted], EVERYWHERE, {}) as found:
            with pytest.raises(ToolError, match=r"0\.5 s|did not do it"):
                await named(found)["doze"].run({})


async def test_private_address_and_wrong_token_leave_the_server_out(caplog: pytest.LogCaptureFixture):
    async with served() as (url, guard):
        wanted = McpServer(server_label="weather", server_url=url, authorization="wrong")
        async with mcp_tools([wanted], Outbound(), {}) as found:
            assert found == ()
        assert not guard.seen and "VISAVIS_ALLOW_PRIVATE_URLS" in caplog.text
        guard.token = "right"
        async with mcp_tools([wanted], EVERYWHERE, {}) as found:
            assert found == ()
    assert "wrong" not in caplog.text


async def test_allowed_program_is_started_used_and_comes_back_after_a_crash():
    wanted = McpServer(server_label="weather", command="weather", timeout=60)
    async with mcp_tools([wanted], Outbound(), COMMANDS) as found:
        tools = named(found)
        assert await tools["forecast"].run({"place": "Rome"}) == "Sunny in Rome for 1 days."
        with pytest.raises(ToolError):
            await tools["die"].run({})
        for _ in range(600):
            try:
                assert await tools["forecast"].run({"place": "Rome"}) == "Sunny in Rome for 1 days."
                return
            except ToolError:
                await asyncio.sleep(0.1)
    raise AssertionError("it did not come back")


async def test_program_that_is_not_allowed_is_never_started():
    wanted = McpServer(server_label="weather", command="rm")
    async with mcp_tools([wanted], Outbound(), COMMANDS) as found:
        assert found == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"server_url": "https://x.example", "command": "weather"},
        {"server_url": "file:///etc"},
        {"server_url": "https://x.example", "require_approval": "always"},
    ],
)
def test_wrong_server_is_refused(wrong: dict[str, Any]):
    with pytest.raises(ValidationError):
        McpServer.model_validate({"server_label": "weather", **wrong})


def test_persona_names_servers_among_its_tools():
    server = {"type": "mcp", "server_label": "weather", "server_url": "https://mcp.example.org/mcp"}
    persona = runnable({"persona_name": "A", "system_prompt": "B", "layers": {"llm": {"tools": [server]}}})
    assert persona.mcp_servers[0].server_url == "https://mcp.example.org/mcp" and not persona.tools
    check_mcp(persona, {})
    named = {"type": "mcp", "server_label": "files", "command": "files"}
    persona = runnable({"persona_name": "A", "system_prompt": "B", "layers": {"llm": {"tools": [named]}}})
    with pytest.raises(BadInputError, match="VISAVIS_MCP_COMMANDS: none"):
        check_mcp(persona, {})
    check_mcp(persona, {"files": ["mcp-files"]})
