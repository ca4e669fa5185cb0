import asyncio
import itertools
import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from tests import speech
from visavis import models
from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.errors import EngineError
from visavis.layers.stt.moonshine import Moonshine
from visavis.layers.stt.moonshine_networks import BEGIN, END, SPARE_TOKENS, StoppedError, greedy, token_limit

DIGITS = dict(zip("0123456789", "zero one two three four five six seven eight nine".split(), strict=True))
CLIPS = ["lgbm3s", "pbbp2n", "bgwu7s", "srwb9s", "sbbn6n", "lgaz7s", "bbws8n", "lbij9a"]
"""Clips spread over the corpus' sentence forms."""


@pytest.fixture(scope="module")
def recogniser() -> Iterator[Moonshine]:
    try:
        loaded = Moonshine()
    except models.ModelMissingError as missing:
        pytest.skip(str(missing))
    yield loaded
    loaded.close()


def spelled_out(text: str) -> str:
    """The corpus says digits as words and its letters apart from them."""
    return "".join(f" {DIGITS[c]} " if c in DIGITS else c for c in text)


def silence(seconds: float) -> Samples:
    noise = np.random.default_rng(1).normal(0, 3e-4, int(seconds * LISTEN_RATE_HZ))
    return noise.astype(np.float32)


@pytest.mark.models
async def test_final_texts_say_what_was_said(recogniser: Moonshine) -> None:
    """The corpus' sentences have no meaning to guess from, so the bound is loose; .31 was measured on 28 clips."""
    errors = words = 0
    for name in CLIPS:
        samples, said = speech.grid_clip(name)
        utterance = recogniser.utterance()
        utterance.feed(samples)
        errors += speech.word_errors(said, spelled_out(await utterance.final()))
        words += len(said.split())
    assert errors / words < 0.4


@pytest.mark.models
async def test_partial_texts_grow_with_the_speech(recogniser: Moonshine) -> None:
    samples, _ = speech.grid_clip("lgbm3s")
    utterance = recogniser.utterance()
    lengths = []
    for start in range(0, len(samples), LISTEN_RATE_HZ // 2):
        utterance.feed(samples[start : start + LISTEN_RATE_HZ // 2])
        lengths.append(len((await utterance.partial()).split()))
    assert lengths[0] <= 1
    assert lengths[-1] >= 4
    assert sum(later < earlier for earlier, later in itertools.pairwise(lengths)) <= 1


@pytest.mark.models
@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.3, 3.0])
async def test_silence_has_no_text(recogniser: Moonshine, seconds: float) -> None:
    utterance = recogniser.utterance()
    utterance.feed(silence(seconds))
    assert await utterance.partial() == ""
    assert await utterance.final() == ""


@pytest.mark.models
async def test_a_word_shorter_than_half_a_second_is_recognised(recogniser: Moonshine) -> None:
    heard = []
    for name in [name for name in speech.grid_names() if name.endswith("p")][:6]:
        samples, _ = speech.grid_clip(name)
        word, start, end = speech.grid_words(name)[-1]
        assert word == "please"
        utterance = recogniser.utterance()
        utterance.feed(samples[int((start - 0.03) * LISTEN_RATE_HZ) : int((end + 0.03) * LISTEN_RATE_HZ)])
        heard.append((await utterance.final()).strip(".!?").lower())
    if not heard:
        pytest.skip("recorded speech is absent: ../shared/data/grid_s1")
    assert heard.count("please") >= len(heard) // 2
    assert all(text for text in heard)


@pytest.mark.models
async def test_a_final_text_holds_while_only_silence_follows_and_grows_with_speech(recogniser: Moonshine) -> None:
    first, second = (speech.grid_clip(name)[0] for name in ("lgbm3s", "pbbp2n"))
    utterance = recogniser.utterance()
    utterance.feed(np.concatenate([first, silence(0.2)]))
    text = await utterance.final()
    utterance.feed(silence(1))
    assert await utterance.final() == text
    utterance.feed(second)
    longer = await utterance.final()
    assert len(longer.split()) >= len(text.split()) + 3


@pytest.mark.models
async def test_a_long_turn_is_recognised_in_pieces(recogniser: Moonshine) -> None:
    utterance = recogniser.utterance()
    said = []
    for name in CLIPS:
        samples, words = speech.grid_clip(name)
        said.append(words)
        utterance.feed(np.concatenate([samples, silence(0.6)]))
        await utterance.partial()
    errors = speech.word_errors(" ".join(said), spelled_out(await utterance.final()))
    assert errors / sum(len(words.split()) for words in said) < 0.4


@pytest.mark.models
async def test_a_cancelled_request_leaves_the_utterance_usable(recogniser: Moonshine) -> None:
    samples, _ = speech.grid_clip("lgbm3s")
    undisturbed = recogniser.utterance()
    undisturbed.feed(samples)
    expected = await undisturbed.final()

    utterance = recogniser.utterance()
    utterance.feed(samples)
    for request in (utterance.partial, utterance.final):
        task = asyncio.create_task(request())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await utterance.final() == expected


@pytest.mark.models
async def test_a_final_text_overtakes_a_partial_one(recogniser: Moonshine) -> None:
    samples, _ = speech.grid_clip("lgbm3s")
    utterance = recogniser.utterance()
    utterance.feed(samples)
    partial = asyncio.create_task(utterance.partial())
    await asyncio.sleep(0)
    final = await utterance.final()
    assert await partial == final


@pytest.mark.models
async def test_two_calls_are_recognised_side_by_side(recogniser: Moonshine) -> None:
    alone = []
    for name in CLIPS[:2]:
        utterance = recogniser.utterance()
        utterance.feed(speech.grid_clip(name)[0])
        alone.append(await utterance.final())
    utterances = [recogniser.utterance() for _ in CLIPS[:2]]
    for utterance, name in zip(utterances, CLIPS, strict=False):
        utterance.feed(speech.grid_clip(name)[0])
    assert await asyncio.gather(*(utterance.final() for utterance in utterances)) == alone


@pytest.mark.models
async def test_a_closed_recogniser_says_so() -> None:
    try:
        recogniser = Moonshine()
    except models.ModelMissingError as missing:
        pytest.skip(str(missing))
    utterance = recogniser.utterance()
    utterance.feed(speech.grid_clip("lgbm3s")[0])
    recogniser.close()
    with pytest.raises(EngineError, match="closed"):
        await utterance.final()


class Dictated:
    """A decoder that wants to write `tokens`, whatever it is made to write in between."""

    def __init__(self, tokens: Sequence[int]) -> None:
        self.tokens = [*tokens, *[END] * 100]
        self.written: list[int] = []
        self.steps = 0

    def advance(self, tokens: Sequence[int]) -> Sequence[int]:
        self.steps += 1
        self.written += tokens
        end = len(self.written)
        return self.tokens[end - len(tokens) : end]

    def retract(self, count: int) -> None:
        del self.written[-count:]


def follow(tokens: Sequence[int], draft: Sequence[int] = ()) -> list[int]:
    """What greedy decoding makes of a network that writes `tokens`."""
    return greedy(Dictated(tokens), 100, threading.Event(), draft)


@pytest.mark.parametrize("draft", [[], [5], [5, 6, 7], [5, 6, 7, 8], [5, 9, 9, 9], [9], [5, 6, 7, 8, 9, 10, 11]])
def test_a_draft_changes_nothing_but_the_number_of_steps(draft: list[int]) -> None:
    tokens = [5, 6, 7, 8]
    decoder = Dictated(tokens)
    assert greedy(decoder, 100, threading.Event(), draft) == tokens
    right = next((i for i, (a, b) in enumerate(zip(draft, tokens, strict=False)) if a != b), min(len(draft), 4))
    assert decoder.steps == 1 + len(tokens) - right
    assert decoder.written == [BEGIN, *tokens]


def test_decoding_ends_at_the_end_token() -> None:
    assert follow([5, 6, 7, END, 8]) == [5, 6, 7]


def test_a_phrase_said_twice_is_kept() -> None:
    assert follow([5, 6, 7, 5, 6, 7, 9]) == [5, 6, 7, 5, 6, 7, 9]
    assert follow([5, 5, 5, 9]) == [5, 5, 5, 9]


@pytest.mark.parametrize("phrase", [[5], [5, 6], [5, 6, 7], [3, 4, 5, 6, 7, 8]])
def test_a_phrase_that_loops_is_kept_once(phrase: list[int]) -> None:
    assert follow([9, *phrase * 20]) == [9, *phrase]


def test_there_are_no_more_tokens_than_can_be_said() -> None:
    limit = token_limit(np.zeros(2 * LISTEN_RATE_HZ, np.float32))
    assert limit == 13 + SPARE_TOKENS
    assert len(greedy(Dictated(range(10, 1000)), limit, threading.Event())) == limit
    assert len(greedy(Dictated(range(10, 1000)), limit, threading.Event(), range(10, 100))) == limit


def test_decoding_stops_when_nobody_wants_it_any_more() -> None:
    stop = threading.Event()

    class Interrupted(Dictated):
        def advance(self, tokens: Sequence[int]) -> Sequence[int]:
            stop.set()
            return super().advance(tokens)

    with pytest.raises(StoppedError):
        greedy(Interrupted(range(10, 1000)), 100, stop)
