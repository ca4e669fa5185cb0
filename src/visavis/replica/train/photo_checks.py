"""What a photo must show to become a replica, and words for what it does not."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis.faces import FaceDetector, FaceLandmarker, FoundFace, Landmarks
from visavis.faces.points import (
    CHIN,
    FOREHEAD,
    LEFT_EYE_OUTER,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    OVAL,
    RIGHT_EYE_OUTER,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
)
from visavis.replica.bundle import pictures
from visavis.replica.train import TrainingError

MOST_BYTES = 60 * 2**20
LARGEST_SIDE = 10_000
_WORKING_SIDE = 3_000
"""Photos are reduced to this before anything is measured; a replica shows far less."""

SMALLEST_EYES_PX, GOOD_EYES_PX = 44.0, 90.0
"""Distance between the outer corners of the eyes in the photo."""

ANOTHER_FACE = 0.35
"""A second face at least this large, relative to the first, is another person in the picture."""

MOST_YAW_DEG, GOOD_YAW_DEG = 24.0, 13.0
MOST_PITCH_DEG = 24.0
MOST_ROLL_DEG = 22.0
DARKEST, DARK, BRIGHTEST = 38.0, 62.0, 238.0
"""Mean brightness of the face, 0 to 255."""

CLOSED_EYE = 0.10
"""Height of the eye's opening over its width, below which it is closed; open eyes have 0.2 to 0.4."""

WIDEST_MOUTH = 0.65
"""`jawOpen` above which the mouth is too far open to be closed again."""

BLURRED, SOFT = 0.004, 0.009

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Sitter:
    """The person in a photo that passed."""

    picture: Picture
    """uint8[H, W, 3], BGR, upright."""
    landmarks: Landmarks
    eyes_px: float
    yaw_deg: float
    pitch_deg: float
    brightness: float
    sharpness: float


def opened(photo: Path) -> Picture:
    """The photo as uint8[H, W, 3], BGR, turned as its EXIF data says. Raises `TrainingError`."""
    kinds = "a JPEG, PNG or WebP photo"
    if not photo.is_file():
        raise TrainingError("other_quality_issue", f"There is no file {photo.name}; expected {kinds}.")
    if photo.stat().st_size > MOST_BYTES:
        raise TrainingError(
            "other_quality_issue",
            f"The photo has {photo.stat().st_size / 2**20:.0f} MB; expected at most {MOST_BYTES >> 20} MB.",
        )
    data = photo.read_bytes()
    unreadable = TrainingError("other_quality_issue", f"{photo.name} cannot be read as a picture; expected {kinds}.")
    try:
        # Asked before it is decoded: a small file can be an enormous picture.
        height, width = pictures.size(data)
    except ValueError:
        raise unreadable from None
    if max(height, width) > LARGEST_SIDE:
        raise TrainingError(
            "other_quality_issue",
            f"The photo is {width} x {height} pixels; expected at most {LARGEST_SIDE} on its longer side.",
        )
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if height and width else None
    if picture is None:
        raise unreadable
    scale = _WORKING_SIDE / max(height, width)
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(picture, np.uint8)


def checked(picture: Picture) -> tuple[Sitter, tuple[str, ...]]:
    """The one person in the picture, and what is not as good as it could be. Raises `TrainingError`."""
    picture, face, turned = _the_face(picture)
    landmarks = FaceLandmarker().measure(picture, near=face)
    if landmarks is None:
        raise TrainingError("other_quality_issue", _NO_FACE)
    sitter = _measured(picture, landmarks)
    refuse(sitter)
    warnings = ["The photo lay on its side; it was turned."] if turned else []
    return sitter, (*warnings, *_doubts(sitter))


_NO_FACE = "No face was found in the photo; expected one person who looks at the camera, with the whole face visible."


def _the_face(picture: Picture) -> tuple[Picture, FoundFace, bool]:
    detector = FaceDetector()
    for turn in (None, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180):
        upright = picture if turn is None else np.asarray(cv2.rotate(picture, turn), np.uint8)
        found = [face for face in detector.find(upright) if _upright(face)]
        if not found:
            continue
        large = [face for face in found if face.height > ANOTHER_FACE * found[0].height]
        if len(large) > 1:
            raise TrainingError(
                "other_quality_issue",
                f"There are {len(large)} faces in the photo; expected one person. Cut the others off.",
            )
        return upright, found[0], turn is not None
    raise TrainingError("other_quality_issue", _NO_FACE)


def _upright(face: FoundFace) -> bool:
    """Whether a face stands rather than lies; the detector finds some that lie, but guesses where they begin."""
    across, down = face.left_eye[0] - face.right_eye[0], face.left_eye[1] - face.right_eye[1]
    to_mouth = face.mouth[1] - (face.right_eye[1] + face.left_eye[1]) / 2
    return abs(down) < 0.6 * across and to_mouth > 0.5 * across


def _measured(picture: Picture, landmarks: Landmarks) -> Sitter:
    points = landmarks.points
    across = points[454] - points[234]
    down = points[CHIN] - points[FOREHEAD]
    eyes_px = float(np.linalg.norm(landmarks.xy[LEFT_EYE_OUTER] - landmarks.xy[RIGHT_EYE_OUTER]))
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    mask = np.zeros(grey.shape, np.uint8)
    cv2.fillConvexPoly(mask, np.round(landmarks.xy[list(OVAL)]).astype(np.int32), 255)
    return Sitter(
        picture=picture,
        landmarks=landmarks,
        eyes_px=eyes_px,
        yaw_deg=float(np.rad2deg(np.arctan2(across[2], np.hypot(across[0], across[1])))),
        pitch_deg=float(np.rad2deg(np.arctan2(down[2], np.hypot(down[0], down[1])))),
        brightness=float(cv2.mean(grey, mask)[0]),
        sharpness=_sharpness(np.asarray(grey, np.uint8), landmarks, eyes_px),
    )


def _sharpness(grey: Picture, landmarks: Landmarks, eyes_px: float) -> float:
    """Contrast of the finest details around the eyes relative to all contrast there, at the photo's own pixels.

    A photo is looked at as large as the replica shows it (100 pixels between the eyes' corners) or smaller.
    """
    low, high = landmarks.xy[[33, 263]].min(0) - 0.2 * eyes_px, landmarks.xy[[33, 263]].max(0) + 0.2 * eyes_px
    x, y = np.maximum(low, 0).astype(int)
    part = grey[y : int(high[1]), x : int(high[0])].astype(np.float32)
    scale = min(1.0, 100.0 / eyes_px)
    if scale < 1:
        part = np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.float32)
    fine = part - cv2.GaussianBlur(part, (0, 0), 1.0)
    return float(fine.std() / max(float(part.std()), 1.0)) ** 2


def refuse(sitter: Sitter) -> None:
    """Raise `TrainingError` for the first thing that makes the photo useless."""
    if sitter.eyes_px < SMALLEST_EYES_PX:
        raise TrainingError(
            "other_quality_issue",
            f"The face is too small: {sitter.eyes_px:.0f} pixels between the outer corners of the eyes; expected at "
            f"least {SMALLEST_EYES_PX:.0f}, better {GOOD_EYES_PX:.0f}. Use a larger or closer photo.",
        )
    across = sitter.landmarks.xy[LEFT_EYE_OUTER] - sitter.landmarks.xy[RIGHT_EYE_OUTER]
    roll = abs(float(np.rad2deg(np.arctan2(across[1], across[0]))))
    for name, angle, most in (
        ("aside", abs(sitter.yaw_deg), MOST_YAW_DEG),
        ("up or down", abs(sitter.pitch_deg), MOST_PITCH_DEG),
        ("over", roll, MOST_ROLL_DEG),
    ):
        if angle > most:
            raise TrainingError(
                "improper_camera_angle",
                f"The head is turned {name} by about {angle:.0f} degrees; expected at most {most:.0f}: a photo from "
                "the front, at the height of the eyes.",
            )
    if sitter.brightness < DARKEST:
        raise TrainingError(
            "poor_lighting",
            f"The face is too dark (brightness {sitter.brightness:.0f} of 255); expected at least {DARKEST:.0f}. "
            "Take the photo facing a window or a lamp.",
        )
    if sitter.brightness > BRIGHTEST:
        raise TrainingError(
            "poor_lighting",
            f"The face is overexposed (brightness {sitter.brightness:.0f} of 255); expected at most {BRIGHTEST:.0f}.",
        )
    if sitter.sharpness < BLURRED:
        raise TrainingError(
            "other_quality_issue",
            "The face is blurred; expected a photo in focus, taken with a steady hand and not enlarged.",
        )
    if (
        min(
            _opening(sitter.landmarks, RIGHT_UPPER_LID, RIGHT_LOWER_LID),
            _opening(sitter.landmarks, LEFT_UPPER_LID, LEFT_LOWER_LID),
        )
        < CLOSED_EYE
    ):
        raise TrainingError(
            "other_quality_issue", "An eye is closed; expected both eyes open: what is behind the lids cannot be known."
        )
    if sitter.landmarks.blendshape("jawOpen") > WIDEST_MOUTH:
        raise TrainingError(
            "other_quality_issue", "The mouth is wide open; expected closed lips, or a smile that shows the teeth."
        )


def _doubts(sitter: Sitter) -> list[str]:
    doubts = []
    if sitter.eyes_px < GOOD_EYES_PX:
        doubts.append(
            f"The face is small ({sitter.eyes_px:.0f} pixels between the outer corners of the eyes), so the replica is "
            f"soft; {GOOD_EYES_PX:.0f} or more make it sharp."
        )
    if abs(sitter.yaw_deg) > GOOD_YAW_DEG:
        doubts.append(f"The head is turned aside by about {abs(sitter.yaw_deg):.0f} degrees; from the front is better.")
    if sitter.brightness < DARK:
        doubts.append("The face is rather dark; more light on it gives better colours.")
    if sitter.sharpness < SOFT:
        doubts.append("The photo is not quite sharp.")
    if sitter.landmarks.blendshape("jawOpen") > 0.25:
        doubts.append("The mouth is open in the photo; closed lips or a calm smile close more convincingly.")
    height, width = sitter.picture.shape[:2]
    low, high = sitter.landmarks.xy.min(0), sitter.landmarks.xy.max(0)
    if low[1] < 0.35 * sitter.eyes_px or low[0] < 0.15 * sitter.eyes_px or high[0] > width - 0.15 * sitter.eyes_px:
        doubts.append("The head touches the edge of the photo; some room around it looks better.")
    if high[1] > height - 0.3 * sitter.eyes_px:
        doubts.append("The photo ends at the chin; with shoulders it looks better.")
    return doubts


def _opening(landmarks: Landmarks, upper: tuple[int, ...], lower: tuple[int, ...]) -> float:
    """Height over width of an eye's opening."""
    points = landmarks.xy
    heights = np.linalg.norm(points[list(upper[3:6])] - points[list(lower[3:6])], axis=1)
    return float(heights.mean() / np.linalg.norm(points[upper[0]] - points[upper[-1]]))
