"""How somebody speaks, besides their words: loudness, pace, pitch and its range against their own, laughter, sighs.

Plain signal processing on the sound that is there anyway. Loudness is that of the voiced parts (RMS), pitch the
normalised autocorrelation (Boersma 1993), and the pace counts syllable nuclei: voiced peaks of the intensity with a
dip of 2 dB between them (de Jong & Wempe 2009). Laughter is a row of short voiced bursts, 3.5 to 7 a second
(Bachorowski et al. 2001), with breath between them; a sigh is a long breath that fades. 13 ms for each second of sound.
"""

import itertools
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.signal import find_peaks

from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.layers.perception import Behaviour, Noticed
from visavis.layers.turn.prosody import WINDOW, half_rate, pitch_of

_HOP_S = 0.01
_RATE_HZ = LISTEN_RATE_HZ // 2
_HOP = round(_RATE_HZ * _HOP_S)
_AUDIBLE_DB = -25.0
"""Below the loudest parts of the piece; quieter frames are silence."""
_FLOOR_DB = -62.0
"""Full scale; under it there is nothing to measure."""

LEAST_VOICED_S = 0.35
"""Of voice, before anything is said about it."""

USUAL_OF = 12
"""Turns that say what is usual for somebody."""
LEAST_TURNS = 3
"""So many of them, at least."""

LOUDER_DB = 6.0
"""Against the usual turn; the level differs by 2 to 3 dB from one turn to the next (`benchmarks/perception.py`)."""
FASTER = 1.35
HIGHER_OCTAVES = 0.25
MORE_MELODY = 1.8

_HIGHEST_OCTAVES = float(np.log2(400))
"""The search ends just above; what is found there has no pitch."""

_HELD_S = 0.45
"""A vowel of constant pitch that is held for so long is an "um"."""

Track = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Manner:
    """How a piece of speech sounded."""

    voiced_s: float
    loudness_db: float
    """Of the voiced parts, full scale."""
    syllables_per_s: float
    """While speaking: pauses are left out."""
    pitch_octaves: float
    """Median, octaves over 1 Hz; 0 without a voice."""
    pitch_range_octaves: float
    """Between the 10th and the 90th percentile."""
    laughs: bool
    sighs: bool
    hesitates: bool


def manner(sound: Samples) -> Manner:
    """How `sound` (float32[N], 16 kHz, one turn of one voice) was spoken."""
    halved = half_rate(sound)
    if len(halved) < 2 * WINDOW:
        return _NOTHING
    frames = sliding_window_view(halved, WINDOW)[::_HOP]
    levels = 10 * np.log10((frames**2).mean(axis=1) + 1e-10)
    loudest = float(np.quantile(levels, 0.95))
    if loudest < _FLOOR_DB:
        return _NOTHING
    octaves, harmonicity = pitch_of(frames)
    audible = levels > max(loudest + _AUDIBLE_DB, _FLOOR_DB)
    octaves[~audible | (octaves > _HIGHEST_OCTAVES)] = np.nan
    voiced = ~np.isnan(octaves)
    voiced_s = float(voiced.sum()) * _HOP_S
    nuclei = _nuclei(levels, voiced)
    known = octaves[voiced]
    steady = known[np.abs(known - np.median(known)) < 0.8] if len(known) else known
    low, middle, high = np.quantile(steady, (0.1, 0.5, 0.9)) if len(steady) > 10 else (0.0, 0.0, 0.0)
    return Manner(
        voiced_s=voiced_s,
        loudness_db=float(np.mean(levels[voiced])) if voiced.any() else loudest,
        syllables_per_s=len(nuclei) / max(_speaking_s(voiced), 0.3),
        pitch_octaves=float(middle),
        pitch_range_octaves=float(high - low),
        laughs=_laughs(levels, voiced, nuclei),
        sighs=_sighs(levels, audible, harmonicity, halved),
        hesitates=_hesitates(octaves, levels, halved),
    )


_NOTHING = Manner(0, -100, 0, 0, 0, laughs=False, sighs=False, hesitates=False)


def _nuclei(levels: Track, voiced: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Frames in the middle of syllables."""
    smooth = _smooth(levels, 5)
    peaks, _ = find_peaks(smooth, prominence=2.0, distance=8)
    return np.asarray([peak for peak in peaks if voiced[max(0, peak - 2) : peak + 3].any()], np.intp)


def _speaking_s(voiced: NDArray[np.bool_]) -> float:
    """Length from the first voice to the last without the pauses, which are 0.3 s or more without one."""
    where = np.flatnonzero(voiced)
    if not len(where):
        return 0.0
    gaps = np.diff(where)
    pauses = gaps[gaps > 30].sum()
    return float(where[-1] - where[0] + 1 - pauses) * _HOP_S


def _laughs(levels: Track, voiced: NDArray[np.bool_], nuclei: NDArray[np.intp]) -> bool:
    """A row of bursts in an even rhythm, each voiced for a short time, with unvoiced breath between them."""
    apart_s: list[float] = []
    for before, after in itertools.pairwise(nuclei):
        between = slice(int(before), int(after))
        breath = float(np.mean(~voiced[between]))
        dip = min(levels[before], levels[after]) - float(levels[between].min())
        apart = float(after - before) * _HOP_S
        if _BURSTS_S[0] <= apart <= _BURSTS_S[1] and breath >= 0.3 and dip >= 5.0:
            apart_s.append(apart)
        else:
            apart_s.clear()
        last = apart_s[-_BURSTS + 1 :]
        if len(last) == _BURSTS - 1 and float(np.std(last) / np.mean(last)) <= _UNEVEN:
            return True
    return False


_BURSTS = 5
_BURSTS_S = (0.13, 0.30)
_UNEVEN = 0.15
"""Standard deviation of the bursts' distances over their mean; syllables of speech vary more."""


def _sighs(levels: Track, audible: NDArray[np.bool_], harmonicity: Track, halved: NDArray[np.float64]) -> bool:
    """A breath of 0.5 s or more without a pitch that rises quickly, fades for most of its length, and hisses little."""
    toneless = _smooth(harmonicity, 9) < 0.42
    for start, stop in _runs(audible & toneless):
        if (stop - start) * _HOP_S < _SIGH_S:
            continue
        piece = levels[start:stop]
        peak = int(np.argmax(_smooth(piece, 7)))
        fading = piece[peak:]
        if peak > 0.45 * len(piece) or len(fading) < 20:
            continue
        falls_db = float(fading[:5].mean() - fading[-5:].mean())
        if falls_db >= 5.0 and _share_below(halved[start * _HOP : stop * _HOP + WINDOW], _BREATH_HZ) >= 0.5:
            return True
    return False


_SIGH_S = 0.5
_BREATH_HZ, _VOWEL_HZ = 2000, 1500


def _hesitates(octaves: Track, levels: Track, halved: NDArray[np.float64]) -> bool:
    """A low vowel held without melody and without syllables: "um", "uh"."""
    for start, stop in _runs(~np.isnan(octaves)):
        width = round(_HELD_S / _HOP_S)
        for at in range(start, stop - width + 1, 5):
            piece, level = octaves[at : at + width], levels[at : at + width]
            if float(np.ptp(piece)) < 0.12 and float(np.ptp(level)) < 7.0:
                held = halved[at * _HOP : (at + width) * _HOP]
                if _share_below(held, _VOWEL_HZ) >= 0.7:
                    return True
    return False


def _share_below(halved: NDArray[np.float64], hertz: float) -> float:
    """Of the energy of 8 kHz sound."""
    spectrum = np.abs(np.fft.rfft(halved)) ** 2
    return float(spectrum[: round(len(spectrum) * hertz / (_RATE_HZ / 2))].sum() / max(spectrum.sum(), 1e-12))


def _smooth(values: Track, width: int) -> Track:
    """A moving mean over an odd number of frames; the ends go on as they are."""
    return np.convolve(np.pad(values, width // 2, mode="edge"), np.ones(width) / width, mode="valid")


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def joined(pieces: Sequence[Manner]) -> Manner:
    """The manner of a turn from those of its pieces, each counted by how much voice it has."""
    weights = np.array([max(piece.voiced_s, 0.01) for piece in pieces])
    toned = np.array([piece.pitch_octaves > 0 for piece in pieces])

    def mean(values: Sequence[float], which: NDArray[np.bool_]) -> float:
        return float(np.average(np.array(values)[which], weights=weights[which])) if which.any() else 0.0

    spoken = weights >= min(LEAST_VOICED_S, float(weights.max()))
    return Manner(
        voiced_s=float(sum(piece.voiced_s for piece in pieces)),
        loudness_db=mean([piece.loudness_db for piece in pieces], spoken),
        syllables_per_s=mean([piece.syllables_per_s for piece in pieces], spoken),
        pitch_octaves=mean([piece.pitch_octaves for piece in pieces], toned & spoken),
        pitch_range_octaves=mean([piece.pitch_range_octaves for piece in pieces], toned & spoken),
        laughs=any(piece.laughs for piece in pieces),
        sighs=any(piece.sighs for piece in pieces),
        hesitates=any(piece.hesitates for piece in pieces),
    )


class UsualVoice:
    """What is usual for one person. Owner of the manners of their last turns."""

    def __init__(self) -> None:
        self._turns: deque[Manner] = deque(maxlen=USUAL_OF)

    def learn(self, turn: Manner) -> None:
        """A turn is over; it counts towards what is usual."""
        if turn.voiced_s >= LEAST_VOICED_S:
            self._turns.append(turn)

    def unlike(self, heard: Manner, at: float) -> list[Noticed]:
        """What is worth telling of a turn so far: what was heard in it, and what is unlike the person."""
        found = [
            behaviour
            for behaviour, did in (
                (Behaviour.LAUGHED, heard.laughs),
                (Behaviour.SIGHED, heard.sighs),
                (Behaviour.HESITATED, heard.hesitates),
            )
            if did
        ]
        if heard.voiced_s >= LEAST_VOICED_S and len(self._turns) >= LEAST_TURNS:
            found += self._compared(heard)
        return [Noticed(behaviour, at) for behaviour in found]

    def _compared(self, heard: Manner) -> list[Behaviour]:
        usual = {name: float(np.median([getattr(turn, name) for turn in self._turns])) for name in _MEASURED}
        found = _beyond(heard.loudness_db - usual["loudness_db"], LOUDER_DB, Behaviour.LOUD, Behaviour.QUIET)
        if heard.pitch_octaves and usual["pitch_octaves"]:
            higher = heard.pitch_octaves - usual["pitch_octaves"]
            found += _beyond(higher, HIGHER_OCTAVES, Behaviour.HIGH, Behaviour.LOW)
        if heard.voiced_s >= 2 * LEAST_VOICED_S:
            faster = _octaves(heard.syllables_per_s, usual["syllables_per_s"])
            livelier = _octaves(heard.pitch_range_octaves, usual["pitch_range_octaves"])
            found += _beyond(faster, math.log2(FASTER), Behaviour.FAST, Behaviour.SLOW)
            found += _beyond(livelier, math.log2(MORE_MELODY), Behaviour.LIVELY, Behaviour.FLAT)
        return found


_MEASURED = ("loudness_db", "syllables_per_s", "pitch_octaves", "pitch_range_octaves")


def _octaves(value: float, usual: float) -> float:
    """How many times twice the usual."""
    return math.log2(max(value, 0.05) / max(usual, 0.05))


def _beyond(value: float, limit: float, above: Behaviour, below: Behaviour) -> list[Behaviour]:
    return [above] if value >= limit else [below] if value <= -limit else []
