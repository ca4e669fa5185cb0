import json

import pytest

from visavis.errors import BadInputError
from visavis.transport.messages import MAX_BYTES, parse


def test_an_object_is_understood() -> None:
    assert parse('{"event_type": "conversation.respond", "properties": {"text": "hé"}}') == {
        "event_type": "conversation.respond",
        "properties": {"text": "hé"},
    }


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "hello",
        "{",
        "[1, 2]",
        "null",
        "17",
        b"\x00\x01",
        b'{"a": 1}',
        json.dumps({"text": "x" * MAX_BYTES}),
        json.dumps({"text": "é" * (MAX_BYTES // 2)}, ensure_ascii=False),
        "[" * 60_000,
    ],
)
def test_anything_else_is_refused_in_few_words(garbage: str | bytes) -> None:
    with pytest.raises(BadInputError, match=r"message: .* expected a JSON object") as error:
        parse(garbage)
    assert len(str(error.value)) < 300
