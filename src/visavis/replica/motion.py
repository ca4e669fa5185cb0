"""From phonemes with times to what the articulators do, one item per 40 ms: common to all faces.

Coarticulation follows the dominance model of Cohen and Massaro, "Modeling coarticulation in synthetic visual speech"
(1993): every gesture pulls each articulatory parameter towards its target with a strength that decays exponentially
with the distance in time, and the mouth takes the weighted mean. Rounding decays more slowly than the rest, so it
anticipates. Contacts (lip on lip, lip on teeth) are different in kind: a viewer sees at once when an "m" does not
close, so they are laid over the mean exactly and can neither be averaged away nor fall between two samples.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.layers.tts import Phoneme, Speech
from visavis.replica import FRAME_S
from visavis.replica.visemes import (
    CLOSED,
    JAW,
    LABIODENTAL,
    LIP_TO_TEETH,
    LIPS_TOGETHER,
    PARAMETERS,
    REST,
    ROUND,
    SPREAD,
    STOPS,
    Viseme,
    gestures,
    is_pause,
)

SAMPLES = round(PLAYOUT_RATE_HZ * FRAME_S)
"""Samples of sound that one item of motion covers."""

LEAD_S = 0.03
"""How far the mouth runs ahead of the sound, because articulators start before they are heard. Within the 45 ms at
which viewers begin to notice that sound and picture disagree (ITU-R BT.1359)."""

DECAY_PER_S = np.array([19.0, 16.0, 11.0, 30.0, 26.0, 24.0])
"""How fast the pull of a gesture decays beyond its own time, for each parameter."""

CLOSING_S = 0.065
"""Time that the lips take to close or to part."""

BURST = 0.3
"""Share of a p or b, at its end, in which the lips have parted again."""

SHORTEST_PAUSE_S = 0.07
"""Pauses shorter than this do not relax the mouth."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Articulation:
    """What the mouth does during 40 ms of speech; every face maps it to its own lips."""

    parameters: Array
    """float64[6], each 0 to 1, in the order of `visemes`: jaw, spread, round, closed, lip to teeth, tongue."""

    loudness: float
    """0 for silence to 1 for the loudest part of this speech."""


@dataclass(frozen=True, slots=True)
class _Gesture:
    viseme: Viseme
    start_s: float
    end_s: float


def plan(speech: Speech) -> Sequence[Articulation]:
    """Articulation of `speech`: one item per 40 ms of sound started, sampled at the middle of each."""
    count = -(-len(speech.pcm) // SAMPLES)
    if count == 0:
        return ()
    middles: Array = (np.arange(count, dtype=np.float64) + 0.5) * FRAME_S
    loud_by_frame = loudness(speech.pcm, count)
    if speech.phonemes:
        parameters = articulate(speech.phonemes, middles + LEAD_S)
    else:
        parameters = from_sound(speech.pcm, count, loud_by_frame)
    return [Articulation(frame, float(loud)) for frame, loud in zip(parameters, loud_by_frame, strict=True)]


def articulate(phonemes: Sequence[Phoneme], times_s: Array) -> Array:
    """Articulatory parameters float64[T, 6] at the given times (see `visemes` for their order)."""
    timed = _gestures(phonemes)
    if not timed:
        return np.zeros((len(times_s), PARAMETERS))
    targets = np.stack([gesture.viseme.target for gesture in timed])
    insists = np.stack([gesture.viseme.insists for gesture in timed])
    starts, ends = (np.array([getattr(gesture, side) for gesture in timed]) for side in ("start_s", "end_s"))
    inset = 0.25 * np.minimum(ends - starts, 0.2)
    away = np.maximum(np.maximum(starts + inset - times_s[:, None], times_s[:, None] - (ends - inset)), 0)
    pull = insists * np.exp(-away[..., None] * DECAY_PER_S)
    pull *= np.clip((ends - starts) / 0.06, 0.35, 1.3)[:, None]
    blended: Array = (pull * targets).sum(1) / np.maximum(pull.sum(1), 1e-12)
    blended[:, CLOSED] = _closure(phonemes, times_s)
    blended[:, LABIODENTAL] = _contact([(p.start_s, p.end_s) for p in phonemes if p.symbol in LIP_TO_TEETH], times_s)
    return np.clip(blended, 0, 1)


def _gestures(phonemes: Sequence[Phoneme]) -> list[_Gesture]:
    """Timed gestures, between rests at both ends."""
    sounding = [phoneme for phoneme in phonemes if gestures(phoneme.symbol)]
    if not sounding:
        return []
    first, last = sounding[0].start_s, sounding[-1].end_s
    timed = [_Gesture(REST, first - 0.3, first - 0.05)]
    for phoneme in phonemes:
        if is_pause(phoneme.symbol):
            if phoneme.end_s - phoneme.start_s >= SHORTEST_PAUSE_S and first < phoneme.start_s < last:
                timed.append(_Gesture(REST, phoneme.start_s, phoneme.end_s))
            continue
        parts = gestures(phoneme.symbol)
        edges = np.linspace(phoneme.start_s, phoneme.end_s, len(parts) + 1)
        timed += [_Gesture(part, *span) for part, span in zip(parts, pairwise(edges), strict=True)]
    timed.append(_Gesture(REST, last + 0.04, last + 0.3))
    return timed


def _closure(phonemes: Sequence[Phoneme], times_s: Array) -> Array:
    """How far the lips are pressed together; exactly 1 in every sample that touches a closure."""
    spans = []
    for phoneme in phonemes:
        if phoneme.symbol in LIPS_TOGETHER:
            burst = BURST * (phoneme.end_s - phoneme.start_s) if phoneme.symbol in STOPS else 0.0
            spans.append((phoneme.start_s, phoneme.end_s - burst))
    return _contact(spans, times_s)


def _contact(spans: Sequence[tuple[float, float]], times_s: Array) -> Array:
    """1 in the sample nearest to each span and in all within it, easing to 0 over `CLOSING_S` on both sides."""
    amount = np.zeros(len(times_s))
    for start, end in spans:
        away = np.maximum(np.maximum(start - times_s, times_s - end), 0)
        ramp = np.clip(1 - away / CLOSING_S, 0, 1)
        amount = np.maximum(amount, ramp * ramp * (3 - 2 * ramp))
        if len(times_s) and away.min() <= FRAME_S / 2 + 1e-9:
            amount[np.argmin(away)] = 1.0
    return amount


def loudness(pcm: Pcm, count: int) -> Array:
    """Level of every 40 ms relative to the loudest, 0 to 1 over a range of 36 dB."""
    padded = np.zeros(count * SAMPLES)
    padded[: len(pcm)] = pcm
    level = np.sqrt((padded.reshape(count, SAMPLES) ** 2).mean(1))
    loudest = max(float(level.max()), 300.0)
    decibel = 20 * np.log10(np.maximum(level, 1e-3) / loudest)
    return np.asarray(np.clip(1 + decibel / 36, 0, 1))


def from_sound(pcm: Pcm, count: int, loudness: Array) -> Array:
    """Parameters from the sound alone: the jaw follows the level of the vowels' band, hiss narrows and spreads."""
    window = 2 * SAMPLES
    first = round(LEAD_S * PLAYOUT_RATE_HZ) - (window - SAMPLES) // 2
    heard = np.pad(pcm.astype(np.float64), (max(-first, 0), 0))[max(first, 0) :][: count * SAMPLES + window]
    padded = np.pad(heard, (0, count * SAMPLES + window - len(heard)))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, window)[::SAMPLES][:count] * np.hanning(window)
    power = np.abs(np.fft.rfft(pieces, axis=1)) ** 2
    hertz = np.fft.rfftfreq(window, 1 / PLAYOUT_RATE_HZ)

    def band(low: float, high: float) -> Array:
        return np.asarray(power[:, (hertz >= low) & (hertz < high)].sum(1))

    total = band(80, 10_000) + 1.0
    first_formant, back, front, hiss = (
        band(*edges) / total for edges in ((450, 1100), (80, 450), (1800, 3200), (4000, 10_000))
    )
    level = np.clip((loudness - 0.35) / 0.65, 0, 1)
    parameters = np.zeros((count, PARAMETERS))
    parameters[:, JAW] = level * (0.18 + 0.75 * np.sqrt(first_formant)) * (1 - 0.7 * hiss)
    parameters[:, SPREAD] = level * np.clip(2.2 * np.sqrt(front) + 0.6 * hiss - 0.2, 0, 0.9)
    parameters[:, ROUND] = level * np.clip(1.4 * back - 2.5 * np.sqrt(front) - 0.5, 0, 0.7)
    smooth = np.array([0.2, 0.6, 0.2])
    for column in (JAW, SPREAD, ROUND):
        parameters[:, column] = np.convolve(np.pad(parameters[:, column], 1, mode="edge"), smooth, "valid")
    return parameters
