"""Studies by windows whose exact answers are known: by a closed form, or by brute force of much less error."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

from benchmarks.windows import ratio_of
from benchmarks.windows_brute_force import brute_force
from des.estimate.estimate import Estimate
from des.estimate.exact import exact
from des.estimate.windows import ArmWindows, windows
from des.scenario import from_mapping, plans
from des.scenario.plan import Plan

YEARS: Final = 0.5
ROUNDS: Final = 3
ROUND_REQUESTS: Final = 500
REPLICATIONS: Final = 20
"""Of brute force, for the scenario without a closed form."""

Judged = dict[str, tuple[float, float, float]]


def independent_pair(number: int) -> Judged:
    """A chain of two that fail independently. Each is called once, under limits that never bind."""
    plan = _plan(limited=False)
    closed = exact(plan)
    assert closed.lost is not None
    a_down = closed.endpoints[0].unavailability
    by_b = a_down - closed.lost
    known = {
        "availability": 1.0 - closed.lost,
        "cost_usd_per_request": 0.01 * (1.0 - a_down) + 0.03 * by_b,
        "fallback_share": by_b / (1.0 - closed.lost),
        "attempts_per_request": 1.0 + a_down,
    }
    return _judged("pair", _studied(plan, number), known)


def limited_fallback(number: int) -> Judged:
    """The fallback's limit refuses half of a failover, and a cooldown follows refusals."""
    plan = _plan(limited=True)
    return _judged("limit", _studied(plan, number), _by_brute_force())


def _studied(plan: Plan, number: int) -> ArmWindows:
    made = windows(
        {plan.arm: replace(plan, seed=1000 + number)}, rounds=ROUNDS, years=YEARS, least_round=ROUND_REQUESTS
    )
    return made.arms[plan.arm]


def _judged(case: str, found: ArmWindows, known: Mapping[str, float]) -> Judged:
    judged: Judged = {}
    for name, value in known.items():
        figure = found.figures[name]
        assert isinstance(figure, Estimate)
        assert figure.low is not None
        assert figure.high is not None
        judged[f"windows, {case}: {name}"] = figure.low, value, figure.high
    return judged


@cache
def _by_brute_force() -> dict[str, float]:
    plan = _plan(limited=True)
    made = brute_force(plan, REPLICATIONS, 1, None)
    return {name: ratio_of(plan, made, name).known for name in _JUDGED}


_JUDGED: Final = ("availability", "cost_usd_per_request", "fallback_share", "rate_limited_share")


@cache
def _plan(*, limited: bool) -> Plan:
    loose, tight = {"requests": "4000/min"}, {"requests": "1.5/min", "burst": 2}
    content: dict[str, Any] = {
        "horizon": "8d",
        "workload": {"arrivals": {"kind": "poisson", "rate": "0.05/s"}},
        "providers": {
            "a": _provider("50/d", "4min", 0.01, loose),
            "b": _provider("40/d", "3min", 0.03, tight if limited else loose),
        },
        "chain": [{"provider": "a"}, {"provider": "b"}],
    }
    if limited:
        content["policy"] = {"cooldown": {"all_failed": 2, "window": "60s", "for": "30s"}}
    (plan,) = plans(from_mapping(content)).values()
    return plan


def _provider(rate: str, mean: str, cost: float, limits: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "incidents": [{"kind": "poisson", "rate": rate, "duration": {"kind": "exponential", "mean": mean}}],
        "models": {"m": {"latency": "2s", "price": {"per_request": cost}}},
        "limits": dict(limits),
    }
