"""`python -m benchmarks.agreement`: exact, timeline and request level beside each other on the shipped scenarios.

The share of time with all endpoints of the chain down, and the share of requests lost, each by every estimator that
covers it, with 95 % intervals. Two agree where their difference lies within their intervals together; about one pair in
twenty does not by chance. Exits with 1 where two are more than four standard errors apart. Scenarios in which requests
interact are left out, as the timeline refuses them.
"""

import argparse
import math
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Final

from des.errors import ScenarioError
from des.estimate.availability import choose
from des.estimate.estimate import EXACT, REQUEST_LEVEL, TIMELINE, Estimate
from des.estimate.interaction import interactions
from des.estimate.summary import Pool, summarise
from des.estimate.timeline import SAMPLES, timeline
from des.pool import Workers, available
from des.scenario import load_scenario, plans
from des.scenario.plan import Plan, PoissonArrivals
from des.study.downtime import combined
from des.study.replication import Part, Replicator
from des.study.study import Found

SCENARIOS: Final = Path(__file__).parents[1] / "scenarios"
REPLICATIONS: Final = 10
REQUESTS: Final = 10_000.0
YEARS: Final = 1_000.0
NORMAL: Final = 1.96
FAR: Final = 4.0
NUMERICAL: Final = 1e-3
"""Relative difference that the exact estimator's quadrature of long outputs may make."""

Figures = Mapping[str, Estimate]
"""By estimator."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one arm."""

    scenario: str
    arm: str
    what: str
    by: Figures

    @property
    def distances(self) -> dict[str, float]:
        """Standard errors between each two that have any."""
        found = {}
        for one, other in combinations(self.by, 2):
            apart = _distance(self.by[one], self.by[other])
            if apart is not None:
                found[f"{one} and {other}"] = apart
        return found

    @property
    def verdict(self) -> str:
        worst = max(self.distances.values(), default=None)
        if worst is None:
            return "nothing seen"
        return "agree" if worst <= NORMAL else f"{worst:.1f} standard errors" + (" APART" if worst > FAR else "")


def compared(
    path: Path,
    *,
    requests: float = REQUESTS,
    years: float = YEARS,
    samples: int = SAMPLES,
    workers: int = 1,
    every_arm: bool = False,
) -> Iterator[Row]:
    """The first arm of a scenario, or each; raises ScenarioError where its data is not here."""
    arms = list(plans(load_scenario(path)).items())
    for arm, plan in arms if every_arm else arms[:1]:
        if interactions(plan):
            continue
        drawn = timeline(plan, years, workers=workers, samples=samples)
        observed = _observed(plan, requests, workers)
        choice = choose(plan)
        down: dict[str, Estimate] = {}
        lost: dict[str, Estimate] = {}
        if choice.exact is not None:
            down[EXACT] = Estimate(choice.exact.all_down, estimator=EXACT)
            if choice.exact.availability is not None and not choice.exact.differs:
                lost[EXACT] = Estimate(1.0 - choice.exact.availability, estimator=EXACT)
        down |= {TIMELINE: drawn.all_down, REQUEST_LEVEL: _chain(observed)["availability"].complement()}
        lost |= {
            TIMELINE: drawn.availability.complement(),
            REQUEST_LEVEL: summarise(observed.observed[plan.arm])["availability"].complement(),
        }
        yield Row(path.stem, arm, "all down", down)
        yield Row(path.stem, arm, "requests lost", lost)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agreement", description=__doc__)
    parser.add_argument("scenarios", nargs="*", type=Path, help="scenario files (default: those shipped)")
    parser.add_argument("--requests", type=float, default=REQUESTS, help="a replication (default 10,000)")
    parser.add_argument("--years", type=float, default=YEARS, help="of the timeline (default 1,000)")
    parser.add_argument("--workers", type=int, default=available(), help="processes (default: all processors)")
    parser.add_argument("--every-arm", action="store_true", help="not the first alone")
    options = parser.parse_args()
    rows: list[Row] = []
    started = time.perf_counter()
    print(f"{'scenario':<24}{'arm':<22}{'figure':<14}{EXACT:>10}  {TIMELINE:>28}  {REQUEST_LEVEL:>30}  verdict")
    for path in options.scenarios or sorted(SCENARIOS.glob("*.yaml")):
        try:
            for row in compared(
                path,
                requests=options.requests,
                years=options.years,
                workers=options.workers,
                every_arm=options.every_arm,
            ):
                cells = [_shown(row.by.get(name)) for name in (EXACT, TIMELINE, REQUEST_LEVEL)]
                print(
                    f"{row.scenario:<24}{row.arm:<22}{row.what:<14}{cells[0]:>10}  {cells[1]:>28}  {cells[2]:>30}  "
                    f"{row.verdict}",
                    flush=True,
                )
                rows.append(row)
        except ScenarioError as error:
            print(f"{path.stem:<24}left out: {' '.join(str(error).split())[:90]}", flush=True)
    pairs = [apart for row in rows for apart in row.distances.values()]
    within = sum(apart <= NORMAL for apart in pairs)
    print(
        f"\n{len(rows)} figures, {len(pairs)} pairs of estimators: {within} within their intervals "
        f"({within / max(1, len(pairs)):.0%}), the worst {max(pairs, default=0.0):.1f} standard errors apart; "
        f"{time.perf_counter() - started:,.0f} s"
    )
    return 1 if any(apart > FAR for apart in pairs) else 0


def _observed(plan: Plan, requests: float, workers: int) -> Found:
    """Replications of about this number of requests, where arrivals are random; else the scenario's own number."""
    arrivals = plan.workload.arrivals
    if isinstance(arrivals, PoissonArrivals):
        rate_per_s = min(arrivals.rate_per_s, requests / plan.horizon_s)
        plan = replace(
            plan, workload=replace(plan.workload, arrivals=arrivals.model_copy(update={"rate_per_s": rate_per_s}))
        )
    found = Found({plan.arm: Pool()}, {plan.arm: []}, [])
    parts = [Part(plan.arm, number) for number in range(REPLICATIONS)]
    with Workers(Replicator({plan.arm: plan}, None, "{}"), workers) as pool:
        for part, outcome in zip(parts, pool.map(parts), strict=True):
            found.add(part, outcome)
    return found


def _chain(found: Found) -> Mapping[str, Estimate]:
    (spells,) = found.spells.values()
    return combined(spells)["chain"]["every leg"]


def _distance(one: Estimate, other: Estimate) -> float | None:
    """In standard errors, of the sides of the intervals that face each other; None where neither has one."""
    if one.mean is None or other.mean is None:
        return None
    lower, upper = sorted((one, other), key=lambda figure: figure.known)
    if any(figure.high is None and figure.estimator != EXACT for figure in (lower, upper)):
        return None
    sides = []
    if lower.high is not None:
        sides.append(lower.high - lower.known)
    if upper.low is not None:
        sides.append(upper.known - upper.low)
    error = math.hypot(*sides) / NORMAL
    gap = upper.known - lower.known
    if gap <= NUMERICAL * upper.known:
        return 0.0
    return gap / error if error > 0.0 else 0.0 if gap <= 1e-12 else math.inf


def _shown(figure: Estimate | None) -> str:
    if figure is None or figure.mean is None:
        return "-"
    if figure.low is None:
        return f"{figure.mean:.3g}"
    return f"{figure.mean:.3g} [{figure.low:.3g}, {figure.high:.3g}]"


if __name__ == "__main__":
    sys.exit(main())
