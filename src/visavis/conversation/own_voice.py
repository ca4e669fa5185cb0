"""Is what the microphone hears only the replica's own voice, come back from the person's loudspeakers?

The browser's echo cancellation is the first line; this guard is for what it lets through. It knows what was played.
The delay between sending and hearing (network, jitter buffer, loudspeaker, room) is found and followed by generalised
cross-correlation with phase transform (Knapp and Carter 1976). At that delay the spectrum of the played sound, with a
room's reverberation and a learnt colour, says how much power the echo can have at each frequency; what the
microphone has beyond that is somebody else. Powers instead of waveforms, because browsers suppress, stretch and
resample, which no linear echo canceller follows.

Owner of the short past of both sounds; memory does not grow.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from visavis.audio import LISTEN_RATE_HZ, PLAYOUT_RATE_HZ, Pcm, Samples
from visavis.errors import BadInputError
from visavis.layers.turn import VAD_FRAME

PACKET = PLAYOUT_RATE_HZ // 50
"""Samples of what `OwnVoice.played` takes: 20 ms."""

MAX_DELAY_MS = 700
"""Longest delay between sending a sound and hearing its echo."""

_FACTOR = PLAYOUT_RATE_HZ // LISTEN_RATE_HZ
_TAPS = 48
_MS = LISTEN_RATE_HZ // 1000
_AHEAD = 100 * _MS  # the two streams are counted apart, so an echo may seem to come a little before its sound
_LAGS = MAX_DELAY_MS * _MS + _AHEAD
_MATCH = 4 * VAD_FRAME  # 128 ms of microphone are looked for in what was played
_WINDOW = 2 * VAD_FRAME
_TAIL = 8  # frames of reverberation
_TAIL_DECAY = 0.45  # of its power each frame: 60 dB in 0.55 s, a furnished room
_TRANSFORM = 1 << (_MATCH + _LAGS - 1).bit_length()
_HISTORY = LISTEN_RATE_HZ * 2
_SILENT_AFTER = _LAGS + _MATCH + _TAIL * VAD_FRAME


class OwnVoice:
    """Knows what was played and recognises its echo. One per call, on the event loop."""

    def __init__(self) -> None:
        self._played: Samples = np.zeros(_HISTORY, np.float32)
        self._played_until = 0
        self._silent_since = -_SILENT_AFTER
        self._before: Samples = np.zeros(_TAPS - _FACTOR, np.float32)
        self._taps = _low_pass()
        self._heard: Samples = np.zeros(_MATCH, np.float32)
        self._heard_until = 0
        self._correlation: Samples = np.zeros(_LAGS // 2, np.float32)
        self._model = _EchoModel()

    def played(self, pcm: Pcm) -> None:
        """Take 20 ms as they are sent: int16[960] at 48 kHz, silence included."""
        if pcm.shape != (PACKET,):
            raise BadInputError("pcm", pcm.shape, f"the shape ({PACKET},)")
        samples = np.concatenate([self._before, pcm.astype(np.float32) / 32768])
        self._before = samples[len(pcm) :]
        new = sliding_window_view(samples, _TAPS)[::_FACTOR] @ self._taps
        self._played[: -len(new)] = self._played[len(new) :].copy()
        self._played[-len(new) :] = new
        self._played_until += len(new)
        if pcm.any():
            self._silent_since = self._played_until

    def explains(self, frame: Samples) -> float:
        """How far voice in `frame` (float32[512], 16 kHz, the next 32 ms heard) is only our own: 0 to 1."""
        if frame.shape != (VAD_FRAME,):
            raise BadInputError("frame", frame.shape, f"the shape ({VAD_FRAME},)")
        if self._heard_until == 0:
            self._heard_until = self._played_until - VAD_FRAME
        self._heard[:-VAD_FRAME] = self._heard[VAD_FRAME:].copy()
        self._heard[-VAD_FRAME:] = frame
        self._heard_until += VAD_FRAME
        if self._played_until - self._silent_since >= _SILENT_AFTER:
            return 0.0
        now = self._correlate()
        self._correlation = 0.9 * self._correlation + now
        delays = {int(np.argmax(now)), int(np.argmax(self._correlation))}
        return max(self._model.explains(self._heard[-_WINDOW:], self._echoed(2 * delay)) for delay in delays)

    def _at(self, start: int, stop: int) -> Samples:
        """What was played between two positions; silence where that has not happened or is forgotten."""
        begin, end = (len(self._played) - (self._played_until - position) for position in (start, stop))
        inside = self._played[max(begin, 0) : max(min(end, len(self._played)), 0)]
        return np.pad(inside, (max(-begin, 0), max(0, end - begin - len(inside) - max(-begin, 0))))

    def _echoed(self, lag: int) -> Samples:
        end = self._heard_until + _AHEAD - lag
        return self._at(end - _WINDOW - (_TAIL - 1) * VAD_FRAME, end)

    def _correlate(self) -> Samples:
        """GCC-PHAT of the newest sound with everything that it may be the echo of, by lag in steps of 1/8 ms."""
        end = self._heard_until + _AHEAD
        source = np.fft.rfft(self._at(end - _MATCH - _LAGS, end), _TRANSFORM)[: _TRANSFORM // 4 + 1]
        echo = np.fft.rfft(self._heard, _TRANSFORM)[: _TRANSFORM // 4 + 1]
        cross = source * echo.conj()
        cross /= np.abs(cross) + 1e-9
        return np.fft.irfft(cross, _TRANSFORM // 2)[: _LAGS // 2][::-1]


class _EchoModel:
    """How loud the echo of a sound is at each frequency."""

    def __init__(self) -> None:
        self._window = np.hanning(_WINDOW).astype(np.float32)
        self._weights = (_TAIL_DECAY ** np.arange(_TAIL)).astype(np.float32)[::-1]
        self._gain = 0.0

    def explains(self, heard: Samples, source: Samples) -> float:
        power = np.abs(np.fft.rfft(heard * self._window)) ** 2
        frames = sliding_window_view(source, _WINDOW)[::VAD_FRAME]
        spectra = np.abs(np.fft.rfft(frames * self._window, axis=1)) ** 2
        echo = self._weights @ spectra
        gain = np.median(power / (echo + 1e-9))
        unexplained = np.maximum(power - 8 * gain * echo, 0).sum() / (power.sum() + 1e-9)
        return float(1 - unexplained)


def _low_pass() -> Samples:
    """A windowed sinc that leaves what 16 kHz can hold."""
    n = np.arange(_TAPS) - (_TAPS - 1) / 2
    taps = np.sinc(n * 2 * 7_000 / PLAYOUT_RATE_HZ) * np.hamming(_TAPS)
    return np.asarray(taps / taps.sum(), np.float32)
