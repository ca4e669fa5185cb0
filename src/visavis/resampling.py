"""A stream of sound from one sample rate to another, in pieces of any size, 1 ms late."""

import math
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from visavis.audio import Pcm, Samples

_CROSSINGS = 16
"""Zero crossings of the sinc on either side."""
_PASS = 0.92
"""Share of the narrower band that stays. With `_KAISER`, what folds over lies 80 dB lower."""
_KAISER = 8.0


class Resampler:
    """Brings one stream from `from_hz` to `to_hz`: a polyphase windowed sinc that keeps its state between pieces.

    The result is the same, sample by sample, however the stream is cut.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        divisor = math.gcd(from_hz, to_hz)
        self._up, self._down = to_hz // divisor, from_hz // divisor
        self._phases, self._ahead = _phases(self._up, self._down)
        taps = self._phases.shape[1]
        self._recent: Samples = np.zeros(taps - 1 - self._ahead, np.float32)
        self._recent_from = self._ahead + 1 - taps
        self._next = 0

    def feed(self, sound: Samples) -> Samples:
        """float32[N] at the one rate to float32[M] at the other; what needs later samples follows with them."""
        if self._up == self._down:
            return sound
        recent = np.concatenate([self._recent, sound])
        end, taps = self._recent_from + len(recent), self._phases.shape[1]
        known = -(-(end - self._ahead) * self._up // self._down)
        outputs = np.arange(self._next, max(self._next, known), dtype=np.int64)
        newest, phase = np.divmod(outputs * self._down, self._up)
        newest += self._ahead
        if not len(outputs):
            self._recent = recent
            return sound[:0]
        windows = sliding_window_view(recent, taps)[newest - self._recent_from - (taps - 1)]
        result = np.einsum("nt,nt->n", windows, self._phases[phase])
        self._next += len(outputs)
        keep_from = self._next * self._down // self._up + self._ahead - (taps - 1)
        self._recent = recent[max(keep_from - self._recent_from, 0) :]
        self._recent_from = end - len(self._recent)
        return np.asarray(result, np.float32)

    def flush(self) -> Samples:
        """The end of the stream."""
        return self.feed(np.zeros(self._ahead, np.float32))


def as_pcm(sound: Samples) -> Pcm:
    """Samples in [-1, 1] as int16; louder ones are cut."""
    return np.asarray(np.clip(np.rint(sound * 32767), -32768, 32767), np.int16)


def as_samples(pcm: Pcm) -> Samples:
    """int16 as samples in [-1, 1)."""
    return np.asarray(pcm, np.float32) / np.float32(32768)


@lru_cache(maxsize=8)
def _phases(up: int, down: int) -> tuple[Samples, int]:
    """float32[up, taps], what each of the newest inputs, oldest first, gives to an output; and the inputs after it."""
    band = min(1.0, up / down)
    ahead = math.ceil(_CROSSINGS / band)
    taps = 2 * ahead
    offsets = ahead - np.arange(taps)[None, :] - 1.0  # in inputs: how long each lies before the output's own
    time = np.arange(up)[:, None] / up + offsets
    width = _PASS * band
    window = np.i0(_KAISER * np.sqrt(np.maximum(0.0, 1 - (time / ahead) ** 2)))
    found = width * np.sinc(width * time) * window
    return np.asarray(found / found.sum(1, keepdims=True), np.float32), ahead
