"""What a face does by itself: it blinks, breathes, sways, looks around, nods, and shows what its owner is doing.

All state of the face's own time lives in `Life`; it advances by one frame per `step` and nothing in it ever jumps
except the eyes, which do so in people too.
"""

import math
from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from visavis.replica import FRAME_S, Attitude, Emotion, Rapport

BLINK_MEAN_S = 3.6
"""Mean pause between blinks; people in conversation blink 15 to 26 times a minute (Bentivoglio et al., 1997)."""

BLINK_SHORTEST_S = 1.0
DOUBLE_BLINK = 0.12
"""Share of blinks that are followed by a second one at once."""

BREATH_HZ = 0.25
SETTLE_S = 0.30
"""Time constant with which the head moves into another posture."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Where everything but the mouth is, in one frame."""

    yaw_deg: float = 0.0
    """Positive: towards the right of the picture."""
    pitch_deg: float = 0.0
    """Positive: chin down."""
    roll_deg: float = 0.0
    """Positive: clockwise in the picture."""
    shift_x: float = 0.0
    shift_y: float = 0.0
    """Frame pixels, to the right and down."""
    breath: float = 0.0
    """-1 (out) to 1 (in)."""
    brows: float = 0.0
    """How far the brows are raised: 0 to 1, up to 2 in astonishment; lowered where negative."""
    lids: float = 0.0
    """0 (open) to 1 (closed)."""
    gaze_x: float = 0.0
    gaze_y: float = 0.0
    """Frame pixels that the eyes are turned to the right and down, relative to looking at the camera."""
    smile: float = 0.0
    """0 to 1."""


POSTURES = {
    Attitude.IDLE: Pose(smile=0.30),
    Attitude.LISTENING: Pose(roll_deg=1.1, pitch_deg=0.5, shift_y=0.6, brows=0.18, smile=0.40),
    Attitude.NODDING: Pose(roll_deg=1.1, pitch_deg=0.5, shift_y=0.6, brows=0.18, smile=0.40),
    Attitude.THINKING: Pose(
        yaw_deg=2.4, pitch_deg=-1.3, roll_deg=-0.9, brows=0.22, gaze_x=1.5, gaze_y=-1.2, smile=0.12
    ),
    Attitude.SPEAKING: Pose(pitch_deg=0.2, smile=0.16),
}

EXPRESSIONS = {
    Emotion.NEUTRAL: Pose(),
    Emotion.HAPPINESS: Pose(smile=0.55, brows=0.25),
    Emotion.SADNESS: Pose(smile=-1, brows=0.5, pitch_deg=2.2, roll_deg=1.0, gaze_y=1.4, lids=0.2),
    Emotion.ANGER: Pose(smile=-1, brows=-1.7, pitch_deg=1.2),
    Emotion.FEAR: Pose(smile=-1, brows=1.5, pitch_deg=-1.4, shift_y=1.0),
    Emotion.SURPRISE: Pose(smile=-1, brows=2, pitch_deg=-0.6, shift_y=-1.0),
    Emotion.DISGUST: Pose(smile=-1, brows=-1, yaw_deg=3, pitch_deg=-1.0, lids=0.2),
    Emotion.CONTEMPT: Pose(smile=-1, roll_deg=-1.8, pitch_deg=-1.8, lids=0.2),
}
"""What each emotion adds to a posture. The face has brows, lids and a smile, but neither nose nor drooping corners."""

MIRRORED_SMILE = 0.5
"""Of the person's own: facial mimicry is weaker than what it answers (Hess and Fischer 2013)."""

MOST_SMILE, MOST_SMILE_SPEAKING = 0.9, 0.34
"""A smile takes from the mouth's other shapes; more of it would swallow the words."""

LIVELINESS = {
    Attitude.IDLE: 0.8,
    Attitude.LISTENING: 0.65,
    Attitude.NODDING: 0.65,
    Attitude.THINKING: 0.8,
    Attitude.SPEAKING: 1.35,
}


class Life:
    """The own life of one face in one call."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.emotion = Emotion.NEUTRAL
        """What the face shows besides. Set by its owner."""
        self.rapport = Rapport()
        """What it shows in answer to the person's face. Set by its owner."""
        self._rng = rng
        self._frame = 0
        self._attitude = Attitude.IDLE
        self._sway = {
            name: _Drift(rng, slowest_hz)
            for name, slowest_hz in (("yaw", 0.07), ("pitch", 0.09), ("roll", 0.06), ("x", 0.05), ("y", 0.08))
        }
        self._posture = {name: _Spring(getattr(POSTURES[Attitude.IDLE], name), SETTLE_S) for name in _POSTURE_PARTS}
        self._liveliness = _Spring(LIVELINESS[Attitude.IDLE], 0.6)
        self._breath_phase = rng.uniform(0, 2 * math.pi)
        self._next_blink = self._pause() * rng.uniform(0.3, 1.0)
        self._blinks: deque[_Blink] = deque()
        self._next_glance = 0.5
        self._glance = (0.0, 0.0)
        self._nod = _Spring(0.0, 0.07)
        self._nods: deque[tuple[float, float]] = deque()
        self._lift = _Spring(0.0, 0.12)
        self._beat_until = 0.0
        self._quiet_level = 0.0

    def step(self, attitude: Attitude, loudness: float) -> Pose:
        """The pose of the next frame; `loudness` (0 to 1) is that of the replica's own speech."""
        now = self._frame * FRAME_S
        self._frame += 1
        if attitude is not self._attitude:
            self._change(attitude, now)
        posture = {name: spring.step(self._target(attitude, name)) for name, spring in self._posture.items()}
        lively = self._liveliness.step(LIVELINESS[attitude])
        nod = self._nodding(now, loudness)
        sway = {name: drift.at(now) * lively for name, drift in self._sway.items()}
        pose = Pose(**posture)
        yaw = pose.yaw_deg + 1.5 * sway["yaw"]
        glance_x, glance_y = self._looking(now)
        breath = math.sin(2 * math.pi * BREATH_HZ * now + self._breath_phase + 0.5 * self._sway["y"].at(now))
        return replace(
            pose,
            yaw_deg=yaw,
            pitch_deg=pose.pitch_deg + 0.9 * sway["pitch"] + nod + 0.12 * breath,
            roll_deg=pose.roll_deg + 0.8 * sway["roll"],
            shift_x=pose.shift_x + 1.8 * sway["x"],
            shift_y=pose.shift_y + 0.8 * sway["y"],
            breath=breath,
            brows=min(max(1.0, pose.brows), pose.brows + self._lift.value),
            lids=max(pose.lids, self._blinking(now)),
            gaze_x=pose.gaze_x + glance_x - 0.28 * yaw,
            gaze_y=pose.gaze_y + glance_y,
        )

    def _target(self, attitude: Attitude, part: str) -> float:
        """Where a part of the posture wants to be."""
        wanted = float(getattr(POSTURES[attitude], part) + getattr(EXPRESSIONS[self.emotion], part))
        wanted += self._mirrored(part)
        if part == "smile":
            return min(max(wanted, 0.0), MOST_SMILE_SPEAKING if attitude is Attitude.SPEAKING else MOST_SMILE)
        return wanted

    def _mirrored(self, part: str) -> float:
        """What the person's face adds, unless an emotion was asked for."""
        if self.emotion is not Emotion.NEUTRAL:
            return 0.0
        seen = self.rapport
        if part == "smile":
            return MIRRORED_SMILE * seen.smile - 0.3 * seen.concern
        if part == "brows":
            return 0.5 * seen.brows + 0.2 * seen.smile - 0.35 * seen.concern
        return 1.2 * seen.concern if part == "pitch_deg" else 0.0

    def _change(self, attitude: Attitude, now: float) -> None:
        """A new turn: people blink and shift their eyes when they take or give the floor."""
        before, self._attitude = self._attitude, attitude
        if {before, attitude} == {Attitude.LISTENING, Attitude.NODDING}:
            if attitude is Attitude.NODDING:
                self._add_nods(now)
            return
        if not self._blinks and self._rng.random() < 0.55:
            self._next_blink = min(self._next_blink, now + self._rng.uniform(0.05, 0.35))
        self._next_glance = now

    def _blinking(self, now: float) -> float:
        if now >= self._next_blink:
            duration = self._rng.uniform(0.18, 0.26)
            self._blinks.append(_Blink(now, duration))
            self._next_blink = now + duration + self._pause()
            if self._rng.random() < DOUBLE_BLINK:
                self._next_blink = now + duration + self._rng.uniform(0.1, 0.2)
        while self._blinks and self._blinks[0].over(now):
            self._blinks.popleft()
        return max((blink.lids(now) for blink in self._blinks), default=0.0)

    def _pause(self) -> float:
        return BLINK_SHORTEST_S + float(self._rng.exponential(BLINK_MEAN_S - BLINK_SHORTEST_S))

    def _looking(self, now: float) -> tuple[float, float]:
        """Small jumps of the eyes over the other's face."""
        if now >= self._next_glance:
            self._glance = (float(self._rng.normal(0, 0.55)), float(self._rng.normal(0, 0.3)))
            self._next_glance = now + 0.4 + float(self._rng.exponential(1.1))
        return self._glance

    def _add_nods(self, now: float) -> None:
        """One to three nods, each smaller than the one before."""
        for index in range(int(self._rng.integers(1, 4))):
            self._nods.append((now + 0.42 * index, 1.7 * 0.75**index))

    def _nodding(self, now: float, loudness: float) -> float:
        """Pitch in degrees: nods of a listener, and small beats on the loud syllables of a speaker."""
        rising = loudness > 0.82 and self._quiet_level < 0.68
        self._quiet_level += 0.25 * (loudness - self._quiet_level)
        if rising and now >= self._beat_until:
            self._nods.append((now, float(self._rng.uniform(0.5, 1.3))))
            self._beat_until = now + float(self._rng.uniform(0.45, 1.1))
            if self._rng.random() < 0.4:
                self._lift.push(float(self._rng.uniform(3.0, 6.0)))
        self._lift.step(0.0)
        while self._nods and now > self._nods[0][0] + 0.24:
            self._nods.popleft()
        target = max((size for start, size in self._nods if start <= now <= start + 0.18), default=0.0)
        return self._nod.step(target)


_POSTURE_PARTS = ("yaw_deg", "pitch_deg", "roll_deg", "shift_y", "brows", "gaze_x", "gaze_y", "smile", "lids")


@dataclass(frozen=True, slots=True)
class _Blink:
    """Lids close about twice as fast as they open."""

    start_s: float
    duration_s: float

    def over(self, now: float) -> bool:
        return now > self.start_s + self.duration_s

    def lids(self, now: float) -> float:
        part = (now - self.start_s + FRAME_S / 2) / self.duration_s
        if not 0 < part < 1:
            return 0.0
        amount = part / 0.32 if part < 0.32 else 1.0 if part < 0.48 else (1 - part) / 0.52
        return amount * amount * (3 - 2 * amount)


class _Drift:
    """Smooth noise of about unit size: a few sine waves whose periods have no common multiple."""

    def __init__(self, rng: np.random.Generator, slowest_hz: float) -> None:
        ratios = np.array([1.0, 1.93, 3.37, 5.21])
        self._hz = slowest_hz * ratios * rng.uniform(0.9, 1.1, len(ratios))
        self._phases = rng.uniform(0, 2 * math.pi, len(ratios))
        self._sizes = np.array([0.62, 0.42, 0.22, 0.10])

    def at(self, now: float) -> float:
        return float(self._sizes @ np.sin(2 * math.pi * self._hz * now + self._phases))


class _Spring:
    """A critically damped spring: goes to its target without overshooting, with continuous speed."""

    def __init__(self, value: float, settle_s: float) -> None:
        self.value = value
        self._speed = 0.0
        self._rate = 1 / settle_s

    def step(self, target: float) -> float:
        """Advance one frame by the exact solution for a constant target."""
        away = self.value - target
        decay = math.exp(-self._rate * FRAME_S)
        pull = self._speed + self._rate * away
        self.value = target + (away + pull * FRAME_S) * decay
        self._speed = (self._speed - self._rate * pull * FRAME_S) * decay
        return self.value

    def push(self, speed: float) -> None:
        """Add speed, per second."""
        self._speed += speed
