import av
import cv2
import numpy as np
import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor

from visavis.replica import Frame
from visavis.transport.vp8 import PAYLOAD_BYTES, Vp8Encoder, i420


def picture(number: int, size: int = 128) -> Frame:
    frame = np.full((size, size, 3), 60, np.uint8)
    cv2.circle(frame, (size // 2 + number, size // 2), size // 4, (40, 80, 200), -1)
    return frame


def encode(encoder: Vp8Encoder, frame: Frame, number: int, *, key: bool = False) -> tuple[bytes, bool]:
    image = i420(frame)
    image.pts = number * 3_600
    payloads, is_key = encoder.encode(image, key=key)
    assert all(len(payload) <= PAYLOAD_BYTES for payload in payloads)
    parsed = [VpxPayloadDescriptor.parse(payload) for payload in payloads]
    assert [descriptor.partition_start for descriptor, _ in parsed] == [1] + [0] * (len(parsed) - 1)
    assert len({descriptor.picture_id for descriptor, _ in parsed}) == 1
    return b"".join(data for _, data in parsed), is_key


def test_what_is_encoded_decodes_to_the_same_picture_at_once() -> None:
    encoder, decoder = Vp8Encoder(1_200_000), av.CodecContext.create("libvpx", "r")
    for number in range(10):
        data, _ = encode(encoder, picture(number), number)
        (decoded,) = decoder.decode(av.Packet(data))
        error = np.abs(decoded.to_ndarray(format="bgr24").astype(int) - picture(number))
        assert error.mean() < 4


def test_only_the_first_picture_and_the_wanted_ones_are_key_frames() -> None:
    encoder = Vp8Encoder(1_200_000)
    keys = [encode(encoder, picture(number), number, key=number == 6)[1] for number in range(12)]
    assert [number for number, key in enumerate(keys) if key] == [0, 6]


def test_the_bitrate_is_kept_and_can_change() -> None:
    encoder = Vp8Encoder(800_000)
    noise = np.random.default_rng(2).integers(0, 255, (100, 256, 256, 3), dtype=np.uint8)
    sizes = [len(encode(encoder, cv2.GaussianBlur(frame, (0, 0), 3), i)[0]) for i, frame in enumerate(noise[:50])]
    assert np.mean(sizes[10:]) * 25 * 8 == pytest.approx(800_000, rel=0.25)
    encoder.bitrate = 300_000
    sizes = [len(encode(encoder, cv2.GaussianBlur(frame, (0, 0), 3), 50 + i)[0]) for i, frame in enumerate(noise[50:])]
    assert np.mean(sizes[10:]) * 25 * 8 == pytest.approx(300_000, rel=0.25)


def test_a_change_of_size_starts_with_a_key_frame() -> None:
    encoder = Vp8Encoder(1_200_000)
    encode(encoder, picture(0), 0)
    assert encode(encoder, picture(1, size=96), 1)[1]


def test_odd_sizes_and_views_are_cut_to_even_ones() -> None:
    frame = i420(picture(0, 129)[:, :127])
    assert (frame.width, frame.height) == (126, 128)
