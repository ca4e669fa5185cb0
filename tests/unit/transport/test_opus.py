import av
import numpy as np

from visavis.transport.jitter import opus_samples
from visavis.transport.opus import OpusEncoder


def test_every_20_ms_leave_as_one_packet_at_once() -> None:
    encoder = OpusEncoder()
    noise = np.random.default_rng(1).integers(-3_000, 3_000, (50, 960), dtype=np.int16)
    for i, pcm in enumerate(noise):
        packets = encoder.encode(pcm, i * 960)
        assert len(packets) == 1
        assert opus_samples(packets[0]) == 960


def test_the_sound_survives_and_is_late_by_the_look_ahead_only() -> None:
    encoder = OpusEncoder()
    decoder = av.CodecContext.create("libopus", "r")
    decoder.layout, decoder.sample_rate = "mono", 48_000
    sound = np.zeros(48_000, np.int16)
    sound[24_000:] = 10_000 * np.sin(2 * np.pi * 440 * np.arange(24_000) / 48_000)
    heard = np.concatenate(
        [
            frame.to_ndarray().reshape(-1)
            for start in range(0, len(sound), 960)
            for packet in encoder.encode(sound[start : start + 960], start)
            for frame in decoder.decode(av.Packet(packet))
        ]
    )
    onset = int(np.argmax(np.abs(heard) > 2_000))
    assert 0 < onset - 24_000 < 480
    assert 9_000 < np.abs(heard[30_000:]).max() < 11_000


def test_a_frame_that_is_a_view_can_be_sent() -> None:
    assert OpusEncoder().encode(np.zeros(1_920, np.int16)[::2], 0)
