"""Token buckets, windows and queues against worked numbers."""

import math
import random
from collections import deque
from heapq import heapreplace

import pytest

from des.rules import limits
from des.rules.limits import (
    WHOLE,
    after_release,
    bucket_corrected,
    bucket_holds,
    bucket_holds_again_after_s,
    bucket_refilled,
    bucket_without,
    bucket_without_one,
    queue_is_full,
    release_s,
    service_start_s,
    token_after_s,
    turned_away,
    waiting_calls,
)

# The token bucket against worked numbers.


def test_a_bucket_gains_its_rate_times_the_time_passed() -> None:
    assert bucket_refilled(1.0, 10.0, 14.0, 0.5, 10.0) == 3.0


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    assert bucket_refilled(9.5, 0.0, 2.0, 1.0, 10.0) == 10.0
    assert bucket_refilled(10.0, 0.0, 1e9, 1.0, 10.0) == 10.0


def test_no_time_passed_adds_nothing() -> None:
    assert bucket_refilled(0.25, 7.0, 7.0, 100.0, 10.0) == 0.25


def test_refilling_in_two_steps_is_refilling_in_one() -> None:
    halfway = bucket_refilled(0.0, 0.0, 2.0, 0.25, 5.0)
    assert bucket_refilled(halfway, 2.0, 8.0, 0.25, 5.0) == bucket_refilled(0.0, 0.0, 8.0, 0.25, 5.0) == 2.0


@pytest.mark.parametrize(("tokens", "rate", "wait"), [(0.0, 2.0, 0.5), (0.5, 0.25, 2.0), (0.75, 1.0, 0.25)])
def test_a_refused_call_learns_when_a_whole_token_is_there(tokens: float, rate: float, wait: float) -> None:
    assert token_after_s(tokens, rate) == wait
    assert bucket_refilled(tokens, 100.0, 100.0 + wait, rate, 5.0) == 1.0


@pytest.mark.parametrize(("tokens", "left"), [(10.0, 9.0), (1.5, 0.5), (1.0, 0.0), (1.0 - 1e-16, 0.0), (WHOLE, 0.0)])
def test_a_bucket_is_never_short_of_tokens_however_its_last_one_rounded(tokens: float, left: float) -> None:
    assert bucket_without_one(tokens) == left


def test_a_call_that_takes_all_there_is_is_admitted() -> None:
    assert bucket_holds(3.0, 3.0, 0.0)
    assert not bucket_holds(3.0, 3.0 + 1e-15, 0.0)


# Buckets of tokens in amounts, and the same bucket kept as one time (GCRA).


PER_MINUTE = 1.0 / 60.0


def test_a_call_takes_its_amount_where_the_bucket_holds_it() -> None:
    rate = 30_000 * PER_MINUTE
    assert bucket_holds(3000.0, 2999.0, rate)
    assert bucket_holds(3000.0, 3000.0, rate)
    assert not bucket_holds(3000.0, 3001.0, rate)
    assert bucket_without(3000.0, 2999.0) == 1.0
    assert bucket_without(3000.0 - 1e-7, 3000.0) == 0.0


def test_a_bucket_short_of_an_amount_says_when_it_holds_it() -> None:
    # 30,000 a minute are 500 a second: 2000 more take four seconds
    assert bucket_holds_again_after_s(1000.0, 3000.0, 500.0, 30_000.0) == 4.0


def test_a_request_larger_than_the_burst_never_finds_its_tokens() -> None:
    assert bucket_holds_again_after_s(30_000.0, 40_000.0, 500.0, 30_000.0) == math.inf
    assert not bucket_holds(30_000.0, 40_000.0, 500.0)


def test_a_bucket_whose_rate_times_its_window_rounded_down_serves_its_whole_burst() -> None:
    burst = math.nextafter(50.0, 0.0)
    assert bucket_holds_again_after_s(0.0, 50.0, 0.8, burst) == pytest.approx(62.5)
    assert bucket_holds(burst, 50.0, 0.8)


@pytest.mark.parametrize("now", [0.3, 1e4 + 0.1, 86_400.0 * 365 + 0.7])
@pytest.mark.parametrize("rate", [1.0 / 3.0, 7.0, 6666.7])
def test_who_waits_just_as_long_as_told_is_admitted(now: float, rate: float) -> None:
    draw = random.Random(5)
    for _ in range(200):
        tokens, amount = draw.random() * 1000.0, 1000.0 + draw.random() * 1000.0
        again_s = now + bucket_holds_again_after_s(tokens, amount, rate, 5000.0)
        assert bucket_holds(bucket_refilled(tokens, now, again_s, rate, 5000.0), amount, rate)


def test_an_estimate_is_corrected_to_what_was_used() -> None:
    assert bucket_corrected(100.0, 1024.0, 300.0, 5000.0) == 824.0
    assert bucket_corrected(100.0, 1024.0, 2000.0, 5000.0) == -876.0  # a debt that refills before anybody is served
    assert bucket_corrected(4900.0, 1024.0, 0.0, 5000.0) == 5000.0
    assert bucket_holds_again_after_s(-876.0, 124.0, 500.0, 5000.0) == 2.0


@pytest.mark.parametrize("burst", [1, 2, 7])
@pytest.mark.parametrize("load", [0.6, 1.0, 1.7])
def test_a_token_bucket_is_the_generic_cell_rate_algorithm(load: float, burst: int) -> None:
    draw = random.Random(burst)
    rate, tokens, refilled_at_s, tat_s, now = 2.0, float(burst), 0.0, 0.0, 0.0
    admitted = 0
    for _ in range(5000):
        now += draw.expovariate(load * rate)
        tokens, refilled_at_s = bucket_refilled(tokens, refilled_at_s, now, rate, burst), now
        admits = bucket_holds(tokens, 1.0, rate)
        assert admits == (release_s(tat_s, now, rate, burst) <= now + 1e-6)
        if admits:
            admitted += 1
            tokens, tat_s = bucket_without(tokens, 1.0), after_release(tat_s, now, rate)
        else:
            wait_s = bucket_holds_again_after_s(tokens, 1.0, rate, burst)
            assert wait_s == pytest.approx(release_s(tat_s, now, rate, burst) - now)
    assert 1000 < admitted < 5000


def test_a_shaper_releases_a_burst_and_then_one_an_interval() -> None:
    tat_s, released = 0.0, []
    for now in (5.0, 5.0, 5.0, 5.0, 9.0):
        at_s = release_s(tat_s, now, 2.0, 2.0)
        tat_s = after_release(tat_s, at_s, 2.0)
        released.append(at_s)
    assert released == [5.0, 5.0, 5.5, 6.0, 9.0]


# Limits by the clock, by a log and by how many are at it, against worked numbers.


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


# First come, first served, against a table worked by hand and a walk by single servers.


def test_jobs_start_when_a_server_is_free() -> None:
    free_at_s = [0.0, 0.0]
    starts = []
    for now, service_s in ((1.0, 5.0), (2.0, 2.0), (3.0, 1.0), (3.5, 1.0), (9.0, 1.0)):
        start = service_start_s(free_at_s, now)
        heapreplace(free_at_s, start + service_s)
        starts.append(start)
    assert starts == [1.0, 2.0, 4.0, 5.0, 9.0]


def test_those_that_have_not_started_wait() -> None:
    starts = [1.0, 2.0, 4.0, 5.0]
    assert [waiting_calls(starts, now) for now in (0.5, 2.0, 3.5, 4.5, 5.0)] == [4, 2, 2, 1, 0]
    assert not queue_is_full(2, 3)
    assert queue_is_full(3, 3)
    assert queue_is_full(0, 0)


def test_many_servers_agree_with_looking_at_each_of_them() -> None:
    draw = random.Random(3)
    heap, servers, now = [0.0] * 7, [0.0] * 7, 0.0
    waited, starts = 0, deque[float]()
    for _ in range(3000):
        now += draw.expovariate(1.0)
        service_s = draw.expovariate(1.0 / 6.0)
        first = min(range(7), key=servers.__getitem__)
        expected = max(now, servers[first])
        servers[first] = expected + service_s
        start = service_start_s(heap, now)
        assert start == expected
        heapreplace(heap, start + service_s)
        starts.append(start)
        waited += start > now
        assert waiting_calls(starts, now) == sum(at_s > now for at_s in starts)
    assert sorted(heap) == sorted(servers)
    assert waited > 500


# The share of calls that a provider at its capacity turns away.


@pytest.mark.parametrize(
    ("load", "capacity", "share"), [(0.5, 1.0, 0.0), (1.0, 1.0, 0.0), (1.25, 1.0, 0.2), (4.0, 1.0, 0.75)]
)
def test_what_is_beyond_the_capacity_is_turned_away(load: float, capacity: float, share: float) -> None:
    assert turned_away(load, capacity) == pytest.approx(share)
