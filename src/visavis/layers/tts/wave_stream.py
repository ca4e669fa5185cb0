"""Raw or WAV sound as it arrives over HTTP, on its way to 48 kHz."""

import re
import struct

import av
import numpy as np

from visavis.audio import PLAYOUT_RATE_HZ, Pcm

_RATE_IN_TYPE = re.compile(r"rate=(\d{4,6})")
_HEADER = 4_096
"""Before this many bytes a WAV file's sound has begun."""
_NOT_SOUND = ("application/json", "text/")
_NOTHING: Pcm = np.zeros(0, np.int16)


class WaveStream:
    """One stream of 16-bit sound; finds out from its beginning what it is."""

    def __init__(self, content_type: str, rate_hz: int) -> None:
        """`rate_hz` counts where nothing tells another one. Raises `ValueError` for what is no sound."""
        if content_type.startswith(_NOT_SOUND):
            raise ValueError(f"sent {content_type.partition(';')[0]} instead of sound")
        named = _RATE_IN_TYPE.search(content_type)
        self._rate_hz = int(named[1]) if named else rate_hz
        self._channels = 1
        self._held = b""
        self._begun = False
        self._resampler: av.AudioResampler | None = None

    def feed(self, data: bytes) -> Pcm:
        """Take the next bytes; gives int16[N] at 48 kHz. Raises `ValueError` for what cannot be read."""
        self._held += data
        if not self._begun and not self._begin():
            return _NOTHING
        size = len(self._held) // (2 * self._channels) * 2 * self._channels
        raw, self._held = self._held[:size], self._held[size:]
        return self._resampled(np.frombuffer(raw, "<i2"))

    def flush(self) -> Pcm:
        """The end of the sound."""
        if self._resampler is None:
            return _NOTHING
        return _joined(self._resampler.resample(None))

    def _begin(self) -> bool:
        """Read the header, if there is one; whether the sound has begun."""
        held = self._held
        if len(held) < 12:
            return False
        if held[:4] in (b"ID3\x03", b"ID3\x04", b"OggS", b"fLaC") or held[:2] in (b"\xff\xfb", b"\xff\xf3"):
            raise ValueError("sent compressed sound although raw samples were asked for")
        if held[:4] == b"RIFF":
            start = held.find(b"data")
            if start < 0 or len(held) < start + 8:
                if len(held) > _HEADER:
                    raise ValueError("sent a WAV file without sound")
                return False
            form = held.find(b"fmt ")
            kind, self._channels, self._rate_hz = struct.unpack_from("<HHI", held, form + 8)
            bits = struct.unpack_from("<H", held, form + 22)[0]
            if kind not in (1, 0xFFFE) or bits != 16 or not 1 <= self._channels <= 8:
                raise ValueError("sent a WAV file that is not 16-bit PCM")
            self._held = held[start + 8 :]
        if not 4_000 <= self._rate_hz <= 192_000:
            raise ValueError(f"sent sound at {self._rate_hz} Hz, which no voice has")
        self._begun = True
        return True

    def _resampled(self, samples: Pcm) -> Pcm:
        if self._channels > 1:
            samples = samples.reshape(-1, self._channels).astype(np.int32).mean(1).astype(np.int16)
        if self._rate_hz == PLAYOUT_RATE_HZ or not len(samples):
            return samples
        if self._resampler is None:
            self._resampler = av.AudioResampler("s16", "mono", PLAYOUT_RATE_HZ)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples)[None], "s16", "mono")
        frame.sample_rate = self._rate_hz
        return _joined(self._resampler.resample(frame))


def _joined(frames: list[av.AudioFrame]) -> Pcm:
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]) if frames else _NOTHING
