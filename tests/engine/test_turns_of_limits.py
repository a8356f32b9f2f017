"""What limits and capacities leave in the transitions."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.serving import arriving, limit, limited_by, one_endpoint, serving
from engine.traced import provider, run, scenario, trace


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


def turns_by_attempts(attempts: pd.DataFrame, leg: str) -> list[tuple[float, str]]:
    """When calls of the leg were refused after others were admitted, and the other way round."""
    calls = attempts[attempts.leg == leg].sort_values("start_s", kind="stable")
    refused = (calls.cause == "limit").to_numpy()
    turned = refused != np.concatenate(([False], refused[:-1]))
    words = np.where(refused, "refusing", "admitting")
    return list(zip(calls.start_s[turned].tolist(), words[turned].tolist(), strict=True))


@pytest.mark.parametrize("surge", [{}, {"surge": [{"when": "a", "to": "b", "load": 1.2}]}])
def test_plain_limits_turn_as_their_attempts_say(surge: dict[str, Any]) -> None:
    down = [{"kind": "renewal", "up": {"kind": "exponential", "mean": "60s"}, "down": "20s"}]
    first = provider(incidents=down, limits={"requests": "2/s", "burst": 3})
    second = provider(
        limits={"requests": "1/s", "burst": 2, "refusal_latency": {"kind": "exponential", "mean": "10ms"}}
    )
    arrivals = {"kind": "poisson", "rate": "3/s"}
    traced = run(scenario({"a": first, "b": second}, arrivals=arrivals, horizon="10min", **surge))
    found = [row for row in told(traced) if row[2] == "limit"]
    for name in ("a", "b"):
        turns = turns_by_attempts(traced.attempts, f"{name}/m")
        assert len(turns) > 50
        assert [(time_s, after) for time_s, entity, _, _, after in found if entity == f"limit {name}"] == turns
    assert all(before != after for *_, before, after in found)
