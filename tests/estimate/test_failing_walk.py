"""Clients without a memory are walked as requests are simulated, whatever retries, groups and layers they have."""

import math
from typing import Any

import numpy as np
import pytest

from des.draws import generator
from des.engine import simulate
from des.estimate.availability import availability, choose
from des.estimate.conditions import Undisturbed
from des.estimate.estimate import EXACT, RARE, TIMELINE
from des.estimate.failing_walk import FailingWalk
from des.estimate.interaction import interactions
from des.estimate.longest_walk import longest_wait_s
from des.estimate.timeline import lost_along, reach_s
from des.faults import draw_timeline
from des.scenario.plan import Backoff, Plan
from estimate.exact_plans import Lost, outages, plan_of, provider

REQUESTS = 3_000
ERRORS = {"server_error": {"rate": "15%", "status": 503}, "rate_limited": "10%", "client_error": "5%", "hang": "3%"}
INCIDENTS = [
    outages("900/y", "40min", error_rate="70%", outcome="overloaded"),
    outages("900/y", "20min", hang="60%", error_rate="20%"),
]
LATENCY = {"kind": "lognormal", "median": "2s", "sigma": 1}
TWO = [{"provider": "a"}, {"provider": "b"}]
SDK = {"retries": 1, "backoff": {"kind": "constant", "base": "2s"}, "attempt_timeout": "9s", "timeout": "25s"}


def failing(**changes: Any) -> Plan:
    """Two providers that fail in every way, and answer within the 30 s that each call has."""
    of = {"errors": ERRORS, "latency": LATENCY}
    content: dict[str, Any] = {
        "horizon": "10d",
        "workload": {"arrivals": {"kind": "poisson", "rate": f"{REQUESTS / 10}/d"}},
        "providers": {"a": provider(incidents=INCIDENTS, **of), "b": provider(**of)},
        "chain": TWO,
    }
    content |= changes
    content["policy"] = {"timeout": "30s", **content.get("policy", {})}
    return plan_of(**content)


@pytest.mark.parametrize(
    "changes",
    [
        {"policy": {"preset": "openai-python"}},
        {"policy": {"preset": "anthropic-sdk", "rounds": 2, "deadline": "90s"}},
        {"policy": {"preset": "google-genai-retries"}},
        {"policy": {"preset": "portkey"}},
        {"policy": {"preset": "bifrost"}},
        {"policy": {"preset": "envoy-retry"}},
        {"policy": {"retries": 2, "backoff": {"kind": "constant", "base": "20min", "throttled": {"base": "2h"}}}},
        {"policy": {"retries": 1, "backoff": {"kind": "constant", "base": "30min"}, "wait_after_last": True}},
        {"chain": [{"provider": "a", "retries": 2, "retry_on": [503]}, {"provider": "b", "fallback_on": []}]},
        {"chain": [{"group": "g", "routing": "weighted", "legs": [{"provider": "a", "weight": 3}, {"provider": "b"}]}]},
        {
            "chain": [{"group": "g", "routing": {"kind": "weighted", "once": True}, "legs": TWO}],
            "policy": {"retries": 2},
        },
        {
            "chain": [{"group": "g", "legs": [{"provider": "a", "tier": 2}, {"provider": "b"}]}, {"provider": "a"}],
            "policy": {"retries": 2, "backoff": {"kind": "constant", "base": "10min"}, "wait_with_healthy_peer": False},
        },
        {"policy": {"retries": 1, "fallback_depth": 0}},
        {"chain": [{"provider": "a", "clients": [SDK], "retries": 1}, {"provider": "b"}]},
        {
            "chain": [{"provider": "a", "clients": [{**SDK, "timeout": "12s"}, {"preset": "openai-python"}]}],
            "policy": {"deadline": "40s", "retries": 1},
        },
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_walks_lose_requests_as_often_as_requests_simulated_along_the_same_incidents(changes: dict[str, Any]) -> None:
    plan = failing(**changes)
    assert not interactions(plan)
    expected, lost = 0.0, Lost()
    for replication in range(2):
        simulate(plan, replication, lost)
        beyond_s = reach_s(plan)
        drawn = draw_timeline(plan, replication, plan.horizon_s + beyond_s)
        expected += lost_along(plan, drawn, plan.horizon_s, beyond_s, 4_000, generator(1, replication, "walk"))
    expected *= lost.all / 2
    error = math.sqrt(expected * (1.0 - expected / lost.all))
    assert abs(lost.count - expected) <= 4.5 * error + 1.0, f"{lost.count} lost of {lost.all}, {expected:.1f} expected"


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        ([{"provider": "a", "retries": 2}], 0.25**3 + 0.2 * (1 + 0.25 + 0.25**2)),
        ([{"provider": "a", "retries": 2, "retry_on": [503]}], 0.45 - 0.15 + 0.15 * (0.45 - 0.15 + 0.15 * 0.45)),
        ([{"provider": "a", "clients": [{"retries": 1, "retry_on": ["4xx", "5xx"]}] * 2}], 0.45**4),
        ([{"group": "g", "legs": TWO, "retries": 1, "retry_on": ["4xx", "5xx"]}], 0.45**2),
    ],
    ids=["outcomes", "one status", "layers", "a group"],
)
def test_independent_failures_are_lost_as_often_as_their_product_says(
    chain: list[dict[str, Any]], expected: float
) -> None:
    """Calls fail in 25 % with a status that is retried (15 % of them 503), in 20 % with one that is not."""
    errors = {"server_error": {"rate": "15%", "status": 503}, "rate_limited": "10%", "client_error": "20%"}
    of = provider(errors=errors)
    plan = plan_of(providers={"a": of, "b": of}, chain=chain, policy={"retry_backoff": "none"})
    lost = FailingWalk(plan, ()).lost(Undisturbed(), np.zeros(40_000), generator(3, 0, "independent"))
    assert abs(lost.mean() - expected) <= 4.0 * lost.std() / 200.0 + 1e-12


@pytest.mark.parametrize(
    ("policy", "estimator"),
    [
        ({"preset": "openai-python"}, TIMELINE),
        (
            {"retries": 1, "backoff": {"kind": "constant", "base": "1s", "jitter": "scaled", "low": 0.5, "high": 2}},
            TIMELINE,
        ),
        ({"preset": "google-genai"}, EXACT),
    ],
)
def test_a_client_without_a_memory_gets_the_fast_estimators(
    policy: dict[str, Any], estimator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("des.estimate.timeline.SAMPLES", 500)
    often = {"incidents": [outages("20/y", "30h")]}
    plan = plan_of(providers={"a": provider(**often), "b": provider(**often)}, policy=policy)
    assert choose(plan, 200.0).estimator == estimator
    answer = availability(plan, 5.0)
    assert answer.availability is not None
    assert answer.choice.estimator in (estimator, RARE)


def test_a_wait_tripled_a_thousand_times_is_long_and_no_error() -> None:
    plain = Backoff(kind="exponential", base_s=1.0, factor=2.0, cap_s=30.0, jitter="decorrelated")
    assert longest_wait_s(plain, 1_000) == 30.0
