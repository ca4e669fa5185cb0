"""The sound of one utterance, divided into pieces short enough to recognise well and quickly.

Pieces end at pauses. What lies before the newest cut never changes again, so its text can be kept.
"""

from dataclasses import dataclass

import numpy as np

from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.layers.stt.loudness import FRAME, Levels, active, levels, loud

FRAMES_PER_S = LISTEN_RATE_HZ // FRAME
MIN_PIECE = 5 * FRAMES_PER_S
"""A pause this far into a piece ends it: recognition of the last piece, which the person waits for, stays short."""
MAX_PIECE = 15 * FRAMES_PER_S
"""A piece is cut here at the latest; Moonshine base begins to repeat itself beyond 20-30 s."""
PAUSE = 2 * FRAMES_PER_S // 5
MARGIN = FRAMES_PER_S // 5
"""Kept on both sides of speech: soft beginnings and endings fall below the loudness threshold."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Speech with a little silence around it, and where it lies, in frames since the utterance began."""

    samples: Samples
    piece_start: int
    spoken_until: int
    heard_until: int
    """End of `samples`, which may go on a little beyond the speech."""


class Recording:
    """The sound of one utterance since its newest cut."""

    def __init__(self) -> None:
        self._samples = np.zeros(0, np.float32)
        self._levels: Levels = np.zeros(0)
        self._arrived: list[Samples] = []
        self._start = 0
        """Frames that were cut off before."""
        self._usual = -np.inf
        """How loud the speaker was in the pieces cut off."""

    def append(self, samples: Samples) -> None:
        """Add sound; the work is left to whoever asks for it."""
        self._arrived.append(samples)

    def cut(self) -> Stretch | None:
        """Cut off the first piece if it has come to its end, else None. May be called until there is none."""
        self._gather()
        place = self._cutting_place()
        if place is None:
            return None
        piece = self._speech(place)
        self._usual = max(self._usual, loud(self._levels[:place]))
        self._samples = self._samples[place * FRAME :]
        self._levels = self._levels[place:]
        self._start += place
        return piece

    def speech(self) -> Stretch | None:
        """What has been spoken since the newest cut, without the silence around it; None if nothing."""
        self._gather()
        return self._speech(len(self._levels))

    def _gather(self) -> None:
        if not self._arrived:
            return
        self._samples = np.concatenate([self._samples, *self._arrived])
        self._arrived.clear()
        self._levels = np.concatenate([self._levels, levels(self._samples[len(self._levels) * FRAME :])])

    def _speech(self, end: int) -> Stretch | None:
        spoken = np.flatnonzero(active(self._levels[:end], self._usual))
        if not len(spoken):
            return None
        first, last = max(0, int(spoken[0]) - MARGIN), min(end, int(spoken[-1]) + 1 + MARGIN)
        samples = self._samples[first * FRAME : last * FRAME]
        return Stretch(samples, self._start, self._start + int(spoken[-1]) + 1, self._start + last)

    def _cutting_place(self) -> int | None:
        """Frame at which the first piece ends: in the first pause that has speech on both sides, or by force."""
        spoken = np.flatnonzero(active(self._levels, self._usual))
        if not len(spoken):
            return None
        pauses = np.flatnonzero(np.diff(spoken) > PAUSE)
        for before, after in zip(spoken[pauses], spoken[pauses + 1], strict=True):
            if before - spoken[0] >= MIN_PIECE and before - spoken[0] <= MAX_PIECE:
                return int(before + after) // 2
        if spoken[-1] - spoken[0] <= MAX_PIECE:
            return None
        start = int(spoken[0]) + MAX_PIECE // 2
        smooth = np.convolve(self._levels[start : int(spoken[0]) + MAX_PIECE], np.full(5, 0.2), mode="same")
        return start + int(np.argmin(smooth[2:-2])) + 2
