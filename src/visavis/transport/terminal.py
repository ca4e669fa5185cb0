"""A call in the terminal: microphone and loudspeaker, or WAV files instead of either."""

import asyncio
import wave
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import resample_poly

from visavis.audio import LISTEN_RATE_HZ, PLAYOUT_RATE_HZ, Pcm, Samples
from visavis.errors import BadInputError, VisavisError
from visavis.replica import Frame

_PIECE = LISTEN_RATE_HZ // 50
_PIECE_S = 0.02


class TerminalCall:
    """A `visavis.transport.Call` whose sound comes from `microphone` and goes to `loudspeaker`; ends with either."""

    def __init__(
        self,
        microphone: AsyncIterable[Samples],
        loudspeaker: Callable[[Pcm], None],
        on_event: Callable[[Mapping[str, Any]], None],
        messages: AsyncIterator[Mapping[str, Any]],
    ) -> None:
        self._microphone = microphone
        self._loudspeaker = loudspeaker
        self._on_event = on_event
        self._messages = messages
        self._closed = asyncio.Event()

    async def connected(self) -> bool:
        """A terminal is always there."""
        return True

    async def hear(self) -> AsyncIterator[Samples]:
        """Sound from the microphone until it ends or the call is closed."""
        async for samples in self._microphone:
            if self._closed.is_set():
                return
            yield samples

    async def messages(self) -> AsyncIterator[Mapping[str, Any]]:
        """What was typed."""
        async for message in self._messages:
            yield message

    def send_audio(self, pcm: Pcm, position: int) -> None:
        """Play 20 ms."""
        self._loudspeaker(pcm)

    def send_frame(self, frame: Frame, position: int) -> None:
        """A terminal shows no pictures."""

    def send_event(self, event: Mapping[str, Any]) -> None:
        """Show what happened."""
        self._on_event(event)

    async def close(self) -> None:
        """Hang up."""
        self._closed.set()


def read_wav(path: Path) -> Samples:
    """The sound of a WAV file as 16 kHz mono.

    Raises `BadInputError`.
    """
    try:
        with wave.open(str(path), "rb") as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            data = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise BadInputError("--wav", path, f"a PCM WAV file ({error})") from error
    if width != 2:
        raise BadInputError("--wav", path, f"16-bit samples, not {8 * width}-bit")
    samples = np.frombuffer(data, "<i2").reshape(-1, channels).mean(axis=1).astype(np.float32) / 32768
    divisor = np.gcd(rate, LISTEN_RATE_HZ)
    return np.asarray(resample_poly(samples, LISTEN_RATE_HZ // divisor, rate // divisor), np.float32)


class WavMicrophone:
    """Plays files into a call, one after the other, each in real time and when the replica has fallen silent."""

    def __init__(self, files: list[Samples], patience_s: float = 8.0) -> None:
        """After a file, wait at most `patience_s` for an answer to begin."""
        self._files = files
        self._patience_s = patience_s
        self._quiet_since = 0.0
        self._spoke = False

    def follow(self, event: Mapping[str, Any]) -> None:
        """Learn from an event whether the replica speaks."""
        now = asyncio.get_running_loop().time()
        match event["event_type"]:
            case "conversation.replica.started_speaking":
                self._spoke, self._quiet_since = True, float("inf")
            case "conversation.replica.stopped_speaking":
                self._quiet_since = now

    async def __aiter__(self) -> AsyncIterator[Samples]:
        loop = asyncio.get_running_loop()
        pieces = _Paced(loop.time())
        silence = np.zeros(_PIECE, np.float32)
        for samples in [np.zeros(_PIECE, np.float32), *self._files]:
            self._spoke, asked_at = False, loop.time()
            for start in range(0, len(samples), _PIECE):
                await pieces.next()
                piece = samples[start : start + _PIECE]
                yield np.pad(piece, (0, _PIECE - len(piece)))
                asked_at = loop.time()
            while not self._answered(loop.time()) and loop.time() - asked_at < (
                self._patience_s if not self._spoke else 120
            ):
                await pieces.next()
                yield silence

    def _answered(self, now: float) -> bool:
        return self._spoke and now - self._quiet_since > 1.0


class _Paced:
    """Lets one piece of sound through every 20 ms."""

    def __init__(self, start: float) -> None:
        self._due = start

    async def next(self) -> None:
        self._due += _PIECE_S
        await asyncio.sleep(max(0.0, self._due - asyncio.get_running_loop().time()))


class WavLoudspeaker:
    """Writes what is played into a WAV file."""

    def __init__(self, path: Path) -> None:
        self._file = wave.open(str(path), "wb")  # noqa: SIM115 - closed by `close`
        self._file.setnchannels(1)
        self._file.setsampwidth(2)
        self._file.setframerate(PLAYOUT_RATE_HZ)

    def __call__(self, pcm: Pcm) -> None:
        """Append 20 ms."""
        self._file.writeframes(pcm.astype("<i2").tobytes())

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


class SoundCard:
    """The machine's own microphone and loudspeaker. An async context manager.

    Raises `VisavisError` where there are none.
    """

    def __init__(self) -> None:
        self._heard: asyncio.Queue[Samples] = asyncio.Queue(maxsize=100)  # 2 s; newest dropped when nobody listens
        self._streams: list[Any] = []

    async def __aenter__(self) -> "SoundCard":
        try:
            import sounddevice
        except (ImportError, OSError) as error:
            raise VisavisError(
                "No sound card access: install visavis[talk] and Debian's libportaudio2, or give WAV files with --wav."
            ) from error
        loop = asyncio.get_running_loop()

        def heard(data: Any, _frames: int, _time: Any, _status: Any) -> None:
            loop.call_soon_threadsafe(self._take, data[:, 0].copy())

        try:
            self._streams = [
                sounddevice.InputStream(LISTEN_RATE_HZ, _PIECE, channels=1, dtype="float32", callback=heard),
                sounddevice.OutputStream(PLAYOUT_RATE_HZ, channels=1, dtype="int16", latency="low"),
            ]
            for stream in self._streams:
                stream.start()
        except sounddevice.PortAudioError as error:
            raise VisavisError(f"The sound card cannot be used ({error}); give WAV files with --wav.") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        for stream in self._streams:
            stream.close()

    def _take(self, samples: Samples) -> None:
        if not self._heard.full():
            self._heard.put_nowait(samples)

    async def __aiter__(self) -> AsyncIterator[Samples]:
        while True:
            yield await self._heard.get()

    def play(self, pcm: Pcm) -> None:
        """Play 20 ms; dropped when the card does not keep up."""
        output = self._streams[1]
        if output.write_available >= len(pcm):
            output.write(pcm)
