"""Breakers by the defaults of the libraries they come from."""

from des.rules.guards import (
    CLOSED,
    HALF_OPEN,
    OPEN,
    admits_probe,
    after_probes,
    share_opens,
    streak_after,
    streak_opens,
)


def test_a_success_breaks_a_streak() -> None:
    streak, opened = 0, []
    for failed in (True, True, True, True, False, True, True, True, True, True):
        streak = streak_after(streak, failed=failed)
        opened.append(streak_opens(streak, 5))
    assert opened == [False] * 9 + [True]


def test_resilience4j_opens_at_half_of_its_last_100_calls() -> None:
    assert not share_opens(99, 99, 0.5, 100)
    assert not share_opens(49, 100, 0.5, 100)
    assert share_opens(50, 100, 0.5, 100)


def test_polly_opens_at_a_tenth_of_at_least_100_calls() -> None:
    assert not share_opens(50, 99, 0.1, 100)
    assert not share_opens(11, 120, 0.1, 100)
    assert share_opens(12, 120, 0.1, 100)
    assert not share_opens(0, 0, 0.1, 0)


def test_a_half_open_breaker_admits_its_probes_and_no_more() -> None:
    assert [admits_probe(started, 2) for started in range(4)] == [True, True, False, False]


def test_one_probe_decides() -> None:
    assert after_probes(0, 0, 1, None) == HALF_OPEN
    assert after_probes(1, 0, 1, None) == CLOSED
    assert after_probes(1, 1, 1, None) == OPEN


def test_the_first_of_several_probes_to_fail_opens_again() -> None:
    assert after_probes(2, 0, 3, None) == HALF_OPEN
    assert after_probes(2, 1, 3, None) == OPEN
    assert after_probes(3, 0, 3, None) == CLOSED


def test_resilience4j_decides_when_its_ten_probes_are_over() -> None:
    assert after_probes(9, 9, 10, 0.5) == HALF_OPEN
    assert after_probes(10, 5, 10, 0.5) == OPEN
    assert after_probes(10, 4, 10, 0.5) == CLOSED
