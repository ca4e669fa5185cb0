import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.sentences import SENTENCES, sentence
from visavis import models
from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.errors import BadInputError, EngineError
from visavis.layers.turn import Pause
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


def heard(text: str, asked: str = "", name: str = "vm-nobodyavail") -> Pause:
    """The same spoken sentence, whatever the words are said to be."""
    sound = np.concatenate([sentence(name, LISTEN_RATE_HZ), np.zeros(LISTEN_RATE_HZ // 10, np.float32)])
    return Pause(sound, 0.1, text, asked)


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
    assert await judge.probability(heard(broken)) < await judge.probability(heard(whole))


@pytest.mark.models
async def test_a_short_answer_is_more_complete_after_a_question(judge: CombinedEndOfTurn) -> None:
    alone = await judge.probability(heard("The red one."))
    answer = await judge.probability(heard("The red one.", "Which one would you like?"))
    assert answer > alone


@pytest.mark.models
async def test_most_spoken_sentences_with_their_words_are_complete(judge: CombinedEndOfTurn) -> None:
    judged = [await judge.probability(heard(text, name=name)) for name, text in list(SENTENCES.items())[::2]]
    assert np.mean(np.array(judged) > 0.5) >= 0.8


@pytest.mark.models
@pytest.mark.parametrize("size", [1, 100, LISTEN_RATE_HZ])
async def test_silence_without_words_has_a_probability(judge: CombinedEndOfTurn, size: int) -> None:
    assert 0 <= await judge.probability(Pause(np.zeros(size, np.float32), 0.1, "")) <= 1


@pytest.mark.models
async def test_a_closed_judge_says_so_when_it_is_needed() -> None:
    weights = Weights.load()
    always = Weights(
        weights.first, weights.first_bias, weights.second, weights.second_smart_turn, weights.second_bias, (-1.0, 2.0)
    )
    closed = CombinedEndOfTurn(SmartTurn(), always)
    closed.close()
    with pytest.raises(EngineError, match="end of turn"):
        await closed.probability(heard("Yes."))


def test_smart_turn_is_given_the_silence_it_was_made_for() -> None:
    sound: Samples = np.ones(LISTEN_RATE_HZ, np.float32)
    padded = with_enough_silence(Pause(sound, 0.06, ""))
    assert len(padded) == LISTEN_RATE_HZ + round((HEARD_SILENCE_S - 0.06) * LISTEN_RATE_HZ)
    assert len(with_enough_silence(Pause(sound, 0.5, ""))) == len(sound)


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
