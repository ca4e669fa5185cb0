"""Tools that other servers do: what is sent, against a real HTTP server."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import ValidationError

from visavis.layers.llm import Function, Message, ToolRequest, router
from visavis.layers.llm.chat_protocol import Words
from visavis.layers.tools import ToolError
from visavis.layers.tools.arguments import read_arguments
from visavis.layers.tools.description import ToolDescription
from visavis.layers.tools.http import filled_url, http_tool
from visavis.outbound import Outbound, PrivateAddresses


class Server:
    """Answers every request with `answer`, and keeps them."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[tuple[int, bytes]] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.requests.append((head[0].rsplit(" ", 1)[0], headers, body))
        status, text = self.answers.pop(0) if self.answers else (200, b'{"ok": true}')
        writer.write(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (status, len(text), text))
        await writer.drain()
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    found = Server()
    async with await asyncio.start_server(found.serve, "127.0.0.1", 0) as listening:
        found.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield found


OUTBOUND = Outbound(PrivateAddresses.parse("true"))


async def ask(api: dict[str, Any], arguments: dict[str, Any]) -> str:
    described = ToolDescription.model_validate({"name": "t", "delivery": {"api": api}})
    return await http_tool(described, OUTBOUND).run(arguments)


async def test_arguments_fill_address_query_and_body(server: Server) -> None:
    api = {
        "url": f"{server.url}/rooms/{{room}}/visits",
        "query_params": {"lang": "en", "day": "{day}", "note": "{note}"},
        "body_template": '{"at": {hour}, "who": "{who}", "free": "for {who}", "none": "{nothing}"}',
    }
    assert await ask(api, {"room": "a/b?c", "hour": 9, "who": 'Ann "B"', "day": "next monday"}) == '{"ok": true}'
    line, headers, body = server.requests[0]
    assert line == "POST /rooms/a%2Fb%3Fc/visits?lang=en&day=next+monday"
    assert json.loads(body) == {"at": 9, "who": 'Ann "B"', "free": 'for Ann "B"', "none": None}
    assert headers["content-type"] == "application/json"


async def test_without_a_template_all_arguments_are_sent_as_json(server: Server) -> None:
    await ask({"url": server.url, "method": "PUT"}, {"a": [1, "x"]})
    assert json.loads(server.requests[0][2]) == {"a": [1, "x"]}
    await ask({"url": server.url, "method": "GET"}, {"a": 1})
    assert server.requests[1][2] == b""


async def test_every_kind_of_authentication(server: Server) -> None:
    await ask({"url": server.url, "auth": {"type": "bearer", "token": "s3"}}, {})
    await ask({"url": server.url, "auth": {"type": "basic", "username": "u", "password": "p"}}, {})
    await ask({"url": server.url, "auth": {"type": "api_key", "name": "X-Key", "value": "k"}}, {})
    await ask({"url": server.url, "auth": {"type": "api_key", "name": "key", "value": "k", "location": "query"}}, {})
    await ask({"url": server.url, "auth": {"type": "hmac", "secret": "h"}}, {"a": 1})
    sent = server.requests
    assert sent[0][1]["authorization"] == "Bearer s3"
    assert sent[1][1]["authorization"] == "Basic " + base64.b64encode(b"u:p").decode()
    assert sent[2][1]["x-key"] == "k"
    assert sent[3][0].endswith("?key=k")
    assert sent[4][1]["x-tavus-signature"] == hmac.new(b"h", sent[4][2], hashlib.sha256).hexdigest()


async def test_an_oauth2_token_is_fetched_once(server: Server) -> None:
    auth = {
        "type": "oauth2_client_credentials",
        "token_url": f"{server.url}/token",
        "client_id": "c",
        "client_secret": "s",
    }
    described = ToolDescription.model_validate(
        {"name": "t", "delivery": {"api": {"url": f"{server.url}/do", "auth": auth}}}
    )
    tool = http_tool(described, OUTBOUND)
    server.answers = [(200, b'{"access_token": "abc", "expires_in": 3600}')]
    await tool.run({})
    await tool.run({})
    assert [line for line, _, _ in server.requests] == ["POST /token", "POST /do", "POST /do"]
    assert b"client_secret=s" in server.requests[0][2]
    assert server.requests[2][1]["authorization"] == "Bearer abc"


async def test_failures_say_what_happened_without_secrets(server: Server) -> None:
    server.answers = [(503, b"closed today")]
    with pytest.raises(ToolError, match=r"503: closed today"):
        await ask({"url": server.url}, {})
    api = {
        "url": "http://127.0.0.1:9/x",
        "auth": {"type": "api_key", "name": "k", "value": "SECRET", "location": "query"},
    }
    with pytest.raises(ToolError) as refused:
        await ask(api, {})
    assert "SECRET" not in str(refused.value)
    with pytest.raises(ToolError, match="private address"):
        await http_tool(
            ToolDescription.model_validate({"name": "t", "delivery": {"api": {"url": server.url}}}), Outbound()
        ).run({})


def test_an_argument_cannot_change_where_a_request_goes() -> None:
    assert filled_url("https://h/{a}/x", {"a": "../../@evil/#?"}) == "https://h/..%2F..%2F%40evil%2F%23%3F/x"
    with pytest.raises(ValidationError, match="placeholder"):
        ToolDescription.model_validate({"name": "t", "delivery": {"api": {"url": "https://{host}/x"}}})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "1st"}, "pattern"),
        ({"name": "tavus_x"}, "tavus_"),
        ({"name": "t", "delivery": {}}, "exactly one"),
        ({"name": "t", "delivery": {"app_message": True, "api": {"url": "https://x"}}}, "exactly one"),
        ({"name": "t", "parameters": {"type": "string"}}, "object"),
        ({"name": "t", "parameters": {"type": "object", "properties": {"a": {"type": "wrong"}}}}, "valid JSON Schema"),
        ({"name": "t", "description": "x" * 10_001}, "at most 10000"),
        ({"name": "t", "delivery": {"api": {"url": "https://x", "timeout": 61}}}, "less than or equal to 60"),
    ],
)
def test_a_wrong_description_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ToolDescription.model_validate(wrong)


def test_arguments_are_read_as_they_were_meant_and_checked() -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer"}, "on": {"type": "boolean"}, "day": {"type": "string", "enum": ["Mon"]}},
        "required": ["n"],
        "additionalProperties": False,
    }
    assert read_arguments('{"n": "7", "on": "True", "day": "mon"}', schema) == {"n": 7, "on": True, "day": "Mon"}
    for wrong in ("{}", '{"n": "seven"}', '{"n": 1, "x": 2}', "[]", "{", '{"n": 1.5}'):
        with pytest.raises(ToolError):
            read_arguments(wrong, schema)


def test_thoughts_are_not_spoken_however_they_are_cut() -> None:
    text = "<think>secret <b> plan</think>Hello < you <thin ice>"
    for size in range(1, 12):
        words = Words()
        spoken = "".join(words.feed(text[at : at + size]) for at in range(0, len(text), size)) + words.rest()
        assert spoken == "Hello < you <thin ice>"
    unfinished = Words()
    assert unfinished.feed("<think>never ends") + unfinished.rest() == ""


def test_a_small_model_is_told_results_in_words() -> None:
    request = ToolRequest("c1", "weather", "{}")
    messages = [
        Message("user", "Weather?"),
        Message("assistant", "", (request,)),
        Message("tool", "sunny", call_id="c1"),
    ]
    assert router.in_words(messages) == [Message("user", "Weather?\n[weather: sunny]")]


def test_the_router_may_only_answer_with_a_tool_that_exists() -> None:
    tools = [Function("a", "Do a.", {"type": "object", "properties": {"x": {"type": "integer"}}})]
    schema = router.answer_schema(tools)
    assert [one["properties"]["tool"]["const"] for one in schema["anyOf"]] == ["none", "a"]
    assert router.chosen('{"tool":"none"}') is None
    assert router.chosen('{"tool":"a","argum') is None
    assert router.chosen('{"tool":"a","arguments":{"x":1}}') == ToolRequest("", "a", '{"x": 1}')
