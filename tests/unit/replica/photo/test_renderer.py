"""What a photo does is measured as on a real face: by the landmarks of the frames."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.replica.photo.conftest import Measure
from visavis.faces import Landmarks
from visavis.faces.points import (
    CHIN,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    LOWER_LIP,
    NOSE_TIP,
    UPPER_LIP,
)
from visavis.layers.tts import Phoneme, Speech
from visavis.replica import GREEN_SCREEN, Attitude, Frame
from visavis.replica.arkit import mouth_weights, pose_weights
from visavis.replica.life import Pose
from visavis.replica.photo.renderer import Face, PhotoRenderer
from visavis.replica.visemes import CLOSED, JAW, PARAMETERS, ROUND, SPREAD

pytestmark = pytest.mark.models


def mouth(renderer: PhotoRenderer, **parameters: float) -> Frame:
    values = np.zeros(PARAMETERS)
    for name, value in parameters.items():
        values[{"jaw": JAW, "spread": SPREAD, "rounded": ROUND, "closed": CLOSED}[name]] = value
    return renderer.draw(mouth_weights(values), Pose())


def posed(renderer: PhotoRenderer, pose: Pose) -> Frame:
    return renderer.draw(pose_weights(pose), pose)


def opening(face: Landmarks) -> float:
    """Distance of the lips, as a share of the distance of the eyes."""
    return float(np.linalg.norm(face.xy[UPPER_LIP] - face.xy[LOWER_LIP]) / np.linalg.norm(face.xy[33] - face.xy[263]))


def width(face: Landmarks) -> float:
    return float(np.linalg.norm(face.xy[78] - face.xy[308]) / np.linalg.norm(face.xy[33] - face.xy[263]))


def eye_opening(face: Landmarks) -> float:
    upper, lower = face.xy[list(LEFT_UPPER_LID[3:6])], face.xy[list(LEFT_LOWER_LID[3:6])]
    return float(np.linalg.norm(upper - lower, axis=1).mean() / np.linalg.norm(face.xy[362] - face.xy[263]))


def test_at_rest_it_is_the_photo(renderer: PhotoRenderer, picture: NDArray[np.uint8], measure: Measure) -> None:
    frame = mouth(renderer)
    shown, true = measure(frame), measure(picture)
    to_frame, _ = cv2.estimateAffinePartial2D(true.xy.copy(), shown.xy.copy())
    expected = cv2.warpAffine(picture, to_frame, (512, 512), flags=cv2.INTER_AREA)
    middle = (slice(120, 480), slice(100, 400))
    assert np.abs(frame[middle].astype(int) - expected[middle]).mean() < 6


def test_frames_are_fresh_colour_pictures(renderer: PhotoRenderer) -> None:
    first = renderer.render(None, Attitude.IDLE)
    kept = first.copy()
    second = renderer.render(None, Attitude.IDLE)
    assert renderer.size == (512, 512)
    assert first.shape == (512, 512, 3) and first.dtype == np.uint8
    assert not np.shares_memory(first, second)
    assert np.array_equal(first, kept)


def test_the_mouth_opens_as_far_as_the_jaw(renderer: PhotoRenderer, measure: Measure) -> None:
    openings = [opening(measure(mouth(renderer, jaw=jaw))) for jaw in (0.0, 0.3, 0.6, 0.9)]
    assert openings == sorted(openings)
    assert openings[0] < 0.02
    assert openings[-1] > 0.12


def test_closed_lips_meet_although_the_jaw_is_open(renderer: PhotoRenderer, measure: Measure) -> None:
    assert opening(measure(mouth(renderer, jaw=0.6, closed=1.0))) < 0.02


def test_lips_spread_and_round(renderer: PhotoRenderer, measure: Measure) -> None:
    spread, rest, rounded = (
        width(measure(mouth(renderer, jaw=0.2, **shape))) for shape in ({"spread": 0.9}, {}, {"rounded": 1.0})
    )
    assert spread > 1.05 * rest
    assert rounded < 0.85 * rest


def test_lids_cover_the_eyes(renderer: PhotoRenderer, measure: Measure) -> None:
    openings = [eye_opening(measure(posed(renderer, Pose(lids=lids)))) for lids in (0.0, 0.5, 1.0)]
    assert openings[0] > openings[1] > openings[2]
    assert openings[2] < 0.4 * openings[0]


def test_the_eyes_look_aside_and_nothing_else_moves(renderer: PhotoRenderer, measure: Measure) -> None:
    ahead, aside = measure(posed(renderer, Pose())), measure(posed(renderer, Pose(gaze_x=3)))
    assert (aside.xy[[468, 473], 0] - ahead.xy[[468, 473], 0]).mean() > 1.0
    assert np.abs(aside.xy[[NOSE_TIP, CHIN]] - ahead.xy[[NOSE_TIP, CHIN]]).max() < 1.0


def test_a_smile_is_seen_as_one(renderer: PhotoRenderer, measure: Measure) -> None:
    calm, smiling = (measure(posed(renderer, Pose(smile=smile))) for smile in (0.0, 0.9))
    assert smiling.blendshape("mouthSmileLeft") > calm.blendshape("mouthSmileLeft") + 0.3


def test_the_head_turns_in_depth(renderer: PhotoRenderer, measure: Measure) -> None:
    ahead, turned = measure(posed(renderer, Pose())), measure(posed(renderer, Pose(yaw_deg=6)))
    moved = turned.xy[:, 0] - ahead.xy[:, 0]
    assert moved[NOSE_TIP] > 3
    assert moved[NOSE_TIP] > 2 * abs(moved[[234, 454]].mean())


def test_words_are_said_with_the_lips(renderer: PhotoRenderer, measure: Measure) -> None:
    sounds = "mɑmɑ"
    phonemes = tuple(Phoneme(sound, i * 0.16, (i + 1) * 0.16) for i, sound in enumerate(sounds))
    speech = Speech(np.full(round(0.64 * 48_000), 3000, np.int16), (), phonemes)
    openings = [opening(measure(renderer.render(motion, Attitude.SPEAKING))) for motion in renderer.plan(speech)]
    assert openings[1] < 0.03 and openings[9] < 0.03
    assert openings[5] > 0.1 and openings[14] > 0.1


def test_another_background_leaves_the_person_alone(face: Face) -> None:
    own, green = (
        PhotoRenderer(face, background, seed=1).render(None, Attitude.IDLE) for background in (None, GREEN_SCREEN)
    )
    assert (green[4, 4] == (155, 255, 0)).all()
    assert np.array_equal(own[250:300, 230:290], green[250:300, 230:290])
    hair_and_edges = np.abs(green.astype(int) - (155, 255, 0)).max(2) > 8
    assert 0.3 < hair_and_edges.mean() < 0.85


def test_the_same_seed_lives_the_same_life(face: Face) -> None:
    one, two = (PhotoRenderer(face, seed=4) for _ in range(2))
    for _ in range(10):
        assert np.array_equal(one.render(None, Attitude.LISTENING), two.render(None, Attitude.LISTENING))
