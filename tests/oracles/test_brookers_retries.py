"""Brooker 2022, "Fixing retries with token buckets and circuit breakers": success and load at a share of failures.

His clients are independent and his server is not slowed by load, so that a client is a replication here: 200 calls
each, up to three retries at once, the bucket with 5 tokens and 0.1 a call, the breaker at 10 % of the calls so far.
"""

from typing import Any

import pytest
from engine.traced import poisson, provider, scenario, trace

from des.scenario import from_mapping, plans

CLIENTS = 60
CALLS_PER_CLIENT = 200
BUCKET = {"preset": "retry-bucket@2022"}
BREAKER = {"preset": "retry-breaker@2022"}


def success_and_load(share: float, **policy: Any) -> tuple[float, float]:
    """The share of calls served in the end, and attempts a call."""
    errors = {"errors": {"server_error": {"rate": share, "latency": "10ms"}}}
    of = scenario(
        {"a": provider("10ms", model=errors)},
        arrivals=poisson("10/s"),
        horizon=f"{CALLS_PER_CLIENT / 10}s",
        policy=policy or {"retries": 3},
    )
    plan = plans(from_mapping(of))["as_modelled"]
    served = attempts = calls = 0
    for client in range(CLIENTS):
        traced = trace(plan, client)
        served += int((traced.requests.outcome == "ok").sum())
        attempts += len(traced.attempts)
        calls += traced.arrived
    return served / calls, attempts / calls


@pytest.mark.parametrize(
    ("share", "policy", "success", "load"),
    [
        (0.5, BUCKET, 0.556, 1.121),
        (0.2, BUCKET, 0.896, 1.118),
        (0.5, BREAKER, 0.504, 1.0),
        (0.2, BREAKER, 0.804, 1.002),
    ],
)
def test_published_figures(share: float, policy: dict[str, Any], success: float, load: float) -> None:
    found = success_and_load(share, **policy)
    assert found == pytest.approx((success, load), abs=0.012)


def test_three_retries_without_either_multiply_the_load() -> None:
    success, load = success_and_load(0.5)
    assert success == pytest.approx(1.0 - 0.5**4, abs=0.006)
    assert load == pytest.approx(1.0 + 0.5 + 0.25 + 0.125, abs=0.03)
