"""What limits and capacities leave in the transitions."""

from typing import Any

from model.serving import arriving, limit, limited_by, one_endpoint, serving
from model.traced import at, provider, run, scenario, trace


def told(traced: Any) -> list[tuple[float, str, str, str, str]]:
    rows = traced.transitions.itertuples(index=False)
    return [(time_s, entity, kind, before, after) for time_s, entity, kind, before, after in rows]


def test_a_limit_refuses_from_its_first_refusal_until_it_admits_again() -> None:
    window = limit("requests", algorithm="fixed_window", rate_per_s=0.1, burst=1.0, window_s=10.0)
    traced = trace(limited_by(arriving(one_endpoint(), [0.0, 1.0, 2.0, 12.0, 13.0, 25.0, 35.0]), window))
    assert told(traced) == [
        (1.0, "limit 0", "limit", "admitting", "refusing"),
        (12.0, "limit 0", "limit", "refusing", "admitting"),
        (13.0, "limit 0", "limit", "admitting", "refusing"),
        (25.0, "limit 0", "limit", "refusing", "admitting"),
    ]


def test_of_several_limits_the_one_that_refuses_turns() -> None:
    small = limit("input_tokens", rate_per_s=1.0, burst=10.0)
    large = limit("requests", rate_per_s=1.0, burst=9.0)
    traced = trace(limited_by(arriving(one_endpoint(), [0.0, 1.0, 60.0], [10, 10, 10], [0] * 3), large, small))
    assert [(row[0], row[1], row[4]) for row in told(traced)] == [
        (1.0, "limit 1", "refusing"),
        (60.0, "limit 1", "admitting"),
    ]


def test_a_capacity_turns_when_its_queue_is_full_and_when_it_has_room() -> None:
    traced = trace(serving(arriving(one_endpoint("10s"), [0.0, 1.0, 2.0, 3.0, 11.0]), 1, 1))
    assert told(traced) == [
        (2.0, "capacity c", "capacity", "admitting", "refusing"),
        (11.0, "capacity c", "capacity", "refusing", "admitting"),
    ]


def test_plain_limits_of_the_plain_walk_leave_nothing() -> None:
    limited = provider(limits={"requests": "1/min", "burst": 1})
    traced = run(scenario({"a": limited}, arrivals=at("0s", size=3)))
    assert (traced.attempts.outcome == "rate_limited").sum() == 2
    assert told(traced) == []
