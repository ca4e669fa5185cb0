"""Which parts of a recording a voice can be learnt from: one person speaking, loud and clear, and nothing else.

What is not is cut out, and how much for which reason is said; too little that is left refuses the recording.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.layers.turn import VAD_FRAME
from visavis.layers.turn.silero import Silero
from visavis.replica.train import TrainingError
from visavis.replica.voice.pitch import pitch_of
from visavis.replica.voice.recording import Recording
from visavis.replica.voice.spectra import RATE_HZ, WINDOW, magnitudes, mel_filters

LEAST_S, GOOD_S = 25.0, 120.0
"""Clean speech that is needed at least; less than the second is warned about."""

SHORTEST_S, LONGEST_S = 1.2, 8.0
"""Pieces that the network learns from."""

_NOISE, _MUSIC = "too noisy", "music or another steady sound behind the voice"
_FRAME_S = VAD_FRAME / LISTEN_RATE_HZ
_SPEAKING = 0.5
_PAUSE_S = 0.25
_EDGE_S = 0.12
_NOISY_DB = 14.0
"""Speech that stands out less from what is heard between the words."""
_CLIPPED = 1e-3
"""Share of samples at full level, in runs, from which on a piece is distorted."""
_STRANGE_PITCH, _STRANGE_TIMBRE = 4.0, 3.0
"""Median deviations at which it is not the same voice."""
_TONES = slice(15, 250)
"""300 Hz to 5 kHz, in bins of 20 Hz: below is the hum of the mains, which does less harm."""
_STANDS_OUT = 10.0
_HEARD_BEHIND = 1e-2
"""Softer sounds in the pauses (20 dB below the voice) do no harm."""
_MUSICAL = 0.5
"""Share of the frames between words that hold a steady tone."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of speech between two pauses; seconds of the recording."""

    start_s: float
    end_s: float

    def of(self, samples: Samples, rate_hz: int) -> Samples:
        """Its part of the recording."""
        return samples[round(self.start_s * rate_hz) : round(self.end_s * rate_hz)]

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Clean:
    """What is left of a recording."""

    pieces: tuple[Piece, ...]
    warnings: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """Speech in all."""
        return sum(piece.seconds for piece in self.pieces)


def clean(recording: Recording, told: Callable[[float], None]) -> Clean:
    """Find the usable speech. Raises `TrainingError` when it is too little, with the reasons."""
    speaking = _speaking(recording.listened, told)
    pieces = _pieces(speaking)
    if not pieces:
        raise TrainingError("audio", "Nobody is heard to speak in the recording; expected one person speaking.")
    pause_power = _pause_power(recording.samples, speaking)
    reasons = [_fault(piece, recording.samples, pause_power) for piece in pieces]
    if _is_musical(recording.samples, speaking):
        reasons = [_MUSIC if reason in (None, _NOISE) else reason for reason in reasons]
    sound = [piece for piece, reason in zip(pieces, reasons, strict=True) if reason is None]
    strange = _strangers([piece.of(recording.samples, RATE_HZ) for piece in sound])
    left = tuple(piece for piece, other in zip(sound, strange, strict=True) if not other)
    lost: Counter[str] = Counter()
    for piece, reason in zip(pieces, reasons, strict=True):
        lost[reason or "kept"] += round(piece.seconds)
    lost["somebody else's voice, or the same one very different"] += round(
        sum(piece.seconds for piece, other in zip(sound, strange, strict=True) if other)
    )
    return _judged(left, lost)


def _judged(left: tuple[Piece, ...], lost: Counter[str]) -> Clean:
    seconds = sum(piece.seconds for piece in left)
    told = [f"{length} s {reason}" for reason, length in lost.most_common() if reason != "kept" and length]
    if seconds < LEAST_S:
        cut = f"; cut out: {', '.join(told)}" if told else ""
        raise TrainingError(
            "audio",
            f"Only {seconds:.0f} s of clean speech are in the recording{cut}. Expected {LEAST_S:.0f} s or more, best "
            "two to five minutes, of one person speaking near the microphone in a quiet room.",
        )
    warnings = [f"Cut out of the recording: {one}." for one in told]
    if seconds < GOOD_S:
        warnings.append(
            f"{seconds:.0f} s of clean speech make a voice that is recognised; two minutes or more make a closer one."
        )
    return Clean(left, tuple(warnings))


def _speaking(listened: Samples, told: Callable[[float], None]) -> NDArray[np.bool_]:
    """Whether somebody speaks, for every 32 ms."""
    stream = Silero().listen()
    count = len(listened) // VAD_FRAME
    found = np.zeros(count, np.bool_)
    for number in range(count):
        found[number] = stream.probability(listened[number * VAD_FRAME :][:VAD_FRAME]) > _SPEAKING
        told((number + 1) / count)
    return found


def _pieces(speaking: NDArray[np.bool_]) -> list[Piece]:
    """Stretches of speech between pauses, joined while they stay short, parted at their longest pauses otherwise."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], speaking.astype(np.int8), [0]])))
    runs = [(start * _FRAME_S, end * _FRAME_S) for start, end in zip(edges[::2], edges[1::2], strict=True)]
    joined: list[tuple[float, float]] = []
    for start, end in runs:
        if joined and start - joined[-1][1] < _PAUSE_S and end - joined[-1][0] <= LONGEST_S:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    merged: list[tuple[float, float]] = []
    for start, end in joined:
        short = merged and (merged[-1][1] - merged[-1][0] < SHORTEST_S or end - start < SHORTEST_S)
        if short and start - merged[-1][1] < 3 * _PAUSE_S and end - merged[-1][0] <= LONGEST_S:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    last = len(speaking) * _FRAME_S
    return [
        Piece(max(start - _EDGE_S, 0.0), min(end + _EDGE_S, last))
        for start, end in merged
        if SHORTEST_S <= end - start <= LONGEST_S
    ]


def _pause_power(samples: Samples, speaking: NDArray[np.bool_]) -> float:
    """Mean square of what is heard where nobody speaks, away from words; 0 where there is no such place."""
    quiet = ~np.convolve(speaking, np.ones(7), "same").astype(np.bool_)
    frame = round(_FRAME_S * RATE_HZ)
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    count = min(len(frames), len(quiet))
    found = np.square(frames[:count][quiet[:count]]).mean(axis=1) if quiet[:count].any() else np.zeros(1)
    return float(np.median(found))


def _fault(piece: Piece, samples: Samples, pause_power: float) -> str | None:
    sound = piece.of(samples, RATE_HZ)
    peak = float(np.abs(sound).max())
    if peak < 1e-3:
        return "too soft to be heard"
    full = np.abs(sound) > max(0.985, 0.999 * peak) if peak > 0.5 else np.zeros(len(sound), np.bool_)
    if float((full[1:] & full[:-1]).mean()) > _CLIPPED:
        return "distorted because the recording was too loud"
    frames = sound[: len(sound) // 480 * 480].reshape(-1, 480)
    levels = np.sort(np.square(frames).mean(axis=1))
    floor = max(float(levels[: max(len(levels) // 20, 1)].mean()), pause_power, 1e-12)
    loud = float(levels[-len(levels) // 3 :].mean())
    if 10 * np.log10(loud / floor) < _NOISY_DB:
        return _NOISE
    return None


def _is_musical(samples: Samples, speaking: NDArray[np.bool_]) -> bool:
    """Whether a steady tone, not far below the voice, is heard in the pauses."""
    frame = round(_FRAME_S * RATE_HZ)
    quiet = ~np.convolve(speaking, np.ones(13), "same").astype(np.bool_)
    spots = np.flatnonzero(quiet)[:: max(1, int(quiet.sum()) // 200)]
    spoken = np.flatnonzero(speaking)
    if len(spots) < 10 or not len(spoken):
        return False
    voice = float(
        np.mean([np.square(samples[at * frame :][:frame]).mean() for at in spoken[:: len(spoken) // 200 + 1]])
    )
    tonal = 0
    for at in spots:
        pause = samples[at * frame :][: 2 * frame]
        if len(pause) < WINDOW or np.square(pause).mean() < voice * _HEARD_BEHIND:
            continue
        spectrum = magnitudes(pause).mean(axis=0)[_TONES]
        tonal += bool(spectrum.max() > _STANDS_OUT * np.median(spectrum))
    return tonal / len(spots) > _MUSICAL


def is_another(voice: Sequence[Samples], other: Samples) -> bool:
    """Whether `other` lies far in timbre and pitch from the pieces of a voice (24 kHz), as a guest's would."""
    return bool(_strangers([*voice, other])[-1])


def _strangers(sounds: Sequence[Samples]) -> NDArray[np.bool_]:
    """Which of the pieces lie far from most others in timbre and pitch.

    Finds a guest of another voice, not a guest with a like one.
    """
    if len(sounds) < 4:
        return np.zeros(len(sounds), np.bool_)
    filters = mel_filters(WINDOW, 24, highest_hz=5_000.0)
    marks = []
    for sound in sounds:
        bands = np.log(magnitudes(sound) ** 2 @ filters.T + 1e-8)
        loud = bands.mean(axis=1) > np.percentile(bands.mean(axis=1), 50)
        pitch = pitch_of(sound)
        voiced = pitch[pitch > 0]
        timbre = bands[loud].mean(axis=0)
        height = np.log2(np.median(voiced)) * 12 if len(voiced) > 8 else np.nan
        marks.append(np.append(timbre - timbre.mean(), height))
    table = np.array(marks)
    middle = np.nanmedian(table, axis=0)
    spread = np.nanmedian(np.abs(table - middle), axis=0) + np.append(np.full(24, 0.12), 0.7)
    away = np.abs(table - middle) / spread
    pitch_away = np.nan_to_num(away[:, -1])
    return np.asarray((np.median(away[:, :-1], axis=1) > _STRANGE_TIMBRE) | (pitch_away > _STRANGE_PITCH), np.bool_)
