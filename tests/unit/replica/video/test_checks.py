from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from visavis.replica.train import TrainingError, checks
from visavis.replica.train.film import Film
from visavis.replica.train.survey import Glimpse, Survey
from visavis.replica.train.tracking import Track

GOOD = Film(Path("me.mp4"), 240.0, (1280, 720), 30.0, sound=True)
SEEN = Glimpse(0.0, 1, (400, 100, 700, 500), eyes_px=150.0, turned=0.02, brightness=130.0, contrast=90.0)


def survey(*glimpses: Glimpse) -> Survey:
    return Survey(tuple(replace(glimpse, time_s=float(index)) for index, glimpse in enumerate(glimpses)))


def track(count: int = 100) -> Track:
    points = np.zeros((count, 478, 3), np.float32)
    points[:, 263, 0] = 100
    still = np.zeros(count, np.float32)
    return Track(points, np.ones(count, bool), still + 0.5, still + 9, still, np.zeros((count, 16, 16, 3), np.uint8))


def refused(error: pytest.ExceptionInfo[TrainingError]) -> str:
    assert "xpected" in str(error.value)
    return error.value.error_type


def test_a_good_video_passes_without_a_word() -> None:
    assert checks.check_film(GOOD) == []
    assert checks.check_glimpses(survey(*[SEEN] * 20), (0, 100)) == []
    assert checks.check_shots([slice(0, 6000)], 6000) == []
    assert checks.check_sync(0, 0.6) == []


@pytest.mark.parametrize(
    ("film", "kind"),
    [
        (replace(GOOD, duration_s=10.0), "video_duration"),
        (replace(GOOD, fps=10.0), "video_fps"),
        (replace(GOOD, sound=False), "other_quality_issue"),
    ],
)
def test_a_film_that_cannot_do_is_refused(film: Film, kind: str) -> None:
    with pytest.raises(TrainingError) as error:
        checks.check_film(film)
    assert refused(error) == kind


def test_a_short_film_is_warned_of() -> None:
    assert len(checks.check_film(replace(GOOD, duration_s=80.0))) == 1


@pytest.mark.parametrize(
    ("glimpse", "kind", "said"),
    [
        (Glimpse(0.0, 0), "other_quality_issue", "No face"),
        (replace(SEEN, faces=2), "other_quality_issue", "Several faces"),
        (replace(SEEN, eyes_px=25.0), "other_quality_issue", "small"),
        (replace(SEEN, turned=0.4), "improper_camera_angle", "side"),
        (replace(SEEN, brightness=20.0), "poor_lighting", "dark"),
        (replace(SEEN, contrast=8.0), "poor_lighting", "flat"),
    ],
)
def test_what_is_wrong_with_the_picture_is_said(glimpse: Glimpse, kind: str, said: str) -> None:
    with pytest.raises(TrainingError, match=said) as error:
        checks.check_glimpses(survey(*[glimpse] * 20), (0, 100))
    assert refused(error) == kind


def test_a_face_that_is_often_away_is_refused() -> None:
    with pytest.raises(TrainingError, match="only 50%"):
        checks.check_glimpses(survey(*[SEEN, Glimpse(0.0, 0)] * 10), (0, 100))


def test_teeth_must_be_seen() -> None:
    with pytest.raises(TrainingError) as error:
        checks.check_teeth(track())
    assert refused(error) == "teeth_not_visible"
    checks.check_teeth(replace(track(), inside=np.full(100, 0.9, np.float32)))


def test_a_silent_room_is_refused() -> None:
    with pytest.raises(TrainingError, match="Nobody is heard"):
        checks.check_sound(np.full(1000, -80.0))
    with pytest.raises(TrainingError, match="only 5%"):
        checks.check_sound(np.r_[np.full(950, -70.0), np.full(50, -20.0)])
    checks.check_sound(np.r_[np.full(400, -70.0), np.full(600, -20.0)])


def test_sound_out_of_time_is_moved_or_refused() -> None:
    assert "moved" in checks.check_sync(4, 0.6)[0]
    for offset, following in ((14, 0.6), (0, 0.05)):
        with pytest.raises(TrainingError):
            checks.check_sync(offset, following)


def test_cuts_are_found() -> None:
    moved = track(200)
    moved.points[100:, :, :2] += 30
    assert [(shot.start, shot.stop) for shot in moved.shots()] == [(0, 100), (100, 200)]
    assert len(track(200).shots()) == 1
    away = track(200)
    away.seen[50:60] = False
    assert [(shot.start, shot.stop) for shot in away.shots()] == [(0, 50), (60, 200)]


def test_of_a_long_video_the_part_with_the_best_faces_is_used() -> None:
    poor = replace(SEEN, turned=0.3)
    glimpses = [replace(poor, time_s=30.0 * index) for index in range(60)]
    glimpses += [replace(SEEN, time_s=30.0 * index) for index in range(60, 75)]
    glimpses += [replace(poor, time_s=30.0 * index) for index in range(75, 240)]
    first, last = Survey(tuple(glimpses)).stretch(7200.0)
    assert last - first == 300 and first >= 1800 and last <= 2250
    assert survey(SEEN).stretch(100.0) == (0.0, 100.0)
