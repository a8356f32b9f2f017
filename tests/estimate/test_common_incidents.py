"""Figures without simulated requests are those of simulated ones, and plans share their incidents and draws."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from des.estimate.common_incidents import CommonIncidents, why_only_simulated
from des.estimate.exact import DownTogether, down_together, exact
from des.scenario.checks.aims import OPTIMISABLE
from des.scenario.plan import Plan
from des.study.replication import Part, Replicator
from estimate.exact_plans import outages, plan_of

REQUESTS = 1_500
PRICE = {"input_per_mtok": 3, "output_per_mtok": 20, "per_request": 0.001}
ERRORS = {"server_error": "10%", "rate_limited": "5%", "hang": "2%", "invalid_output": "4%"}
STREAMS = {
    "latency": {"first_token": {"kind": "lognormal", "median": "1s", "sigma": 0.8}, "tokens_per_second": 40},
    "errors": ERRORS | {"mid_stream": {"rate": "5%", "after": "40%"}},
    "price": PRICE,
}
WHOLE = {"latency": {"kind": "lognormal", "median": "2s", "sigma": 1}, "price": PRICE | {"per_request": 0.004}}
OPEN = [
    outages("900/y", "2h", error_rate="70%", outcome="overloaded"),
    outages("600/y", "1h"),
    outages("300/y", "3h", hang="50%", error_rate=0),
]


def chained(**changes: Any) -> Plan:
    """Two providers that fail in every way, with deadlines and time-outs that cut answers off."""
    content: dict[str, Any] = {
        "horizon": "40d",
        "workload": {
            "arrivals": {"kind": "poisson", "rate": f"{REQUESTS / 40}/d"},
            "tokens": {"input": 500, "output": {"kind": "lognormal", "median": 150, "sigma": 0.9}},
        },
        "providers": {
            "a": {"incidents": OPEN, "models": {"m": STREAMS}},
            "b": {"incidents": [outages("400/y", "2h")], "models": {"m": WHOLE}},
        },
        "chain": [{"provider": "a", "timeout": "8s", "retries": 1}, {"provider": "b", "timeout": "6s"}],
    }
    content |= changes
    return plan_of(**content)


def simulated(plan: Plan, replications: int = 5) -> dict[str, tuple[float, float]]:
    """(mean, standard error) of every metric over whole replications."""
    job = Replicator({plan.arm: plan}, None, "{}")
    rows = [job(Part(plan.arm, 100 + number), None).observed.metrics for number in range(replications)]
    found = {}
    for metric in OPTIMISABLE:
        values = np.array(
            [1.0 - row["availability"] if metric == "failure_share" else row[metric] for row in rows], dtype=float
        )
        found[metric] = (float(values.mean()), float(values.std(ddof=1)) / math.sqrt(replications))
    return found


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"policy": {"deadline": "12s", "rounds": 2, "backoff": {"kind": "constant", "base": "2s", "jitter": "full"}}},
        {"policy": {"response_cache": {"kind": "share", "hit_rate": "30%", "latency": "100ms"}}},
        {"policy": {"billing": "per_attempt"}},
        {"chain": [{"group": "g", "routing": "weighted", "legs": [{"provider": "a", "weight": 2}, {"provider": "b"}]}]},
    ],
)
def test_every_figure_is_that_of_simulated_requests(changes: dict[str, Any]) -> None:
    plan = chained(**changes)
    walked = [CommonIncidents(plan, number, 1_024).figures(plan) for number in range(5)]
    against = simulated(plan)
    for metric, (mean, error) in against.items():
        values = np.array([figures[metric] for figures in walked])
        spread = float(values.std(ddof=1)) / math.sqrt(len(values))
        slack = 0.002 * abs(mean) if metric.startswith("latency") else 1e-9  # a histogram's bins
        assert abs(float(values.mean()) - mean) <= 4.5 * math.hypot(error, spread) + slack, metric


def test_an_outage_of_everything_counts_with_its_exact_share() -> None:
    model = {"m": {"latency": "1s", "price": {"per_request": 0}}}
    peer = {"availability": "99.9%", "episodes_per_year": 4, "models": model}
    plan = plan_of(providers={"a": peer, "b": peer})
    closed = exact(plan)
    for number in range(2):
        found = CommonIncidents(plan, number, 256).figures(plan)
        assert found["failure_share"] == pytest.approx(closed.lost, rel=0.02)


def test_the_share_of_time_down_together_is_the_exact_estimators() -> None:
    plan = chained()
    assert DownTogether(plan).share([0, 1]) == exact(plan).all_down
    assert down_together(plan, [0, 1])[0] == exact(plan).all_down


def test_plans_that_differ_in_their_client_share_incidents_and_draws() -> None:
    """The difference of two plans has far less spread than their figures."""
    plan = chained()
    other = replace(plan, policy=replace(plan.policy, deadline_s=60.0))
    blocks = [CommonIncidents(plan, number, 512) for number in range(5)]
    one = np.array([block.figures(plan)["cost_usd_per_request"] for block in blocks])
    two = np.array([block.figures(other)["cost_usd_per_request"] for block in blocks])
    assert np.std(one - two) < 0.1 * np.std(one)


def test_figures_of_a_block_are_the_same_whenever_they_are_asked_for() -> None:
    plan = chained()
    one, other = CommonIncidents(plan, 3, 512), CommonIncidents(plan, 3, 512)
    other.figures(replace(plan, chain=plan.chain, policy=replace(plan.policy, rounds=2)))
    assert one.figures(plan) == other.figures(plan)


def test_whole_horizons_are_drawn_where_incidents_are_scheduled() -> None:
    window = {"kind": "schedule", "windows": [{"start": "1h", "duration": "30min"}]}
    plan = plan_of(
        horizon="5h",
        workload={"arrivals": {"kind": "poisson", "rate": "10/min"}},
        providers={"a": {"incidents": [window], "models": {"m": {"latency": "1s", "price": {"per_request": 0}}}}},
    )
    assert CommonIncidents(plan, 0, 256).figures(plan)["failure_share"] == pytest.approx(0.1, rel=0.02)


def test_what_only_simulated_requests_tell_is_named() -> None:
    assert why_only_simulated(chained()) == ()
    cached = [{"provider": "a", "prompt_cache": {"share": "50%", "ttl": "5min"}}]
    assert why_only_simulated(chained(chain=cached)) == ("prompt cache of a/m: its price depends on earlier calls",)
