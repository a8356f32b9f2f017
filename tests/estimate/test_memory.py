"""How long each setting remembers, as declared, and what is refused because it never forgets."""

from typing import Any

import pytest

from des.estimate.memory import (
    NOTHING,
    forgets_never,
    longest_call_s,
    longest_period_s,
    longest_walk_of_all_s,
    memory_s,
    request_rate_per_s,
    usual_walk_s,
)
from des.scenario.plan import Plan
from estimate.windowed import incidents, plan_of, provider

BACKOFF = {"kind": "constant", "base": "10s"}
BREAKER = {"kind": "time_window", "window": "60s", "failure_share": 0.5, "minimum": 5, "open": "30s"}


def pair(first: dict[str, Any] | None = None, *, rate: str = "1/s", **rest: Any) -> Plan:
    """Every call lasts 2 s, so a usual walk along both lasts 4 s."""
    own = {"a": provider(incidents("4/d", "15min"), **(first or {})), "b": provider(incidents("3/d", "20min"))}
    return plan_of(own, rate=rate, **rest)


def test_requests_that_do_not_depend_on_each_other_leave_nothing_to_remember() -> None:
    assert memory_s(pair()) == (0.0, NOTHING)


REMEMBERED: dict[str, tuple[Plan, float, str]] = {
    "a bucket below its load drains as fast as the two differ": (
        pair({"limits": {"requests": "60/min", "burst": 30}}, rate="0.5/s"),
        30 / 0.5,
        "limit a",
    ),
    "a bucket near its load counts as a tenth of its rate apart": (
        pair({"limits": {"requests": "60/min", "burst": 30}}, rate="0.99/s"),
        30 / 0.1,
        "limit a",
    ),
    "a window of a limit": (
        pair({"limits": {"requests": "70/min", "algorithm": {"sliding_log": "1min"}}}),
        60.0,
        "limit a",
    ),
    "a cooldown's window and the cooldown after it": (
        pair(policy={"cooldown": {"all_failed": 3, "window": "60s", "for": "40s"}}),
        100.0,
        "cooldown of b/m",
    ),
    "a breaker's window and its time open": (pair(policy={"breaker": BREAKER}), 90.0, "breaker of b/m"),
    "a breaker's calls at the rate of requests": (
        pair(
            policy={"breaker": {"kind": "count_window", "calls": 50, "failure_share": 0.5, "open": "30s"}}, rate="2/s"
        ),
        30.0 + 25.0,
        "breaker of b/m",
    ),
    "probes until health changes": (
        pair(policy={"probes": {"every": "15s", "timeout": "5s", "unhealthy_after": 3, "healthy_after": 2}}),
        60.0,
        "probes of b/m",
    ),
    "a ramp until it begins anew": (
        pair(policy={"ramp": {"start": 0.2, "over": "90s", "reset_after": "60s"}}),
        150.0,
        "ramp of b/m",
    ),
    "a retry budget's time to live": (
        pair(policy={"retries": 1, "retry_budget": {"kind": "ratio", "share": 0.1, "per_second": 1, "ttl": "45s"}}),
        45.0,
        "retry budget of b/m",
    ),
    "a bulkhead's longest wait and the call before it": (
        pair(policy={"bulkhead": {"concurrent": 2, "queue": 3, "max_wait": "20s"}}),
        22.0,
        "bulkhead of b/m",
    ),
    "a response cache's time to live": (
        pair(policy={"response_cache": {"kind": "zipf", "keys": 10, "exponent": 1, "ttl": "5min"}}),
        300.0,
        "response cache",
    ),
}


@pytest.mark.parametrize("what", REMEMBERED)
def test_the_memory_is_what_the_longest_lived_setting_declares_and_a_usual_walk(what: str) -> None:
    plan, seconds, named = REMEMBERED[what]
    found_s, by = memory_s(plan)
    assert by.startswith(named)
    assert found_s == pytest.approx(seconds + usual_walk_s(plan), rel=1e-6)


def test_a_usual_walk_calls_every_leg_with_every_wait() -> None:
    plan = pair(policy={"retries": 2, "backoff": BACKOFF})
    assert usual_walk_s(plan) == pytest.approx(2 * (2.0 + 2 * 10.0), rel=0.2)
    bounded = pair(policy={"retries": 2, "backoff": BACKOFF, "deadline": "7s"})
    assert usual_walk_s(bounded) == pytest.approx(7.0)
    assert longest_walk_of_all_s(bounded) == pytest.approx(7.0)


def test_a_timeout_bounds_the_longest_call() -> None:
    slow = {"a": provider(latency={"kind": "lognormal", "median": "2s", "p99": "20s"})}
    unbounded = plan_of(slow)
    bounded = plan_of(slow, chain=[{"provider": "a", "timeout": "9s"}])
    assert longest_call_s(bounded, 0) == 9.0
    assert longest_call_s(unbounded, 0) > 20.0


def test_batches_have_a_rate() -> None:
    plan = pair(workload={"arrivals": {"kind": "batch", "every": "2min", "size": 30}})
    assert request_rate_per_s(plan) == 0.25


def test_only_what_its_first_event_begins_comes_round() -> None:
    cooling = pair(policy={"cooldown": {"all_failed": 3, "window": "60s", "for": "40s"}})
    by_number = pair(policy={"cooldown": {"allowed_fails": 3, "for": "40s"}})
    cached = pair(policy={"response_cache": {"kind": "zipf", "keys": 10, "exponent": 1, "ttl": "5min"}})
    assert [longest_period_s(each) for each in (pair(), cooling, by_number, cached)] == [0.0, 60.0, 40.0, 300.0]


HANGS = {"models": {"m": {"latency": "2s", "price": {"per_request": 0.01}, "errors": {"hang": 0.01}}}}
NEVER: dict[str, Plan] = {
    "silent rot of a/m": pair(chain=[{"provider": "a", "silent_rot": {"time_to_rot": "30d", "repair": "1h"}}]),
    "keep their places in a concurrency for ever": pair({**HANGS, "limits": {"concurrency": 5}}),
    "keep their places in the bulkhead of a/m for ever": pair(
        HANGS, chain=[{"provider": "a", "bulkhead": {"concurrent": 5, "queue": 2, "max_wait": "5s"}}]
    ),
    "the retry budget of b/m is filled by its calls alone": pair(
        chain=[
            {"provider": "a"},
            {
                "provider": "b",
                "retries": 2,
                "retry_budget": {"kind": "quota", "capacity": 20, "retry_cost": 5, "success": 1},
            },
        ]
    ),
    "least_latency": pair(
        chain=[{"group": "g", "legs": [{"provider": "a"}, {"provider": "b"}], "routing": "least_latency"}]
    ),
}


@pytest.mark.parametrize("named", NEVER)
def test_what_never_forgets_is_named(named: str) -> None:
    assert any(named in reason for reason in forgets_never(NEVER[named]))


def test_places_are_given_back_where_hung_calls_time_out() -> None:
    plan = pair({**HANGS, "limits": {"concurrency": 5}}, chain=[{"provider": "a", "timeout": "30s"}])
    assert not list(forgets_never(plan))
