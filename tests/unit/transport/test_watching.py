import asyncio
import fractions

import av
import numpy as np
import pytest
from aiortc import MediaStreamTrack

from tests.unit.transport.browser_stand_in import Microphone, Page
from visavis.errors import BadInputError
from visavis.transport import Picture
from visavis.transport.watching import MAX_WAITING, PATIENCE, FrameAssembly, Pictures, _Packet


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def grey(level: int, size: tuple[int, int] = (320, 240)) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), level, np.uint8), format="bgr24")


def encoded(levels: list[int], size: tuple[int, int] = (320, 240)) -> list[bytes]:
    """VP8 frames, the first of which is a key frame."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = *size, "yuv420p"
    encoder.time_base, encoder.gop_size = fractions.Fraction(1, 30), 3000
    encoder.options = {"deadline": "realtime", "lag-in-frames": "0"}
    made = []
    for number, level in enumerate(levels):
        frame = grey(level, size).reformat(format="yuv420p")
        frame.pts = number
        made += [bytes(packet) for packet in encoder.encode(frame)]
    return made


def send(pictures: Pictures, frames: list[bytes], first: int = 0, pieces: int = 3) -> list[bool]:
    """Every frame in some packets; whether key frames were asked for."""
    asked, sequence = [], first
    for number, frame in enumerate(frames):
        cut = [frame[len(frame) * k // pieces : len(frame) * (k + 1) // pieces] for k in range(pieces)]
        for k, data in enumerate(cut):
            asked.append(
                pictures.packet(sequence % 65_536, number * 3_000, last=k == pieces - 1, codec="video/VP8", data=data)
            )
            sequence += 1
    return asked


def level(picture: Picture | None) -> int:
    assert picture is not None
    return round(float(picture.pixels.mean()))


def packet(name: str, *, last: bool = True) -> _Packet:
    return _Packet(0, last, "video/vp8", name.encode())


def test_packets_that_come_in_another_order_become_frames_in_order() -> None:
    assembly = FrameAssembly()
    assert assembly.add(65_534, packet("a")) == ([packet("a")], False)
    assert assembly.add(0, packet("c")) == ([], False)
    assert assembly.add(65_535, packet("b")) == ([packet("b"), packet("c")], False)
    assert assembly.add(65_535, packet("b")) == ([], False)
    assert assembly.add(1, packet("d", last=False)) == ([], False)


def test_a_packet_that_never_comes_is_given_up() -> None:
    assembly = FrameAssembly()
    assembly.add(0, packet("a"))
    outcomes = [assembly.add(2 + number, packet("x")) for number in range(PATIENCE + 2)]
    assert outcomes[-2] == ([], True)
    assert not any(gave_up for _, gave_up in outcomes[:-2])
    assert outcomes[-1] == ([packet("x")], False)
    assert assembly.lost == 1


def test_a_look_shows_the_newest_picture_once() -> None:
    pictures = Pictures(Clock())
    send(pictures, encoded([40, 120, 200]))
    seen = pictures.look(640)
    assert abs(level(seen) - 200) <= 4
    assert pictures.look(640) is None


def test_pictures_are_shrunk_to_what_is_asked_for() -> None:
    pictures = Pictures(Clock())
    send(pictures, encoded([90], (720, 1280)))
    seen = pictures.look(320)
    assert seen is not None
    assert seen.pixels.shape == (320, 180, 3)
    assert seen.sent_size == (720, 1280)


def test_when_nobody_looks_the_frames_are_forgotten_and_looking_again_asks_for_a_key_frame() -> None:
    clock = Clock()
    pictures = Pictures(clock)
    frames = encoded([100] * (MAX_WAITING + 20))
    asked = send(pictures, frames)
    assert not any(asked), "nobody looks, so nothing is asked for"
    assert pictures.look(640) is None
    clock.now = 1.0
    later = frames[-1]
    assert send(pictures, [later], first=3 * len(frames))[0]
    clock.now = 1.1
    assert not any(send(pictures, [later], first=3 * len(frames) + 3)), "asked a moment ago"
    send(pictures, encoded([30]), first=3 * len(frames) + 6)
    assert abs(level(pictures.look(640)) - 30) <= 4


def test_a_damaged_frame_is_no_picture_and_does_no_harm() -> None:
    pictures = Pictures(Clock())
    good = encoded([50, 60])
    send(pictures, [good[0], bytes([1]) + b"\xff" * 40])
    pictures.look(640)
    send(pictures, encoded([170]), first=6)
    assert abs(level(pictures.look(640)) - 170) <= 4


class Camera(MediaStreamTrack):
    """25 pictures a second, each brighter than the one before."""

    kind = "video"

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self._size = size
        self.count = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(0.04)
        self.count += 1
        frame = grey(40 + 5 * min(self.count, 30), self._size)
        frame.pts, frame.time_base = self.count * 3_600, fractions.Fraction(1, 90_000)
        return frame


@pytest.mark.realtime
async def test_the_camera_of_a_page_is_seen_and_can_be_switched_off() -> None:
    page = Page(Microphone(440))
    replica = next(one for one in page.connection.getTransceivers() if one.kind == "video")
    replica.direction = "sendrecv"
    replica.sender.replaceTrack(Camera((320, 240)))
    call = await page.call()
    assert await call.connected()
    camera = call.sight("camera")
    assert camera
    picture = None
    async with asyncio.timeout(60):
        while picture is None:
            await asyncio.sleep(0.1)
            picture = await asyncio.to_thread(camera.look, 1280)
    assert picture.sent_size == (320, 240)
    assert call.sight("screen") is None
    call.assign(None, None)
    assert call.sight("camera") is None
    call.assign(replica.mid, None)
    assert call.sight("camera") is camera
    with pytest.raises(BadInputError, match="camera_mid"):
        call.assign("7", None)
    await call.close()
    await page.connection.close()
