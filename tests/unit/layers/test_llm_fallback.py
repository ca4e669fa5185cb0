"""A busy or broken language model is asked again, then replaced."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from tests.conversation.simulation import simulate
from visavis.errors import EngineError
from visavis.layers.llm import Function, Message, ToolRequest
from visavis.layers.llm.endpoint import TemporaryError
from visavis.layers.llm.fallback import FallbackModel

ASKED = [Message("user", "Hello.")]


class Model:
    """Fails as often as told, then answers; or breaks in the middle."""

    shares_processor = False

    def __init__(self, name: str, *failures: EngineError, breaks: bool = False) -> None:
        self.name, self.failures, self.breaks, self.asked = name, list(failures), breaks, 0

    async def stream(
        self, messages: Sequence[Message], tools: Sequence[Function] = ()
    ) -> AsyncIterator[str | ToolRequest]:
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        yield self.name
        if self.breaks:
            raise EngineError("language model", "broke")

    async def prefill(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> None:
        pass

    def rest(self, seconds: float) -> None:
        pass


def busy() -> EngineError:
    return TemporaryError("language model", "is busy")


def refused() -> EngineError:
    return EngineError("language model", "refused the key")


def answer(first: Model, second: Model | None = None) -> Any:
    async def work() -> list[Any]:
        return [piece async for piece in FallbackModel(first, second).stream(ASKED)]

    return simulate(work)


def test_a_busy_model_is_asked_once_more():
    first = Model("first", busy())
    assert answer(first) == ["first"] and first.asked == 2
    with pytest.raises(TemporaryError):
        answer(Model("first", busy(), busy()))


def test_a_refusal_is_not_repeated():
    first = Model("first", refused())
    with pytest.raises(EngineError, match="refused"):
        answer(first)
    assert first.asked == 1


def test_the_other_model_answers_when_the_first_fails():
    assert answer(Model("first", busy(), busy()), Model("second")) == ["second"]
    assert answer(Model("first", refused()), Model("second")) == ["second"]


def test_a_reply_that_has_begun_is_not_begun_again():
    second = Model("second")
    with pytest.raises(EngineError, match="broke"):
        answer(Model("first", breaks=True), second)
    assert second.asked == 0
