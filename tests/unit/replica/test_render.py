import numpy as np
import pytest

from visavis.layers.tts import Phoneme, Speech
from visavis.replica import FPS, Attitude, Frame
from visavis.replica.key_frames.renderer import Face, KeyFrameRenderer
from visavis.replica.motion import Articulation

MOUTH = (slice(245, 325), slice(205, 305))
WIDE_OPEN = np.array([1.0, 0, 0, 0, 0, 0])


def mouth_opening(frame: Frame) -> int:
    """Pixels around the mouth that are as dark as only its inside is."""
    return int((frame[MOUTH].max(2) < 70).sum())


def say(face: Face, sounds: str, each_s: float = 0.16) -> list[tuple[str, Frame]]:
    """Frames of the given phonemes, each with the phoneme that sounds at its middle."""
    phonemes = tuple(Phoneme(sound, i * each_s, (i + 1) * each_s) for i, sound in enumerate(sounds))
    speech = Speech(np.full(round((len(sounds) * each_s + 0.3) * 48_000), 3000, np.int16), (), phonemes)
    renderer = KeyFrameRenderer(face, seed=1)
    frames = []
    for index, motion in enumerate(renderer.plan(speech)):
        sound = sounds[int((index + 0.5) * 0.04 / each_s)] if (index + 0.5) * 0.04 < len(sounds) * each_s else ""
        frames.append((sound, renderer.render(motion, Attitude.SPEAKING)))
    return frames


def test_frames_are_512_square_colour_pictures_and_never_shared(face: Face) -> None:
    renderer = KeyFrameRenderer(face, seed=0)
    first = renderer.render(None, Attitude.IDLE)
    kept = first.copy()
    second = renderer.render(None, Attitude.IDLE)
    assert renderer.size == (512, 512)
    assert first.shape == (512, 512, 3) and first.dtype == np.uint8
    assert not np.shares_memory(first, second)
    assert np.array_equal(first, kept)


@pytest.mark.parametrize("closed", "mbp")
def test_lips_close_on_m_b_p_between_open_vowels(face: Face, closed: str) -> None:
    frames = say(face, f"ɑ{closed}ɑ{closed}ɑ")
    openings = {sound: [mouth_opening(frame) for s, frame in frames if s == sound] for sound in ("ɑ", closed)}
    at_rest = mouth_opening(KeyFrameRenderer(face, seed=1).render(None, Attitude.IDLE))
    assert min(openings[closed]) <= at_rest + 25
    assert max(openings["ɑ"]) > 8 * max(min(openings[closed]), 20)


def test_mouth_opens_widest_for_ah(face: Face) -> None:
    widest = {sound: max(mouth_opening(frame) for s, frame in say(face, sound * 2) if s) for sound in "ɑɛiu"}
    assert widest["ɑ"] == max(widest.values())
    assert widest["ɑ"] > 1.5 * widest["u"]


def test_rounded_lips_are_narrower_than_spread_ones(face: Face) -> None:
    def width(sound: str) -> float:
        frames = [frame for s, frame in say(face, sound * 3) if s]
        lips = frames[len(frames) // 2][MOUTH].astype(int)
        red = (lips[..., 2] - lips[..., 1] > 75) | (lips.max(2) < 70)
        return float(np.ptp(np.nonzero(red.sum(0) > 3)[0]))

    assert width("u") < width("i") - 4


def test_mouth_rests_in_silence(face: Face) -> None:
    renderer = KeyFrameRenderer(face, seed=3)
    openings = [mouth_opening(renderer.render(None, Attitude.LISTENING)) for _ in range(100)]
    assert max(openings) < 80


def test_mouth_closes_within_four_frames_when_speech_is_cut_off(face: Face) -> None:
    wide_open = Articulation(WIDE_OPEN * 0.9, 1.0)
    renderer = KeyFrameRenderer(face, seed=1)
    for _ in range(4):
        spoken = mouth_opening(renderer.render(wide_open, Attitude.SPEAKING))
    closing = [mouth_opening(renderer.render(None, Attitude.LISTENING)) for _ in range(6)]
    assert spoken > 400
    assert closing[0] > 40, "it relaxes, it does not snap"
    assert closing[3] <= closing[5] + 25
    assert closing == sorted(closing, reverse=True) or max(np.diff(closing)) < 15


def test_a_new_sentence_begins_from_the_shape_that_is_shown(face: Face) -> None:
    renderer = KeyFrameRenderer(face, seed=1)
    renderer.render(None, Attitude.IDLE)
    first = mouth_opening(renderer.render(Articulation(WIDE_OPEN, 1.0), Attitude.SPEAKING))
    for _ in range(4):
        settled = mouth_opening(renderer.render(Articulation(WIDE_OPEN, 1.0), Attitude.SPEAKING))
    assert first < settled


def test_room_stands_still_and_person_moves(face: Face) -> None:
    renderer = KeyFrameRenderer(face, seed=5)
    attitudes = list(Attitude)
    frames = np.stack([renderer.render(None, attitudes[i // 50]) for i in range(200)][::10])
    change = np.ptp(frames.astype(int), axis=0).max(2)
    assert change[:, :100][:300].max() == 0
    assert change[:300, 420:].max() == 0
    assert change[:12].max() == 0
    assert change[150:300, 170:340].mean() > 3


def test_idle_face_never_jumps(face: Face) -> None:
    renderer = KeyFrameRenderer(face, seed=11)
    previous = renderer.render(None, Attitude.IDLE).astype(np.int16)
    eyes = (slice(165, 215), slice(185, 330))
    largest = alive = 0.0
    for _ in range(20 * FPS):
        frame = renderer.render(None, Attitude.IDLE).astype(np.int16)
        difference = np.abs(frame - previous)
        alive = max(alive, float(difference[eyes].mean()))
        difference[eyes] = 0
        largest = max(largest, float(difference.mean()))
        previous = frame
    assert largest < 0.8
    assert alive > 2, "it blinked"
