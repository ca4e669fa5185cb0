"""The parts of training and rendering that need neither a face nor a film."""

import cv2
import numpy as np
import pytest

from visavis.replica.patches.contents import Lips, Mouths
from visavis.replica.patches.geometry import SmoothWarp, fit_similarity, inverse, moved
from visavis.replica.patches.jpegs import Jpegs, pack
from visavis.replica.patches.points import CONTROLS, LOWER_MIDDLE, UPPER_MIDDLE
from visavis.replica.patches.retrieval import Chooser, Index, follow_whole
from visavis.replica.train.idle import SEAM, Step, _joined, _tour, draw_loop
from visavis.replica.train.learning import fit

RNG = np.random.default_rng(3)


def test_a_similarity_is_found_again_and_undone() -> None:
    points = RNG.normal(0, 50, (12, 2)).astype(np.float32)
    transform = np.array([[0.9, -0.3, 12], [0.3, 0.9, -7]], np.float32)
    there = moved(points, transform)
    assert np.allclose(fit_similarity(points, there), transform, atol=1e-3)
    assert np.allclose(moved(there, inverse(transform)), points, atol=1e-3)


def test_a_warp_meets_its_points_and_follows_a_tilt_everywhere() -> None:
    points = RNG.uniform(0, 100, (20, 2)).astype(np.float32)
    wanted = RNG.normal(0, 3, (20, 2)).astype(np.float32)
    assert np.abs(SmoothWarp(points, slack=1e-3)(points, wanted) - wanted).max() < 0.1
    tilt = np.array([[0, 0.1], [-0.1, 0]], np.float32)
    far = np.array([[-50, 20], [160, 130]], np.float32)
    assert np.allclose(SmoothWarp(far)(points, points @ tilt), far @ tilt, atol=0.05)


def test_a_warp_bears_points_that_lie_upon_each_other() -> None:
    points = np.repeat(RNG.uniform(0, 100, (10, 2)), 2, 0).astype(np.float32)
    wanted = RNG.normal(0, 3, (20, 2)).astype(np.float32)
    assert np.abs(SmoothWarp(points)(points, wanted)).max() < 20


def mouths(lips: np.ndarray, follows: np.ndarray) -> Index:
    count = len(lips)
    components = np.zeros((1, CONTROLS, 2), np.float32)
    components[0, LOWER_MIDDLE, 1], components[0, UPPER_MIDDLE, 1] = 0.7, -0.7
    nothing = np.zeros((count, 1, 3), np.float32)
    look = np.zeros((count, 2), np.float32)
    pictures = Jpegs(b"", np.zeros(count, np.int64))
    controls = np.zeros((count, CONTROLS, 2), np.float32)
    lip_model = Lips(controls[0], np.zeros((2, CONTROLS, 2), np.float32), components, np.zeros(1, np.float32))
    return Index(Mouths(pictures, lips[:, None].astype(np.float32), controls, look, nothing, follows), lip_model)


def test_a_clause_is_shown_by_mouths_like_the_wanted_ones_in_the_order_of_the_film() -> None:
    filmed = np.r_[np.linspace(0, 20, 30), np.linspace(20, 0, 30)]
    index = mouths(filmed, np.arange(60) > 0)
    wanted = filmed[5:25, None].astype(np.float32) + 0.02
    assert follow_whole(index, wanted).tolist() == list(range(5, 25))
    chooser = Chooser(index)
    chosen = [chooser.next(lips) for lips in wanted]
    assert np.abs(filmed[chosen] - wanted[:, 0]).max() < 1.5


def test_an_empty_clause_has_no_mouths() -> None:
    assert len(follow_whole(mouths(np.arange(20.0), np.arange(20) > 0), np.zeros((0, 1), np.float32))) == 0


def test_pictures_come_back_and_damaged_ones_are_noticed() -> None:
    frames = [cv2.GaussianBlur(RNG.integers(0, 255, (40, 32, 3), np.uint8), (0, 0), 4) for _ in range(3)]
    packed = pack([np.asarray(frame, np.uint8) for frame in frames], 95)
    packed.check((40, 32))
    assert np.abs(packed[1].astype(int) - frames[1]).mean() < 3
    for damaged in (
        Jpegs(packed.data[:-5], packed.ends),
        Jpegs(packed.data, packed.ends[::-1].copy()),
        Jpegs(packed.data[: packed.ends[1]] + b"x" * 50, np.r_[packed.ends[:2], packed.ends[1] + 50]),
    ):
        with pytest.raises(ValueError):
            damaged.check((40, 32))
    with pytest.raises(ValueError, match="another size"):
        packed.check((32, 40))


def test_lips_are_learnt_from_features() -> None:
    causes = RNG.normal(0, 1, (1500, 4))
    features = (causes @ RNG.normal(0, 1, (4, 60))).astype(np.float32)
    lips = np.stack([10 * np.maximum(causes[:, 0], 0) + 3, 2 * causes[:, 1]], 1).astype(np.float32)
    network, likeness = fit(features, lips, np.array([1, 0], np.float32), 16, 12, lambda share: None, members=2)
    assert likeness > 0.8
    assert np.corrcoef(network(features)[:, 0], lips[:, 0])[0, 1] > 0.85


def test_a_loop_of_several_stretches_uses_each_and_ends_where_it_begins() -> None:
    place = np.zeros((200, 1), np.float32)
    place[100:130], place[50:80] = 1, 2
    tour = _tour([(0, 30), (50, 80), (100, 130)], place)
    assert sorted(min(part) for part in tour) == [0, 50, 100]
    steps = _joined(tour)
    assert len(steps) == 3 * (30 - SEAM)
    assert steps[-1].towards is not None and steps[-1].share > 0.9


def test_one_long_stretch_is_cut_where_its_end_is_like_its_beginning() -> None:
    time = np.arange(300)
    look = np.stack([20 * np.sin(2 * np.pi * time / 110), 20 * np.cos(2 * np.pi * time / 110)], 1)
    (pictures,) = _tour([(0, 300)], look.astype(np.float32))
    assert min((len(pictures) - SEAM) % 110, -(len(pictures) - SEAM) % 110) <= 4


def test_pictures_between_two_places_show_the_thing_between() -> None:
    def square(left: int) -> np.ndarray:
        frame = np.full((96, 96, 3), 60, np.uint8)
        frame[30:60, left : left + 30] = 200
        return np.asarray(cv2.GaussianBlur(frame, (0, 0), 2), np.uint8)

    (between,) = draw_loop([Step(0, 1, 0.5)], {0: square(30), 1: square(36)})
    column = between[45, :, 0].astype(int)
    left, right = np.nonzero(column > 130)[0][[0, -1]]
    assert abs(left - 33) <= 1.5 and abs(right - 62) <= 1.5
