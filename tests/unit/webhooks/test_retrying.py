"""Pauses grow, are spread, and come to an end."""

from datetime import UTC, datetime

from visavis.webhooks.retrying import Retrying

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def pauses(retrying, chance):
    found = []
    while (at := retrying.next_attempt(len(found) + 1, NOW, chance)) is not None:
        found.append((at - NOW).total_seconds())
    return found


def test_pauses_grow_to_a_limit_and_end():
    found = pauses(Retrying(), 0.5)
    assert found[:4] == [5, 20, 80, 320]
    assert len(found) == 9
    assert found[-1] == max(found) == 6 * 3600
    assert 19 * 3600 < sum(found) < 20 * 3600


def test_pauses_are_spread():
    assert pauses(Retrying(), 0.0)[0] == 4
    assert pauses(Retrying(), 1.0)[0] == 6


def test_one_attempt_is_the_only_one():
    assert pauses(Retrying(attempts=1), 0.5) == []
