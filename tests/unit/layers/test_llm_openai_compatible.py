import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai.types import CompletionUsage
from openai.types.completion_usage import PromptTokensDetails
from pydantic import SecretStr, ValidationError

from visavis.errors import EngineError
from visavis.layers.llm import Message, Tokens, takes_pictures, words_of
from visavis.layers.llm.endpoint import UnreachableError
from visavis.layers.llm.openai_compatible import OpenAICompatible
from visavis.layers.settings import LanguageModelSettings

KEY = "sk-very-secret-0123456789"
TOKEN = "x-token-also-secret"
HELLO = [Message("system", "You are Tim."), Message("user", "Hello")]
FOREVER_S = 3600.0

Answer = Callable[["Exchange"], Awaitable[None]]


class Exchange:
    """One request at the vendor's side: what came in, and a pen to answer with."""

    def __init__(self, head: str, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.head = head
        self.body = json.loads(body)
        self._reader = reader
        self._writer = writer

    async def send(self, text: str) -> None:
        self._writer.write(text.encode())
        await self._writer.drain()

    async def send_status(self, status: int, body: str, content_type: str = "application/json") -> None:
        await self.send(
            f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {len(body.encode())}\r\n"
            f"Connection: close\r\n\r\n{body}"
        )

    async def begin_stream(self) -> None:
        await self.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")

    async def send_pieces(self, pieces: Iterable[str]) -> None:
        for piece in pieces:
            choice = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
            await self.send(f"data: {json.dumps({'choices': [choice]})}\n\n")

    async def until_hung_up(self) -> None:
        while await self._reader.read(1024):
            pass


class Vendor:
    """A chat-completions API on a real socket, as a vendor's would be; answers each request as it is told."""

    def __init__(self) -> None:
        self.port = 0
        self.exchanges: list[Exchange] = []
        self.hung_up = asyncio.Event()
        self.asked = asyncio.Event()

    @asynccontextmanager
    async def answering(self, answer: Answer) -> AsyncIterator["Vendor"]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(next(x for x in head.splitlines() if x.lower().startswith("content-length")).split(":")[1])
                exchange = Exchange(head, await reader.readexactly(length), reader, writer)
                self.exchanges.append(exchange)
                self.asked.set()
                await answer(exchange)
            except (ConnectionError, asyncio.IncompleteReadError):
                self.hung_up.set()
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    def settings(self, **settings: Any) -> LanguageModelSettings:
        defaults = {"base_url": f"http://127.0.0.1:{self.port}/v1", "model": "talker-1", "api_key": KEY}
        return LanguageModelSettings(**(defaults | settings))

    def model(self, **settings: Any) -> OpenAICompatible:
        return OpenAICompatible(self.settings(**settings))


async def failure_of(answer: Answer, **settings: Any) -> EngineError:
    async with Vendor().answering(answer) as vendor:
        with pytest.raises(EngineError) as caught:
            async for _ in vendor.model(**settings).stream(HELLO):
                pass
    assert KEY not in str(caught.value)
    return caught.value


async def say_hello(exchange: Exchange) -> None:
    await exchange.begin_stream()
    await exchange.send('data: {"choices": [{"index": 0, "delta": {"role": "assistant", "content": null}}]}\n\n')
    await exchange.send_pieces(["Hel", "lo", "."])
    await exchange.send('data: {"choices": [], "usage": {"total_tokens": 5}}\n\ndata: [DONE]\n\n')


async def test_a_reply_arrives_piece_by_piece() -> None:
    async with Vendor().answering(say_hello) as vendor:
        assert [piece async for piece in vendor.model().stream(HELLO)] == ["Hel", "lo", "."]


async def say_hello_and_count(exchange: Exchange) -> None:
    if "stream_options" in exchange.body and exchange.head.startswith("POST /picky"):
        await refuse(422, "body.stream_options: Extra inputs are not permitted")(exchange)
        return
    await exchange.begin_stream()
    await exchange.send_pieces(["Hello."])
    usage = CompletionUsage(
        prompt_tokens=31,
        completion_tokens=3,
        total_tokens=34,
        prompt_tokens_details=PromptTokensDetails(cached_tokens=16),
    )
    if "stream_options" in exchange.body:
        await exchange.send(f'data: {{"choices": [], "usage": {usage.model_dump_json()}}}\n\n')
    await exchange.send("data: [DONE]\n\n")


async def test_a_reply_ends_with_what_it_cost() -> None:
    async with Vendor().answering(say_hello_and_count) as vendor:
        assert [piece async for piece in vendor.model().stream(HELLO)] == ["Hello.", Tokens(31, 3, cached=16)]


async def test_a_server_that_does_not_like_to_be_asked_for_costs_is_asked_once() -> None:
    async with Vendor().answering(say_hello_and_count) as vendor:
        model = vendor.model(base_url=f"http://127.0.0.1:{vendor.port}/picky")
        for _ in range(2):
            assert [piece async for piece in model.stream(HELLO)] == ["Hello."]
    assert ["stream_options" in exchange.body for exchange in vendor.exchanges] == [True, False, False]


SHOWN = [HELLO[0], Message("user", "What is this?", picture=b"\xff\xd8jpeg")]


async def test_a_picture_goes_with_the_words_to_a_model_that_takes_it() -> None:
    async with Vendor().answering(say_hello) as vendor:
        for vision in (True, False):
            model = vendor.model(vision=vision)
            assert takes_pictures(model) is vision
            _ = [piece async for piece in model.stream(SHOWN)]
    shown, told = (exchange.body["messages"][1]["content"] for exchange in vendor.exchanges)
    url = "data:image/jpeg;base64," + base64.b64encode(SHOWN[1].picture or b"").decode()
    assert shown == [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": url}}]
    assert told == "What is this?"


async def test_a_model_that_refuses_a_picture_answers_without_and_is_shown_no_more() -> None:
    async def blind(exchange: Exchange) -> None:
        seen = isinstance(exchange.body["messages"][1]["content"], list)
        await (refuse(400, "this model cannot read images")(exchange) if seen else say_hello(exchange))

    async with Vendor().answering(blind) as vendor:
        model = vendor.model(vision=True)
        assert "".join([words_of(piece) async for piece in model.stream(SHOWN)]) == "Hello."
        assert not takes_pictures(model)
    assert len(vendor.exchanges) == 2


async def test_the_first_piece_does_not_wait_for_the_last() -> None:
    async def never_end(exchange: Exchange) -> None:
        await exchange.begin_stream()
        await exchange.send_pieces(["Hel"])
        await asyncio.sleep(FOREVER_S)

    async with Vendor().answering(never_end) as vendor:
        stream = vendor.model().stream(HELLO)
        assert await anext(stream) == "Hel"
        await stream.aclose()


async def test_all_settings_reach_the_vendor() -> None:
    async with Vendor().answering(say_hello) as vendor:
        model = vendor.model(
            headers={"X-Token": TOKEN},
            default_query={"api-version": "7"},
            extra_body={"min_p": 0.1},
            temperature=0.5,
            max_tokens=90,
        )
        _ = [piece async for piece in model.stream(HELLO)]
    (exchange,) = vendor.exchanges
    assert exchange.head.startswith("POST /v1/chat/completions?api-version=7 ")
    assert f"authorization: bearer {KEY}" in exchange.head.lower()
    assert f"x-token: {TOKEN}" in exchange.head.lower()
    assert exchange.body == {
        "model": "talker-1",
        "messages": [{"role": "system", "content": "You are Tim."}, {"role": "user", "content": "Hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "min_p": 0.1,
        "temperature": 0.5,
        "max_tokens": 90,
    }


async def test_options_that_are_not_set_are_not_sent() -> None:
    async with Vendor().answering(say_hello) as vendor:
        _ = [piece async for piece in vendor.model().stream(HELLO)]
    assert set(vendor.exchanges[0].body) == {"model", "messages", "stream", "stream_options"}


async def test_nothing_of_the_environment_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "from-the-environment")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with Vendor().answering(say_hello) as vendor:
        _ = [piece async for piece in vendor.model(api_key=None).stream(HELLO)]
    assert "from-the-environment" not in vendor.exchanges[0].head


async def until_hung_up(exchange: Exchange) -> None:
    await exchange.begin_stream()
    await exchange.send_pieces(["Once "])
    await exchange.until_hung_up()
    raise ConnectionResetError


async def silent_until_hung_up(exchange: Exchange) -> None:
    await exchange.until_hung_up()
    raise ConnectionResetError


async def test_closing_the_reply_hangs_up() -> None:
    async with Vendor().answering(until_hung_up) as vendor:
        stream = vendor.model().stream(HELLO)
        await anext(stream)
        assert not vendor.hung_up.is_set()
        await stream.aclose()
        await asyncio.wait_for(vendor.hung_up.wait(), 5)


@pytest.mark.parametrize("answer", [until_hung_up, silent_until_hung_up])
async def test_cancelling_the_reader_hangs_up(answer: Answer) -> None:
    async with Vendor().answering(answer) as vendor:
        model = vendor.model()

        async def read() -> None:
            async for _ in model.stream(HELLO):
                pass

        reading = asyncio.create_task(read())
        await asyncio.wait_for(vendor.asked.wait(), 5)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await asyncio.wait_for(vendor.hung_up.wait(), 5)


def refuse(status: int, message: str = "no") -> Answer:
    async def answer(exchange: Exchange) -> None:
        await exchange.send_status(status, json.dumps({"error": {"message": message}}))

    return answer


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "talker-1 at 127.0.0.1:.* refused the API key; check api_key .HTTP 401"),
        (403, "does not allow this API key"),
        (404, "does not exist; check base_url and model"),
        (429, "takes no more requests for now"),
        (500, "failed on its side .HTTP 500"),
        (503, "failed on its side .HTTP 503"),
        (400, "refused the request: .*too long.*HTTP 400"),
    ],
)
async def test_a_refusal_says_what_is_wrong(status: int, said: str) -> None:
    error = await failure_of(refuse(status, f"too long, {KEY}"))
    assert error.layer == "language model"
    with pytest.raises(EngineError, match=said):
        raise error


async def test_a_secret_that_the_vendor_sends_back_is_not_shown() -> None:
    error = await failure_of(refuse(400, f"bad header {TOKEN}"), headers={"X-Token": TOKEN})
    assert "bad header ***" in str(error)


async def test_an_error_in_the_middle_of_a_reply_is_told() -> None:
    async def break_off(exchange: Exchange) -> None:
        await exchange.begin_stream()
        await exchange.send_pieces(["Hel"])
        await exchange.send('data: {"error": {"message": "out of memory"}}\n\n')

    assert "reported: out of memory" in str(await failure_of(break_off))


@pytest.mark.parametrize(
    "body",
    ["data: {not json\n\n", 'data: {"choices": 7}\n\n', 'data: {"greeting": "hi"}\n\n', "data: [1, 2]\n\n"],
)
async def test_a_malformed_stream_is_an_error(body: str) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.begin_stream()
        await exchange.send(body)

    assert "cannot be read" in str(await failure_of(answer))


async def test_a_web_page_is_not_taken_for_a_reply() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send_status(200, "<html>Welcome</html>", "text/html")

    assert "not a streamed chat completion; check base_url" in str(await failure_of(answer))


async def test_a_reply_without_a_word_is_no_error() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.begin_stream()
        await exchange.send(
            'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
        )

    async with Vendor().answering(answer) as vendor:
        assert [piece async for piece in vendor.model().stream(HELLO)] == []


async def test_a_connection_that_breaks_is_told() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 100000\r\n\r\n")
        await exchange.send_pieces(["Hel"])

    error = await failure_of(answer)
    assert isinstance(error, UnreachableError)
    assert "broke the connection off" in str(error)


async def test_nobody_at_the_address_is_told() -> None:
    async with Vendor().answering(say_hello) as vendor:
        model = vendor.model()
    with pytest.raises(UnreachableError, match="cannot be reached"):
        await anext(model.stream(HELLO))


async def test_a_late_first_token_is_told() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.begin_stream()
        await exchange.send('data: {"choices": [{"index": 0, "delta": {"role": "assistant"}}]}\n\n')
        await asyncio.sleep(FOREVER_S)

    error = await failure_of(answer, first_token_timeout_s=0.1)
    assert "did not begin to answer within 0.1 s" in str(error)


async def test_a_reply_that_falls_silent_is_told() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.begin_stream()
        await exchange.send_pieces(["Hel"])
        await asyncio.sleep(FOREVER_S)

    error = await failure_of(answer, next_token_timeout_s=0.1)
    assert "fell silent for 0.1 s" in str(error)


async def test_a_slow_listener_is_not_a_slow_vendor() -> None:
    async with Vendor().answering(say_hello) as vendor:
        pieces = []
        async for piece in vendor.model(next_token_timeout_s=0.1).stream(HELLO):
            pieces.append(piece)
            await asyncio.sleep(0.15)
    assert pieces == ["Hel", "lo", "."]


async def test_prefill_asks_for_no_tokens() -> None:
    async with Vendor().answering(say_hello) as vendor:
        await vendor.model(supports_prefill=True, max_tokens=90).prefill(HELLO)
    assert vendor.exchanges[0].body["max_tokens"] == 0


async def test_prefill_is_not_sent_to_those_who_would_charge_for_it() -> None:
    async with Vendor().answering(say_hello) as vendor:
        await vendor.model().prefill(HELLO)
    assert vendor.exchanges == []


async def test_the_newest_prefill_wins() -> None:
    async with Vendor().answering(silent_until_hung_up) as vendor:
        model = vendor.model(supports_prefill=True)
        older = asyncio.create_task(model.prefill(HELLO[:1]))
        await asyncio.wait_for(vendor.asked.wait(), 5)
        newer = asyncio.create_task(model.prefill(HELLO))
        await asyncio.wait_for(older, 60)
        await asyncio.wait_for(vendor.hung_up.wait(), 5)
        assert not newer.done()
        newer.cancel()


async def test_a_reply_does_not_wait_for_a_prefill() -> None:
    async def answer(exchange: Exchange) -> None:
        await (silent_until_hung_up(exchange) if exchange.body.get("max_tokens") == 0 else say_hello(exchange))

    async with Vendor().answering(answer) as vendor:
        model = vendor.model(supports_prefill=True)
        prefill = asyncio.create_task(model.prefill(HELLO))
        await asyncio.wait_for(vendor.asked.wait(), 5)
        assert [piece async for piece in model.stream(HELLO)] == ["Hel", "lo", "."]
        await asyncio.wait_for(prefill, 60)
        await asyncio.wait_for(vendor.hung_up.wait(), 5)


async def say_nonsense(exchange: Exchange) -> None:
    await exchange.begin_stream()
    await exchange.send("data: {not json\n\n")


@pytest.mark.parametrize("answer", [refuse(500), say_nonsense])
async def test_a_failed_prefill_is_not_raised(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", "visavis.layers.llm"):
        async with Vendor().answering(answer) as vendor:
            await vendor.model(supports_prefill=True).prefill(HELLO)
    assert "prefill failed" in caplog.text


def test_secrets_are_not_shown() -> None:
    settings = LanguageModelSettings(
        base_url="https://api.example/v1",
        model="m",
        api_key=SecretStr(KEY),
        headers={"X-Token": SecretStr(TOKEN)},
        extra_body={"key": TOKEN},
    )
    shown = repr(settings) + str(settings)
    assert KEY not in shown
    assert TOKEN not in shown


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base_url", "api.example/v1"),
        ("base_url", "ftp://api.example"),
        ("base_url", "https://name:word@api.example/v1"),
        ("model", ""),
        ("temperature", 3),
        ("max_tokens", 0),
        ("first_token_timeout_s", 0),
        ("temprature", 0.5),
    ],
)
def test_unusable_settings_are_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        LanguageModelSettings(**({"base_url": "https://api.example/v1", "model": "m"} | {field: value}))
    assert [error["loc"] for error in caught.value.errors()] == [(field,)]
