"""Spoken sentences, made to sound like many voices and rooms, as pairs of evidence and articulation."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.layers.tts import Phoneme, Speech
from visavis.layers.tts.hibari import Hibari
from visavis.replica import FRAME_S
from visavis.replica.motion import LEAD_S, SAMPLES, articulate
from visavis.replica.sound_mouth import AHEAD, HOP, SoundEvidence

Floats = NDArray[np.float32]

PAUSE_S = 0.4
"""Silence before and after every sentence."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, its sound at 48 kHz and when its phonemes sound."""

    text: str
    sound: Floats
    phonemes: tuple[Phoneme, ...]


def spoken(texts: Iterator[str]) -> Iterator[Sentence]:
    """Every text in the built-in voice."""
    voice = Hibari()

    async def say(text: str) -> list[Speech]:
        return [speech async for speech in voice.stream(text)]

    for text in texts:
        pause = np.zeros(round(PAUSE_S * PLAYOUT_RATE_HZ), np.float32)
        parts: list[Floats] = [pause]
        phonemes: list[Phoneme] = []
        for speech in asyncio.run(say(text)):
            start_s = sum(map(len, parts)) / PLAYOUT_RATE_HZ
            phonemes += [replace(p, start_s=p.start_s + start_s, end_s=p.end_s + start_s) for p in speech.phonemes]
            parts.append(speech.pcm.astype(np.float32))
        if phonemes:
            yield Sentence(text, np.concatenate([*parts, pause]), tuple(phonemes))


def as_somebody(sentence: Sentence, rng: np.random.Generator) -> Sentence:
    """The sentence from another throat, room and line: its pitch and formants moved, coloured, band-limited, noisy."""
    # Played slower or faster, a voice has a larger or smaller head.
    speed = float(np.exp(rng.uniform(np.log(0.74), np.log(1.22))))
    positions = np.arange(0, len(sentence.sound) - 1, speed)
    sound = np.interp(positions, np.arange(len(sentence.sound)), sentence.sound).astype(np.float32)
    size = next_fast_len(len(sound) + PLAYOUT_RATE_HZ // 2, real=True)
    hertz = np.fft.rfftfreq(size, 1 / PLAYOUT_RATE_HZ)
    octaves = np.log2(np.maximum(hertz, 50) / 1000)
    spectrum = rfft(sound, size) * _coloured(octaves, rng) * _in_a_room(size, rng)
    if rng.random() < 0.4:
        spectrum[hertz > rng.choice([3_400, 3_900, 5_400, 7_400])] = 0
    if rng.random() < 0.3:
        spectrum[hertz < rng.uniform(100, 300)] = 0
    sound = irfft(spectrum, size)[: len(sound)]
    sound *= 1 / max(float(np.abs(sound).max()), 1.0)
    if rng.random() < 0.5:
        noise = irfft(rfft(rng.normal(0, 1, size)) * 10 ** (rng.uniform(-6, 0) * octaves / 20), size)[: len(sound)]
        sound += noise * 10 ** (rng.uniform(-60, -30) / 20) / noise.std()
    sound *= 10 ** (rng.uniform(-24, -4) / 20) * 32767
    moved = tuple(replace(p, start_s=p.start_s / speed, end_s=p.end_s / speed) for p in sentence.phonemes)
    return Sentence(sentence.text, sound.astype(np.float32), moved)


def _coloured(octaves: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Amplification of each frequency, given in octaves from 1 kHz, by a microphone and a throat."""
    knots = np.linspace(-4.4, 4.6, 8)
    in_db = rng.uniform(-4, 4) * octaves + np.interp(octaves, knots, rng.normal(0, 3, len(knots)))
    return np.asarray(10 ** (in_db / 20))


def _in_a_room(size: int, rng: np.random.Generator) -> NDArray[np.complex128] | float:
    """What a room does to a spectrum; most are dry."""
    if rng.random() > 0.4:
        return 1.0
    length = round(rng.uniform(0.05, 0.4) * PLAYOUT_RATE_HZ)
    room = rng.normal(0, 1, length) * 10 ** (-3 * np.arange(length) / length)
    room *= 10 ** (rng.uniform(-18, -6) / 20) / np.sqrt((room**2).sum())
    room[0] = 1
    return np.asarray(rfft(room, size))


def pairs(sentence: Sentence, rng: np.random.Generator | None = None) -> tuple[Floats, Floats]:
    """Evidence float32[T, PAST + AHEAD, BANDS] and articulation float32[T, 6] of every 40 ms.

    With `rng`, frames begin anywhere, and sometimes what follows is not known yet.
    """
    offset = int(rng.integers(0, SAMPLES)) if rng else 0
    pcm: Pcm = np.clip(sentence.sound[offset:], -32768, 32767).astype(np.int16)
    count = len(pcm) // SAMPLES - AHEAD * HOP // SAMPLES
    evidence = SoundEvidence()
    seen = []
    for frame in range(count):
        known = AHEAD * HOP
        if rng and rng.random() < 0.15:
            known = int(rng.integers(SAMPLES, known))
        seen.append(evidence.next(pcm[frame * SAMPLES : frame * SAMPLES + known]))
    middles = (np.arange(count) + 0.5) * FRAME_S + offset / PLAYOUT_RATE_HZ
    return np.stack(seen), articulate(sentence.phonemes, middles + LEAD_S).astype(np.float32)
