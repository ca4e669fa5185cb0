"""A film has as much picture as sound, in step, and its sound is what was said."""

import asyncio

import av
import numpy as np
import pytest

from tests.unit.videos.test_sound import tone
from visavis.audio import PLAYOUT_RATE_HZ
from visavis.errors import BadInputError
from visavis.layers.tts import Speech
from visavis.replica import FPS
from visavis.replica.stock import stock
from visavis.videos.files import FilmFile, write_sound
from visavis.videos.rendering import LEAD_IN_S, TAIL_S, render_film, sound_of


def seen(path):
    with av.open(path) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def heard(path):
    with av.open(path) as container:
        pieces = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    return np.concatenate(pieces).astype(np.float64)


def syllables(seconds):
    """A voice-like hum that opens and closes twice a second."""
    times = np.arange(round(seconds * PLAYOUT_RATE_HZ)) / PLAYOUT_RATE_HZ
    hum = sum(np.sin(2 * np.pi * 140 * n * times) / n for n in range(1, 12))
    return np.asarray(5000 * hum * (np.sin(2 * np.pi * 2 * times) > 0), np.int16)


@pytest.fixture(scope="module", params=[".mp4", ".webm"])
def film(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / f"film{request.param}"
    pcm = syllables(2.5)
    shares = []
    made = asyncio.run(render_film([Speech(pcm, (), ())], stock().renderer(seed=1), path, shares.append))
    return made, pcm, shares


def test_picture_and_sound_have_the_same_length(film):
    made, _, _ = film
    frames, sound = seen(made.path), heard(made.path)
    assert len(frames) == round(made.duration_s * FPS)
    assert abs(len(sound) / PLAYOUT_RATE_HZ - len(frames) / FPS) < 0.03
    assert abs(made.duration_s - (LEAD_IN_S + 2.52 + TAIL_S)) < 0.03
    assert frames[0].shape == (512, 512, 3)


def test_sound_is_what_was_said_and_begins_when_the_mouth_does(film):
    made, pcm, _ = film
    sound = heard(made.path)
    size = 1 << 19
    likeness = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(pcm.astype(np.float64), size)), size)
    start = int(np.argmax(likeness))
    assert abs(start / PLAYOUT_RATE_HZ - LEAD_IN_S) < 0.005
    assert np.corrcoef(sound[start : start + len(pcm)], pcm[: len(sound) - start])[0, 1] > 0.98


def test_mouth_moves_while_there_is_sound_and_rests_before_it(film):
    made, _, _ = film
    frames = np.stack([frame[270:360, 190:320].astype(np.int16) for frame in seen(made.path)])
    change = np.abs(np.diff(frames, axis=0)).mean((1, 2, 3))
    first = round(LEAD_IN_S * FPS)
    assert change[first : first + 50].max() > 4 * change[: first - 3].max()


def test_previews_are_pictures(film):
    made, _, _ = film
    [still] = seen(made.still)
    assert still.shape == (512, 512, 3)
    moving = seen(made.moving_preview)
    assert len(moving) > 10
    assert moving[0].shape == (192, 192, 3)


def test_progress_grows_to_the_end(film):
    _, _, shares = film
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_colours_survive(tmp_path):
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:] = (40, 90, 200)
    path = tmp_path / "red.mp4"
    with FilmFile(path, (64, 64)) as file:
        for _ in range(5):
            file.write(picture, np.zeros(1920, np.int16))
    assert np.abs(seen(path)[-1].astype(int) - picture).max() < 8


def test_other_file_names_are_refused(tmp_path):
    with pytest.raises(BadInputError, match=r"\.mp4 or \.webm"):
        FilmFile(tmp_path / "a.avi", (64, 64))
    with pytest.raises(BadInputError, match=r"\.wav or \.mp3"):
        write_sound(tmp_path / "a.ogg", tone(1))


def test_sound_of_nothing_is_silence_of_no_length():
    assert len(sound_of([])) == 0


@pytest.mark.models
async def test_script_is_spoken_by_the_built_in_voice(tmp_path):
    from visavis.layers.tts.hibari import Hibari
    from visavis.videos.sound import spoken

    speeches = await spoken("My baby brought a purple balloon. We found it very funny!", Hibari())
    made = await render_film(speeches, stock().renderer(seed=1), tmp_path / "a.mp4")
    said = sound_of(speeches)
    sound = heard(made.path)
    start = round(LEAD_IN_S * PLAYOUT_RATE_HZ)
    assert len(speeches) == 2
    padding = sum(-len(speech.pcm) % 1920 for speech in speeches[:-1])
    assert abs(made.duration_s * PLAYOUT_RATE_HZ - len(said) - padding - (LEAD_IN_S + TAIL_S) * PLAYOUT_RATE_HZ) < 1920
    first = speeches[0].pcm
    assert np.corrcoef(sound[start : start + len(first)], first)[0, 1] > 0.98


@pytest.mark.models
async def test_text_without_words_is_refused():
    from visavis.layers.tts.hibari import Hibari
    from visavis.videos.sound import spoken

    with pytest.raises(BadInputError, match="script"):
        await spoken("...", Hibari())
