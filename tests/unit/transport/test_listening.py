import asyncio
from collections.abc import Iterator

import numpy as np
import pytest

from visavis.audio import Samples
from visavis.transport.listening import PIECE, Downsampler, Ear
from visavis.transport.opus import OpusEncoder
from visavis.transport.queues import DropOldest


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Listener:
    """An ear with everything that it heard so far."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.pieces: DropOldest[Samples] = DropOldest(1_000)
        self.ear = Ear(self.pieces, self.clock)

    async def heard(self) -> Samples:
        pieces = [await self.pieces.get() for _ in range(len(self.pieces))]
        assert all(piece.shape == (PIECE,) and piece.dtype == np.float32 for piece in pieces)
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


@pytest.fixture
def listener() -> Listener:
    return Listener()


def tone(hertz: float, seconds: float, rate: int = 48_000) -> Samples:
    return np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate).astype(np.float32) * 0.4


def packets(samples: Samples) -> Iterator[bytes]:
    encoder = OpusEncoder()
    for start in range(0, len(samples), 960):
        pcm = (samples[start : start + 960] * 32_767).astype(np.int16)
        yield from encoder.encode(pcm, start)


def loudness(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples**2)))


async def test_every_packet_is_heard_at_once_as_20_ms(listener: Listener) -> None:
    for i, payload in enumerate(packets(tone(440, 1.0))):
        listener.ear.packet(i, i * 960, payload)
        assert len(listener.pieces) == i + 1
    heard = await listener.heard()
    spectrum = np.abs(np.fft.rfft(heard[1_600:]))
    assert abs(np.argmax(spectrum) * 16_000 / (len(heard) - 1_600) - 440) < 2


async def test_sound_is_delayed_by_little_more_than_the_codec(listener: Listener) -> None:
    sound = np.concatenate([np.zeros(9_600, np.float32), tone(440, 0.5)])
    for i, payload in enumerate(packets(sound)):
        listener.ear.packet(i, i * 960, payload)
    onset_s = np.argmax(np.abs(await listener.heard()) > 0.1) / 16_000
    assert 0 < onset_s - 0.2 < 0.010  # Opus looks 6.5 ms ahead, the filter 1 ms


async def test_lost_packets_keep_their_time_and_fade_out(listener: Listener) -> None:
    for i, payload in enumerate(packets(tone(440, 1.0))):
        if not 20 <= i < 25:
            listener.ear.packet(i, i * 960, payload)
    heard = await listener.heard()
    assert len(heard) == 50 * PIECE
    hole = heard[20 * PIECE : 25 * PIECE]
    assert loudness(hole[:PIECE]) > 0.05
    assert loudness(hole[2 * PIECE : 4 * PIECE]) < 0.001
    assert listener.ear.lost == 5


async def test_a_hole_does_not_click(listener: Listener) -> None:
    sound = tone(200, 0.5)
    for i, payload in enumerate(packets(sound)):
        if i != 15:
            listener.ear.packet(i, i * 960, payload)
    heard = await listener.heard()
    steps = np.abs(np.diff(heard[14 * PIECE : 16 * PIECE]))
    assert steps.max() < 3 * 0.4 * 2 * np.pi * 200 / 16_000


async def test_a_reordered_packet_is_not_heard_twice(listener: Listener) -> None:
    stream = list(enumerate(packets(tone(440, 0.4))))
    stream[5], stream[6] = stream[6], stream[5]
    for i, payload in stream:
        listener.ear.packet(i, i * 960, payload)
    assert len(await listener.heard()) == 20 * PIECE
    assert listener.ear.late == 1


async def test_damaged_packets_do_no_harm(listener: Listener) -> None:
    stream = list(packets(tone(440, 0.4)))
    stream[3], stream[5], stream[7] = b"", b"\xff", b"\xff\xff\xff\xff\xff"
    for i, payload in enumerate(stream):
        listener.ear.packet(i, i * 960, payload)
    assert len(await listener.heard()) == 20 * PIECE


async def test_time_goes_on_in_silence_without_a_microphone(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard_at: list[float] = []

    async def pass_time(seconds: float) -> None:
        listener.clock.seconds += seconds
        heard_at.append(listener.clock.seconds)
        if listener.clock.seconds >= 110:
            raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", pass_time)
    with pytest.raises(asyncio.CancelledError):
        await listener.ear.keep_time()
    heard = await listener.heard()
    assert len(heard) / 16_000 == pytest.approx(9.9, abs=0.05)
    assert not heard.any()


async def test_silence_that_was_already_heard_is_not_heard_again_as_a_gap(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = list(packets(tone(440, 1.0)))
    for i in range(10):
        listener.ear.packet(i, i * 960, stream[i])

    async def pass_time(seconds: float) -> None:
        listener.clock.seconds += seconds
        if listener.clock.seconds >= 102:
            raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", pass_time)
    with pytest.raises(asyncio.CancelledError):
        await listener.ear.keep_time()
    # Two seconds later the microphone is back; its timestamps went on.
    listener.ear.packet(10, (10 + 100) * 960, stream[10])
    assert len(await listener.heard()) / PIECE == pytest.approx(10 + 100 + 1, abs=1)


async def test_an_absurd_jump_of_time_is_limited(listener: Listener) -> None:
    stream = list(packets(tone(440, 0.1)))
    listener.ear.packet(0, 0, stream[0])
    listener.ear.packet(1, 1_000_000_000, stream[1])
    assert len(await listener.heard()) == (1 + 50 + 1) * PIECE


@pytest.mark.parametrize(("hertz", "gain"), [(100, 1), (1_000, 1), (6_000, 1), (8_200, 0), (12_000, 0), (20_000, 0)])
def test_downsampling_keeps_speech_and_removes_what_would_alias(hertz: float, gain: float) -> None:
    downsample = Downsampler()
    sound = tone(hertz, 0.2)
    heard = np.concatenate([downsample(part) for part in np.split(sound, 10)])
    assert len(heard) == len(sound) / 3
    assert loudness(heard[320:]) / loudness(sound) == pytest.approx(gain, abs=0.003)
