"""What the replica sees, measured: `python -m benchmarks.perception [figure ...]`.

Recorded talkers (the GRID corpus, which is not part of the repository) give speech and stillness; the same heads,
turned by known angles, nod, shake and look away. `docs/perception.md` says what the figures are worth.
"""

import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
import psutil

from benchmarks.report import QUICK, figures, table
from tests.heads import TurnedHead, clips, frames, nodding, spoken_span
from visavis.layers.perception import Behaviour, Scene
from visavis.layers.perception.local import RATE_HZ, LocalEyes
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
}
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
    parts: tuple[Callable[[], dict[str, float]], ...] = (cost, nods, talking, gaze, rendered)
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
