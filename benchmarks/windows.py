"""`python -m benchmarks.windows`: the windows estimator against brute force.

Scenarios with limits, cooldowns, breakers, budgets, queues, profiles and shared causes have incidents so frequent that
request level runs through thousands of them. Every figure of the two is compared in standard errors of their
difference. Prints a table, and exits with 1 where a figure is more than four apart, or the mean of the squares is
not between 0.6 and 1.5.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.windows_brute_force import LATENCY, Replications, brute_force
from benchmarks.windows_cases import REPLICATIONS, scenarios
from des.estimate.estimate import Estimate, Inapplicable
from des.estimate.exact import exact
from des.estimate.intervals import NORMAL_QUANTILE, t_quantile, with_controls
from des.estimate.sums import LogHistogram
from des.estimate.windows import windows
from des.estimate.windows_population import Exposure
from des.faults import draw_timeline
from des.faults.episodes import endpoint_down, intersection, merged
from des.faults.intervals import Intervals
from des.faults.marginals import chain_endpoints
from des.faults.reach import Reach
from des.pool import available
from des.scenario import from_mapping, plans
from des.scenario.plan import Plan, PoissonIncidents

FAR: Final = 4.0
MEAN_SQUARES: Final = (0.6, 1.5)
"""The figures of a scenario depend on each other, so 250 of them spread about as much as 60 would."""
ROUNDS: Final = 4
YEARS: Final = 3.0
_FEWEST: Final = 20
"""Lost or limited requests in brute force: with fewer, a normal error says nothing."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure by both, and how many standard errors of their difference they are apart."""

    figure: str
    brute: float
    windows: float
    apart: float


def compared(
    plan: Plan, made: Replications, found: Mapping[str, Estimate | Mapping[str, Estimate]]
) -> Iterator[Compared]:
    """Every figure of which brute force has an error of its own.

    Brute force is control-variate adjusted by how long endpoints were down and impaired, whose means have closed forms,
    so that the chance of a few days' incidents does not drown what is compared.
    """
    metrics = made
    controls = _controls(plan, made)
    for name, (part, whole) in RATIOS.items():
        yield from _one(name, found[name], [part(m) for m in metrics], [whole(m) for m in metrics], controls)
    ok = [m["request_outcomes"]["ok"] for m in metrics]
    for leg in metrics[0]["served_share"]:
        served = [m["served_share"][leg] * m["request_outcomes"]["ok"] for m in metrics]
        yield from _one(f"served by {leg}", _of(found["served_share"], leg), served, ok, controls)
    for cause in metrics[0]["lost_by_cause"]:
        lost = [float(m["lost_by_cause"][cause]) for m in metrics]
        if sum(lost) >= _FEWEST:
            of = _of(found["lost_by_cause"], cause)
            yield from _one(f"lost to {cause}", of, lost, [m["requests"] for m in metrics], controls)
    for name, share in PERCENTILES.items():
        yield from _percentile(name, share, found[name], made, controls)


@dataclass(frozen=True, slots=True)
class _Controls:
    """Shares of the arrivals to be expected, by what is down or impaired and replication, and their exact means."""

    values: list[list[float]]
    known: list[float]


def _controls(plan: Plan, made: Replications) -> _Controls:
    closed = exact(plan)
    known = [endpoint.unavailability for endpoint in closed.endpoints] + [closed.all_down]
    browned = [endpoint for endpoint in chain_endpoints(plan) if _impaired_share(plan, endpoint) > 0.0]
    known += [_impaired_share(plan, endpoint) for endpoint in browned]
    rows = [_met(plan, number, browned) for number in range(len(made))]
    return _Controls([list(column) for column in zip(*rows, strict=True)], known)


def _impaired_share(plan: Plan, endpoint: int) -> float:
    """Of the time, in which a brownout that always reaches the endpoint is open: that of an M/G/infinity system."""
    reach = Reach.of(plan)
    of = [
        incidents
        for component in plan.components
        if endpoint in reach.members(component.index)
        for incidents in component.incidents
        if isinstance(incidents, PoissonIncidents) and not incidents.effect.outage
    ]
    return -math.expm1(-sum(each.rate_per_s * each.duration.mean for each in of))


def _met(plan: Plan, number: int, browned: Sequence[int]) -> list[float]:
    """What one replication met of each endpoint down, of all of them, and of each impaired."""
    timeline = draw_timeline(plan, number, plan.horizon_s)
    downs = [endpoint_down(timeline, endpoint) for endpoint in chain_endpoints(plan)]
    spells = [*downs, intersection(downs)]
    for endpoint in browned:
        of = timeline.hits[:, endpoint] & ~timeline.outage
        spells.append(merged(Intervals(timeline.start_s[of], timeline.end_s[of])))
    exposure = Exposure(plan)
    whole = float(exposure.until(np.array([plan.horizon_s]))[0])
    ends = [(np.maximum(of.start_s, 0.0), np.minimum(of.end_s, plan.horizon_s)) for of in spells]
    return [float((exposure.until(until_s) - exposure.until(from_s)).sum()) / whole for from_s, until_s in ends]


def ratio_of(plan: Plan, made: Replications, name: str) -> Estimate:
    """A ratio by brute force, control-variate adjusted."""
    part, whole = RATIOS[name]
    return _adjusted([part(m) for m in made], [whole(m) for m in made], _controls(plan, made))


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


def _of(found: Any, name: str) -> Estimate:
    return found[name] if name in found else Estimate(0.0, 0.0, 0.0)


def _adjusted(parts: Sequence[float], wholes: Sequence[float], controls: _Controls) -> Estimate:
    part, whole = np.array(parts, dtype=np.float64), np.array(wholes, dtype=np.float64)
    ratio = float(part.sum() / whole.sum())
    each = (ratio + (part - ratio * whole) / whole.mean()).tolist()
    return with_controls(each, controls.values, controls.known)


def _one(
    name: str, found: Any, parts: Sequence[float], wholes: Sequence[float], controls: _Controls
) -> Iterator[Compared]:
    brute = _adjusted(parts, wholes, controls)
    assert isinstance(found, Estimate)
    if None in (found.mean, found.low, found.high, brute.low, brute.high) or brute.high == brute.low:
        return
    error = (brute.high - brute.known) / t_quantile(len(parts) - 1)  # type: ignore[operator]
    end = found.high if brute.known > found.known else found.low
    own = abs(end - found.known) / NORMAL_QUANTILE  # type: ignore[operator]
    yield Compared(name, brute.known, found.known, (found.known - brute.known) / math.hypot(error, own))


PERCENTILES: Final[Mapping[str, float]] = {"latency_s_p50": 0.5, "latency_s_p95": 0.95, "latency_s_p99": 0.99}


def _percentile(name: str, share: float, found: Any, made: Replications, controls: _Controls) -> Iterator[Compared]:
    """A percentile of all days, by the share of brute force's requests that are at least as fast.

    The mean of the percentiles of single days is another figure. Where many requests have the same latency, such as a
    timeout, the share jumps there, and any share within the jump is the right one.
    """
    assert isinstance(found, Estimate)
    if None in (found.mean, found.low, found.high):
        return
    histograms = [LogHistogram.from_json(each[LATENCY]) for each in made]
    counts = [histogram.count for histogram in histograms]

    def shares(value_s: float) -> tuple[Estimate, Estimate]:
        about = [histogram.counts_about(value_s) for histogram in histograms]
        lower, upper = ([float(each[side]) for each in about] for side in (0, 1))
        return _adjusted(lower, counts, controls), _adjusted(upper, counts, controls)

    lower, upper = shares(found.known)
    pooled = LogHistogram()
    for histogram in histograms:
        pooled.merge(histogram)
    brute_s = pooled.quantile(share)
    assert brute_s is not None
    if lower.known <= share <= upper.known:
        yield Compared(name, brute_s, found.known, 0.0)
        return
    nearest = lower if share < lower.known else upper
    if nearest.high is None or nearest.high == nearest.low:
        return
    error = (nearest.high - nearest.known) / t_quantile(len(made) - 1)
    ends = [shares(end)[1].known for end in (found.low, found.high)]  # type: ignore[arg-type]
    own = (ends[1] - ends[0]) / 2.0 / NORMAL_QUANTILE
    yield Compared(name, brute_s, found.known, (nearest.known - share) / math.hypot(error, own))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.windows", description=__doc__)
    parser.add_argument("names", nargs="*", help="of scenarios (default: all)")
    parser.add_argument("--replications", type=int, default=REPLICATIONS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--years", type=float, default=YEARS)
    parser.add_argument("--workers", type=int, default=available())
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="of brute force, which is the same for the same engine"
    )
    parser.add_argument("--only-brute-force", action="store_true", help="fill --keep, and compare nothing")
    parser.add_argument("--every-figure", action="store_true", help="not the worst of each scenario alone")
    options = parser.parse_args()
    rows: list[Compared] = []
    print("| scenario | requests lost, brute force | windows | figures | mean z² | worst |\n|---|---|---|---|---|---|")
    for name, said in scenarios().items():
        if options.names and name not in options.names:
            continue
        started = time.process_time()
        (plan,) = plans(from_mapping(said)).values()
        made = brute_force(plan, options.replications, options.workers, options.keep)
        if options.only_brute_force:
            print(f"{name}: {time.process_time() - started:,.0f} s of processor time", flush=True)
            continue
        try:
            found = windows({plan.arm: plan}, rounds=options.rounds, years=options.years, workers=options.workers)
        except Inapplicable as reason:
            print(f"| {name} | refused: {reason} |", flush=True)
            continue
        own = list(compared(plan, made, found.arms[plan.arm].figures))
        print(_row(name, own), flush=True)
        if options.every_figure:
            for row in own:
                print(f"    {row.figure:<28}{row.brute:12.6g}{row.windows:12.6g} {row.apart:+6.2f}", flush=True)
        rows += own
    if options.only_brute_force:
        return 0
    squares = sum(row.apart**2 for row in rows) / max(1, len(rows))
    far = [row for row in rows if abs(row.apart) > FAR]
    print(f"\n{len(rows)} figures, mean z² {squares:.2f}, {len(far)} more than {FAR:g} standard errors apart")
    return 1 if far or not MEAN_SQUARES[0] <= squares <= MEAN_SQUARES[1] else 0


def _row(name: str, rows: Sequence[Compared]) -> str:
    worst = max(rows, key=lambda row: abs(row.apart))
    square = sum(row.apart**2 for row in rows) / len(rows)
    lost = next(row for row in rows if row.figure == "availability")
    return (
        f"| {name} | {1 - lost.brute:.3%} | {1 - lost.windows:.3%} | {len(rows)} | {square:.2f} | "
        f"{worst.apart:+.2f} ({worst.figure}) |"
    )


if __name__ == "__main__":
    sys.exit(main())
