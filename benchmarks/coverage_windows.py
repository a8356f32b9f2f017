"""Studies by windows whose exact answers are known: by a closed form, or by brute force of much less error."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final
from unittest.mock import patch

from benchmarks.windows import PERCENTILES, RATIOS, ratio_of
from benchmarks.windows_brute_force import LATENCY, brute_force
from des.estimate.estimate import Estimate
from des.estimate.exact import exact
from des.estimate.intervals import students_t
from des.estimate.sums import LogHistogram
from des.estimate.windows import ArmWindows, windows
from des.estimate.windows_memory import Remembered
from des.scenario import from_mapping, plans
from des.scenario.plan import Plan

YEARS: Final = 0.5
PAIR_ROUNDS: Final = 3
ROUNDS: Final = 2
REQUESTS: Final = 500
"""Of a round after the first."""
REPLICATIONS: Final = 40
"""Of brute force, each of as many days as the scenario says: its error is a fraction of an interval."""

Judged = dict[str, tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Truth:
    """Each figure by brute force, and half of its own 95 % interval; 0 for a percentile within its bin of 0.1 %."""

    known: Mapping[str, float]
    error: Mapping[str, float]


def independent_pair(number: int) -> Judged:
    """A chain of two that fail independently. Each is called once, under limits that never bind."""
    plan = pair()
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
    return judged("pair", studied(plan, number, PAIR_ROUNDS), known)


def by_brute_force(case: str, number: int, known: Mapping[str, float]) -> Judged:
    """A study of one of `BRUTE_FORCE`, of which the truth is known."""
    return judged(case.removeprefix("windows-"), studied(BRUTE_FORCE[case](), number), known)


def studied(plan: Plan, number: int, rounds: int = ROUNDS) -> ArmWindows:
    """A small answer by windows, of a seed of its own.

    The test of the memory before the first round is left out: it takes as long as the study, and hardly a seed fails.
    """
    with patch("des.estimate.windows.compared", return_value=Remembered()):
        made = windows({plan.arm: replace(plan, seed=1000 + number)}, rounds=rounds, years=YEARS, least_round=REQUESTS)
    return made.arms[plan.arm]


def judged(case: str, found: ArmWindows, known: Mapping[str, float]) -> Judged:
    """(low, exact, high) of each figure that is known."""
    judged: Judged = {}
    for name, value in known.items():
        figure = found.figures[name]
        assert isinstance(figure, Estimate)
        assert figure.low is not None
        assert figure.high is not None
        judged[f"windows, {case}: {name}"] = figure.low, value, figure.high
    return judged


def truth(plan: Plan, workers: int = 1) -> Truth:
    """By brute force; what is no percentile is adjusted by how long endpoints were down and impaired."""
    made = brute_force(plan, REPLICATIONS, workers, None)
    histograms = [LogHistogram.from_json(each[LATENCY]) for each in made]
    found = {
        name: ratio_of(plan, made, name) if name in RATIOS else _percentile(histograms, PERCENTILES[name])
        for name in _JUDGED
    }
    half = {name: (_end(each.high) - _end(each.low)) / 2.0 for name, each in found.items()}
    return Truth({name: each.known for name, each in found.items()}, half)


def _percentile(histograms: Sequence[LogHistogram], share: float) -> Estimate:
    """Of all replications together, with the interval of the share of requests that are at most as slow."""
    pooled = LogHistogram()
    for histogram in histograms:
        pooled.merge(histogram)
    value = pooled.quantile(share)
    assert value is not None
    at_most = [histogram.counts_about(value)[1] / histogram.count for histogram in histograms]
    half = students_t(at_most)
    apart = (_end(half.high) - _end(half.low)) / 2.0
    return Estimate(value, pooled.quantile(share - apart), pooled.quantile(share + apart))


def _end(value: float | None) -> float:
    assert value is not None
    return value


_JUDGED: Final = (
    "availability",
    "cost_usd_per_request",
    "latency_s_p50",
    "latency_s_p95",
    "latency_s_p99",
    "fallback_share",
    "rate_limited_share",
    "attempts_per_request",
)


@cache
def pair() -> Plan:
    loose = {"requests": "4000/min"}
    return _plan({"a": _provider("50/d", "4min", 0.01, "2s", loose), "b": _provider("40/d", "3min", 0.03, "2s", loose)})


@cache
def limited() -> Plan:
    """The fallback's limit refuses half of a failover, and a cooldown follows refusals."""
    tight = {"requests": "1.5/min", "burst": 2}
    return _plan(
        {
            "a": _provider("50/d", "4min", 0.01, _LATENCY, {"requests": "4000/min"}),
            "b": _provider("40/d", "3min", 0.03, _SLOWER, tight),
        },
        {"cooldown": {"all_failed": 2, "window": "60s", "for": "30s"}},
        days=200,
    )


@cache
def guarded() -> Plan:
    """A breaker before the first of two legs behind one network, with limits and a day and night profile."""
    breaker = {"kind": "time_window", "window": "40s", "failure_share": 0.5, "minimum": 2, "open": "20s"}
    network = {"depends_on": ["network"]}
    return _plan(
        {
            "a": _provider("30/d", "5min", 0.01, _LATENCY, {"requests": "5/min", "burst": 3}) | network,
            "b": _provider("20/d", "4min", 0.03, _SLOWER, {"requests": "3/min", "burst": 2}) | network,
        },
        guards={"a": {"breaker": breaker | {"half_open": 1}}},
        profile={"hours": [0.4] * 8 + [1.5] * 10 + [0.8] * 6},
        components={"network": {"incidents": [_incidents("12/d", "3min")]}},
        days=200,
    )


BRUTE_FORCE: Final[Mapping[str, Callable[[], Plan]]] = {"windows-limit": limited, "windows-breaker": guarded}
"""Ordinary studies, without a closed form."""
_LATENCY: Final = {"kind": "lognormal", "median": "2s", "p99": "8s"}
_SLOWER: Final = {"kind": "lognormal", "median": "4s", "p99": "15s"}


def _plan(
    providers: Mapping[str, Any],
    policy: Mapping[str, Any] | None = None,
    *,
    guards: Mapping[str, Mapping[str, Any]] | None = None,
    profile: Mapping[str, Any] | None = None,
    components: Mapping[str, Any] | None = None,
    days: int = 8,
) -> Plan:
    arrivals = {"kind": "poisson", "rate": "0.05/s"} | ({} if profile is None else {"profile": profile})
    content: dict[str, Any] = {
        "horizon": f"{days}d",
        "workload": {"arrivals": arrivals},
        "components": dict(components or {}),
        "providers": dict(providers),
        "chain": [{"provider": name, **(guards or {}).get(name, {})} for name in providers],
        "policy": dict(policy or {}),
    }
    (plan,) = plans(from_mapping(content)).values()
    return plan


def _provider(rate: str, mean: str, cost: float, latency: Any, limits: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "incidents": [_incidents(rate, mean)],
        "models": {"m": {"latency": latency, "price": {"per_request": cost}}},
        "limits": dict(limits),
    }


def _incidents(rate: str, mean: str) -> dict[str, Any]:
    return {"kind": "poisson", "rate": rate, "duration": {"kind": "exponential", "mean": mean}}
