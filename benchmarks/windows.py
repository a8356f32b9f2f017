"""`python -m benchmarks.windows`: the windows estimator against brute force.

Scenarios with limits, cooldowns, breakers, budgets, queues, profiles and shared causes have incidents so frequent that
request level runs through thousands of them. Every figure of the two is compared in standard errors of their
difference. Exits with 1 where one is more than four apart, or the mean of the squares is far from 1.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from des.engine import names, simulate
from des.estimate.estimate import Estimate, Inapplicable
from des.estimate.exact import exact
from des.estimate.intervals import NORMAL_QUANTILE, t_quantile, with_controls
from des.estimate.totals import Totals
from des.estimate.windows import windows
from des.faults import draw_timeline
from des.faults.episodes import down_share, endpoint_down, intersection
from des.faults.marginals import chain_endpoints
from des.pool import Report, Workers, available
from des.scenario import from_mapping, plans
from des.scenario.plan import Plan

FAR: Final = 4.0
DAYS: Final = 1.0
REPLICATIONS: Final = 30
ROUNDS: Final = 4
YEARS: Final = 30.0
_FEWEST: Final = 20
"""Lost or limited requests in brute force: with fewer, a normal error says nothing."""

Scenario = dict[str, Any]


def scenarios() -> dict[str, Scenario]:
    """By name; each says what it has beside two providers behind one network."""
    cooldown = {"all_failed": 4, "window": "60s", "for": "30s"}
    backoff = {"kind": "exponential", "base": "1s", "factor": 2, "cap": "10s", "jitter": "full"}
    weekly = {"hours": [0.3] * 7 + [1.5] * 12 + [0.7] * 5}
    drawn = {
        "limits and cooldown": _scenario(policy={"cooldown": cooldown, "backoff": backoff}),
        "fixed windows": _scenario(
            limits=({"requests": "60/min", "algorithm": {"fixed_window": "1min"}}, _SLIDING),
            policy={"backoff": backoff, "retry_after": {"mode": "honour", "cap": "20s"}},
        ),
        "breakers": _scenario(
            policy={
                "breaker": {
                    "kind": "time_window",
                    "window": "60s",
                    "failure_share": 0.5,
                    "minimum": 5,
                    "open": "30s",
                    "half_open": 2,
                },
                "backoff": backoff,
            }
        ),
        "retry budget": _scenario(
            retries=3, policy={"retry_budget": {"kind": "ratio", "share": 0.1, "per_second": 0.02, "ttl": "60s"}}
        ),
        "quota": _scenario(
            retries=3,
            policy={
                "retry_budget": {"kind": "quota", "capacity": 20, "retry_cost": 5, "success": 1},
                "backoff": backoff,
            },
        ),
        "bulkhead": _scenario(policy={"bulkhead": {"concurrent": 2, "queue": 3, "max_wait": "5s"}, "deadline": "40s"}),
        "capacity": _scenario(capacity={"concurrent": 3, "queue": 4}, limits=(None, None), hang=0.3),
        "shaping": _scenario(policy={"shaping": {"rate": "40/min", "burst": 3, "max_wait": "15s"}}, retries=2),
        "profile": _scenario(profile=weekly, policy={"cooldown": cooldown}),
        "bursts": _scenario(
            arrivals={"kind": "bursty", "rate": "0.3/s", "cv": 3, "clients": 4}, policy={"backoff": backoff}
        ),
        "batches": _scenario(
            arrivals={"kind": "batch", "every": "2min", "size": 30}, policy={"backoff": backoff}, retries=2
        ),
        "hedges and throttling": _scenario(
            policy={"hedge": {"after": "4s"}, "adaptive_throttling": {"k": 2, "window": "60s"}}
        ),
        "ramp and application": _scenario(
            policy={
                "ramp": {"start": 0.2, "over": "90s", "reset_after": "60s"},
                "application": {"retries": 1, "backoff": {"kind": "constant", "base": "10s"}},
            }
        ),
        "token limits and probes": _scenario(
            limits=({"tokens": "30000/min"}, {"output_tokens": "3000/min"}),
            policy={"probes": {"every": "15s", "timeout": "5s"}, "backoff": backoff},
        ),
    }
    # Seeds of their own, or chance would favour the same figures of all.
    return {name: said | {"seed": 101 + number} for number, (name, said) in enumerate(drawn.items())}


_BUCKET: Final = {"requests": "40/min", "burst": 10}
_SLIDING: Final = {"requests": "12/min", "algorithm": {"sliding_log": "1min"}}


def _scenario(
    *,
    arrivals: Mapping[str, Any] | None = None,
    limits: tuple[Mapping[str, Any] | None, Mapping[str, Any] | None] = (_BUCKET, {"requests": "12/min", "burst": 4}),
    policy: Mapping[str, Any] | None = None,
    profile: Mapping[str, Any] | None = None,
    retries: int = 1,
    capacity: Mapping[str, Any] | None = None,
    hang: float = 0.1,
) -> Scenario:
    poisson = {"kind": "poisson", "rate": "0.3/s"} | ({} if profile is None else {"profile": profile})
    common = {"depends_on": ["cdn"]} | ({} if capacity is None else {"capacity": capacity})
    return {
        "title": "windows against brute force",
        "horizon": f"{DAYS:g}d",
        "workload": {
            "arrivals": arrivals or poisson,
            "tokens": {"input": {"kind": "lognormal", "median": 400, "p99": 3000}, "output": 150},
        },
        "components": {"cdn": {"incidents": [_incidents("16/d", {"kind": "exponential", "mean": "2min"})]}},
        "providers": {
            "a": common
            | ({} if limits[0] is None else {"limits": limits[0]})
            | {
                "incidents": [
                    _incidents("28/d", {"kind": "lognormal", "median": "3min", "p95": "15min"}),
                    _incidents(
                        "24/d",
                        {"kind": "exponential", "mean": "5min"},
                        error_rate=0.5 - hang / 2,
                        hang=hang,
                        latency_factor=1.5,
                    ),
                ],
                "models": {
                    "m": {"latency": {"kind": "lognormal", "median": "2s", "p99": "8s"}, "price": {"per_request": 0.01}}
                },
            },
            "b": common
            | ({} if limits[1] is None else {"limits": limits[1]})
            | {
                "incidents": [_incidents("24/d", {"kind": "exponential", "mean": "4min"})],
                "models": {
                    "m": {
                        "latency": {"kind": "lognormal", "median": "3s", "p99": "12s"},
                        "price": {"per_request": 0.02},
                        "errors": {"server_error": 0.01},
                    }
                },
            },
        },
        "chain": [
            {"provider": "a", "timeout": "15s", "retries": retries},
            {"provider": "b", "timeout": "20s", "retries": retries},
        ],
        "policy": dict(policy or {}),
    }


def _incidents(rate: str, duration: Mapping[str, Any], **effect: Any) -> Scenario:
    return {"kind": "poisson", "rate": rate, "duration": dict(duration), **effect}


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure by both, and how many standard errors of their difference they are apart."""

    figure: str
    brute: float
    windows: float
    apart: float


Replications = list[tuple[dict[str, Any], list[float]]]
"""The metrics of each, and the shares of its time in which each endpoint, and all, were down."""


def brute_force(plan: Plan, replications: int, workers: int) -> Replications:
    with Workers(replicate, workers) as pool:
        return list(pool.map([(plan, number) for number in range(replications)]))


def compared(plan: Plan, made: Replications, found: Mapping[str, Estimate | Mapping[str, Estimate]]) -> Iterator[Compared]:
    """Every figure of which brute force has an error of its own.

    Brute force is control-variate adjusted by the time that endpoints were down, whose mean has a closed form, so that
    the chance of a few days' incidents does not drown what is compared.
    """
    metrics, downs = zip(*made, strict=True)
    closed = exact(plan)
    known = [endpoint.unavailability for endpoint in closed.endpoints] + [closed.all_down]
    controls = _Controls([[down[place] for down in downs] for place in range(len(known))], known)
    for name, (part, whole) in RATIOS.items():
        yield from _one(name, found[name], [part(m) for m in metrics], [whole(m) for m in metrics], controls)
    for name in ("latency_s_p50", "latency_s_p95", "latency_s_p99"):
        yield from _one(name, found[name], [m[name] for m in metrics], [1.0] * len(metrics), controls)
    ok = [m["request_outcomes"]["ok"] for m in metrics]
    for leg in metrics[0]["served_share"]:
        served = [m["served_share"][leg] * m["request_outcomes"]["ok"] for m in metrics]
        yield from _one(f"served by {leg}", _of(found["served_share"], leg), served, ok, controls)
    for cause in metrics[0]["lost_by_cause"]:
        lost = [float(m["lost_by_cause"][cause]) for m in metrics]
        if sum(lost) >= _FEWEST:
            of = _of(found["lost_by_cause"], cause)
            yield from _one(f"lost to {cause}", of, lost, [m["requests"] for m in metrics], controls)


@dataclass(frozen=True, slots=True)
class _Controls:
    """Shares of time by endpoint (and all) and replication, and their exact means."""

    values: list[list[float]]
    known: list[float]


_Metric = Callable[[Mapping[str, Any]], float]
RATIOS: Final[Mapping[str, tuple[_Metric, _Metric]]] = {
    "availability": (lambda m: m["request_outcomes"]["ok"], lambda m: m["requests"]),
    "cost_usd_per_request": (lambda m: m["cost_usd"], lambda m: m["requests"]),
    "cost_usd_per_success": (lambda m: m["cost_usd"], lambda m: m["request_outcomes"]["ok"]),
    "wasted_cost_share": (lambda m: m["wasted_cost_usd"], lambda m: m["cost_usd"]),
    "latency_s_mean": (
        lambda m: m["latency_s_mean"] * m["request_outcomes"]["ok"],
        lambda m: m["request_outcomes"]["ok"],
    ),
    "fallback_share": (
        lambda m: m["fallback_share"] * m["request_outcomes"]["ok"],
        lambda m: m["request_outcomes"]["ok"],
    ),
    "attempts_per_request": (lambda m: m["attempts"], lambda m: m["requests"]),
    "rate_limited_share": (lambda m: m["attempt_outcomes"]["rate_limited"], lambda m: m["attempts"]),
}


def replicate(task: tuple[Plan, int], report: Report | None = None) -> tuple[dict[str, Any], list[float]]:
    """The metrics of one replication, and the shares of its time in which each endpoint, and all, were down."""
    plan, number = task
    totals = _Summed(plan)
    totals.totals.check(simulate(plan, number, totals))
    timeline = draw_timeline(plan, number, plan.horizon_s)
    downs = [endpoint_down(timeline, endpoint) for endpoint in chain_endpoints(plan)]
    return totals.totals.metrics(), [down_share(down, plan.horizon_s) for down in (*downs, intersection(downs))]


class _Summed:
    """A sink for totals alone."""

    def __init__(self, plan: Plan) -> None:
        self.totals = Totals(names(plan), [leg.name for leg in plan.chain])
        self.requests = self.totals.requests
        self.attempts = self.totals.attempts

    def transitions(self, block: Any) -> None: ...

    def incidents(self, block: Any) -> None: ...

    def refusals(self, block: Any) -> None: ...


def _of(found: Any, name: str) -> Estimate:
    return found[name] if name in found else Estimate(0.0, 0.0, 0.0)


def _one(
    name: str, found: Any, parts: Sequence[float], wholes: Sequence[float], controls: _Controls
) -> Iterator[Compared]:
    part, whole = np.array(parts, dtype=np.float64), np.array(wholes, dtype=np.float64)
    ratio = float(part.sum() / whole.sum())
    each = (ratio + (part - ratio * whole) / whole.mean()).tolist()
    brute = with_controls(each, controls.values, controls.known)
    assert isinstance(found, Estimate)
    if None in (found.mean, found.low, found.high, brute.low, brute.high) or brute.high == brute.low:
        return
    error = (brute.high - brute.known) / t_quantile(len(part) - 1)  # type: ignore[operator]
    end = found.high if brute.known > found.known else found.low
    own = abs(end - found.known) / NORMAL_QUANTILE  # type: ignore[operator]
    yield Compared(name, brute.known, found.known, (found.known - brute.known) / math.hypot(error, own))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.windows", description=__doc__)
    parser.add_argument("names", nargs="*", help="of scenarios (default: all)")
    parser.add_argument("--replications", type=int, default=REPLICATIONS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--years", type=float, default=YEARS)
    parser.add_argument("--workers", type=int, default=available())
    options = parser.parse_args()
    rows: list[Compared] = []
    for name, said in scenarios().items():
        if options.names and name not in options.names:
            continue
        started = time.perf_counter()
        (plan,) = plans(from_mapping(said)).values()
        try:
            own = list(
                compared(
                    plan,
                    replications=options.replications,
                    rounds=options.rounds,
                    years=options.years,
                    workers=options.workers,
                )
            )
        except Inapplicable as reason:
            print(f"{name}: {reason}", flush=True)
            continue
        worst = max(own, key=lambda row: abs(row.apart))
        square = sum(row.apart**2 for row in own) / len(own)
        lost = next(row for row in own if row.figure == "availability")
        print(
            f"{name:<24}{len(own):>3} figures, mean z^2 {square:5.2f}, worst {worst.apart:+5.2f} ({worst.figure}); "
            f"lost {1 - lost.brute:.3%} by brute force, {1 - lost.windows:.3%} by windows; "
            f"{time.perf_counter() - started:,.0f} s",
            flush=True,
        )
        rows += own
    squares = sum(row.apart**2 for row in rows) / max(1, len(rows))
    far = [row for row in rows if abs(row.apart) > FAR]
    print(f"\n{len(rows)} figures, mean z^2 {squares:.2f}, {len(far)} more than {FAR:g} standard errors apart")
    return 1 if far else 0


if __name__ == "__main__":
    sys.exit(main())
