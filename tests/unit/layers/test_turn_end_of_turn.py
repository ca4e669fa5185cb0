import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.conversation.simulation import simulate
from tests.sentences import SENTENCES, sentence
from visavis import models
from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.errors import BadInputError, EngineError
from visavis.layers.turn import Ending, Pause, UnreadPause
from visavis.layers.turn.end_of_turn import (
    HEARD_SILENCE_S,
    SIGNS,
    WEIGHTS,
    CombinedEndOfTurn,
    Weights,
    log_odds,
    logistic,
    signs,
    with_enough_silence,
)
from visavis.layers.turn.smart_turn import SmartTurn


@pytest.fixture(scope="module")
def judge() -> Iterator[CombinedEndOfTurn]:
    try:
        loaded = CombinedEndOfTurn(SmartTurn())
    except models.ModelMissingError as missing:
        pytest.skip(str(missing))
    yield loaded
    loaded.close()


async def judged(judge: CombinedEndOfTurn, text: str, asked: str = "", name: str = "vm-nobodyavail") -> float:
    """Probability for the same spoken sentence, whatever the words are said to be."""
    sound = np.concatenate([sentence(name, LISTEN_RATE_HZ), np.zeros(LISTEN_RATE_HZ // 10, np.float32)])
    return [p async for p in judge.probabilities(UnreadPause(sound, 0.1, recognised(text), asked))][-1]


async def recognised(text: str) -> str:
    """Words that come a little later."""
    await asyncio.sleep(0.01)
    return text


@pytest.mark.models
@pytest.mark.parametrize(
    ("whole", "broken"),
    [
        ("Nobody is available at the moment.", "Nobody is available at the"),
        ("I would like some tea.", "I would like, um,"),
        ("My number is 555 123 4567.", "My number is 555."),
        ("She said that she would come.", "She said that."),
        ("If it rains, we stay at home.", "If it rains."),
        ("It costs two dollars.", "It costs about"),
    ],
)
async def test_words_that_break_off_make_an_end_less_likely(judge: CombinedEndOfTurn, whole: str, broken: str) -> None:
    assert await judged(judge, broken) < await judged(judge, whole)


@pytest.mark.models
async def test_a_short_answer_is_more_complete_after_a_question(judge: CombinedEndOfTurn) -> None:
    alone = await judged(judge, "The red one.")
    answer = await judged(judge, "The red one.", "Which one would you like?")
    assert answer > alone


@pytest.mark.models
async def test_most_spoken_sentences_with_their_words_are_complete(judge: CombinedEndOfTurn) -> None:
    found = [await judged(judge, text, name=name) for name, text in list(SENTENCES.items())[::2]]
    assert np.mean(np.array(found) > 0.5) >= 0.8


@pytest.mark.models
@pytest.mark.parametrize("size", [1, 100, LISTEN_RATE_HZ])
async def test_silence_without_words_has_a_probability(judge: CombinedEndOfTurn, size: int) -> None:
    silence = np.zeros(size, np.float32)
    assert all([0 <= p <= 1 async for p in judge.probabilities(UnreadPause(silence, 0.1, recognised("")))])


class FixedSmartTurn:
    """The network's opinion, known at once."""

    def __init__(self, opinion: float) -> None:
        self.opinion = opinion

    async def probability(self, speech: Samples) -> float:
        return self.opinion


def judged_at(text: str, opinion: float, ending: Ending | None, takes_s: float) -> list[tuple[float, float]]:
    """The judgements of a turn and when they came, in seconds after its words, on simulated time."""

    async def tell(words: str) -> Ending | None:
        await asyncio.sleep(takes_s)
        return ending

    async def work() -> list[tuple[float, float]]:
        judge = CombinedEndOfTurn(FixedSmartTurn(opinion))  # type: ignore[arg-type]
        sound = np.zeros(LISTEN_RATE_HZ, np.float32)
        pause = UnreadPause(sound, 0.1, recognised(text), ending=tell)
        now = asyncio.get_running_loop().time
        begun = now() + 0.01
        return [(now() - begun, p) async for p in judge.probabilities(pause)]

    found: list[tuple[float, float]] = simulate(work)
    return found


def test_a_verdict_on_the_words_that_comes_soon_is_waited_for() -> None:
    [(at_s, likely)] = judged_at("I would like tea.", 0.5, Ending(-0.1, -0.1), 0.04)
    [(_, unlikely)] = judged_at("I would like tea.", 0.5, Ending(-14, -14), 0.04)
    assert at_s == pytest.approx(0.04)
    assert unlikely < likely


def test_a_verdict_on_the_words_that_comes_late_corrects_an_earlier_one() -> None:
    (early_s, before), (late_s, after) = judged_at("I would like tea.", 0.5, Ending(-14, -14), 0.3)
    assert early_s < 0.2
    assert late_s == pytest.approx(0.3)
    assert after < before


def test_a_words_judge_that_cannot_tell_changes_nothing() -> None:
    [(_, soon)] = judged_at("I would like tea.", 0.5, None, 0.03)
    [(_, late)] = judged_at("I would like tea.", 0.5, None, 0.5)
    assert soon == late


@pytest.mark.models
async def test_a_closed_judge_says_so_when_it_is_needed() -> None:
    weights = Weights.load()
    always = replace(weights, unsure=(-1.0, 2.0))
    closed = CombinedEndOfTurn(SmartTurn(), always)
    closed.close()
    with pytest.raises(EngineError, match="end of turn"):
        await judged(closed, "Yes.")


def test_smart_turn_is_given_the_silence_it_was_made_for() -> None:
    sound: Samples = np.ones(LISTEN_RATE_HZ, np.float32)
    padded = with_enough_silence(sound, 0.06)
    assert len(padded) == LISTEN_RATE_HZ + round((HEARD_SILENCE_S - 0.06) * LISTEN_RATE_HZ)
    assert len(with_enough_silence(sound, 0.5)) == len(sound)


def test_signs_have_names_and_are_finite() -> None:
    for text in ("", "Yes.", "I would like to, um,", "42"):
        found = signs(Pause(np.zeros(LISTEN_RATE_HZ, np.float32), 0.1, text))
        assert found.shape == (len(SIGNS),)
        assert np.isfinite(found).all()


def test_odds_and_probabilities_are_inverse() -> None:
    for probability in (0.02, 0.5, 0.9):
        assert logistic(log_odds(probability)) == pytest.approx(probability)
    assert logistic(log_odds(0.0)) == pytest.approx(0.01)


def test_weights_of_another_version_are_refused(tmp_path: Path) -> None:
    data = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    data["first"]["signs"].pop("filler")
    path = tmp_path / "end_of_turn.json"
    path.write_text(json.dumps(data))
    with pytest.raises(BadInputError, match=r"first\.signs"):
        Weights.load(path)
