import numpy as np
import pytest

from visavis.replica import FPS, Attitude, Emotion
from visavis.replica.life import Life, Pose


def watched(attitude: Attitude, seconds: float, seed: int, loudness: float = 0.0) -> list[Pose]:
    life = Life(np.random.default_rng(seed))
    return [life.step(attitude, loudness) for _ in range(round(seconds * FPS))]


def blinks(poses: list[Pose]) -> int:
    shut = np.array([pose.lids > 0.8 for pose in poses])
    return int((shut[1:] & ~shut[:-1]).sum())


def test_blinks_come_as_often_as_people_blink() -> None:
    counts = [blinks(watched(Attitude.IDLE, 120, seed)) / 2 for seed in range(8)]
    assert 12 <= np.mean(counts) <= 24
    assert min(counts) >= 6


def test_a_blink_takes_about_a_fifth_of_a_second() -> None:
    moving = np.array([pose.lids > 0.02 for pose in watched(Attitude.IDLE, 240, 5)])
    edges = np.flatnonzero(np.diff(np.concatenate([[0], moving.astype(int), [0]])))
    lengths_ms = (edges[1::2] - edges[::2]) * 40
    assert len(lengths_ms) > 30
    assert np.percentile(lengths_ms, 5) >= 120 and np.percentile(lengths_ms, 90) <= 280


def test_same_seed_gives_the_same_life_and_another_seed_another() -> None:
    assert watched(Attitude.IDLE, 20, 1) == watched(Attitude.IDLE, 20, 1)
    assert watched(Attitude.IDLE, 20, 1) != watched(Attitude.IDLE, 20, 2)


def test_head_stays_near_its_place_for_ten_minutes() -> None:
    poses = watched(Attitude.SPEAKING, 600, 3)
    assert max(abs(pose.roll_deg) for pose in poses) <= 1.8
    assert max(abs(pose.yaw_deg) for pose in poses) <= 3.5
    assert max(abs(pose.shift_x) for pose in poses) <= 4


@pytest.mark.parametrize("part", ["yaw_deg", "pitch_deg", "roll_deg", "shift_x", "shift_y", "brows", "smile", "breath"])
def test_nothing_jumps_when_the_attitude_changes(part: str) -> None:
    life = Life(np.random.default_rng(4))
    values = []
    for attitude in (Attitude.IDLE, Attitude.LISTENING, Attitude.THINKING, Attitude.SPEAKING, Attitude.IDLE):
        for frame in range(75):
            loud = float(frame % 20 > 10) if attitude is Attitude.SPEAKING else 0.0
            values.append(getattr(life.step(attitude, loud), part))
    assert np.abs(np.diff(values)).max() < 0.55


def test_a_listener_nods_when_told_to_and_an_idle_face_does_not() -> None:
    def fastest(*attitudes: Attitude) -> float:
        life = Life(np.random.default_rng(6))
        pitch = [life.step(attitude, 0.0).pitch_deg for attitude in attitudes for _ in range(100)]
        return float(np.abs(np.diff(pitch)).max())

    assert fastest(*[Attitude.LISTENING, Attitude.NODDING] * 3) > 0.2
    assert fastest(Attitude.IDLE, Attitude.IDLE) < 0.1


def test_a_speaker_nods_on_loud_syllables() -> None:
    life = Life(np.random.default_rng(2))
    pitch = [life.step(Attitude.SPEAKING, float(frame % 25 > 15)).pitch_deg for frame in range(500)]
    assert np.abs(np.diff(pitch)).max() > 0.15


def test_thinking_looks_away_and_listening_looks_at_the_person() -> None:
    def gaze(attitude: Attitude) -> float:
        return float(np.mean([pose.gaze_y for pose in watched(attitude, 30, 7)[50:]]))

    assert gaze(Attitude.THINKING) < -0.8
    assert abs(gaze(Attitude.LISTENING)) < 0.3


def test_turning_the_head_keeps_the_eyes_on_the_person() -> None:
    poses = watched(Attitude.IDLE, 120, 8)
    assert np.corrcoef([p.yaw_deg for p in poses], [p.gaze_x for p in poses])[0, 1] < -0.2


def felt(emotion: Emotion, attitude: Attitude = Attitude.IDLE) -> Pose:
    life = Life(np.random.default_rng(7))
    life.emotion = emotion
    return [life.step(attitude, 0.0) for _ in range(100)][-1]


def test_emotions_show_in_brows_lids_and_smile() -> None:
    neutral = felt(Emotion.NEUTRAL)
    assert felt(Emotion.HAPPINESS).smile > neutral.smile + 0.4
    assert felt(Emotion.SURPRISE).brows > neutral.brows + 1
    assert felt(Emotion.ANGER).brows < neutral.brows - 1
    assert felt(Emotion.SADNESS).lids > 0.1 and felt(Emotion.SADNESS).pitch_deg > neutral.pitch_deg + 1
    assert felt(Emotion.SADNESS).smile == pytest.approx(0, abs=1e-3)


def test_smile_of_a_happy_speaker_leaves_room_for_the_words() -> None:
    assert felt(Emotion.HAPPINESS, Attitude.SPEAKING).smile < 0.35


@pytest.mark.parametrize("part", ["pitch_deg", "roll_deg", "brows", "smile"])
def test_emotions_come_and_go_without_a_jump(part: str) -> None:
    life = Life(np.random.default_rng(4))
    values = []
    for emotion in Emotion:
        life.emotion = emotion
        values += [getattr(life.step(Attitude.IDLE, 0.0), part) for _ in range(50)]
    assert np.abs(np.diff(values)).max() < 0.55
