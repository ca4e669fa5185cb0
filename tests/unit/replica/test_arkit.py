import numpy as np
import pytest

from visavis.faces.points import ARKIT_NAMES
from visavis.replica import Emotion
from visavis.replica.arkit import added, emotion_weights, mouth_weights, pose_weights
from visavis.replica.life import Pose
from visavis.replica.visemes import gestures


def shown(weights: np.ndarray) -> dict[str, float]:
    return {name: float(weight) for name, weight in zip(ARKIT_NAMES, weights, strict=True) if weight > 0}


def of(sound: str) -> dict[str, float]:
    return shown(mouth_weights(gestures(sound)[0].target))


def test_silence_is_a_face_at_rest() -> None:
    assert shown(mouth_weights(np.zeros(6))) == {} == shown(pose_weights(Pose()))


def test_vowels_open_spread_and_round_as_they_do_in_people() -> None:
    assert of("ɑ")["jawOpen"] > 2 * of("i")["jawOpen"] > 0
    assert of("i")["mouthStretchLeft"] == of("i")["mouthStretchRight"] > of("ɑ").get("mouthStretchLeft", 0)
    assert of("u")["mouthPucker"] > 0.7 and of("u").get("mouthFunnel", 0) < 0.1
    assert of("ɔ")["mouthFunnel"] > 0.4


@pytest.mark.parametrize("jaw", [0.0, 0.3, 0.9])
def test_closed_lips_meet_however_open_the_jaw_is(jaw: float) -> None:
    weights = shown(mouth_weights(np.array([jaw, 0.5, 0, 1, 0, 0])))
    assert weights.get("mouthClose", 0) == weights.get("jawOpen", 0)
    assert "mouthUpperUpLeft" not in weights and "mouthLowerDownLeft" not in weights


def test_lip_goes_under_the_teeth_for_f() -> None:
    weights = shown(mouth_weights(np.array([0.1, 0, 0, 0, 1, 0])))
    assert weights["mouthRollLower"] > 0.5 and weights["jawOpen"] < 0.05


def test_both_eyes_look_to_the_same_side() -> None:
    right_of_picture = shown(pose_weights(Pose(gaze_x=2.0)))
    assert set(right_of_picture) == {"eyeLookOutLeft", "eyeLookInRight"}
    assert set(shown(pose_weights(Pose(gaze_y=-1.0)))) == {"eyeLookUpLeft", "eyeLookUpRight"}


def test_no_weight_exceeds_one_and_none_is_negative() -> None:
    everything = added(
        mouth_weights(np.ones(6)),
        pose_weights(Pose(brows=2, lids=1.4, smile=1, gaze_x=9)),
        *(emotion_weights(emotion) for emotion in Emotion),
    )
    assert everything.shape == (52,) and everything.dtype == np.float32
    assert everything.min() >= 0 and everything.max() == 1
