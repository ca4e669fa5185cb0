from itertools import pairwise

import pytest

from visavis.layers.turn.words_judge import prompt, words_judge


def test_words_stand_last_and_what_was_asked_before_them() -> None:
    read = prompt("Which one would you like?", "The red")
    assert read.endswith("<|im_start|>user\nThe red")
    assert "assistant\nWhich one would you like?<" in read


def test_more_words_continue_what_was_read() -> None:
    said = "I went to the market and bought some bread. " * 30
    readings = [prompt("And then?", said[:length]) for length in range(100, len(said), 10)]
    kept = [later.startswith(earlier) for earlier, later in pairwise(readings)]
    assert kept.count(False) <= len(said) / 300
    assert max(map(len, readings)) < 900


@pytest.mark.models
async def test_words_that_break_off_are_less_likely_the_last() -> None:
    async with words_judge(timeout_s=60) as judge:
        if judge is None:
            pytest.skip("the judge's model is not here")
        await judge.server.ready()
        await judge.read("", "What's")
        for whole, broken in (("What's the time?", "What's the."), ("I live in Paris.", "I live in.")):
            ends, goes_on = await judge.ending("", whole), await judge.ending("", broken)
            assert ends and goes_on
            assert ends.of_sentence > goes_on.of_sentence
        assert await judge.ending("", "...") is None
