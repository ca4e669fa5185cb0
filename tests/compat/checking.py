"""Compares recorded exchanges with the shapes."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tests.compat.recorder import Exchange
from tests.compat.shapes import BOTH, EMPTY, operation


def check(exchanges: Iterable[Exchange]) -> None:
    """Assert that every answer has a status and a body that the reference has for its operation."""
    for exchange in exchanges:
        known = operation(exchange.method, exchange.path)
        assert known, f"{exchange}: no operation of the reference that exists here"
        answers = {**known.answers, **known.ours}
        assert exchange.status in answers, f"{exchange}: the reference has {sorted(answers)}"
        check_body(exchange, answers[exchange.status])


def check_body(exchange: Exchange, shape: Any) -> None:
    """Assert that an answer's body has this shape, and both names of everything."""
    if shape is EMPTY:
        assert exchange.answered is None, f"{exchange}: a body where there should be none: {exchange.answered}"
        return
    try:
        _adapter(shape).validate_python(exchange.answered, strict=True)
    except ValidationError as error:
        raise AssertionError(f"{exchange}: {error}") from None
    _check_both(exchange, exchange.answered)


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


def _check_both(exchange: Exchange, body: Any) -> None:
    if not isinstance(body, Mapping):
        return
    for first, second in BOTH.items():
        assert (first in body) == (second in body), f"{exchange}: only one of {first} and {second}"
        assert body.get(first) == body.get(second), f"{exchange}: {first} and {second} differ"
    data, layers = body.get("data"), body.get("layers")
    inside = [*(data if isinstance(data, list) else []), layers and layers.get("conversational_flow")]
    for one in inside:
        _check_both(exchange, one)
