"""How a head is turned, and where the eyes look, from the 478 points of a face."""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from visavis.faces import Landmarks
from visavis.faces.network import Floats
from visavis.faces.points import CHIN, FOREHEAD, LEFT_EYE_OUTER, LOWER_LIP, RIGHT_EYE_OUTER, UPPER_LIP

_RIGHT_TEMPLE, _LEFT_TEMPLE = 127, 356

DEPTH = 1.5
"""The network's depth is flatter than a head is: of angles up to 20 degrees it shows two thirds
(`benchmarks/perception.py`)."""

EYE_YAW_DEG, EYE_PITCH_DEG = 30.0, 25.0
"""What the largest blendshapes of the eyes stand for."""

AT_SCREEN_YAW_DEG, AT_SCREEN_UP_DEG, AT_SCREEN_DOWN_DEG = 15.0, 14.0, 16.0
"""Gaze this near to what is usual for the person counts as looking at the replica."""

CALIBRATION_LOOKS = 40
_EYES_CLOSED = 0.5


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Degrees; see `visavis.layers.perception.Face`."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


def head_pose(face: Landmarks) -> HeadPose:
    """The pose that the points' own depth gives: 0 where the face is turned to the camera."""
    points = face.points
    across = points[LEFT_EYE_OUTER] - points[RIGHT_EYE_OUTER] + points[_LEFT_TEMPLE] - points[_RIGHT_TEMPLE]
    down = points[CHIN] - points[FOREHEAD]
    roll = math.atan2(float(across[1]), float(across[0]))
    flat = math.hypot(float(across[0]), float(across[1]))
    yaw = math.atan2(DEPTH * float(across[2]), flat)
    pitch = math.atan2(DEPTH * float(down[2]), math.hypot(float(down[0]), float(down[1])))
    return HeadPose(math.degrees(yaw), math.degrees(pitch), math.degrees(roll))


def face_height(face: Landmarks) -> float:
    """Pixels from forehead to chin."""
    return float(np.linalg.norm(face.points[CHIN] - face.points[FOREHEAD]))


def mouth_open(face: Landmarks) -> float:
    """Distance of the lips as a share of the face's height."""
    apart: Floats = face.points[LOWER_LIP] - face.points[UPPER_LIP]
    return float(np.linalg.norm(apart[:2])) / max(face_height(face), 1.0)


def eyes_closed(face: Landmarks) -> bool:
    """Both lids are down."""
    return min(face.blendshape("eyeBlinkLeft"), face.blendshape("eyeBlinkRight")) > _EYES_CLOSED


class Gaze:
    """Whether somebody looks at the screen. Owner of what is usual for them.

    A camera sits above or beside the screen, and people sit as they like, so what the first seconds show is taken for
    looking at the replica; it is followed slowly while they look there.
    """

    def __init__(self) -> None:
        self._first: deque[tuple[float, float]] = deque(maxlen=CALIBRATION_LOOKS)
        self._usual = (0.0, 0.0)

    def see(self, face: Landmarks, pose: HeadPose) -> bool:
        """Take a look; blinks count as looking on."""
        yaw, pitch = self.direction(face, pose)
        if eyes_closed(face):
            return abs(pose.yaw_deg - self._usual[0]) < AT_SCREEN_YAW_DEG
        self._calibrate(yaw, pitch)
        right, down = yaw - self._usual[0], pitch - self._usual[1]
        return abs(right) < AT_SCREEN_YAW_DEG and -AT_SCREEN_UP_DEG < down < AT_SCREEN_DOWN_DEG

    @staticmethod
    def direction(face: Landmarks, pose: HeadPose) -> tuple[float, float]:
        """Yaw and pitch of the gaze in degrees: the head's and the eyes'."""
        eye = face.blendshape
        to_left = (eye("eyeLookOutLeft") - eye("eyeLookInLeft") + eye("eyeLookInRight") - eye("eyeLookOutRight")) / 2
        down = (eye("eyeLookDownLeft") + eye("eyeLookDownRight") - eye("eyeLookUpLeft") - eye("eyeLookUpRight")) / 2
        return pose.yaw_deg + EYE_YAW_DEG * to_left, pose.pitch_deg + EYE_PITCH_DEG * down

    def _calibrate(self, yaw: float, pitch: float) -> None:
        # Far aside at the start is no habit but somebody who has not turned to the screen yet.
        if len(self._first) < CALIBRATION_LOOKS and abs(yaw) < 2 * AT_SCREEN_YAW_DEG:
            self._first.append((yaw, pitch))
            middle = np.median(np.array(self._first), 0)
            self._usual = (float(np.clip(middle[0], -12, 12)), float(np.clip(middle[1], -20, 20)))
