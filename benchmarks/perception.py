"""What the replica sees, measured: `python -m benchmarks.perception [figure ...]`.

Recorded talkers (the GRID corpus, which is not part of the repository) give speech and stillness; the same heads,
turned by known angles, nod, shake and look away. `docs/perception.md` says what the figures are worth.
"""

import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy

import cv2
import numpy as np
import psutil

from benchmarks.rendered_faces import STRENGTHS, Acted, acted
from benchmarks.report import QUICK, figures, table
from tests.heads import TurnedHead, clips, frames, nodding, spoken_span
from tests.speech import grid_clip, grid_names
from tests.voices import breath, laughter
from visavis.audio import LISTEN_RATE_HZ
from visavis.faces import FaceLandmarker
from visavis.layers.perception import Behaviour, Scene
from visavis.layers.perception.expression import FROWN, SMILE, SNEER, SURPRISE, Expressions
from visavis.layers.perception.local import RATE_HZ, LocalEyes
from visavis.layers.perception.voice import manner
from visavis.replica import Attitude, Emotion, Frame
from visavis.replica.stock import stock
from visavis.transport import Picture

BARS = {
    "cpu_percent": "<= 15",
    "rss_mb": "<= 250",
    "look_ms": "<= 400",
    "nod_recall": ">= 0.9",
    "nod_false_per_min": "<= 0.5",
    "visual_speaking_tpr": ">= 0.9",
    "visual_speaking_fpr": "<= 0.06",
    "gaze_balanced": ">= 0.9",
    "smile_accuracy": "",
    "expression_accuracy": ">= 0.65",
    "expression_accuracy_chosen_on": "",
}
CHOSEN_ON = (1,) if QUICK else range(6)
"""Talkers on whose faces the thresholds of expressions were chosen."""
UNSEEN = 6
"""One on whose face they were not."""
TALKERS = 3 if QUICK else 8
CLIPS = 12 if QUICK else 70
CAMERA_FPS = 25
SETTLED_S = 0.7
"""Of speech, before it must have been noticed."""


def watched(pictures: Sequence[Frame], eyes: LocalEyes | None = None) -> Iterator[Scene]:
    """What eyes see that look at these pictures at their usual rate."""
    eyes = eyes or LocalEyes()
    for number in range(int(len(pictures) / CAMERA_FPS * RATE_HZ)):
        at = number / RATE_HZ
        pixels = pictures[int(at * CAMERA_FPS)]
        yield eyes.see(Picture(pixels, (pixels.shape[1], pixels.shape[0]), at), at)


def _count(scenes: Sequence[Scene], *behaviours: Behaviour) -> int:
    return sum(noticed.behaviour in behaviours for scene in scenes for noticed in scene.noticed)


def nods() -> dict[str, float]:
    """Nods of 6 to 12 degrees and shakes of 9 and 12 on some heads; false ones while people talk."""
    rng = np.random.default_rng(7)
    found = wanted = 0
    for clip in clips()[:TALKERS]:
        head = TurnedHead(frames(clip)[5])
        for shake, amplitude in ((False, 6.0), (False, 9.0), (False, 12.0), (True, 9.0), (True, 12.0)):
            swinging = nodding(head, 2.4, amplitude, float(rng.uniform(1.4, 2.4)), shake=shake)
            found += _count(list(watched(swinging)), Behaviour.SHOOK_HEAD if shake else Behaviour.NODDED) > 0
            wanted += 1
    return {"nod_recall": found / wanted}


def talking() -> dict[str, float]:
    """Visual speaking against the corpus' word times, before and after the sentence and on silent turned heads."""
    speaking: list[bool] = []
    silent: list[bool] = []
    false_nods, seconds = 0, 0.0
    for clip in clips()[:CLIPS]:
        pictures = frames(clip)
        seen = list(watched(pictures))
        false_nods += _count(seen, Behaviour.NODDED, Behaviour.SHOOK_HEAD)
        seconds += len(pictures) / CAMERA_FPS
        if (span := spoken_span(clip)) is None:
            continue
        for scene in seen:
            if scene.face is not None and scene.face.speaking is not None:
                if span[0] + SETTLED_S <= scene.at <= span[1]:
                    speaking.append(scene.face.speaking)
                elif scene.at < span[0] - 0.3:
                    silent.append(scene.face.speaking)
    for clip in clips()[:TALKERS]:
        head = TurnedHead(frames(clip)[5])
        swinging = nodding(head, 4.8, 8.0)
        silent += [bool(scene.face.speaking) for scene in watched(swinging) if scene.face and scene.at > 1]
    return {
        "nod_false_per_min": 60 * false_nods / seconds,
        "visual_speaking_tpr": float(np.mean(speaking)),
        "visual_speaking_fpr": float(np.mean(silent)),
    }


def gaze() -> dict[str, float]:
    """Recorded talkers look near the camera; heads turned aside by 25 to 30 degrees, or far down, do not."""
    at_screen: list[bool] = []
    away: list[bool] = []
    for clip in clips()[:TALKERS]:
        pictures = frames(clip)
        head = TurnedHead(pictures[5])
        aside = [head.turned(yaw, pitch) for yaw, pitch in ((28, 0), (-28, 0), (25, 8), (-25, 8))]
        eyes = LocalEyes()
        at_screen += [scene.face.looking for scene in watched(pictures, eyes) if scene.face]
        for number, pixels in enumerate(aside):
            at = 4 + number / RATE_HZ
            scene = eyes.see(Picture(pixels, (640, 512), at), at)
            away += [not scene.face.looking] if scene.face else []
    return {
        "gaze_at_screen": float(np.mean(at_screen)),
        "gaze_away": float(np.mean(away)),
        "gaze_balanced": float((np.mean(at_screen) + np.mean(away)) / 2),
    }


def rendered() -> dict[str, float]:
    """The stock replica smiles or not, as it was told."""
    renderer = stock("mira").renderer()
    right = []
    for emotion in (Emotion.SADNESS, Emotion.HAPPINESS, Emotion.ANGER, Emotion.HAPPINESS):
        renderer.express(emotion)
        pictures = [renderer.render(None, Attitude.LISTENING) for _ in range(60)]
        seen = [scene.face.smile for scene in watched(pictures[30:]) if scene.face]
        right += [(smile > 0.35) == (emotion is Emotion.HAPPINESS) for smile in seen]
    return {"smile_accuracy": float(np.mean(right))}


def voices() -> dict[str, float]:
    """Made-up laughter and sighs, and how often real speech is taken for them; what a second of sound costs."""
    rng = np.random.default_rng(3)
    laughs = [laughter(pitch, rate, seed=int(rng.integers(99))) for pitch in (140, 200, 280, 370) for rate in (4, 5, 6)]
    sighs = [breath(float(rng.uniform(0.6, 1.6)), seed) for seed in range(12)]
    spoken = [grid_clip(name)[0] for name in grid_names()[: 40 if QUICK else 140]]
    began = time.thread_time()
    heard = [manner(sound) for sound in spoken]
    seconds = sum(map(len, spoken)) / LISTEN_RATE_HZ
    return {
        "voice_cpu_percent": 100 * (time.thread_time() - began) / seconds,
        "laughter_recall": float(np.mean([manner(sound).laughs for sound in laughs])),
        "sigh_recall": float(np.mean([manner(sound).sighs for sound in sighs])),
        "laughter_false_per_min": 60 * sum(one.laughs for one in heard) / seconds,
        "sigh_false_per_min": 60 * sum(one.sighs for one in heard) / seconds,
        "hesitation_false_per_min": 60 * sum(one.hesitates for one in heard) / seconds,
    }


def _right(expressions: Sequence[Acted]) -> list[tuple[str, str]]:
    """What was acted and what was seen; the face is first seen at rest for four seconds."""
    rest = [one.pixels for one in expressions if not one.expression]
    found = []
    for one in expressions:
        eyes = LocalEyes()
        looks = [rest[number % len(rest)] for number in range(24)] + [one.pixels] * 8
        scene = None
        for number, pixels in enumerate(looks):
            at = number / RATE_HZ
            scene = eyes.see(Picture(pixels, (pixels.shape[1], pixels.shape[0]), at), at)
        assert scene
        found.append((one.expression, scene.face.expression if scene.face else "no face"))
    return found


def expressions() -> dict[str, float]:
    """Expressions acted by portraits of talkers: of those that the thresholds were chosen on, and of another."""
    unseen = _right(list(acted(UNSEEN))[:: 2 if QUICK else 1])
    known = [pair for talker in CHOSEN_ON for pair in _right(list(acted(talker))[:: 4 if QUICK else 1])]
    names = {"": "rest", SMILE: "smile", SURPRISE: "surprise", FROWN: "frown", SNEER: "nose"}
    measured = {
        "expression_accuracy": _balanced(unseen),
        "expression_accuracy_chosen_on": _balanced(known),
    }
    for expression, name in names.items():
        measured[f"expression_{name}"] = float(
            np.mean([seen == wanted for wanted, seen in unseen if wanted == expression])
        )
    talking = [scene.face for clip in clips()[:CLIPS] for scene in watched(frames(clip)) if scene.face]
    measured["expression_false_while_talking"] = float(np.mean([bool(face.expression) for face in talking]))
    return measured


def _balanced(pairs: Sequence[tuple[str, str]]) -> float:
    classes = {wanted for wanted, _ in pairs}
    return float(np.mean([np.mean([seen == wanted for wanted, seen in pairs if wanted == one]) for one in classes]))


SPOILT: Mapping[str, Sequence[float]] = {
    "light": (0.5, 0.25, 0.12, 0.06),
    "face_px": (160, 80, 48, 32, 24),
    "blur_px": (2, 4, 8, 12),
    "covered_below": (0.2, 0.35, 0.5),
}
"""Share of the light; height of the face; standard deviation of a blur for a face of 200 pixels; share of the face that
is covered from below, as by a mask."""


def _spoilt(how: str, much: float, pixels: Frame, box: tuple[int, int]) -> Frame:
    """`box` is where the face is: its first row and its last."""
    top, bottom = box
    if how == "light":
        noise = np.random.default_rng(1).normal(0, 2, pixels.shape)
        return np.clip(pixels * much + noise, 0, 255).astype(np.uint8)
    if how == "face_px":
        scale = much / (bottom - top)
        small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        made = np.full((360, 480, 3), 128, np.uint8)
        small = small[:360, :480]
        made[: small.shape[0], : small.shape[1]] = small
        return made
    if how == "blur_px":
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), much * (bottom - top) / 200), np.uint8)
    made = pixels.copy()
    made[round(bottom - much * (bottom - top)) : bottom + 10] = (200, 190, 180)
    return made


def sweeps() -> dict[str, float]:
    """How much worse pictures may be: faces found, and the accuracy of expressions where they are."""
    shown = [one for one in acted(UNSEEN) if one.strength == STRENGTHS[-1]]
    landmarker = FaceLandmarker()
    at_rest = landmarker.measure(shown[0].pixels)
    assert at_rest
    box = (int(at_rest.points[10, 1]), int(at_rest.points[152, 1]))
    measured: dict[str, float] = {}
    for how, steps in SPOILT.items():
        for much in steps:
            seen, found = [], 0
            rest = [_spoilt(how, much, one.pixels, box) for one in shown if not one.expression]
            usual = Expressions()
            for pixels in rest * 4:
                if face := landmarker.measure(pixels):
                    usual.see(face, speaking=None)
            for one in shown:
                face = landmarker.measure(_spoilt(how, much, one.pixels, box))
                found += face is not None
                again = deepcopy(usual)
                told = [again.see(face, speaking=None).expression for _ in range(3)] if face else ["no face"]
                seen.append((one.expression, told[-1]))
            measured[f"found_{how}_{much:g}"] = found / len(shown)
            measured[f"expression_{how}_{much:g}"] = _balanced(seen)
    return measured


def cost() -> dict[str, float]:
    """Processor time and memory of watching one person at the default rates."""
    cv2.setNumThreads(1)
    process = psutil.Process(os.getpid())
    pictures = list(itertools.chain.from_iterable(frames(clip) for clip in clips()[:4]))
    before = process.memory_info().rss
    eyes = LocalEyes()
    looks: list[float] = []
    began = time.thread_time()
    for scene in watched(pictures, eyes):
        looks.append(time.thread_time() - began - sum(looks))
        assert scene.view == "clear"
    seconds = len(pictures) / CAMERA_FPS
    return {
        "cpu_percent": 100 * sum(looks) / seconds,
        "look_ms": 1000 * float(np.percentile(looks, 95)),
        "rss_mb": (process.memory_info().rss - before) / 1e6,
    }


def main() -> None:
    """Measure what the command line names, or all."""
    parts: tuple[Callable[[], dict[str, float]], ...] = (
        cost,
        nods,
        talking,
        gaze,
        rendered,
        voices,
        expressions,
        sweeps,
    )
    wanted = sys.argv[1:] or [part.__name__ for part in parts]
    measured: dict[str, float] = {}
    for part in parts:
        if part.__name__ in wanted:
            measured |= part()
    rows = [(name, f"{value:.3f}", BARS.get(name, "")) for name, value in measured.items()]
    table("What the replica sees", ("figure", "measured", "bar"), rows)
    figures(measured)


if __name__ == "__main__":
    main()
