"""Whole replications in rounds, until the figures are precise enough or the time is used up."""

import math
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from des.compiled import carried, prepare
from des.errors import DesError
from des.estimate.cascades import Cascade, cascade_estimates
from des.estimate.estimate import Estimate
from des.estimate.heterogeneous import Heterogeneous, without_intervals
from des.estimate.intervals import students_t
from des.estimate.objective import counted_objective
from des.estimate.shape import Shape
from des.estimate.summary import Pool, summarise
from des.estimate.sums import LogHistogram
from des.estimate.totals import Metrics
from des.estimate.unsampled import LongRuns, Unsampled, with_unseen
from des.pool import Where, Workers
from des.scenario.plan import Plan
from des.scenario.schema.objective import Objective
from des.scenario.text.units import read_positive_duration
from des.study.downtime import Spells, controlled
from des.study.pictured import Pictured
from des.study.precision import relative_half_width
from des.study.replication import Part, Replicator

_REPORT_S: Final = 2.0
"""For the report of an answer that is written, but no more than a tenth of the time: as on a machine at rest."""
_GROWTH: Final = 1.5
_MOST_RESERVED: Final = 0.6
"""Share of the time that is left which other work than simulation may take."""
_HASTE: Final = 0.8
"""A round is begun if it is expected to end within this share of the time that is left."""
_ENOUGH: Final[Mapping[str, float]] = {"cost_usd_per_request": 0.005, "latency_s_p99": 0.01, "availability": 0.02}
"""Relative half-widths, of what is not served for the availability, at which no more is simulated."""
_ENOUGH_OF_CHANCE: Final = 0.005
FIRST: Final = 2
"""Replications of each arm in the first round: the fewest of which the error of a figure can be known."""
_FEWEST: Final = 3
"""Replications without which no precision is enough."""


Measure = Callable[[Metrics], float | None]
"""Of what one replication observed."""


class Clock:
    """The time that an answer may take. With a number of `rounds` it never runs out.

    `reserve` keeps time for work that follows once this number of rounds is done; where that does not fit, no more are.
    `after_s` is kept for what is done with the answer.
    """

    def __init__(self, within_s: float, rounds: int | None, after_s: float = 0.0) -> None:
        self.within_s = within_s
        self.rounds = rounds
        self._after_s = after_s
        self._started = time.perf_counter()
        self._reserved_s = 0.0
        self._reserved_from = 0

    def reserve(self, seconds: float, from_round: int) -> None:
        self._reserved_s, self._reserved_from = seconds, from_round

    @property
    def most_rounds(self) -> int | None:
        """How many rounds there may be, whatever they take; None where only time decides."""
        if self.rounds is None and self._reserved_s > _MOST_RESERVED * self.left_s:
            return self._reserved_from - 1
        return self.rounds

    @property
    def simulating_s(self) -> float:
        """What is left for simulation."""
        kept_s = 0.0 if self.most_rounds is not None else self._reserved_s
        return max(0.0, self.left_s - kept_s)

    @property
    def spent_s(self) -> float:
        return time.perf_counter() - self._started

    @property
    def left_s(self) -> float:
        return max(0.0, self.within_s - self._after_s - self.spent_s)

    def allows(self, done: int, next_s: float) -> bool:
        """Whether another round, expected to take `next_s`, may follow `done` rounds."""
        if self.rounds is not None:
            return done < self.rounds
        if done + 1 >= self._reserved_from:
            next_s += self._reserved_s
        return next_s <= _HASTE * self.left_s


def clock_of(within: float | str, rounds: int | None, *, writes: bool) -> Clock:
    """A clock that starts now, of a duration such as `60s` or of seconds; `writes`: a report will follow the answer.

    Raises DesError for a time or a number of rounds that makes no sense.
    """
    if isinstance(within, str):
        try:
            within = read_positive_duration(within)
        except ValueError as error:
            raise DesError(f"--within: {error}") from None
    if not 0.0 < within < float("inf"):
        raise DesError(f"within: a number of seconds above 0, not {within:g}")
    if rounds is not None and rounds < 1:
        raise DesError(f"--rounds {rounds}: at least 1")
    return Clock(float(within), rounds, min(_REPORT_S, within / 10.0) if writes else 0.0)


@dataclass(slots=True)
class Simulated:
    """What the replications of one arm observed."""

    plan: Plan
    pool: Pool = field(default_factory=Pool)
    spells: list[Spells] = field(default_factory=list)
    windows: list[tuple[int, int]] = field(default_factory=list)
    called: set[int] = field(default_factory=set)
    broken: Counter[str] = field(default_factory=Counter)
    cascades: list[Cascade] = field(default_factory=list)
    cost: LogHistogram = field(default_factory=LogHistogram)

    def figures(self) -> dict[str, Any]:
        """By the names of summary.json, as simulated."""
        heterogeneous = Heterogeneous.of(self.plan)
        found = summarise(self.pool, by_replication=heterogeneous is not None)
        if self.cascades:
            found |= cascade_estimates(self.cascades)
        why = "" if heterogeneous is None else heterogeneous.why_no_interval(len(self.pool))
        return without_intervals(found, why) if why else found

    def claimed(self, long_runs: LongRuns) -> tuple[dict[str, Any], Unsampled | None]:
        """Figures that claim no more than was sampled, and what was not, if anything.

        Where all was, the adjusted figure of a control variate stands in place of the plain one.
        """
        figures, unsampled = with_unseen(self.plan, self.figures(), self.pool.latency, len(self.pool), long_runs)
        if unsampled is None:
            for metric, better in controlled(self.plan, self.pool, self.spells).items():
                if metric != "availability":
                    figures[metric] = better
        return figures, unsampled

    def objective(self) -> Estimate | None:
        """None where no whole window was simulated."""
        if not sum(windows for _, windows in self.windows):
            return None
        return counted_objective(self.windows)

    @property
    def uncalled(self) -> tuple[str, ...]:
        """The legs that no request called."""
        return tuple(leg.name for leg in self.plan.chain if leg.index not in self.called)

    @property
    def pictured(self) -> Pictured:
        return Pictured(latency=Shape.of_histogram(self.pool.latency), cost=Shape.of_histogram(self.cost))

    @property
    def requests(self) -> int:
        return sum(int(metrics["requests"]) for metrics in self.pool.metrics)

    def less(self, other: "Simulated", own: Measure, others: Measure) -> Estimate | None:
        """The difference of what is measured, paired by replication; None where a replication lacks it."""
        pairs = zip(map(own, self.pool.metrics), map(others, other.pool.metrics), strict=True)
        values = [one - two for one, two in pairs if one is not None and two is not None]
        if not values or len(values) < len(self.pool):
            return None
        found = students_t(values)
        return Estimate(found.value, found.low, found.high, len(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """Every arm's replications, the same number of each; `reached` says whether the figures were precise enough."""

    arms: Mapping[str, Simulated]
    rounds: int
    replications: int
    reached: bool


def prepare_for(plans: Mapping[str, Plan]) -> None:
    """Load the engine that will simulate the rounds."""
    expected = [plan.workload.arrivals.expected_requests(plan.horizon_s) or 0.0 for plan in plans.values()]
    prepare(list(plans.values()), 2 * FIRST * sum(expected))


def replicated(
    plans: Mapping[str, Plan],
    objective: Objective | None,
    clock: Clock,
    *,
    workers: Where,
    known: Collection[str] = (),
    least_rounds: int = 1,
    cascades: bool = False,
    progress: Callable[[], None] | None = None,
) -> Rounds:
    """Rounds of replications of all arms: two each in the first, half as many again in all after each further one.

    The availability of the arms in `known` is known otherwise and does not count for the precision, which ends the work
    after `least_rounds` at the earliest. `cascades` asks for their figures even where there can be none.
    """
    found = {arm: Simulated(plan) for arm, plan in plans.items()}
    replicator = Replicator(plans, None, "{}", cascades, objective=objective, asks_for_costs=True)
    prepare_for(plans)
    done = rounds = 0
    wanted, reached = FIRST, False
    with Workers(carried(replicator, plans.values()), workers) as pool:
        while True:
            before_s = clock.spent_s
            parts = [Part(arm, number) for number in range(done, wanted) for arm in plans]
            watch = None if progress is None else lambda number, at: progress()
            for part, outcome in zip(parts, pool.map(parts, watch), strict=True):
                of = found[part.arm]
                of.pool.add(outcome.observed)
                of.spells.append(outcome.spells)
                of.called |= outcome.called
                of.broken.update(outcome.broken)
                if outcome.cascade is not None:
                    of.cascades.append(outcome.cascade)
                if outcome.cost is not None:
                    of.cost.merge(outcome.cost)
                if outcome.windows is not None:
                    of.windows.append(outcome.windows)
            took_s, made = clock.spent_s - before_s, wanted - done
            done, rounds = wanted, rounds + 1
            wanted = max(done + 1, math.ceil(done * _GROWTH))
            reached = done >= _FEWEST and all(_precise(of, arm in known) for arm, of in found.items())
            enough = reached and rounds >= least_rounds and clock.rounds is None
            if enough or not clock.allows(rounds, took_s / made * (wanted - done)):
                return Rounds(arms=found, rounds=rounds, replications=done, reached=reached)


def _precise(of: Simulated, known: bool) -> bool:
    figures = of.figures()
    for metric, enough in _ENOUGH.items():
        figure = figures[metric]
        if figure.mean is None or _is_whole(metric, figure) or (metric == "availability" and known):
            continue
        if relative_half_width(metric, figure) > enough:
            return False
    chance = of.objective()
    if chance is None or chance.low is None or chance.high is None:
        return True
    return (chance.high - chance.low) / 2.0 <= _ENOUGH_OF_CHANCE


def _is_whole(metric: str, figure: Estimate) -> bool:
    """Whether nothing was lost in any replication: more of them would hardly say more."""
    return metric == "availability" and figure.mean == 1.0
