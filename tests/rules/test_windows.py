"""Limits by the clock, by a log and by how many are at it, against worked numbers."""

import math

import pytest

from des.rules import limits


def test_a_clock_window_starts_from_nought_on_its_minute() -> None:
    assert [limits.window_of(t, 60.0) for t in (0.0, 59.9, 60.0, 119.9, 3600.0)] == [0, 0, 1, 1, 60]
    assert limits.next_window_after_s(75.0, 60.0) == 45.0
    assert limits.next_window_after_s(120.0, 60.0) == 60.0


@pytest.mark.parametrize("window_s", [0.7, 1.0, 60.0, 86_400.0])
@pytest.mark.parametrize("now", [0.1, 12_345.678, 3.15e7 + 0.3])
def test_who_waits_for_the_next_window_finds_it(now: float, window_s: float) -> None:
    wait_s = limits.next_window_after_s(now, window_s)
    assert 0.0 < wait_s <= window_s * (1.0 + 1e-6)
    assert limits.window_of(now + wait_s, window_s) == limits.window_of(now, window_s) + 1


def test_a_window_admits_up_to_its_most_and_no_more() -> None:
    assert limits.window_admits(49.0, 1.0, 50.0)
    assert limits.window_admits(49.0, 1.0, 50.0 / 60.0 * 60.0)
    assert not limits.window_admits(50.0, 1.0, 50.0)
    assert limits.window_admits(1000.0, 4000.0, 5000.0)
    assert not limits.window_admits(1000.0, 4001.0, 5000.0)


def test_two_windows_full_back_to_back_are_the_known_weakness_of_clock_windows() -> None:
    """Twice the limit within a second: the last of one minute and the first of the next. A log would refuse it."""
    before, after = limits.window_of(59.5, 60.0), limits.window_of(60.5, 60.0)
    assert before != after
    assert limits.left_log([59.5] * 10, 60.5, 60.0) == 0


def test_entries_leave_a_log_when_they_are_a_window_old() -> None:
    log = [10.0, 20.0, 30.0]
    assert [limits.left_log(log, now, 60.0) for now in (69.0, 70.0, 85.0, 200.0)] == [0, 1, 2, 3]


def test_a_full_log_says_when_enough_has_left_it() -> None:
    log, tokens = [10.0, 20.0, 30.0], [1000.0, 500.0, 2000.0]
    assert limits.log_retry_after_s(log, [1.0, 1.0, 1.0], 1.0, 40.0, 60.0) == 30.0
    assert limits.log_retry_after_s(log, tokens, 1000.0, 40.0, 60.0) == 30.0
    assert limits.log_retry_after_s(log, tokens, 1001.0, 40.0, 60.0) == 40.0
    assert limits.log_retry_after_s(log, tokens, 3500.0, 40.0, 60.0) == 50.0
    assert limits.log_retry_after_s(log, tokens, 3501.0, 40.0, 60.0) == math.inf
    assert limits.left_log(log, 40.0 + 50.0, 60.0) == 3


def test_use_may_double_from_window_to_window_above_its_floor() -> None:
    most, path = 0.0, []
    for _ in range(5):
        most = limits.acceleration_allowance(most, 2.0, 60.0)
        path.append(most)
    assert path == [60.0, 120.0, 240.0, 480.0, 960.0]
    assert limits.acceleration_allowance(10.0, 2.0, 60.0) == 60.0


def test_as_many_calls_as_places_and_the_first_end_frees_one() -> None:
    assert limits.place_is_free(49, 50)
    assert not limits.place_is_free(50, 50)
    assert limits.place_after_s([12.0, 11.0, 19.0], 10.0) == 1.0
    assert limits.place_after_s([], 10.0) == math.inf
