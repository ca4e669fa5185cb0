"""The mouth that follows sound, against the mouth of the same sentence that knows its phonemes."""

import asyncio
from functools import cache

import numpy as np
import pytest

from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.layers.tts import Speech
from visavis.layers.tts.hibari import Hibari
from visavis.replica.key_frames.weights import key_weights
from visavis.replica.motion import SAMPLES, Articulation, plan
from visavis.replica.sound_mouth import AHEAD, HOP, SoundMouth

_OPEN = {"aa": 1.0, "O": 0.8, "E": 0.55, "L": 0.5, "U": 0.35, "FF": 0.15}
"""About how far apart the lips are in each key."""

SENTENCES = (
    "Hi, I'm Mira. What would you like to talk about?",
    "Please bring me a bowl of pepper soup before the baby wakes up.",
    "Oh no, you should not open that window!",
)


@cache
def spoken(text: str) -> Speech:
    async def say() -> list[Speech]:
        return [speech async for speech in Hibari().stream(text)]

    return asyncio.run(say())[0]


def opening(motions: list[Articulation]) -> np.ndarray:
    weights = [key_weights(motion.parameters) for motion in motions]
    return np.array([sum(_OPEN.get(key, 0.0) * weight for key, weight in mixture.items()) for mixture in weights])


def followed(pcm: Pcm, ahead: int = AHEAD * HOP) -> list[Articulation]:
    mouth = SoundMouth()
    return [mouth.next(pcm[start : start + ahead]) for start in range(0, len(pcm) - SAMPLES + 1, SAMPLES)]


@pytest.mark.parametrize("text", SENTENCES)
def test_lips_open_and_close_as_those_that_know_the_phonemes(text: str) -> None:
    speech = spoken(text)
    by_phonemes = opening(list(plan(speech)))
    by_sound = opening(followed(speech.pcm))
    by_phonemes = by_phonemes[: len(by_sound)]
    assert np.corrcoef(by_sound, by_phonemes)[0, 1] > 0.75
    assert abs(by_sound.mean() - by_phonemes.mean()) < 0.1


def test_lips_close_for_m_b_and_p() -> None:
    speech = spoken("Please bring me a bowl of pepper soup before the baby wakes up.")
    lips = opening(followed(speech.pcm))
    closures = [p for p in speech.phonemes if p.symbol in "mbp" and p.end_s - p.start_s > 0.05]
    closest = [lips[max(round(p.start_s / 0.04) - 1, 0) : round(p.end_s / 0.04) + 1].min() for p in closures]
    assert len(closures) >= 6
    assert np.median(closest) < 0.5 * lips.mean()


def test_loudness_of_the_recording_does_not_matter() -> None:
    likeness = []
    for text in SENTENCES:  # several: one doubtful contact changes the likeness of a sentence by some hundredths
        pcm = spoken(text).pcm
        loud, soft = opening(followed(pcm)), opening(followed((pcm // 10).astype(np.int16)))
        likeness.append(np.corrcoef(loud[10:], soft[10:])[0, 1])
    assert np.mean(likeness) > 0.95


def test_sound_that_comes_late_is_followed_too() -> None:
    pcm = spoken(SENTENCES[0]).pcm
    known, late = opening(followed(pcm)), opening(followed(pcm, SAMPLES))
    assert np.corrcoef(known, late)[0, 1] > 0.7


@pytest.mark.parametrize("level", [0, 3, 30])
def test_mouth_rests_in_silence_and_in_faint_noise(level: int) -> None:
    noise = np.random.default_rng(1).normal(0, level, 2 * PLAYOUT_RATE_HZ).astype(np.int16)
    motions = followed(noise)
    assert opening(motions)[10:].max() < 0.15
    assert all(((motion.parameters >= 0) & (motion.parameters <= 1)).all() for motion in motions)
