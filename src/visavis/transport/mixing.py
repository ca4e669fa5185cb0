"""Several people's voices as one: what the conversation hears of all, and what each hears of the others."""

from collections import deque
from collections.abc import Sequence

import numpy as np

from visavis.audio import LISTEN_RATE_HZ, PLAYOUT_RATE_HZ, Pcm, Samples
from visavis.transport.listening import PIECE, Downsampler

WAITING = 10
"""Pieces of one voice that may wait: 200 ms; then the oldest is lost."""

_AHEAD = 2
"""Pieces that a voice waits for before it flows, so that a network's unevenness does not cut it."""

_TRIMMED_AFTER = 100
"""Pieces (2 s) after which a voice that always had more in hand than it needs is made quicker by one."""

_FACTOR = PLAYOUT_RATE_HZ // LISTEN_RATE_HZ
_AUDIBLE = 10 ** (-50 / 20)
"""Peak below which a piece is taken for silence."""


class Voice:
    """One person's pieces of 20 ms, put in as they come and taken at the room's pace. Owner of those that wait."""

    def __init__(self) -> None:
        self._waiting: deque[Samples] = deque(maxlen=WAITING)
        self._flowing = False
        self._least = WAITING
        self._taken = 0
        self._upsampler = Upsampler()

    def put(self, piece: Samples) -> None:
        """Take the next piece, float32[320] at 16 kHz."""
        self._waiting.append(piece)
        self._flowing = self._flowing or len(self._waiting) >= _AHEAD

    def take(self) -> Samples | None:
        """The piece whose turn it is; None while there is none, or none that can be heard."""
        if not self._flowing:
            return None
        if not self._waiting:
            self._flowing = False
            return None
        piece = self._waiting.popleft()
        self._trim()
        return piece if np.max(np.abs(piece)) > _AUDIBLE else None

    def at_48_khz(self, piece: Samples | None) -> Samples | None:
        """What `take` gave, for the others' loudspeakers: float32[960]; None once it is silent."""
        return self._upsampler(piece)

    def _trim(self) -> None:
        self._least = min(self._least, len(self._waiting))
        self._taken += 1
        if self._taken >= _TRIMMED_AFTER:
            if self._least >= _AHEAD:
                self._waiting.popleft()
            self._taken, self._least = 0, WAITING


class Upsampler:
    """16 kHz to 48 kHz in pieces of 20 ms, delayed by 1 ms, with the filter of `Downsampler`."""

    def __init__(self) -> None:
        taps = Downsampler.low_pass() * _FACTOR
        padded = np.concatenate([taps, np.zeros(-len(taps) % _FACTOR, np.float32)])
        self._phases = padded.reshape(-1, _FACTOR)[::-1].astype(np.float32)
        """float32[32, 3]: what each of the last input samples adds to the three that come out."""
        self._before: Samples = np.zeros(len(self._phases) - 1, np.float32)
        self._silent = True

    def __call__(self, piece: Samples | None) -> Samples | None:
        """`piece`: float32[320] or None for silence; returns float32[960], or None when that is silence too."""
        if piece is None:
            if self._silent:
                return None
            piece = np.zeros(PIECE, np.float32)
            self._silent = True  # what the filter still holds comes with this piece
        else:
            self._silent = False
        heard = np.concatenate([self._before, piece])
        self._before = heard[len(heard) - len(self._before) :]
        windows = np.lib.stride_tricks.sliding_window_view(heard, len(self._phases))
        result: Samples = (windows @ self._phases).reshape(-1).astype(np.float32)
        return result


def mixed(pieces: Sequence[Samples | None]) -> Samples:
    """What is heard of all: float32[320], never louder than full scale."""
    audible = [piece for piece in pieces if piece is not None]
    total = np.sum(audible, axis=0, dtype=np.float32) if audible else np.zeros(PIECE, np.float32)
    return np.clip(total, -1, 1)


def added(pcm: Pcm, voices: Sequence[Samples | None]) -> Pcm:
    """`pcm`, int16[960] at 48 kHz, with `voices`, float32[960], on top; the same array when nobody speaks."""
    audible = [voice for voice in voices if voice is not None]
    if not audible:
        return pcm
    total = pcm.astype(np.float32) + 32767 * np.sum(audible, axis=0, dtype=np.float32)
    louder: Pcm = np.clip(total, -32768, 32767).astype(np.int16)
    return louder
