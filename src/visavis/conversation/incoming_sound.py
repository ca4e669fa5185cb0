"""Sound that a client sends in chunks of any size and rate, on its way to 48 kHz.

Chunks are kept as they came and brought to 48 kHz only as they are needed, so that an hour sent at once costs neither
time nor more memory than it has bytes.
"""

import math
from collections import deque
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from visavis.audio import PLAYOUT_RATE_HZ, Pcm, Samples

_TAPS = 32
"""Input samples that an output sample is made of."""
_AHEAD = _TAPS // 2
"""How many of them come after it: 2 ms at 8 kHz."""

_PASS = 0.92
"""Share of the input's band that stays. With `_KAISER`, images lie 80 dB below from 1.1 times its band on."""
_KAISER = 8.0

_PIECE_S = 0.04


class IncomingSound:
    """One stream of chunks. Owner of those not played yet."""

    def __init__(self) -> None:
        self.closed = False
        """No chunk will follow."""
        self.waiting_bytes = 0
        """Size of the chunks that wait, as they came."""
        self._chunks: deque[tuple[Pcm, int]] = deque()
        self._ready: Pcm = np.zeros(0, np.int16)
        self._upsampler: Upsampler | None = None

    def feed(self, pcm: Pcm, rate_hz: int) -> None:
        """Take the next chunk; `rate_hz` may differ from that of the one before."""
        if len(pcm):
            self._chunks.append((pcm, rate_hz))
            self.waiting_bytes += pcm.nbytes

    def close(self) -> None:
        """No chunk will follow."""
        self.closed = True

    def clear(self) -> None:
        """Forget what waits."""
        self._chunks.clear()
        self._upsampler, self._ready, self.waiting_bytes = None, self._ready[:0], 0

    def peek(self, samples: int) -> Pcm:
        """The next `samples` at 48 kHz, fewer when fewer are known."""
        parts = [self._ready]
        missing = samples - len(self._ready)
        while missing > 0 and len(part := self._next_part()):
            parts.append(part)
            missing -= len(part)
        if len(parts) > 1:
            self._ready = np.concatenate(parts)
        return self._ready[:samples]

    def take(self, samples: int) -> None:
        """Go on behind what was peeked at."""
        self._ready = self._ready[samples:]

    def _next_part(self) -> Pcm:
        """Some more sound at 48 kHz; empty when no chunk waits."""
        while self._chunks:
            pcm, rate_hz = self._chunks[0]
            if self._upsampler and self._upsampler.rate_hz != rate_hz:
                return self._last_of_upsampler()
            piece = pcm[: round(_PIECE_S * rate_hz)]
            self._chunks.popleft()
            if len(piece) < len(pcm):
                self._chunks.appendleft((pcm[len(piece) :], rate_hz))
            self.waiting_bytes -= piece.nbytes
            if rate_hz == PLAYOUT_RATE_HZ:
                return piece
            self._upsampler = self._upsampler or Upsampler(rate_hz)
            if len(part := self._upsampler.feed(piece)):
                return part
        return self._last_of_upsampler() if self.closed else self._ready[:0]

    def _last_of_upsampler(self) -> Pcm:
        upsampler, self._upsampler = self._upsampler, None
        return upsampler.flush() if upsampler else self._ready[:0]


class Upsampler:
    """Brings one stream from `rate_hz` (8 to 48 kHz) to 48 kHz without delay.

    A polyphase filter (a windowed sinc) that keeps its state between pieces: the result is the same, sample by
    sample, however the stream is cut.
    """

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        divisor = math.gcd(rate_hz, PLAYOUT_RATE_HZ)
        self._up, self._down = PLAYOUT_RATE_HZ // divisor, rate_hz // divisor
        self._phases = _phases(self._up)
        self._recent: Samples = np.zeros(_TAPS - 1, np.float32)
        self._recent_from = 1 - _TAPS
        self._next = 0

    def feed(self, pcm: Pcm) -> Pcm:
        """int16[N] at `rate_hz` to int16[M] at 48 kHz."""
        return self._filter(pcm.astype(np.float32))

    def flush(self) -> Pcm:
        """The end of the stream: all samples together are then as many as it lasts at 48 kHz."""
        return self._filter(np.zeros(_AHEAD, np.float32))

    def _filter(self, samples: Samples) -> Pcm:
        recent = np.concatenate([self._recent, samples])
        end = self._recent_from + len(recent)
        known = -(-(end - _AHEAD) * self._up // self._down)
        outputs = np.arange(self._next, max(self._next, known), dtype=np.int64)
        newest, phase = np.divmod(outputs * self._down, self._up)
        newest += _AHEAD
        windows = sliding_window_view(recent, _TAPS)[newest - self._recent_from - (_TAPS - 1)]
        result = np.einsum("nt,nt->n", windows, self._phases[phase])
        self._next += len(outputs)
        keep_from = self._next * self._down // self._up + _AHEAD - (_TAPS - 1)
        self._recent = recent[max(keep_from - self._recent_from, 0) :]
        self._recent_from = end - len(self._recent)
        return np.asarray(np.clip(np.rint(result), -32768, 32767), np.int16)


@lru_cache(maxsize=8)
def _phases(up: int) -> Samples:
    """float32[up, _TAPS]: what each of the newest input samples, oldest first, gives to an output at each phase."""
    length = _TAPS * up
    time = np.arange(length) / up - _AHEAD
    taps = _PASS * np.sinc(_PASS * time) * np.kaiser(length, _KAISER)
    by_phase = taps.reshape(_TAPS, up).T
    return np.asarray(by_phase[:, ::-1] / by_phase.sum(1, keepdims=True), np.float32)
