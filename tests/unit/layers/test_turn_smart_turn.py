import asyncio
from collections.abc import Iterator

import numpy as np
import pytest

from tests import speech
from visavis import models
from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.errors import BadInputError, EngineError
from visavis.layers.turn.log_mel import BANDS, HOP, log_mel
from visavis.layers.turn.smart_turn import HEARD, SmartTurn


@pytest.fixture(scope="module")
def judge() -> Iterator[SmartTurn]:
    try:
        loaded = SmartTurn()
    except models.ModelMissingError as missing:
        pytest.skip(str(missing))
    yield loaded
    loaded.close()


def upto(name: str, word: int) -> Samples:
    """A clip from its first word to the end of word number `word`, and 200 ms of silence."""
    samples, _ = speech.grid_clip(name)
    words = speech.grid_words(name)
    start, end = max(0.0, words[0][1] - 0.1), words[word][2]
    silence = np.random.default_rng(1).normal(0, 3e-4, LISTEN_RATE_HZ // 5).astype(np.float32)
    return np.concatenate([samples[int(start * LISTEN_RATE_HZ) : int(end * LISTEN_RATE_HZ)], silence])


@pytest.mark.models
async def test_complete_sentences_sound_more_complete_than_cut_ones(judge: SmartTurn) -> None:
    names = speech.grid_names()[::9]
    if not names:
        pytest.skip("recorded speech is absent: ../shared/data/grid_s1")
    complete = np.array([await judge.probability(upto(name, -1)) for name in names])
    cut = np.array([await judge.probability(upto(name, 3)) for name in names])
    assert np.mean(complete > 0.5) > 0.8
    rightly_ordered = np.mean(complete[:, None] > cut[None])
    assert rightly_ordered > 0.75


@pytest.mark.models
async def test_only_the_last_eight_seconds_count(judge: SmartTurn) -> None:
    last = np.concatenate([upto(name, -1) for name in speech.grid_names()[:8]] or [np.zeros(1, np.float32)])[-HEARD:]
    if len(last) < HEARD:
        pytest.skip("recorded speech is absent: ../shared/data/grid_s1")
    earlier = np.ones(LISTEN_RATE_HZ, np.float32)
    assert await judge.probability(np.concatenate([earlier, last])) == await judge.probability(last)


@pytest.mark.models
async def test_silence_and_a_single_sample_have_a_probability(judge: SmartTurn) -> None:
    for samples in (np.zeros(1, np.float32), np.zeros(LISTEN_RATE_HZ, np.float32)):
        assert 0 <= await judge.probability(samples) <= 1


@pytest.mark.models
async def test_calls_at_once_get_the_same_answers_as_one_by_one(judge: SmartTurn) -> None:
    sounds = [upto(name, 2) for name in speech.grid_names()[:3]]
    alone = [await judge.probability(sound) for sound in sounds]
    assert await asyncio.gather(*(judge.probability(sound) for sound in sounds)) == alone


@pytest.mark.models
async def test_bad_input_and_a_closed_judge_are_said_in_words(judge: SmartTurn) -> None:
    with pytest.raises(BadInputError, match="speech"):
        await judge.probability(np.zeros(0, np.float32))
    closed = SmartTurn()
    closed.close()
    with pytest.raises(EngineError, match="end of turn"):
        await closed.probability(np.zeros(16_000, np.float32))


def test_a_tone_lights_up_the_band_of_its_pitch() -> None:
    """Slaney's mel scale: 1 kHz is mel 15 of 45.2, so the 27th of 80 bands; 4 kHz is mel 35.2, so the 63rd."""
    seconds = np.arange(HEARD) / LISTEN_RATE_HZ
    for hertz, band in ((1000, 27), (4000, 62)):
        features = log_mel(np.sin(2 * np.pi * hertz * seconds).astype(np.float32))
        assert features.shape == (BANDS, HEARD // HOP)
        assert abs(int(features.mean(axis=1).argmax()) - band) <= 1


def test_features_do_not_depend_on_how_loud_the_speech_is() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, HEARD).astype(np.float32)
    np.testing.assert_allclose(log_mel(noise), log_mel(noise / 10), atol=1e-3)


def test_features_span_eight_decades_at_most() -> None:
    sound = np.zeros(HEARD, np.float32)
    sound[-LISTEN_RATE_HZ:] = np.random.default_rng(1).normal(0, 0.1, LISTEN_RATE_HZ)
    features = log_mel(sound)
    assert features.max() - features.min() == pytest.approx(2.0, abs=1e-5)
