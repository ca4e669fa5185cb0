"""The Responses protocol, spoken by a server on a real socket in the types of OpenAI's own library."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseCreatedEvent,
    ResponseErrorEvent,
    ResponseFailedEvent,
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseFunctionToolCall,
    ResponseOutputItemDoneEvent,
    ResponseReasoningTextDeltaEvent,
    ResponseTextDeltaEvent,
)
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming
from pydantic import BaseModel, TypeAdapter

from tests.unit.layers.test_llm_openai_compatible import HELLO, KEY, Exchange, Vendor, refuse
from visavis.errors import EngineError
from visavis.layers.llm import Function, Message, Tokens, ToolRequest
from visavis.layers.llm.endpoint import TemporaryError
from visavis.layers.llm.openai_responses import OpenAIResponses
from visavis.layers.llm.vendor import vendor_model
from visavis.layers.settings import LanguageModelSettings

TIME = Function("get_time", "What time it is.", {"type": "object", "properties": {"place": {"type": "string"}}})
_REQUEST: TypeAdapter[Any] = TypeAdapter(ResponseCreateParamsStreaming)


def response(status: str, **more: Any) -> Response:
    whole = {
        "id": "resp_1",
        "created_at": 0,
        "model": "talker-1",
        "object": "response",
        "output": [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "status": status,
    }
    return Response.model_validate(whole | more)


USAGE = {
    "input_tokens": 40,
    "input_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 0},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 49,
}
CREATED = ResponseCreatedEvent(type="response.created", sequence_number=0, response=response("in_progress"))
COMPLETED = ResponseCompletedEvent(
    type="response.completed", sequence_number=9, response=response("completed", usage=USAGE)
)
AT = {"item_id": "item_1", "output_index": 0, "content_index": 0}


def words(text: str) -> ResponseTextDeltaEvent:
    return ResponseTextDeltaEvent(type="response.output_text.delta", sequence_number=1, delta=text, logprobs=[], **AT)


def thought(text: str) -> ResponseReasoningTextDeltaEvent:
    return ResponseReasoningTextDeltaEvent(type="response.reasoning_text.delta", sequence_number=1, delta=text, **AT)


async def send(exchange: Exchange, events: Sequence[BaseModel]) -> None:
    await exchange.begin_stream()
    for event in events:
        kind = event.model_dump()["type"]
        await exchange.send(f"event: {kind}\ndata: {event.model_dump_json()}\n\n")


async def told(events: Sequence[BaseModel], asked: Sequence[Message] = HELLO, **settings: Any) -> Any:
    """What the model yields when the server sends `events`, and the request's head and body."""
    tools = settings.pop("tools", ())

    async def answer(exchange: Exchange) -> None:
        await send(exchange, events)

    async with Vendor().answering(answer) as vendor:
        model = vendor_model(vendor.settings(api="responses", **settings))
        assert isinstance(model, OpenAIResponses)
        pieces = [piece async for piece in model.stream(asked, tools)]
        await model.aclose()
    return pieces, vendor.exchanges[0].head, vendor.exchanges[0].body


async def test_words_are_spoken_and_thoughts_are_not() -> None:
    pieces, head, body = await told([CREATED, thought("Hm, who is this?"), words("Hel"), words("lo."), COMPLETED])
    assert pieces == ["Hel", "lo.", Tokens(40, 9, cached=8)]
    assert head.startswith("POST /v1/responses ") and f"authorization: bearer {KEY}" in head.lower()
    assert body == {
        "model": "talker-1",
        "instructions": "You are Tim.",
        "input": [{"role": "user", "content": "Hello"}],
        "store": False,
        "stream": True,
    }


async def test_the_request_is_one_of_the_protocol() -> None:
    asked = [
        *HELLO,
        Message("assistant", "One moment.", (ToolRequest("call_1", "get_time", "{}"),)),
        Message("tool", "It is ten.", call_id="call_1"),
        Message("user", "And here?", picture=b"\xff\xd8"),
    ]
    more = {"temperature": 0.5, "max_tokens": 90, "extra_body": {"reasoning": {"effort": "low"}}, "vision": True}
    _, _, body = await told([CREATED, words("Ten."), COMPLETED], asked, tools=[TIME], **more)
    _REQUEST.validate_python(body)
    assert [one.get("type", one.get("role")) for one in body["input"]] == [
        "user",
        "assistant",
        "function_call",
        "function_call_output",
        "user",
    ]
    assert body["input"][-1]["content"][1]["image_url"].startswith("data:image/jpeg;base64,")
    assert (body["max_output_tokens"], body["reasoning"], body["tools"][0]["name"]) == (
        90,
        {"effort": "low"},
        "get_time",
    )


async def test_functions_are_asked_for_after_the_words() -> None:
    call = ResponseFunctionToolCall(
        type="function_call", id="fc_1", call_id="call_7", name="get_time", arguments='{"place": "Oslo"}'
    )
    events = [
        CREATED,
        words("Let me see."),
        ResponseFunctionCallArgumentsDeltaEvent(
            type="response.function_call_arguments.delta", sequence_number=2, item_id="fc_1", output_index=1, delta="{"
        ),
        ResponseOutputItemDoneEvent(type="response.output_item.done", sequence_number=3, output_index=1, item=call),
        COMPLETED,
    ]
    pieces, _, _ = await told(events, tools=[TIME])
    assert pieces[:2] == ["Let me see.", ToolRequest("call_7", "get_time", '{"place": "Oslo"}')]


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        (
            [
                CREATED,
                ResponseFailedEvent(
                    type="response.failed",
                    sequence_number=1,
                    response=response("failed", error={"code": "server_error", "message": f"no GPU for {KEY}"}),
                ),
            ],
            r"reported: no GPU for \*\*\*",
        ),
        ([ResponseErrorEvent(type="error", sequence_number=1, message="overloaded")], "overloaded"),
        ([CREATED, words("Hel")], "not a streamed response"),
    ],
)
async def test_a_response_that_fails_is_an_error_for_people(events: Sequence[BaseModel], reason: str) -> None:
    with pytest.raises(EngineError, match=reason):
        await told(events)


async def test_a_busy_server_may_be_asked_again() -> None:
    async with Vendor().answering(refuse(429)) as vendor:
        with pytest.raises(TemporaryError):
            await anext(vendor_model(vendor.settings(api="responses")).stream(HELLO))


async def test_garbage_is_an_error() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.begin_stream()
        await exchange.send("event: response.output_text.delta\ndata: {not json\n\n")

    async with Vendor().answering(answer) as vendor:
        with pytest.raises(EngineError, match="cannot be read"):
            await anext(vendor_model(vendor.settings(api="responses")).stream(HELLO))


def test_the_protocol_is_named_in_the_settings() -> None:
    with pytest.raises(ValueError, match="api"):
        LanguageModelSettings.model_validate({"base_url": "https://h/v1", "model": "m", "api": json.dumps("soap")})
