"""End of turn by melody: how pitch and loudness end and the last syllable is held, by the habits of the same turn.

At the end of a turn English speakers let pitch and loudness fall to the bottom of their range; before a continuation
they keep both up, or rise, and hold the last syllable (Gravano & Hirschberg 2011, "Turn-taking cues in task-oriented
dialogue"). The pitch is found by normalised autocorrelation (Boersma 1993). A few milliseconds of work.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from visavis.audio import LISTEN_RATE_HZ, Samples

HEARD_S = 5.0
"""How much of the turn is looked at: enough to know the speaker's range."""
_RATE_HZ = LISTEN_RATE_HZ // 2
_HOP = _RATE_HZ // 50
WINDOW = _RATE_HZ * 5 // 100
_FFT = 1024
_SHORTEST_LAG, _LONGEST_LAG = _RATE_HZ // 420, _RATE_HZ // 65
_VOICED = 0.5
"""Normalised autocorrelation from which a frame has a pitch."""
_AUDIBLE_DB = -22.0
"""Below the loudest parts of the turn: quieter frames are silence."""
_HOPS_PER_S = _RATE_HZ / _HOP
_FINAL = 10
"""Frames (0.2 s) that count as the end."""

Track = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Prosody:
    """How speech ends. Zero wherever nothing can be said."""

    pitch_end: float = 0.0
    """Octaves from the speaker's median pitch to that of the last voiced 0.1 s."""
    pitch_slope: float = 0.0
    """Octaves a second over the last voiced 0.3 s."""
    level_end: float = 0.0
    """Bels from the turn's usual level to that of the last 0.2 s."""
    voiced_end: float = 0.0
    """Share of the last 0.2 s that has a pitch."""
    final_s: float = 0.0
    """Length of the last stretch with a pitch: syllables are held before a hesitation."""


def prosody(speech: Samples) -> Prosody:
    """How `speech` (float32[N], 16 kHz, any silence around it) ends."""
    halved = half_rate(speech[-round(HEARD_S * LISTEN_RATE_HZ) :])
    if len(halved) < 2 * WINDOW:
        return Prosody()
    frames = sliding_window_view(halved, WINDOW)[::_HOP]
    levels = 10 * np.log10((frames**2).mean(axis=1) + 1e-10)
    usual = float(np.quantile(levels, 0.9))
    audible = np.flatnonzero(levels > usual + _AUDIBLE_DB)
    if usual < -90 or not len(audible):
        return Prosody()
    end = int(audible[-1]) + 1
    octaves, _ = pitch_of(frames[:end])
    octaves[levels[:end] <= usual + _AUDIBLE_DB] = np.nan
    voiced = np.flatnonzero(~np.isnan(octaves))
    pitch_end, pitch_slope = _pitch_ending(octaves, voiced)
    return Prosody(
        pitch_end=pitch_end,
        pitch_slope=pitch_slope,
        level_end=float(levels[max(0, end - _FINAL) : end].mean() - usual) / 10,
        voiced_end=float(np.mean(~np.isnan(octaves[-_FINAL:]))),
        final_s=_last_run(voiced) / _HOPS_PER_S,
    )


def half_rate(samples: Samples) -> NDArray[np.float64]:
    """Every second sample after a short low-pass; pitch needs no more."""
    if len(samples) < 8:
        return np.zeros(0)
    smooth = np.convolve(samples, (0.25, 0.5, 0.25), mode="same")
    return smooth[::2]


def pitch_of(frames: NDArray[np.float64]) -> tuple[Track, Track]:
    """Pitch of `frames` (float64[T, WINDOW], 8 kHz) in octaves over 1 Hz, NaN without one, and how harmonic each is.

    Both float64[T]; the second is the normalised autocorrelation at the pitch, 1 for a pure tone.
    """
    window = np.hanning(WINDOW)
    spectrum = np.fft.rfft((frames - frames.mean(axis=1, keepdims=True)) * window, _FFT, axis=1)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, : _LONGEST_LAG + 2]
    own = np.fft.irfft(np.abs(np.fft.rfft(window, _FFT)) ** 2)[: _LONGEST_LAG + 2]
    correlation /= (correlation[:, :1] + 1e-9) * own / own[0]
    lags = np.arange(_SHORTEST_LAG, _LONGEST_LAG + 1)
    # A slight preference for short lags: otherwise two periods look as good as one.
    candidates = correlation[:, lags] - 0.02 * np.log2(lags / _SHORTEST_LAG)
    best = candidates.argmax(axis=1) + _SHORTEST_LAG
    rows = np.arange(len(frames))
    before, at, after = (correlation[rows, best + step] for step in (-1, 0, 1))
    bend = before - 2 * at + after
    shift = np.where(np.abs(bend) > 1e-9, 0.5 * (before - after) / np.where(bend == 0, 1, bend), 0.0)
    octaves = np.log2(_RATE_HZ / (best + np.clip(shift, -0.5, 0.5)))
    return np.where(at > _VOICED, octaves, np.nan), at


def _pitch_ending(octaves: Track, voiced: NDArray[np.intp]) -> tuple[float, float]:
    """Where the pitch ends relative to its median, and how it moves there."""
    if len(voiced) < 8:
        return 0.0, 0.0
    median = float(np.median(octaves[voiced]))
    last = voiced[-15:]
    last = last[last > last[-1] - 25]
    pitch = octaves[last]
    kept = np.abs(pitch - np.median(pitch)) < 0.45  # no leaps of an octave: those are mistakes
    last, pitch = last[kept], pitch[kept]
    if not len(pitch):
        return 0.0, 0.0
    ending = float(np.clip(np.median(pitch[-5:]) - median, -1.0, 1.0))
    return ending, float(np.clip(_slope(last / _HOPS_PER_S, pitch), -4.0, 4.0))


def _slope(seconds: NDArray[np.float64], values: Track) -> float:
    """Least-squares slope, 0 for fewer than four values."""
    if len(values) < 4:
        return 0.0
    centred = seconds - seconds.mean()
    return float(centred @ values / (centred @ centred))


def _last_run(voiced: NDArray[np.intp]) -> int:
    """Frames of the last stretch of `voiced` without a gap."""
    if not len(voiced):
        return 0
    gaps = np.flatnonzero(np.diff(voiced) > 1)
    return int(len(voiced) - (gaps[-1] + 1 if len(gaps) else 0))
