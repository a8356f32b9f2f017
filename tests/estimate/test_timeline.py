"""The timeline estimator agrees with closed forms, with the exact estimator and with requests simulated one by one."""

from typing import Any

import numpy as np
import pytest

from des.engine import simulate
from des.estimate.estimate import Estimate, Inapplicable
from des.estimate.exact import exact
from des.estimate.timeline import MOST_STRATA, TimelineAnswer, expected_arrivals, strata, stratified, timeline
from des.faults import Intervals
from des.faults.incident_classes import weights_at
from des.scenario.plan import Plan, Profile
from des.theory.retries import all_fail_in_outage
from estimate.exact_plans import Lost, outages, plan_of, provider, up_down

HOUR_S = 3600.0


def assert_agrees(figure: Estimate, expected: float, errors: float = 4.0) -> None:
    """Within this number of standard errors; a 95 % interval over 40 blocks reaches 2.02 of them."""
    error = (figure.high - figure.mean) / 2.02
    assert abs(figure.mean - expected) <= errors * error, f"{figure}, expected {expected:.8g}"


def test_retries_inside_an_outage_do_not_help() -> None:
    """One hour to repair, calls after gaps of 1, 2 and 4 s: the published example is 1.38e-3, and not U^4."""
    unavailability = 1.3835e-3
    up_h = 1.0 / unavailability - 1.0
    plan = plan_of(
        providers={"a": provider(incidents=[{**up_down(f"{up_h}h", "1h"), "error_latency": 0}])},
        chain=[{"provider": "a", "retries": 3}],
        policy={"backoff": {"kind": "exponential", "base": "1s", "factor": 2}},
    )
    expected = all_fail_in_outage(up_h * HOUR_S, HOUR_S, [1.0, 2.0, 4.0])
    assert expected == pytest.approx(1.38e-3, rel=2e-3)
    answer = timeline(plan, 20_000.0, samples=1_000)
    assert_agrees(answer.availability, 1.0 - expected)


def test_gaps_as_long_as_repairs_bring_the_state_of_their_own_time() -> None:
    plan = plan_of(
        providers={"a": provider(incidents=[{**up_down("9h", "1h"), "error_latency": 0}])},
        chain=[{"provider": "a", "retries": 2}],
        policy={"backoff": {"kind": "exponential", "base": "20min", "factor": 3}},
    )
    expected = all_fail_in_outage(9 * HOUR_S, HOUR_S, [1200.0, 3600.0])
    answer = timeline(plan, 400.0, samples=2_000)
    assert_agrees(answer.availability, 1.0 - expected)


@pytest.mark.parametrize("shared", [1.0, 0.4, 0.0])
def test_one_call_per_leg_agrees_with_the_exact_estimator(shared: float) -> None:
    plan = plan_of(
        components={"cdn": {"incidents": [outages("100/y", "10h", error_latency=0, error_rate="60%")]}},
        providers={
            "a": provider(
                depends_on=["cdn"],
                incidents=[{**up_down("90h", "10h"), "error_latency": 0}],
                errors={"overloaded": "2%"},
            ),
            "b": provider(depends_on=[{"cdn": "70%"}], incidents=[outages("40/y", "9h", error_latency=0)]),
        },
        shared=shared,
    )
    answer, closed = timeline(plan, 250.0, samples=1_000), exact(plan)
    assert closed.availability is not None
    assert_agrees(answer.availability, closed.availability)
    assert_agrees(answer.all_down, closed.all_down)
    for endpoint in closed.endpoints:
        assert_agrees(answer.unavailability[endpoint.name], endpoint.unavailability)
    low, high = answer.all_down_episodes_per_year.low, answer.all_down_episodes_per_year.high
    assert low * 0.9 < closed.all_down_episodes_per_year < high * 1.1


def _busy_plan(**changes: Any) -> Plan:
    latency = {"first_token": {"kind": "lognormal", "median": "2s", "sigma": 1.0}, "tokens_per_second": 50}
    content: dict[str, Any] = {
        "horizon": "10d",
        "workload": {
            "arrivals": {"kind": "poisson", "rate": "15/h"},
            "tokens": {"input": 10, "output": {"kind": "lognormal", "median": 200, "sigma": 0.8}},
        },
        "components": {
            "cdn": {
                "incidents": [
                    outages("400/y", "2h", error_rate="50%", outcome="overloaded", latency_factor=3),
                    outages("400/y", "20min", kills_in_flight=True),
                ]
            }
        },
        "providers": {
            "a": {
                "depends_on": [{"cdn": "80%"}],
                "latency": latency,
                "incidents": [up_down("20h", "40min", hang="30%", error_rate="90%", error_latency="2s")],
                "errors": {"server_error": {"rate": "4%", "latency": "1s"}, "hang": "2%", "invalid_output": "3%"},
                "models": {"model": {"price": {"per_request": 0}}},
            },
            "b": {
                "depends_on": ["cdn"],
                "latency": latency,
                "errors": {"client_error": "1%", "mid_stream": {"rate": "5%", "after": "50%"}},
                "incidents": [outages("500/y", "1h", error_rate="80%")],
                "models": {"model": {"price": {"per_request": 0}}},
            },
        },
        "chain": [
            {"provider": "a", "timeout": {"first_token": "8s", "total": "15s"}, "retries": 1},
            {"provider": "b", "timeout": "20s", "retry_on": ["timeout"], "retries": 1},
        ],
        "policy": {
            "rounds": 2,
            "backoff": {"kind": "exponential", "base": "2s", "factor": 2, "jitter": "full"},
            "deadline": "60s",
        },
    }
    return plan_of(**(content | changes))


def _simulated(plan: Plan, replications: int) -> tuple[float, float]:
    """(mean availability, its standard error) of requests simulated one by one.

    The error is that of the incidents, at four times the arrivals too.
    """
    shares = []
    for replication in range(replications):
        sink = Lost()
        simulate(plan, replication, sink)
        shares.append(1.0 - sink.count / sink.all)
    return float(np.mean(shares)), float(np.std(shares, ddof=1) / np.sqrt(replications))


def _agree(answer: TimelineAnswer, simulated: tuple[float, float]) -> None:
    own = (answer.availability.high - answer.availability.low) / 4.04
    mean, error = simulated
    z = (answer.availability.mean - mean) / np.hypot(own, error)
    assert abs(z) < 4.0, f"timeline {answer.availability.mean:.6f} ± {own:.6f}, requests {mean:.6f} ± {error:.6f}"


def test_everything_that_can_happen_to_a_call_is_as_in_the_simulation_of_requests() -> None:
    plan = _busy_plan()
    _agree(timeline(plan, 30.0, samples=2_000), _simulated(plan, 4))


def test_arrivals_and_incidents_that_follow_the_week_meet_as_in_the_simulation_of_requests() -> None:
    busy = {"days": [1, 1, 1, 1, 1, 0, 0], "hours": [0.2] * 8 + [3] * 8 + [0.2] * 8}
    incidents = [{**outages("200/y", "3h"), "profile": busy}]
    plan = _busy_plan(
        workload={
            "arrivals": {"kind": "poisson", "rate": "8/h", "profile": busy},
            "requirements": [{"share": "30%", "tags": {"region": "eu"}}],
        },
        horizon="28d",
        components={},
        providers={
            "a": provider(incidents=incidents, errors={"server_error": "5%"}, tags={"region": "eu"}),
            "b": provider(incidents=incidents),
        },
        chain=[{"provider": "a", "retries": 1}, {"provider": "b"}],
    )
    _agree(timeline(plan, 40.0, samples=1_000), _simulated(plan, 7))


def test_recorded_windows_repeat_in_every_replication() -> None:
    windows = [{"start": "1h", "duration": "4h"}, {"start": "5h", "duration": "2h"}]
    plan = plan_of(
        horizon="100h",
        providers={"a": provider(incidents=[{"kind": "schedule", "windows": windows, "error_latency": 0}])},
        start_state="up",
    )
    answer = timeline(plan, 1.0)
    assert answer.availability.mean == pytest.approx(0.94, abs=1e-12)
    assert answer.all_down.mean == pytest.approx(0.06, abs=1e-12)


def test_the_answer_is_the_same_for_any_number_of_workers() -> None:
    plan = _busy_plan()
    one, two = timeline(plan, 1.0, samples=200), timeline(plan, 1.0, workers=2, samples=200)
    assert (one.availability, one.all_down) == (two.availability, two.all_down)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"providers": {"a": provider(limits={"requests": "1/h"})}}, "limit a: requests share its tokens"),
        ({"providers": {"a": provider(latency="2h", capacity=3)}}, "capacity a: requests wait for each other"),
        ({"budgets": {"own": {"requests": "1/h", "legs": ["a"]}}}, "budget own: requests share it"),
        ({"policy": {"hedge": {"after": "1s"}}}, "hedge of a/model: copies of a call race each other"),
        (
            {"policy": {"preset": "resilience4j-breaker"}},
            "breaker of a/model: it remembers the calls of other requests",
        ),
        ({"policy": {"preset": "sre-adaptive-throttling"}}, "adaptive throttling of a/model"),
        ({"policy": {"preset": "envoy-outlier-detection"}}, "ejection of a/model"),
        ({"policy": {"cooldown": {"for": "5s", "also_on": ["rate_limited"]}}}, "cooldown of a/model"),
        ({"policy": {"retries": 1, "retry_budget": {"kind": "active", "share": "20%"}}}, "retry budget of a/model"),
        ({"policy": {"shaping": {"rate": "1/h", "queue": 9}}}, "shaping of a/model: calls wait for each other"),
        (
            {"providers": {"a": provider(latency="2h")}, "policy": {"bulkhead": {"concurrent": 3}}},
            "bulkhead of a/model: calls wait for each other",
        ),
        ({"policy": {"probes": {"every": "1min"}}}, "probes of a/model"),
        ({"policy": {"application": {"retries": 1}}}, "application: it calls the whole chain again"),
        (
            {
                "chain": [
                    {"provider": "a"},
                    {"provider": "a", "ramp": {"start": "1%", "over": "1min", "reset_after": "1h"}},
                ]
            },
            "ramp of a/model#2",
        ),
        ({"chain": [{"provider": "a"}] * 2, "policy": {"order": "round_robin"}}, "order of the chain"),
        (
            {"chain": [{"group": "g", "routing": "least_busy", "legs": [{"provider": "a"}] * 2}]},
            r"routing of g \(least_busy\): it depends on the calls of other requests",
        ),
        ({"workload": {"arrivals": {"kind": "closed", "users": 3, "think": "1s"}}}, "closed workload"),
        ({"chain": [{"provider": "a", "silent_rot": {"time_to_rot": "9d", "repair": "1d"}}]}, "silent rot of a/model"),
        (
            {"policy": {"response_cache": {"kind": "zipf", "keys": 9, "exponent": 1, "ttl": "1h"}}},
            "response cache by popular keys",
        ),
    ],
)
def test_what_makes_requests_interact_is_refused_by_name(change: dict[str, Any], named: str) -> None:
    plan = plan_of(**({"providers": {"a": provider()}} | change))
    with pytest.raises(Inapplicable, match=named):
        timeline(plan, 1.0)


def _intervals(*pairs: tuple[float, float]) -> Intervals:
    return Intervals(np.array([start for start, _ in pairs]), np.array([end for _, end in pairs]))


def _length(windows: Intervals) -> float:
    return float((windows.end_s - windows.start_s).sum())


def test_time_is_parted_by_which_hold_and_cut_at_its_ends() -> None:
    found = strata([_intervals((-5.0, 2.0), (8.0, 20.0)), _intervals((1.0, 3.0))], 10.0)
    assert [list(zip(each.start_s.tolist(), each.end_s.tolist(), strict=True)) for each in found] == [
        [(0.0, 1.0), (8.0, 10.0)],
        [(2.0, 3.0)],
        [(1.0, 2.0)],
    ]


def test_nothing_that_holds_makes_no_strata() -> None:
    assert strata([_intervals((12.0, 13.0))], 10.0) == []


def test_too_many_combinations_are_parted_by_how_many_hold() -> None:
    several = [_intervals(*((float(at), at + 1.0) for at in range(64) if at >> bit & 1)) for bit in range(6)]
    found = strata(several, 64.0)
    assert len(found) == 6 < MOST_STRATA
    assert [_length(each) for each in found] == [6.0, 15.0, 20.0, 15.0, 6.0, 1.0]


def test_each_equal_part_of_the_windows_has_one_instant() -> None:
    windows = _intervals((0.0, 1.0), (10.0, 13.0))
    measure, at_s = stratified(windows, 8, np.random.default_rng(1))
    assert measure == 4.0
    along = np.where(at_s < 1.0, at_s, at_s - 9.0)
    assert (np.floor(along / 0.5) == np.arange(8)).all()


@pytest.mark.parametrize("until_s", [600.0, 5 * 3600.0, 30.5 * 3600.0, 2.3 * 604_800.0])
@pytest.mark.parametrize("offset_s", [37 * 3600.0, 37.75 * 3600.0])
def test_expected_arrivals_are_the_integral_of_the_weights(until_s: float, offset_s: float) -> None:
    profile = Profile(tuple(0.5 + hour % 24 / 23.0 for hour in range(168)), offset_s)
    middles_s = (np.arange(200_000) + 0.5) * (until_s / 200_000)
    assert expected_arrivals(profile, until_s) == pytest.approx(
        float(weights_at(profile, middles_s).mean()) * until_s, rel=1e-4
    )
