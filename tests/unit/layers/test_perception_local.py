"""The eyes, with their networks, on a rendered replica and on recorded talkers."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from tests.heads import TurnedHead, clips, frames, nodding, spoken_span
from visavis.layers.perception import Behaviour, Scene
from visavis.layers.perception.local import RATE_HZ, LocalEyes
from visavis.replica import Attitude, Emotion, Frame
from visavis.replica.stock import stock
from visavis.transport import Picture

pytestmark = pytest.mark.models


def watch(eyes: LocalEyes, pictures: Sequence[Frame], start_s: float = 0.0, fps: float = 25) -> list[Scene]:
    scenes = []
    for number in range(int(len(pictures) / fps * RATE_HZ)):
        at = number / RATE_HZ
        pixels = pictures[int(at * fps)]
        height, width = pixels.shape[:2]
        scenes.append(eyes.see(Picture(pixels, (width, height), start_s + at), start_s + at))
    return scenes


def behaviours(scenes: Sequence[Scene]) -> list[Behaviour]:
    return [noticed.behaviour for scene in scenes for noticed in scene.noticed]


def rendered(emotion: Emotion, count: int) -> list[Frame]:
    renderer = stock("mira").renderer()
    renderer.express(emotion)
    shown = [renderer.render(None, Attitude.IDLE) for _ in range(40 + count)]
    return shown[40:]


def test_a_rendered_person_comes_smiles_and_leaves() -> None:
    eyes = LocalEyes()
    empty = np.asarray(cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (512, 512, 3), np.uint8), (0, 0), 9))
    serious = watch(eyes, rendered(Emotion.SADNESS, 30))
    smiling = watch(eyes, rendered(Emotion.HAPPINESS, 30), 2.0)
    gone = watch(eyes, [empty] * 100, 4.0)
    assert behaviours(serious) == [Behaviour.CAME]
    assert Behaviour.SMILED in behaviours(smiling)
    assert Behaviour.LEFT in behaviours(gone)
    assert serious[-1].people == 1
    assert serious[-1].face
    assert serious[-1].face.looking
    assert gone[-1].people == 0


def test_two_people_are_company() -> None:
    (one,) = rendered(Emotion.NEUTRAL, 1)
    both = np.hstack([one, one])
    scenes = watch(LocalEyes(), [np.asarray(cv2.resize(both, (640, 320)), np.uint8)] * 75)
    assert scenes[-1].people == 2
    assert Behaviour.COMPANY in behaviours(scenes)


def test_a_recorded_head_nods_and_is_shaken() -> None:
    head = TurnedHead(frames(clips()[0])[5])
    assert Behaviour.NODDED in behaviours(watch(LocalEyes(), nodding(head, 3, 9)))
    assert Behaviour.SHOOK_HEAD in behaviours(watch(LocalEyes(), nodding(head, 3, 12, shake=True)))


def test_a_talker_is_seen_to_speak_and_does_not_nod() -> None:
    clip = next(clip for clip in clips() if spoken_span(clip))
    span = spoken_span(clip)
    assert span
    scenes = watch(LocalEyes(), frames(clip))
    speaking = [bool(s.face.speaking) for s in scenes if s.face and span[0] + 0.9 < s.at < span[1]]
    assert np.mean(speaking) > 0.7
    assert Behaviour.NODDED not in behaviours(scenes)


def test_a_head_turned_aside_looks_away() -> None:
    pictures = frames(clips()[1])
    eyes = LocalEyes()
    assert np.mean([scene.face.looking for scene in watch(eyes, pictures) if scene.face]) > 0.9
    aside = TurnedHead(pictures[5]).turned(30, 0)
    turned = watch(eyes, [aside] * 50, 3.0)
    assert not turned[-1].face or not turned[-1].face.looking
    assert Behaviour.LOOKED_AWAY in behaviours(turned)


@pytest.mark.parametrize(("size", "fps"), [((3840, 2160), 25), ((360, 640), 5), ((64, 48), 25)])
def test_pictures_of_any_size_and_rate_are_seen(size: tuple[int, int], fps: float) -> None:
    (face,) = rendered(Emotion.NEUTRAL, 1)
    side = min(size)
    canvas = np.full((size[1], size[0], 3), 90, np.uint8)
    canvas[:side, :side] = cv2.resize(face, (side, side))
    scenes = watch(LocalEyes(), [canvas] * round(fps), fps=fps)
    assert scenes[-1].people == 1


def test_black_pictures_are_a_covered_camera_with_nobody_in_it() -> None:
    scenes = watch(LocalEyes(), [np.zeros((480, 640, 3), np.uint8)] * 25)
    assert behaviours(scenes) == [Behaviour.COVERED]
    assert scenes[-1].view == "covered"
    assert scenes[-1].people == 0
