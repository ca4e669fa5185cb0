"""Is the voice in the microphone only the replica's own, come back from the person's loudspeakers?

The browser's echo cancellation is the first line; this guard is for what it lets through, and it knows what was
played. The delay from sending to hearing (network, jitter buffer, loudspeaker, room) is found and followed by
generalised cross-correlation with phase transform (Knapp and Carter 1976). With that delay, the spectrum of what was
played says how much power the echo can have at each frequency; what the microphone has beyond that is somebody else.
Powers instead of waveforms, because browsers suppress, stretch and resample, which no linear filter follows.

The constants were chosen by `benchmarks/echo.py`.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from visavis.audio import LISTEN_RATE_HZ, PLAYOUT_RATE_HZ, Pcm, Samples
from visavis.errors import BadInputError
from visavis.layers.turn import VAD_FRAME

PACKET = PLAYOUT_RATE_HZ // 50
"""Samples of what `OwnVoice.played` takes: 20 ms."""

MAX_DELAY_MS = 700
"""Longest delay between sending a sound and hearing its echo."""

_MS = LISTEN_RATE_HZ // 1000
_FACTOR = PLAYOUT_RATE_HZ // LISTEN_RATE_HZ
_TAPS = 48
_AHEAD = 100 * _MS  # both streams are counted apart, so an echo may seem to come before its sound
_LAGS = MAX_DELAY_MS * _MS + _AHEAD
_MATCH = 4 * VAD_FRAME  # how much sound is looked for in what was played
_WINDOW = 2 * VAD_FRAME
_TAIL = 8  # frames of reverberation
_TAIL_DECAY = 0.35  # of the power, each frame
_SILENT_AFTER = _LAGS + _MATCH + _TAIL * VAD_FRAME
_MAX_LEAD = 250 * _MS
_MAX_LEAD_FRAMES = 8
_TRANSFORM = 1 << ((_MATCH + _LAGS) // 2 - 1).bit_length()  # at half the rate

_UNEXPLAINED = 0.1  # share of a frame's power from which another delay is looked for
_LOOK_EVERY = 4  # frames, also when all is explained
_PEAKS = 3
_CLEAR_PEAK = 7.0  # standard deviations
_AUDIBLE = 2.0  # power over that of the noise
_PEAK_WIDTH = 16  # lags of 1/8 ms
_SOMEBODY = 0.5  # unexplained frames, summed up, that are a person
_FORGET = 0.75


class OwnVoice:
    """Knows what was played and recognises its echo.

    One per call, used on the event loop. Owner of the last second or two of both sounds; memory does not grow.
    """

    def __init__(self) -> None:
        self._played: Samples = np.zeros(_SILENT_AFTER + 2 * _MAX_LEAD, np.float32)
        self._played_until = 0
        self._sound_until = -_SILENT_AFTER
        self._taps = _low_pass()
        self._before: Samples = np.zeros(_TAPS - _FACTOR, np.float32)
        self._heard: Samples = np.zeros(_MATCH, np.float32)
        self._heard_until: int | None = None
        self._astray = 0
        self._correlation: Samples = np.zeros(_LAGS // 2, np.float32)
        self._looked = 0
        self._model = _EchoModel()
        self._somebody = 0.0

    def played(self, pcm: Pcm) -> None:
        """Take 20 ms as they are sent: int16[960] at 48 kHz, silence included. Raises `BadInputError`."""
        if pcm.shape != (PACKET,):
            raise BadInputError("pcm", pcm.shape, f"the shape ({PACKET},)")
        sound = np.concatenate([self._before, pcm.astype(np.float32) / 32768])
        self._before = sound[PACKET:]
        _shift_in(self._played, sliding_window_view(sound, _TAPS)[::_FACTOR] @ self._taps)
        self._played_until += PACKET // _FACTOR
        if pcm.any():
            self._sound_until = self._played_until

    def explains(self, frame: Samples) -> float:
        """How surely voice in `frame` (float32[512], 16 kHz, the next 32 ms heard) is only the echo of what was played.

        1 is certainly only echo, 0 somebody else, or nothing was played. Multiply the voice activity by the rest:
        `probability * (1 - explains(frame))`. Raises `BadInputError`.
        """
        if frame.shape != (VAD_FRAME,):
            raise BadInputError("frame", frame.shape, f"the shape ({VAD_FRAME},)")
        _shift_in(self._heard, frame)
        heard_until = self._keep_step()
        if self._played_until - self._sound_until >= _SILENT_AFTER:
            self._somebody = 0.0
            return 0.0
        self._somebody = min(_FORGET * self._somebody + self._unexplained(heard_until), 1.5 * _SOMEBODY)
        return float(np.clip(2.5 - 2 * self._somebody / _SOMEBODY, 0, 1))

    def _keep_step(self) -> int:
        """Where in the played stream the newest sound was heard.

        Both streams are counted in samples, so the delay between them is constant. Only when one has lost time for
        good (the machine stood still) are they set side by side again.
        """
        until = self._played_until if self._heard_until is None else self._heard_until + VAD_FRAME
        self._astray = self._astray + 1 if abs(until - self._played_until) > _MAX_LEAD else 0
        if self._astray > _MAX_LEAD_FRAMES:
            until = self._played_until
        self._heard_until = until
        return until

    def _unexplained(self, heard_until: int) -> float:
        """Share of the newest 64 ms that is no echo of what was played, at the delay that explains it best."""
        model = self._model
        power = model.hear(self._heard[-_WINDOW:])
        lock = int(np.argmax(self._correlation))
        best = model.compare(power, model.echo(self._source(heard_until, lock)))
        self._looked += 1
        if best.unexplained > _UNEXPLAINED or self._looked >= _LOOK_EVERY:
            self._looked = 0
            found = self._correlate(heard_until)
            if best.snr >= _AUDIBLE and found.max() >= _CLEAR_PEAK:
                # Neither the room's noise nor another voice makes the delay forgotten.
                self._correlation = _FORGET * self._correlation + found
            if best.unexplained > _UNEXPLAINED:
                # A jitter buffer may have moved, so what sounds alike at any other delay explains it as well.
                for lag, height in _peaks(found, lock):
                    other = model.compare(power, model.echo(self._source(heard_until, lag)), sure=height > _SURE_PEAK)
                    best = min(best, other, key=lambda match: match.unexplained)
        model.learn(power, best)
        return best.unexplained

    def _source(self, heard_until: int, lag: int) -> Samples:
        """What was played when it takes `lag` (of `_correlate`) to be heard, with what still reverberates."""
        end = heard_until + _AHEAD - 2 * lag
        return self._between(end - _WINDOW - (_TAIL - 1) * VAD_FRAME, end)

    def _between(self, start: int, stop: int) -> Samples:
        """What was played between two positions; silence where it is not yet known, or not any more."""
        first = self._played_until - len(self._played)
        inside = self._played[max(start - first, 0) : max(stop - first, 0)]
        before = min(max(first - start, 0), stop - start)
        return np.pad(inside, (before, stop - start - before - len(inside)))

    def _correlate(self, heard_until: int) -> Samples:
        """GCC-PHAT of the newest sound with all it may be the echo of, in standard deviations, by lags of 1/8 ms."""
        end = heard_until + _AHEAD
        source = np.fft.rfft(_half_rate(self._between(end - _MATCH - _LAGS, end)), _TRANSFORM)
        cross = source * np.fft.rfft(_half_rate(self._heard), _TRANSFORM).conj()
        cross /= np.abs(cross) + 1e-9
        by_lag = np.fft.irfft(cross, _TRANSFORM)[: _LAGS // 2][::-1]
        return np.asarray(by_lag / (by_lag.std() + 1e-9), np.float32)


_Spectrum = NDArray[np.float32]

_LOW, _HIGH = 8, 440  # bins of 15.6 Hz: 125 Hz to 6.9 kHz, what loudspeakers and the 16 kHz stream have
_BANDS = 20
_MARGIN = 7.0  # power over what is expected that reverberation and chance still explain
_NOISE_MARGIN = 3.0
_SOFTER, _LOUDER = 0.4, 2.0  # how far the echo's gain may leave what it was; a fading echo only seems softer
_SURE_PEAK = 10.0  # standard deviations; unrelated speech stays under this
_PLAIN = 0.3  # gain of an echo that nobody would overhear; its absence counts where it would have been heard
_ABSENT_AFTER = 30  # frames in which it was absent
_YOUNG = 12  # frames until the level counts as known


class _Match:
    """How well an echo explains a spectrum."""

    def __init__(self, echo: _Spectrum, gain: float, unexplained: float, unexplained_if_louder: float, snr: float):
        self.echo = echo
        self.gain = gain
        self.unexplained = unexplained
        self.unexplained_if_louder = unexplained_if_louder
        self.snr = snr


class _EchoModel:
    """How loud the echo is at each frequency: learnt while nobody else speaks. Owner of level, colour and noise."""

    def __init__(self) -> None:
        self._window = np.hanning(_WINDOW).astype(np.float32)
        self._tail = (_TAIL_DECAY ** np.arange(_TAIL)[::-1]).astype(np.float32)
        mel = np.log1p(np.arange(_LOW, _HIGH) * LISTEN_RATE_HZ / _WINDOW / 700)
        edges = np.linspace(mel[0], mel[-1], _BANDS + 1)
        self._band = np.searchsorted(edges[1:-1], mel, side="right")
        self._band_starts = np.searchsorted(self._band, np.arange(_BANDS))
        self._colour = np.ones(_BANDS, np.float32)
        self._level = 0.0
        self._learnt = 0
        self._missed: list[float] = []
        self._smooth: _Spectrum | None = None
        self._noise: _Spectrum = np.full(_HIGH - _LOW, 1e-9, np.float32)

    def hear(self, sound: Samples) -> _Spectrum:
        """Power spectrum of float32[1024]; its steady part is learnt as noise."""
        power = self._power(sound)
        if not sound.any():  # a microphone that is switched off; its silence is not the room's
            return power
        if self._smooth is None:
            self._smooth, self._noise = power.copy(), power.copy()
        self._smooth += 0.2 * (power - self._smooth)
        self._noise = np.minimum(1.01 * self._noise, 1.5 * self._smooth) + 1e-9
        return power

    def echo(self, source: Samples) -> _Spectrum:
        """Power that the sound played until now leaves in a room, before loudspeaker and distance."""
        return np.asarray(self._tail @ self._power(sliding_window_view(source, _WINDOW)[::VAD_FRAME]), np.float32)

    def compare(self, power: _Spectrum, echo: _Spectrum, sure: bool = False) -> _Match:
        """How much of `power` the echo leaves unexplained; `sure` if the waveforms prove that there is an echo."""
        expected = echo * self._colour[self._band] + 1e-9
        ratio = power / expected
        gain = float(np.partition(ratio, len(ratio) // 2)[len(ratio) // 2])
        noise = _NOISE_MARGIN * self._noise
        audible = float(np.maximum(power - noise, 0).sum()) + 1e-6
        snr = audible / float(noise.sum())

        def beyond(gain: float) -> float:
            return float(np.maximum(power - _MARGIN * gain * expected - noise, 0).sum()) / audible

        known = self._learnt >= _YOUNG
        free = unexplained = beyond(max(gain, _SOFTER * self._level) if known else gain)
        limit = _LOUDER * self._level
        if known and gain > limit and not (sure and free < _UNEXPLAINED):
            unexplained = beyond(limit)
        return _Match(echo, gain, unexplained * min(1.0, snr / 3), free, snr)

    def learn(self, power: _Spectrum, match: _Match) -> None:
        """Follow level and colour with a frame that is well explained; quickly up, slowly down."""
        if match.snr < _AUDIBLE:
            self._miss(power, match)
            return
        if match.unexplained_if_louder > 0.2:
            return
        self._learnt += 1
        speed = 1.0 if not self._level else 0.15 if match.gain > self._level else 0.01
        self._level = match.gain**speed * (self._level or 1.0) ** (1 - speed)
        heard, noise, echo = (np.add.reduceat(part, self._band_starts) for part in (power, self._noise, match.echo))
        target = np.clip((heard - noise) / (echo * match.gain + 1e-9), 0.03, 30)
        # Where the noise is as loud as the echo, it would be taken for colour.
        self._colour = np.where(heard > 5 * noise, self._colour**0.9 * target**0.1, self._colour).astype(np.float32)

    def _miss(self, power: _Spectrum, match: _Match) -> None:
        """Take a frame without an audible echo; after enough of them, whatever is louder than could be is somebody."""
        if self._learnt >= _YOUNG or not power.any():
            return
        loudest = _AUDIBLE * _NOISE_MARGIN * float(self._noise.sum()) / (float(match.echo.sum()) + 1e-9)
        if loudest < _PLAIN:
            self._missed.append(loudest)
            if len(self._missed) >= _ABSENT_AFTER:
                self._learnt, self._level = _YOUNG, float(np.median(self._missed))
                self._missed.clear()

    def _power(self, sound: Samples) -> _Spectrum:
        spectrum = np.fft.rfft(sound * self._window)[..., _LOW:_HIGH]
        return np.asarray(spectrum.real**2 + spectrum.imag**2, np.float32)


def _peaks(correlation: Samples, near: int) -> list[tuple[int, float]]:
    """The highest peaks, each with its height; also the place that is known already, whose height is news."""
    rest, peaks = correlation.copy(), []
    for _ in range(_PEAKS):
        lag = int(np.argmax(rest))
        peaks.append((lag, float(rest[lag])))
        rest[max(0, lag - _PEAK_WIDTH) : lag + _PEAK_WIDTH] = -np.inf
    if all(abs(lag - near) >= _PEAK_WIDTH for lag, _ in peaks):
        peaks.append((near, float(correlation[max(0, near - 8) : near + 8].max())))
    return peaks


def _shift_in(buffer: Samples, new: Samples) -> None:
    """Move the samples of `buffer` forward and put `new` at the end."""
    buffer[: -len(new)] = buffer[len(new) :]
    buffer[-len(new) :] = new


def _half_rate(samples: Samples) -> Samples:
    return samples[0::2] + samples[1::2]


def _low_pass() -> Samples:
    """A windowed sinc that leaves what 16 kHz can hold."""
    n = np.arange(_TAPS) - (_TAPS - 1) / 2
    taps = np.sinc(n * 2 * 7_000 / PLAYOUT_RATE_HZ) * np.hamming(_TAPS)
    return np.asarray(taps / taps.sum(), np.float32)
