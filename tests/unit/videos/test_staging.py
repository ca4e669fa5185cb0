"""What is behind a replica in a video, and what is laid over it."""

import asyncio

import av
import cv2
import numpy as np
import pytest

from visavis.audio import PLAYOUT_RATE_HZ
from visavis.errors import BadInputError
from visavis.layers.tts import Speech
from visavis.replica import Attitude, Background
from visavis.replica.stock import stock
from visavis.videos.files import FilmFile
from visavis.videos.rendering import render_film
from visavis.videos.staging import BeforeFilm, Cutout, Watermark, picture_in

ROWS, COLUMNS = np.mgrid[:512, :512]
SOMETHING = np.stack([ROWS // 2, COLUMNS // 2, 255 - ROWS // 2], axis=2).astype(np.uint8)


def written(path, pictures, size):
    with FilmFile(path, size) as film:
        for picture in pictures:
            film.write(picture, np.zeros(PLAYOUT_RATE_HZ // 25, np.int16))
    return path


def test_cutout_before_something_looks_like_the_replica_before_it():
    cutout = Cutout(stock())
    seen = cutout.render(None, Attitude.IDLE) + (1 - cutout.opacity) * SOMETHING
    there = stock().renderer(Background(picture=SOMETHING)).render(None, Attitude.IDLE)
    corner = np.s_[:60, :60]
    assert cutout.opacity[corner].max() == 0 and cutout.opacity[300:340, 240:270].min() > 0.99
    assert np.abs(seen[corner] - there[corner]).max() < 2
    assert 0.3 < cutout.opacity.mean() < 0.7


def test_film_behind_the_replica_goes_on_and_begins_again(tmp_path):
    shades = [np.full((64, 64, 3), shade, np.uint8) for shade in (40, 40, 120, 120, 200, 200)]
    stage = BeforeFilm(stock(), written(tmp_path / "behind.webm", shades, (64, 64)))
    corners = [stage.render(None, Attitude.IDLE)[10, 10].mean() for _ in range(12)]
    assert np.allclose(corners, [40, 40, 120, 120, 200, 200] * 2, atol=12)


def test_what_is_no_film_is_refused_by_its_field(tmp_path):
    path = tmp_path / "behind.mp4"
    path.write_bytes(b"no film")
    with pytest.raises(BadInputError, match="background_source_url"):
        BeforeFilm(stock(), path).render(None, Attitude.IDLE)
    assert picture_in(path) is None


def test_transparent_film_is_transparent_around_the_replica(tmp_path):
    speech = Speech(np.zeros(PLAYOUT_RATE_HZ // 5, np.int16), (), ())
    made = asyncio.run(render_film([speech], Cutout(stock()), tmp_path / "film.webm"))
    with av.open(made.path) as container:
        decoder = av.CodecContext.create("libvpx-vp9", "r")
        frames = [frame for packet in container.demux(video=0) for frame in decoder.decode(packet)]
    frame = frames[0]
    plane = frame.planes[3]
    opacity = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
    assert frame.format.name == "yuva420p"
    assert opacity[:60, :60].max() < 8 and opacity[300:340, 240:270].min() > 245
    still = cv2.imread(str(made.still))
    assert still[:60, :60].min() > 245


def test_watermark_keeps_its_transparency_and_its_corner():
    mark = np.zeros((100, 200, 4), np.uint8)
    mark[:, :100] = (10, 20, 250, 255)
    frame = np.full((512, 512, 3), 128, np.uint8)
    for corner, box in (("top_left", np.s_[:80, :140]), ("bottom_right", np.s_[-80:, -140:])):
        marked = Watermark(mark, (512, 512), corner).on(frame)
        changed = np.any(marked != frame, axis=2)
        assert changed[box].sum() == changed.sum() > 1_000
        assert (marked[changed][:, 2] > 200).mean() > 0.9
    assert (frame == 128).all()
