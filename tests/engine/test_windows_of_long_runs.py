"""A window of a long run: the requests that count, incidents and arrivals at their own place in time, and its end."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from des.engine import RunWindow, simulate_window
from des.engine.arrivals import OperationalClock, arrival_times, open_arrivals
from des.faults import Timeline, draw_timeline
from des.scenario.plan import Plan, Profile
from des.vocabulary import REQUEST_IN_FLIGHT
from engine.serving import arriving
from engine.traced import Collected, Traced, plan_of, poisson, provider, scenario, trace

DAY_S = 86_400.0


def windowed(
    plan: Plan, begin_s: float, counted_s: tuple[float, float], cut_s: float, timeline: Timeline | None = None
) -> tuple[Traced, range]:
    if timeline is None:
        timeline = draw_timeline(plan, 0, cut_s)
    sink = Collected()
    window = RunWindow(replace(timeline, until_s=math.inf), begin_s, *counted_s, cut_s)
    counted = simulate_window(plan, 0, sink, window)
    return Traced(plan, len(counted), sink.blocks), counted


def limited(**rest: Any) -> Plan:
    incidents = [{"kind": "poisson", "rate": "20/h", "duration": {"kind": "exponential", "mean": "40s"}}]
    latency = {"kind": "lognormal", "median": "2s", "p99": "9s"}
    first = provider(latency, incidents=incidents, limits={"requests": "40/min"})
    return plan_of(scenario({"a": first, "b": provider(latency)}, horizon="20min", arrivals=poisson("1/s"), **rest))


def test_a_window_from_the_start_is_the_run_request_for_request() -> None:
    plan = limited()
    run = trace(plan).requests
    window, counted = windowed(plan, 0.0, (0.0, 600.0), 1200.0, draw_timeline(plan, 0, 2 * plan.horizon_s))
    of_run = run[run.arrival_s < 600.0].sort_values("request_id").reset_index(drop=True)
    of_window = window.requests[window.requests.request_id.isin(counted)].sort_values("request_id")
    assert len(of_run) == len(counted) > 500
    assert of_window.reset_index(drop=True).equals(of_run)


def test_requests_that_count_arrive_in_the_spell_and_have_ended() -> None:
    window, counted = windowed(limited(), 3000.0, (3100.0, 3200.0), 9000.0)
    own = window.requests[window.requests.request_id.isin(counted)]
    inside = window.requests.arrival_s.between(3100.0, 3200.0, inclusive="left")
    assert sorted(own.request_id) == list(counted) == sorted(window.requests[inside].request_id)
    assert own.end_s.notna().all()
    assert (window.requests.arrival_s < 3100.0).any()
    assert window.requests.arrival_s.min() >= 3000.0


def test_load_goes_on_until_the_last_counted_request_has_ended() -> None:
    slow = plan_of(scenario({"a": provider("20s")}, arrivals=poisson("1/s")))
    window, counted = windowed(slow, 3000.0, (3100.0, 3130.0), 9000.0)
    own = window.requests[window.requests.request_id.isin(counted)]
    assert window.requests.end_s.max() == own.end_s.max() > 3130.0
    assert window.requests.arrival_s.max() < own.end_s.max()


def test_what_lasts_beyond_the_cut_is_in_flight() -> None:
    plan = plan_of(scenario({"a": provider("100s")}, arrivals={"kind": "batch", "every": "10s", "size": 1}))
    window, counted = windowed(plan, 0.0, (0.0, 50.0), 125.0)
    outcome = {row.request_id: row.outcome for row in window.requests.itertuples()}
    assert list(counted) == [0, 1, 2, 3, 4]
    assert [outcome[number] == "in_flight" for number in counted] == [False, False, False, True, True]
    assert REQUEST_IN_FLIGHT >= 0


def test_an_incident_open_at_the_start_strikes_from_the_first_request_on() -> None:
    incidents = [{"kind": "schedule", "windows": [{"start": "10s", "end": "1000s"}]}]
    plan = plan_of(scenario({"a": provider("1s", incidents=incidents)}, horizon="2000s"))
    window, counted = windowed(plan, 500.0, (500.0, 1100.0), 3000.0)
    served = {row.arrival_s: row.outcome == "ok" for row in window.requests.itertuples() if row.request_id in counted}
    assert not any(ok for arrival_s, ok in served.items() if arrival_s < 1000.0)
    assert all(ok for arrival_s, ok in served.items() if arrival_s >= 1000.0)
    assert len(served) == 60


def test_a_timeline_that_ends_is_refused() -> None:
    plan = limited()
    with pytest.raises(ValueError, match="end at infinity"):
        RunWindow(draw_timeline(plan, 0, 10.0), 0.0, 0.0, 1.0, 2.0)


def times(plan: Plan, begin_s: float, until_s: float) -> np.ndarray[Any, Any]:
    return np.concatenate([np.empty(0), *arrival_times(plan, 0, begin_s, until_s)])


def test_batches_come_when_they_would_in_the_whole_run() -> None:
    plan = plan_of(scenario({"a": provider()}, horizon="10d", arrivals={"kind": "batch", "every": "7s", "size": 3}))
    whole = times(plan, 0.0, 2000.0)
    for begin_s in (0.0, 7.0, 700.5, 1000.0):
        assert np.array_equal(times(plan, begin_s, 2000.0), whole[whole >= begin_s])


@pytest.mark.parametrize("period_s", [None, 60.0])
def test_recorded_requests_keep_their_times_and_tokens(period_s: float | None) -> None:
    plan = arriving(plan_of(scenario({"a": provider()})), [0.0, 5.0, 30.0], inputs=[11, 22, 33], outputs=[1, 2, 3])
    arrivals = replace(plan.workload.arrivals, period_s=period_s)  # type: ignore[type-var]
    plan = replace(plan, workload=replace(plan.workload, arrivals=arrivals))

    def of(begin_s: float) -> Sequence[tuple[float, int, int]]:
        blocks = list(open_arrivals(plan, 0, begin_s, 200.0))
        return [row for b in blocks for row in zip(b.arrival_s, b.input_tokens, b.output_tokens, strict=True)]

    whole = of(0.0)
    assert len(whole) == (3 if period_s is None else 11)
    for begin_s in (3.0, 5.0, 31.0, 62.0, 150.0):
        assert of(begin_s) == [row for row in whole if row[0] >= begin_s]


def test_random_arrivals_follow_the_profile_of_their_own_hour() -> None:
    profile = {"hours": [0.0] * 12 + [2.0] * 12}
    for kind in ({"kind": "poisson", "rate": "1/s"}, {"kind": "bursty", "rate": "1/s", "cv": 2, "clients": 5}):
        plan = plan_of(scenario({"a": provider()}, horizon="365d", arrivals={**kind, "profile": profile}))
        begin_s = 300 * DAY_S + 11 * 3600.0
        found = times(plan, begin_s, begin_s + 2 * 3600.0)
        assert found.min() >= begin_s + 3600.0
        assert abs(len(found) - 7200) < 6.0 * 2.0 * math.sqrt(7200)


def test_the_clock_of_a_profile_reads_back_the_time() -> None:
    weights = tuple(0.2 + (hour * 7 % 24) / 12 for hour in range(168))
    clock = OperationalClock(Profile(weights, 5 * 3600.0 + 123.0))
    time_s = np.array([0.0, 10.0, 3599.0, 50_000.0, 604_800.0, 7.3e6, 3.1e8])
    assert clock.operational_s(time_s)[0] == 0.0
    assert clock.time_s(clock.operational_s(time_s)) == pytest.approx(time_s, abs=1e-5)


def test_probes_of_a_window_come_when_they_would_in_the_whole_run() -> None:
    plan = plan_of(scenario({"a": provider()}, horizon="10d", policy={"probes": {"every": "13s", "timeout": "5s"}}))
    window, _ = windowed(plan, 5000.0, (5000.0, 5100.0), 6000.0)
    starts_s = window.attempts[window.attempts.kind == "probe"].start_s
    assert len(starts_s) >= 7
    assert all(start_s % 13.0 == 0.0 and start_s >= 5000.0 for start_s in starts_s)
