import itertools

from visavis.transport.bitrate import MAX_BITRATE, MIN_BITRATE, START_BITRATE, BitrateRule


def test_the_estimate_of_a_stream_that_sends_little_changes_nothing() -> None:
    rule = BitrateRule(now=0)
    assert not rule.estimate(460_000, sent=300_000, now=60)
    assert rule.target == START_BITRATE


def test_the_estimate_of_a_stream_that_sends_little_changes_nothing_for_minutes() -> None:
    rule = BitrateRule(now=0)
    assert not any(rule.estimate(250_000, sent=260_000, now=now) for now in range(300))


def test_a_path_that_stays_congested_lowers_the_target() -> None:
    rule = BitrateRule(now=0)
    assert not rule.estimate(600_000, sent=1_200_000, now=1)
    assert rule.estimate(600_000, sent=1_200_000, now=2)
    assert rule.target == 540_000


def test_a_moment_of_congestion_changes_nothing() -> None:
    rule = BitrateRule(now=0)
    assert not rule.estimate(600_000, sent=1_200_000, now=1)
    assert not rule.estimate(1_200_000, sent=1_200_000, now=1.5)
    assert not rule.estimate(600_000, sent=1_200_000, now=2.2)


def test_the_target_has_a_floor() -> None:
    rule = BitrateRule(now=0)
    for now in range(5):
        rule.estimate(20_000, sent=1_200_000, now=now)
    assert rule.target == MIN_BITRATE


def test_rising_estimates_raise_the_target_rarely() -> None:
    rule = BitrateRule(now=0)
    changes = [now for now in range(60) if rule.estimate(int(rule.target * 1.7), sent=rule.target, now=now)]
    assert changes[0] == 10
    assert all(later - earlier >= 10 for earlier, later in itertools.pairwise(changes))
    assert rule.target <= MAX_BITRATE


def test_the_ceiling_is_kept() -> None:
    rule = BitrateRule(now=0)
    rule.estimate(50_000_000, sent=1_000_000, now=30)
    assert rule.target == MAX_BITRATE
