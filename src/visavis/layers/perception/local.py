"""Eyes made of small networks on this machine. Nothing that they see leaves it, and nothing is kept.

Not everything is looked at every time: a face's points at every look, its blendshapes with them, other faces once a
second, hands where there are any, things every few seconds.
"""

import asyncio
import logging
import os
import threading
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

import cv2

from visavis import models
from visavis.errors import VisavisError
from visavis.faces import FaceDetector, FaceLandmarker, FoundFace, Landmarks
from visavis.layers.perception import Behaviour, Face, Noticed, Scene, View, Vision
from visavis.layers.perception.behaviour import FaceBehaviour, Latch
from visavis.layers.perception.expression import Expressions, Shown
from visavis.layers.perception.hands import Hand, Hands
from visavis.layers.perception.head import Gaze, eyes_closed, face_height, head_pose, mouth_open
from visavis.layers.perception.kinds import HANDHELD
from visavis.layers.perception.light import Light
from visavis.layers.perception.reversals import TALK_SWING, HeadGestures, Track, VisualSpeech, reversals
from visavis.layers.perception.things import Things
from visavis.priority import THINKING
from visavis.transport import Picture, Sight

__all__ = ["LONGEST_SIDE", "LocalEyes", "LocalPerception"]

RATE_HZ = 8.0
BUDGET = 0.15
"""Share of one core."""

LONGEST_SIDE = 640
"""Pixels of a picture that are looked at."""

FACES_EVERY_S = 1.0
FACES_EVERY_S_ALONE = 0.5
"""While nobody is in view."""
PALMS_EVERY_S = 1.5
EXPRESSION_EVERY_S = 0.24
HANDS_EVERY_S = 0.2
THINGS_EVERY_S = 4.0

GONE_AFTER_S = 2.0
GONE_AFTER_LOOKS = 4
"""Looks in a row without a face; on a busy machine they are seconds apart."""
NODS_WHILE_SILENT_ONLY = True
MOUTH_WITHIN_S = 0.3
"""Two looks farther apart say nothing about lips that move."""
WAVE_SWING = 0.35
"""Of the hand's size."""

T = TypeVar("T")

_log = logging.getLogger(__name__)

_GESTURES = {
    "thumb up": Behaviour.THUMB_UP,
    "thumb down": Behaviour.THUMB_DOWN,
    "open palm": Behaviour.OPEN_PALM,
    "victory": Behaviour.VICTORY,
    "pointing up": Behaviour.POINTED_UP,
    "fist": Behaviour.FIST,
    "love": Behaviour.LOVE,
}
_VIEWS = {
    "dark": Behaviour.DARK,
    "covered": Behaviour.COVERED,
    "frozen": Behaviour.FROZEN,
    "clear": Behaviour.CLEAR,
}


class LocalPerception:
    """A `visavis.layers.perception.Perception`. Owner of the thread that looks, for all calls of the process."""

    def __init__(self, rate_hz: float = RATE_HZ, budget: float = BUDGET, vision: Vision | None = None) -> None:
        """Raises `visavis.models.ModelMissingError` when there is no model for faces."""
        self.rate_hz = rate_hz
        self.budget = budget
        self.vision = vision
        for name in ("face-detector", "face-landmarker"):
            models.path(name)
        self._thread = ThreadPoolExecutor(1, "eyes", initializer=_stand_back)
        self._ready: Future[LocalEyes] | None = self._thread.submit(LocalEyes)

    def eyes(self) -> "PatientEyes":
        """See `visavis.layers.perception.Perception`."""
        ready, self._ready = self._ready, None
        return PatientEyes(self._thread, ready)

    def close(self) -> None:
        """Look no more."""
        self._thread.shutdown(wait=False, cancel_futures=True)


class PatientEyes:
    """`LocalEyes` on a thread that waits for everybody else."""

    def __init__(self, thread: Executor, ready: "Future[LocalEyes] | None" = None) -> None:
        """`ready` are eyes that were opened before: the first call is seen at once."""
        self._thread = thread
        self._ready = ready
        self._eyes: LocalEyes | None = None

    async def look(self, sight: Sight, now: float) -> Scene:
        """See `visavis.layers.perception.Eyes`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._look, sight, now)

    def _look(self, sight: Sight, now: float) -> Scene:
        if self._eyes is None:
            self._eyes = self._ready.result() if self._ready else LocalEyes()
        began = time.thread_time()
        scene = self._eyes.see(sight.look(LONGEST_SIDE), now)
        return replace(scene, cost_s=time.thread_time() - began)


def _stand_back() -> None:
    """Sound, speech and the face come first."""
    cv2.setNumThreads(1)
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), THINKING)


class LocalEyes:
    """The eyes of one call. Owner of what they saw. Belongs to one thread at a time."""

    def __init__(self) -> None:
        self._detector = FaceDetector()
        self._landmarker = FaceLandmarker()
        self._hands = _optional(Hands)
        self._things = _optional(Things)
        self._light = Light()
        self._view: View = "clear"
        self._due: dict[str, float] = {}
        self._people = 0
        self._found: FoundFace | None = None
        self._face: Landmarks | None = None
        self._seen_at: float | None = None
        self._missed = 0
        self._company = Latch(2.0, 2.0, 1.2)
        self._here = False
        self._last_face: Face | None = None
        self._gestures: tuple[str, ...] = ()
        self._gesture_latches = {name: Latch(0.6, 0.4, 0.25) for name in _GESTURES}
        self._wave = Track(1.6)
        self._seen_things: tuple[str, ...] = ()
        self._shown: set[str] = set()
        self._new_person()

    def _new_person(self) -> None:
        self._gaze, self._head, self._speech = Gaze(), HeadGestures(), VisualSpeech()
        self._behaviour = FaceBehaviour()
        self._opening = (float("-inf"), 0.0)
        self._expressions, self._on_face = Expressions(), Shown("", 0.0)

    def see(self, picture: Picture | None, now: float) -> Scene:
        """Take the newest picture; None when none has come since the last."""
        noticed: list[Noticed] = []
        view = self._light.judge(picture.pixels if picture else None, now)
        if view != self._view:
            self._view = view
            noticed.append(Noticed(_VIEWS[view], now))
        face = None
        if picture is not None and view != "covered":
            face = self._look_at_face(picture, now, noticed)
            self._look_at_hands(picture, now, noticed)
            self._look_at_things(picture, now, noticed)
        elif picture is not None:
            self._people, self._face, self._gestures, self._seen_things = 0, None, (), ()
        self._count(now, noticed)
        if picture is None:
            face = self._last_face if self._here else None
        self._last_face = face
        fresh = picture is not None
        return Scene(now, view, self._people, face, self._gestures, self._seen_things, tuple(noticed), fresh)

    def _is_due(self, what: str, every_s: float, now: float) -> bool:
        if now < self._due.get(what, 0.0):
            return False
        self._due[what] = now + every_s
        return True

    def _look_at_face(self, picture: Picture, now: float, noticed: list[Noticed]) -> Face | None:
        pixels = picture.pixels
        alone = self._face is None
        if self._is_due("faces", FACES_EVERY_S_ALONE if alone else FACES_EVERY_S, now):
            found = self._detector.find(pixels)
            self._people = len(found)
            self._found = found[0] if found else None
            if alone and self._found is None:
                return None
        near = self._face or self._found
        self._found = None
        landmarks, points_only = None, True
        if near is not None:
            points_only = not self._is_due("expression", EXPRESSION_EVERY_S, now) and not alone
            landmarks = self._landmarker.measure(pixels, near, points_only=points_only)
        self._face = landmarks
        if landmarks is None:
            return None
        self._people = max(self._people, 1)
        self._seen_at, self._missed = now, 0
        face = self._measured(landmarks, max(pixels.shape[:2]), now)
        if not points_only:
            self._on_face = self._expressions.see(landmarks, speaking=face.speaking)
        face = replace(face, expression=self._on_face.expression, expression_certainty=self._on_face.certainty)
        gesture = self._head.see(now, face.yaw_deg, face.pitch_deg)
        if gesture and not (NODS_WHILE_SILENT_ONLY and face.speaking):
            noticed.append(Noticed(Behaviour.NODDED if gesture == "nod" else Behaviour.SHOOK_HEAD, now))
        noticed.extend(self._behaviour.see(face, now))
        return face

    def _measured(self, landmarks: Landmarks, longest_side: int, now: float) -> Face:
        pose, shape = head_pose(landmarks), landmarks.blendshape
        opening = mouth_open(landmarks)
        before_at, before = self._opening
        self._opening = now, opening
        return Face(
            height=face_height(landmarks) / longest_side,
            yaw_deg=pose.yaw_deg,
            pitch_deg=pose.pitch_deg,
            roll_deg=pose.roll_deg,
            looking=self._gaze.see(landmarks, pose),
            eyes_closed=eyes_closed(landmarks),
            smile=(shape("mouthSmileLeft") + shape("mouthSmileRight")) / 2,
            brows_up=shape("browInnerUp"),
            frown=(shape("browDownLeft") + shape("browDownRight")) / 2,
            mouth_open=opening,
            speaking=self._speech.see(now, opening),
            mouth_moves=now - before_at <= MOUTH_WITHIN_S and abs(opening - before) >= TALK_SWING,
        )

    def _look_at_hands(self, picture: Picture, now: float, noticed: list[Noticed]) -> None:
        if self._hands is None:
            return
        if not self._is_due("hands", HANDS_EVERY_S if self._hands.following else PALMS_EVERY_S, now):
            return
        hands = self._hands.see(picture.pixels)
        if hands:
            self._due["hands"] = now + HANDS_EVERY_S
        shown = {hand.gesture: hand.certainty for hand in hands if hand.gesture}
        self._gestures = tuple(shown)
        for name, latch in self._gesture_latches.items():
            if latch.update(shown.get(name, 0.0), now):
                noticed.append(Noticed(_GESTURES[name], now, shown[name]))
        if hands and self._waves(hands[0], now):
            noticed.append(Noticed(Behaviour.WAVED, now))

    def _waves(self, hand: Hand, now: float) -> bool:
        self._wave.add(now, hand.x, hand.size)
        if not self._wave.enough:
            return False
        places, sizes = self._wave.figure(0), self._wave.figure(1)
        if reversals(places, WAVE_SWING * sum(sizes) / len(sizes)) < 2:
            return False
        self._wave.clear()
        return True

    def _look_at_things(self, picture: Picture, now: float, noticed: list[Noticed]) -> None:
        if self._things is None or not self._is_due("things", THINGS_EVERY_S, now):
            return
        self._seen_things = self._things.see(picture.pixels)
        held = {name for name in self._seen_things if name in HANDHELD}
        noticed.extend(
            Noticed(Behaviour.HELD_UP, now, thing=f"{'an' if name[0] in 'aeiou' else 'a'} {name}")
            for name in sorted(held - self._shown)
        )
        self._shown = held

    def _count(self, now: float, noticed: list[Noticed]) -> None:
        """Who came and who left; a face that is missed for a moment has not left."""
        self._missed += self._face is None
        gone = self._seen_at is None or (now - self._seen_at > GONE_AFTER_S and self._missed >= GONE_AFTER_LOOKS)
        if self._here and gone:
            self._here, self._people = False, 0
            self._company.clear()
            self._new_person()
            noticed.append(Noticed(Behaviour.LEFT, now))
        elif not self._here and not gone:
            self._here = True
            noticed.append(Noticed(Behaviour.CAME, now))
        had_company = self._company.on
        if self._company.update(float(self._people), now):
            noticed.append(Noticed(Behaviour.COMPANY, now))
        elif had_company and not self._company.on and self._here:
            noticed.append(Noticed(Behaviour.ALONE, now))


def _optional(make: type[T]) -> T | None:
    try:
        return make()
    except VisavisError as error:
        _log.info("%s", error)
        return None
