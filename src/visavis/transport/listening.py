"""From voice packets to what the conversation hears: 20 ms pieces at 16 kHz whose number is the time."""

import asyncio
import logging
from collections.abc import Callable

import av
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from visavis.audio import LISTEN_RATE_HZ, PLAYOUT_RATE_HZ, Samples
from visavis.transport.jitter import VoiceOrder, opus_samples
from visavis.transport.queues import DropOldest

PIECE = LISTEN_RATE_HZ // 50
"""Samples of one piece: 20 ms."""

PIECE_S = 0.02
STALL_S = 0.5
"""Silence of the network after which time goes on without it; shorter hiccups are made up for by their burst."""

MAX_CONCEALED = PLAYOUT_RATE_HZ
"""Longest hole, in 48 kHz samples, that is filled at once; beyond a second the stream has simply been elsewhere."""

_OPUS_PIECE = PLAYOUT_RATE_HZ // 50
_FACTOR = PLAYOUT_RATE_HZ // LISTEN_RATE_HZ
_FADE: Samples = np.linspace(1, 0, _OPUS_PIECE).astype(np.float32)

log = logging.getLogger(__name__)


class Downsampler:
    """48 kHz to 16 kHz, one sample for exactly three, delayed by 1 ms.

    FFmpeg's resampler keeps an odd number of samples back, which would hold every piece up for a whole packet.
    The filter is a Kaiser-windowed sinc: flat to 6.2 kHz, 60 dB down from 8 kHz.
    """

    TAPS = 95
    CUTOFF_HZ = 7_100

    def __init__(self) -> None:
        self._taps = self.low_pass()
        self._before: Samples = np.zeros(self.TAPS - _FACTOR, np.float32)

    @classmethod
    def low_pass(cls) -> Samples:
        """The filter at 48 kHz: float32[TAPS], which sum to one."""
        n = np.arange(cls.TAPS) - (cls.TAPS - 1) / 2
        cutoff = 2 * cls.CUTOFF_HZ / PLAYOUT_RATE_HZ
        taps = cutoff * np.sinc(cutoff * n) * np.kaiser(cls.TAPS, 5.65)
        return np.asarray(taps / taps.sum(), np.float32)

    def __call__(self, samples: Samples) -> Samples:
        """`samples`: float32[3 N] at 48 kHz; returns float32[N] at 16 kHz."""
        heard = np.concatenate([self._before, samples])
        self._before = heard[len(samples) :]
        windows = sliding_window_view(heard, self.TAPS)[::_FACTOR]
        result: Samples = windows @ self._taps
        return result


class Ear:
    """The person's voice. Owns the decoder and the queue of pieces.

    Holes are concealed by the sound before them, mirrored and fading within 20 ms, then silence: continuous in
    value, so that nothing clicks.
    """

    def __init__(self, pieces: DropOldest[Samples], now: Callable[[], float]) -> None:
        self._pieces = pieces
        self._now = now
        self._order = VoiceOrder()
        self._decoder = av.CodecContext.create("libopus", "r")
        self._decoder.layout = "mono"
        self._decoder.sample_rate = PLAYOUT_RATE_HZ
        self._downsample = Downsampler()
        self._rest: Samples = np.zeros(0, np.float32)
        self._last: Samples = np.zeros(_OPUS_PIECE, np.float32)
        self._filled = 0
        self._silent_from = now() + 5 * PIECE_S

    @property
    def lost(self) -> int:
        """Packets that never came or came too late to be used."""
        return self._order.lost

    @property
    def late(self) -> int:
        """Packets dropped because they came after their successor."""
        return self._order.late

    def packet(self, sequence: int, timestamp: int, payload: bytes) -> None:
        """Hear one RTP packet of Opus. A damaged one is heard as a hole."""
        try:
            samples = opus_samples(payload)
        except ValueError:
            return
        missing = self._order.accept(sequence, timestamp, samples)
        if missing is None:
            return
        self._silent_from = self._now() + STALL_S
        self._conceal(min(missing - self._filled, MAX_CONCEALED))
        self._filled = 0
        try:
            decoded = [frame.to_ndarray() for frame in self._decoder.decode(av.Packet(payload))]
        except av.FFmpegError as error:
            log.debug("voice packet %d cannot be decoded: %s", sequence, error)
            self._conceal(samples)
            return
        for pcm in decoded:
            self._hear(_as_float(pcm))

    async def keep_time(self) -> None:
        """Hear silence in real time while nothing comes: no microphone, one that is switched off, a dead network."""
        while True:
            wait = self._silent_from - self._now()
            if wait > 0:
                await asyncio.sleep(wait)
                continue
            self._conceal(_OPUS_PIECE)
            self._filled += _OPUS_PIECE
            self._silent_from += PIECE_S

    def _conceal(self, missing: int) -> None:
        while missing > 0:
            n = min(missing, _OPUS_PIECE)
            self._hear(np.multiply(self._last[::-1], _FADE, dtype=np.float32)[:n])
            self._last = np.zeros(_OPUS_PIECE, np.float32)
            missing -= n

    def _hear(self, samples: Samples) -> None:
        self._last = np.concatenate([self._last, samples])[-_OPUS_PIECE:]
        # Opus packets are multiples of 2.5 ms, so always of three samples.
        heard = np.concatenate([self._rest, self._downsample(samples)])
        whole = len(heard) - len(heard) % PIECE
        for start in range(0, whole, PIECE):
            self._pieces.put(heard[start : start + PIECE])
        self._rest = heard[whole:]


def _as_float(pcm: NDArray[np.generic]) -> Samples:
    return pcm.reshape(-1).astype(np.float32) / np.float32(32768)
