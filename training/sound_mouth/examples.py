"""Spoken sentences, made to sound like many voices and rooms; what is to be learnt of each."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import resample_poly

from visavis import models
from visavis.audio import LISTEN_RATE_HZ, PLAYOUT_RATE_HZ
from visavis.layers.stt.moonshine_networks import session
from visavis.layers.tts import Phoneme, Speech
from visavis.layers.tts.hibari import Hibari
from visavis.replica import FRAME_S
from visavis.replica.motion import LEAD_S, articulate
from visavis.replica.sound_mouth import HOP, STEPS, USUAL_DB, WINDOW, log_mel, relative

Floats = NDArray[np.float32]

PAUSE_S = 0.4
"""Silence before and after every sentence."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, its sound at 48 kHz and when its phonemes sound, if that is known."""

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


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A sentence as it was heard once."""

    spectra: Floats
    """float16[4T, BANDS], `relative` to the voice's level."""
    phonetic: Floats
    """float16[T, E]: what the recogniser's encoder makes of each frame, of the sentence as it was said."""
    articulation: Floats | None
    """float16[T, 6], if the phonemes are known."""


class Recogniser:
    """The encoder of Moonshine base-en, whose numbers say what is spoken rather than who speaks."""

    def __init__(self) -> None:
        self._encoder = session(models.path("moonshine-base-en") / "onnx" / "encoder.onnx")

    def __call__(self, sound: Floats) -> Floats:
        """float32[N, E] for sound at 48 kHz, every `TOLD_EVERY_S` from `TOLD_FROM_S` on."""
        samples = resample_poly(sound / 32768, LISTEN_RATE_HZ, PLAYOUT_RATE_HZ).astype(np.float32)
        return np.asarray(self._encoder.run(None, {"input_values": samples[None]})[0][0], np.float32)


TOLD_EVERY_S, TOLD_FROM_S = 384 / LISTEN_RATE_HZ, 512 / LISTEN_RATE_HZ
"""Of the encoder's three convolutions: their strides, and the middle of what they see first."""


def heard(sentence: Sentence, recogniser: Recogniser, rng: np.random.Generator, ways: int) -> Iterator[Example]:
    """The sentence as it is, and from `ways - 1` other throats and rooms."""
    told = recogniser(sentence.sound)
    for way in range(ways):
        version = as_somebody(sentence, rng) if way else sentence
        slower = len(version.sound) / len(sentence.sound)
        # Frames begin anywhere.
        offset = int(rng.integers(0, STEPS * HOP)) if way else 0
        pcm = np.clip(version.sound[offset:], -32768, 32767).astype(np.int16)
        spectra = log_mel(np.concatenate([np.zeros(WINDOW - HOP, np.int16), pcm]))
        count = len(spectra) // STEPS
        middles = (np.arange(count) + 0.5) * FRAME_S + offset / PLAYOUT_RATE_HZ
        yield Example(
            relative(spectra[: count * STEPS], USUAL_DB)[0].astype(np.float16),
            _at(told, middles / slower).astype(np.float16),
            articulate(version.phonemes, middles + LEAD_S).astype(np.float16) if version.phonemes else None,
        )


def _at(told: Floats, times_s: NDArray[np.float64]) -> Floats:
    places = np.clip((times_s - TOLD_FROM_S) / TOLD_EVERY_S, 0, len(told) - 1.001)
    below = places.astype(int)
    share = (places - below)[:, None]
    return np.asarray(told[below] * (1 - share) + told[below + 1] * share, np.float32)
