"""What is made of measured figures; no networks."""

import numpy as np
import pytest

from visavis.layers.perception import Behaviour, Face, Noticed
from visavis.layers.perception.behaviour import FaceBehaviour, Latch
from visavis.layers.perception.light import FROZEN_AFTER_S, Light
from visavis.layers.perception.reversals import HeadGestures, VisualSpeech, reversals

FACE = Face(0.3, 0, 0, 0, looking=True, eyes_closed=False, smile=0, brows_up=0, frown=0, mouth_open=0, speaking=None)


@pytest.mark.parametrize(
    ("values", "count"),
    [([], 0), ([0, 5, 0], 1), ([0, 5, 0, 5, 0], 3), ([0, 1, 0, 1, 0], 0), ([0, 2, 4, 6, 8], 0), ([5, 0, 5], 1)],
)
def test_reversals_count_turns_after_swings(values: list[float], count: int) -> None:
    assert reversals(values, 3) == count


def heads(yaw_deg: float, pitch_deg: float, hertz: float = 2.0, seconds: float = 2.0) -> list[str]:
    gestures = HeadGestures()
    swings = [np.sin(2 * np.pi * hertz * at) for at in np.arange(0, seconds, 0.125)]
    seen = [gestures.see(0.125 * n, yaw_deg * swing, pitch_deg * swing) for n, swing in enumerate(swings)]
    return [one for one in seen if one]


def test_a_head_that_goes_up_and_down_nods_once_or_twice_and_one_that_goes_aside_is_shaken() -> None:
    assert set(heads(0.5, 6)) == {"nod"}
    assert set(heads(7, 1)) == {"shake"}


def test_a_head_that_hardly_moves_or_goes_round_does_neither() -> None:
    assert not heads(0.5, 1)
    assert not heads(6, 6)
    assert not heads(0, 10, hertz=0.2)


def test_a_gap_between_looks_is_no_movement() -> None:
    gestures = HeadGestures()
    assert not any(gestures.see(0.8 * n, 0, 9 * (n % 2)) for n in range(20))


def test_a_mouth_that_opens_and_closes_speaks_and_one_that_stays_open_does_not() -> None:
    speech = VisualSpeech()
    assert speech.see(0.0, 0.0) is None
    assert [speech.see(0.125 * n, 0.05 * (n % 3 == 0)) for n in range(1, 20)][-1]
    still = VisualSpeech()
    assert [still.see(0.125 * n, 0.08) for n in range(20)][-1] is False


def test_a_latch_begins_once_and_holds_through_wavering() -> None:
    latch = Latch(0.5, 0.3, 0.15)
    begun = [latch.update(value, 0.1 * n) for n, value in enumerate((0.6, 0.6, 0.6, 0.4, 0.6, 0.2, 0.6, 0.6, 0.6))]
    assert begun == [False, False, True, False, False, False, False, False, True]


def behaviours(faces: list[Face]) -> list[Behaviour]:
    seen = FaceBehaviour()
    return [one.behaviour for n, face in enumerate(faces) for one in seen.see(face, 0.125 * n)]


def with_(**figures: object) -> Face:
    return Face(**{**{name: getattr(FACE, name) for name in FACE.__slots__}, **figures})


def test_a_smile_is_told_once_and_a_glance_aside_not_at_all() -> None:
    assert behaviours([FACE] * 8 + [with_(smile=0.8)] * 20) == [Behaviour.SMILED]
    assert behaviours([FACE] * 8 + [with_(looking=False)] * 4 + [FACE] * 8) == []


def test_somebody_who_looks_away_for_a_while_looks_back() -> None:
    away = [FACE] * 8 + [with_(looking=False)] * 16 + [FACE] * 4
    assert behaviours(away) == [Behaviour.LOOKED_AWAY, Behaviour.LOOKED_BACK]


def test_brows_that_are_always_high_are_not_raised() -> None:
    assert behaviours([with_(brows_up=0.6)] * 40) == []
    assert behaviours([FACE] * 20 + [with_(brows_up=0.6)] * 10) == [Behaviour.RAISED_BROWS]


def test_somebody_who_comes_nearer_leans_in() -> None:
    assert behaviours([FACE] * 40 + [with_(height=0.42)] * 20) == [Behaviour.LEANED_IN]


def test_a_thing_is_named() -> None:
    assert Noticed(Behaviour.HELD_UP, 0, thing="a cup").phrase == "held up a cup"


def picture(level: float, seed: int) -> np.ndarray:
    """Large patches, which stay when the picture is shrunk, and some noise that changes."""
    patches = np.random.default_rng(1).uniform(0, 2 * level, (6, 8, 3)).repeat(80, 0).repeat(80, 1)
    patches += np.random.default_rng(seed).normal(0, 12, patches.shape)
    return np.clip(patches, 0, 255).astype(np.uint8)


def test_light_tells_a_clear_picture_from_a_dark_a_covered_and_a_frozen_one() -> None:
    assert Light().judge(picture(100, 0), 0.0) == "clear"
    assert Light().judge(picture(9, 0), 0.0) == "dark"
    assert Light().judge(np.zeros((480, 640, 3), np.uint8), 0.0) == "covered"
    assert Light().judge(np.full((480, 640, 3), 200, np.uint8), 0.0) == "covered"
    light, same = Light(), picture(100, 0)
    assert [light.judge(same, float(at)) for at in (0, 3, FROZEN_AFTER_S + 1)] == ["clear", "clear", "frozen"]
    assert light.judge(picture(100, 5), 9.0) == "clear"
    assert light.judge(None, 9.0 + FROZEN_AFTER_S + 1) == "frozen"
