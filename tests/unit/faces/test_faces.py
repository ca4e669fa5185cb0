"""Faces are found and measured in a picture of the stock replica, which the package itself carries."""

from typing import cast

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from visavis.faces import FaceDetector, FaceLandmarker, Landmarks, PersonMask
from visavis.faces.points import (
    CHIN,
    FOREHEAD,
    LEFT_EYE_OUTER,
    LOWER_LIP,
    RIGHT_EYE_OUTER,
    UPPER_LIP,
)
from visavis.replica import Attitude
from visavis.replica.key_frames import KeyFrameReplica
from visavis.replica.stock import stock

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    return cast(KeyFrameReplica, stock()).renderer(seed=0).render(None, Attitude.IDLE)


@pytest.fixture(scope="module")
def measured(picture: NDArray[np.uint8]) -> Landmarks:
    found = FaceLandmarker().measure(picture)
    assert found is not None
    return found


def test_the_one_face_is_found_upright(picture: NDArray[np.uint8]) -> None:
    (face,) = FaceDetector().find(picture)
    assert face.score > 0.8
    assert face.right_eye[0] < face.nose[0] < face.left_eye[0]
    assert face.right_eye[1] < face.nose[1] < face.mouth[1]


def test_two_faces_are_found_side_by_side(picture: NDArray[np.uint8]) -> None:
    faces = FaceDetector().find(np.hstack([picture, picture]))
    assert sorted(face.centre[0] // 512 for face in faces) == [0, 1]


def test_nothing_is_found_in_an_empty_room() -> None:
    empty = np.full((300, 400, 3), 128, np.uint8)
    assert FaceDetector().find(empty) == []
    assert FaceLandmarker().measure(empty) is None


def test_the_points_lie_where_the_face_is(measured: Landmarks) -> None:
    x, y = measured.xy.T
    assert measured.presence > 0.9
    assert x[RIGHT_EYE_OUTER] < x[LEFT_EYE_OUTER]
    assert y[FOREHEAD] < y[RIGHT_EYE_OUTER] < y[UPPER_LIP] <= y[LOWER_LIP] + 1 < y[CHIN]
    assert measured.points[1, 2] < measured.points[234, 2], "the nose is nearer than the ear"


def test_following_a_face_agrees_with_looking_for_it_again(picture: NDArray[np.uint8], measured: Landmarks) -> None:
    moved = np.roll(picture, (6, -8), (0, 1))
    followed = FaceLandmarker().measure(moved, near=measured)
    assert followed is not None
    assert np.abs(followed.xy - measured.xy - (-8, 6)).mean() < 1.0


def test_points_follow_a_picture_that_is_turned_and_enlarged(picture: NDArray[np.uint8], measured: Landmarks) -> None:
    turn = cv2.getRotationMatrix2D((256, 256), 25, 3.0)
    turn[:, 2] += 512
    turned = FaceLandmarker().measure(np.asarray(cv2.warpAffine(picture, turn, (1536, 1536)), np.uint8))
    assert turned is not None
    expected = measured.xy @ turn[:, :2].T + turn[:, 2]
    assert np.linalg.norm(turned.xy - expected, axis=1).mean() < 3 * 3


def test_blendshapes_are_of_a_calm_face_with_open_eyes(measured: Landmarks) -> None:
    assert measured.blendshape("jawOpen") < 0.1
    assert measured.blendshape("eyeBlinkLeft") < 0.5
    assert measured.blendshapes.shape == (52,)


def test_the_person_is_told_from_the_room(picture: NDArray[np.uint8], measured: Landmarks) -> None:
    mask = PersonMask().of(picture)
    x, y = measured.xy[1].astype(int)
    assert mask.shape == picture.shape[:2]
    assert mask[y, x] > 0.9
    assert mask[10, 10] < 0.1
