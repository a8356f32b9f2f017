"""Limits by windows: clock minutes, logs that slide, and growth from one window to the next."""

from math import nan
from typing import Any

import numpy as np
import pytest

from engine.serving import admitted, arriving, first_calls, limit, limited_by, one_endpoint, retry_afters
from engine.traced import Traced, plan_of, poisson, provider, scenario, trace


def windowed(algorithm: str, most: float, window_s: float = 10.0, metric: str = "requests", **rest: Any) -> Any:
    rate_per_s = most / window_s
    return limit(metric, algorithm=algorithm, rate_per_s=rate_per_s, burst=most, window_s=window_s, **rest)


def played(setting: Any, at_s: Any, inputs: Any = (), **rest: Any) -> Traced:
    return trace(limited_by(arriving(one_endpoint(**rest), at_s, inputs), setting))


def test_a_clock_window_admits_so_many_and_starts_anew() -> None:
    traced = played(windowed("fixed_window", 2), [1.0, 9.0, 9.5, 10.0, 10.5, 11.0, 19.0])
    assert admitted(traced) == [True, True, False, True, True, False, False]
    assert retry_afters(traced) == [None, None, 0.5, None, None, 9.0, 1.0]


def test_a_sliding_log_admits_so_many_in_any_window() -> None:
    traced = played(windowed("sliding_log", 2), [1.0, 9.0, 9.5, 10.5, 11.0, 12.0, 19.0, 20.0])
    assert admitted(traced) == [True, True, False, False, True, False, True, False]
    assert retry_afters(traced) == [None, None, 1.5, 0.5, None, 7.0, None, 1.0]


def test_a_sliding_log_of_tokens_waits_for_as_many_as_it_takes() -> None:
    setting = windowed("sliding_log", 100, metric="input_tokens")
    traced = played(setting, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [50, 30, 20, 10, 60, 101])
    assert admitted(traced) == [True, True, True, False, False, False]
    assert retry_afters(traced) == [None, None, None, 7.0, 7.0, None]  # 50 at 10 s, and 80 at 11 s


def test_a_call_that_fills_a_whole_clock_window_is_told_the_next() -> None:
    traced = played(windowed("fixed_window", 100, metric="input_tokens"), [0.0, 4.0, 10.0], [50, 100, 100])
    assert admitted(traced) == [True, False, True]
    assert retry_afters(traced) == [None, 6.0, None]


@pytest.mark.parametrize("algorithm", ["fixed_window", "sliding_log"])
def test_a_call_too_large_for_a_window_is_told_nothing(algorithm: str) -> None:
    traced = played(windowed(algorithm, 100, metric="input_tokens"), [0.0, 50.0], [101, 101])
    assert admitted(traced) == [False, False]
    assert retry_afters(traced) == [None, None]


@pytest.mark.parametrize("algorithm", ["fixed_window", "sliding_log", "acceleration"])
@pytest.mark.parametrize("window_s", [10.0, 7.3, 60.0, 1 / 3])
def test_a_lone_client_that_waits_as_long_as_it_is_told_is_served_at_once(algorithm: str, window_s: float) -> None:
    waits = {"chain": [{"provider": "a", "retries": 5}], "policy": {"retry_after": "honour", "backoff": "1ms"}}
    setting = windowed(algorithm, 3, window_s, growth=1.0 if algorithm == "acceleration" else None)
    for first_s in (0.0, 1.3, 17.1):
        traced = played(setting, [first_s] * 4, **waits)
        assert traced.outcomes(3) == ["rate_limited", "ok"]


def test_refused_calls_that_count_prolong_a_sliding_window_and_not_a_clock_window() -> None:
    asking = [0.0, *(1.0 + 3.0 * k for k in range(12))]
    sliding = played(windowed("sliding_log", 1, counts_refused=True), asking)
    assert sum(admitted(sliding)) == 1
    assert set(retry_afters(sliding)[1:]) == {10.0}
    assert sum(admitted(played(windowed("sliding_log", 1), asking))) == 4
    assert sum(admitted(played(windowed("fixed_window", 1, counts_refused=True), asking))) == 4


def test_an_estimate_is_given_back_to_its_own_window_and_an_excess_counts_in_the_window_of_the_end() -> None:
    low = windowed("fixed_window", 100, metric="output_tokens", counted="estimate", estimated_output=60)
    plan = limited_by(arriving(one_endpoint("2s"), [0.0, 1.0, 2.0, 2.5, 9.0, 12.0], [], [20] * 6), low)
    assert admitted(trace(plan)) == [True, False, True, False, True, True]
    high = windowed("fixed_window", 100, metric="output_tokens", counted="estimate", estimated_output=10)
    plan = limited_by(arriving(one_endpoint("2s"), [9.0, 9.0, 10.5, 11.0, 20.0], [], [60] * 5), high)
    # The first two end at 11 s, when 50 each count beyond their 10; the third's 10 stand there already.
    assert admitted(trace(plan)) == [True, True, True, False, True]


def test_an_estimate_in_a_sliding_log_is_given_back_to_its_own_entry() -> None:
    low = windowed("sliding_log", 100, metric="output_tokens", counted="estimate", estimated_output=60)
    plan = limited_by(arriving(one_endpoint("2s"), [0.0, 1.0, 2.0, 4.0, 10.0], [], [40, 40, 60, 40, 40]), low)
    # 40 from 0 s stand until 10 s, 60 from 2 s: at 4 s they are full, at 10 s 40 are left, fewer than the 60 estimated.
    traced = trace(plan)
    assert admitted(traced) == [True, False, True, False, False]
    assert retry_afters(traced) == [None, 9.0, None, 8.0, 2.0]


def test_growth_is_from_what_the_window_before_had_and_the_floor_is_always_there() -> None:
    setting = windowed("acceleration", 2, growth=2.0)
    arrivals = [0.5 * k for k in range(20)] + [10.0 + 0.5 * k for k in range(20)] + [20.0 + 0.5 * k for k in range(20)]
    traced = played(setting, [*arrivals, 45.0, 45.1, 45.2])
    windows = [int(call.start_s // 10) for call in first_calls(traced) if call.outcome == "ok"]
    assert [windows.count(k) for k in range(5)] == [2, 4, 8, 0, 2]
    assert retry_afters(traced)[2] == 9.0


def largest_window(times_s: Any, window_s: float) -> int:
    """The most of the sorted times in any window (t - w, t]."""
    first = np.searchsorted(times_s, times_s - window_s + 2e-6, side="right")
    return int((np.arange(len(times_s)) - first + 1).max())


@pytest.mark.parametrize(("algorithm", "most_in_any"), [("sliding_log", 7), ("fixed_window", 14)])
def test_no_window_has_more_than_its_most(algorithm: str, most_in_any: int) -> None:
    plan = plan_of(scenario({"a": provider()}, arrivals=poisson("2/s"), horizon="3000s"))
    traced = trace(limited_by(plan, windowed(algorithm, 7, window_s=5.0)))
    times_s = np.sort(traced.attempts.start_s[traced.attempts.outcome == "ok"].to_numpy())
    assert len(times_s) > 3000
    assert largest_window(times_s, 5.0) <= most_in_any
    per_clock_window = np.bincount((times_s // 5.0).astype(int))
    assert per_clock_window.max() == 7


def test_a_sliding_log_refuses_nothing_while_there_is_room() -> None:
    plan = plan_of(scenario({"a": provider()}, arrivals=poisson("2/s"), horizon="1000s"))
    traced = trace(limited_by(plan, windowed("sliding_log", 7, window_s=5.0)))
    log: list[float] = []
    for call in first_calls(traced):
        log = [time_s for time_s in log if time_s > call.start_s - 5.0]
        assert (call.outcome == "ok") == (len(log) < 7)
        expected_s = nan if call.outcome == "ok" else log[0] + 5.0 - call.start_s
        assert call.retry_after_s == pytest.approx(expected_s, abs=1e-9, nan_ok=True)
        if call.outcome == "ok":
            log.append(call.start_s)


def test_a_growing_limit_grows_from_nothing_at_first_and_after_a_window_without_calls() -> None:
    traced = played(windowed("acceleration", 2, growth=5.0), [0.0, 0.1, 0.2, 25.0, 25.1, 25.2])
    assert admitted(traced) == [True, True, False] * 2
