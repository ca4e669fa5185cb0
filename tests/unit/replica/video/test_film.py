from pathlib import Path

import numpy as np
import pytest

from tests.unit.replica.video.filming import greys, turned_right, write_film
from visavis.audio import PLAYOUT_RATE_HZ
from visavis.replica.train import TrainingError
from visavis.replica.train.film import glimpses, open_film, pictures, sound

TONE = (8000 * np.sin(np.arange(2 * PLAYOUT_RATE_HZ) / 20)).astype(np.int16)


def brightness(path: Path, start_s: float = 0.0, end_s: float | None = None) -> list[int]:
    return [round(float(picture.mean())) for picture in pictures(open_film(path), start_s, end_s)]


def test_a_film_at_25_pictures_a_second_is_given_as_it_is(tmp_path: Path) -> None:
    levels = list(range(20, 220, 4))
    path = write_film(tmp_path / "a.mp4", greys(levels))
    assert np.allclose(brightness(path), levels, atol=9)


def test_a_part_begins_and_ends_where_it_was_asked_for(tmp_path: Path) -> None:
    levels = list(range(20, 220, 2))
    path = write_film(tmp_path / "a.mp4", greys(levels))
    assert np.allclose(brightness(path, 1.0, 3.0), levels[25:75], atol=9)


@pytest.mark.parametrize("fps", [15, 30, 60])
def test_other_rates_become_25_pictures_a_second_without_drift(tmp_path: Path, fps: int) -> None:
    times = [number / fps for number in range(2 * fps)]
    path = write_film(tmp_path / "a.mp4", greys([round(20 + 100 * time) for time in times]), times_s=times)
    found = brightness(path)
    assert abs(len(found) - 50) <= 2
    assert np.allclose(found, [20 + 100 * (number + 0.5) / 25 for number in range(len(found))], atol=100 / fps + 9)


def test_a_variable_rate_keeps_its_times(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.5, 1.0, 1.04, 1.08]
    found = brightness(write_film(tmp_path / "a.mp4", greys([20, 60, 100, 140, 180, 220]), times_s=times))
    assert np.allclose(found[1:12], 60, atol=9)
    assert np.allclose(found[13:25], 100, atol=9)


def test_a_film_from_a_turned_phone_is_upright(tmp_path: Path) -> None:
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[:24, :32] = 255
    film = open_film(turned_right(write_film(tmp_path / "a.mp4", [frame] * 5)))
    shown = next(pictures(film))
    assert film.size == (48, 64) and shown.shape == (64, 48, 3)
    assert shown[:30, 26:].mean() > 240 and shown[:30, :22].mean() < 15 and shown[34:].mean() < 15


def test_sound_is_on_the_clock_of_the_pictures(tmp_path: Path) -> None:
    pcm = np.concatenate([np.zeros(PLAYOUT_RATE_HZ, np.int16), TONE])
    film = open_film(write_film(tmp_path / "a.mp4", greys([90] * 75), pcm))
    heard = sound(film, 0.5, 2.0)
    assert len(heard) == 1.5 * PLAYOUT_RATE_HZ
    onset = int(np.argmax(np.abs(heard.astype(int)) > 2000)) / PLAYOUT_RATE_HZ
    assert abs(onset - 0.5) < 0.03


def test_a_film_without_sound_is_silent(tmp_path: Path) -> None:
    film = open_film(write_film(tmp_path / "a.mp4", greys([90] * 25)))
    assert not film.sound
    assert len(sound(film)) == PLAYOUT_RATE_HZ and not sound(film).any()


def test_other_containers_and_codecs_are_read(tmp_path: Path) -> None:
    for name, codec in (("a.mkv", "libx264"), ("b.avi", "mpeg4"), ("c.mov", "libx265")):
        path = write_film(tmp_path / name, greys([50] * 20, (128, 96)), codec=codec)
        assert np.allclose(brightness(path)[:19], 50, atol=4), name


def test_glimpses_come_from_about_the_times_asked_for(tmp_path: Path) -> None:
    film = open_film(write_film(tmp_path / "a.mp4", greys([50] * 50 + [200] * 300)))
    assert len(list(glimpses(film, [0.5, 13.0]))) == 2


@pytest.mark.parametrize("content", [b"", b"no film at all" * 100, b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"])
def test_what_is_no_video_is_refused_with_what_would_be_right(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match="expected an MP4") as error:
        open_film(path)
    assert error.value.error_type == "video_format"
