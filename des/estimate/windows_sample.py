"""Which blocks are simulated: draws with known probabilities from each stratum, in rounds that go where they tell most.

A stratum is sampled with replacement, each time a block with a probability proportional to the arrivals to be expected
of it (Hansen and Hurwitz 1943). So a stratum's total is its measure times the mean of what a block came to, divided by
the block's measure. A round's draws go to strata in proportion to their measure times the spread of the residuals over
the root of a draw's cost (Neyman 1934), as known from the rounds before.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from des.draws import generator
from des.estimate.effort import USUAL, WindowsEffort
from des.estimate.linear import weighted_sum
from des.estimate.memory import longest_period_s, longest_walk_of_all_s, request_rate_per_s
from des.estimate.sums import bin_edges
from des.estimate.windows_idle import LastUses, followed, preceded
from des.estimate.windows_population import STEADY, IntArray, Population, open_in
from des.estimate.windows_segments import COST, LOST, OK, PROBE_COST, REQUESTS, Tally, Window, seed_of, tally
from des.faults.intervals import FloatArray
from des.pool import Report, Workers
from des.scenario.plan import BatchArrivals, Plan

FEWEST: Final = 3
"""Draws from each stratum in the first round, however many requests they are."""
PILOT_REQUESTS: Final = 60_000.0
"""Those that more draws may make, over all arms: some five seconds of SimPy."""
GROWTH: Final = 0.25
"""A round simulates this share of the requests of all rounds before it, at least `LEAST_ROUND` in each arm."""
LEAST_ROUND: Final = 20_000
_TASK_REQUESTS: Final = 8000.0
"""To be simulated in a task of one process."""
_END: Final = 0.25
"""Of a whole transient: its end, which is to look like the steady stretch that follows."""
_PHASES: Final = 1 << 32
_TAILS: Final = (0.95, 0.99)
_TARGETS: Final = (0.05, 0.01, 0.1)
"""Relative standard errors that are worth the same: of unavailability, cost, and the share above a percentile."""

Task = tuple[tuple[Plan, ...], tuple[Window, ...]]
Tallies = list[list[Tally]]
"""Of each window, by arm."""


def simulate_task(task: Task, report: Report | None = None) -> Tallies:
    plans, windows = task
    return [[tally(plan, window) for plan in plans] for window in windows]


@dataclass(slots=True)
class Sample:
    """Draws so far: columns by draw, and each arm's tallies in the same order."""

    stratum: list[int] = field(default_factory=list)
    measure: list[float] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    by_arm: list[list[Tally]] = field(default_factory=list)

    @property
    def simulated(self) -> int:
        """Requests, load included, over all arms."""
        return sum(each.simulated for tallies in self.by_arm for each in tallies)


class Sampler:
    """Draws blocks from one population, and simulates them in each of its arms."""

    def __init__(
        self,
        population: Population,
        plans: Mapping[str, Plan],
        least_round: int = LEAST_ROUND,
        effort: WindowsEffort = USUAL,
    ) -> None:
        self.population = population
        self.effort = effort
        self.plans = plans
        self._least_round = least_round
        self._plan = next(iter(plans.values()))
        self.rate_per_s = max(request_rate_per_s(plan) for plan in plans.values())
        self.tail_s = max(longest_walk_of_all_s(plan) for plan in plans.values())
        self._period_s = max(longest_period_s(plan) for plan in plans.values()) if population.memory_s > 0.0 else 0.0
        self._block_s = block_s(plans.values(), population.memory_s, effort)
        self._longest_s = max(self._block_s, effort.most_block_requests / self.rate_per_s)
        order = np.argsort(population.segments.stratum, kind="stable")
        counts = np.bincount(population.segments.stratum, minlength=len(population.strata))
        self._members = np.split(order, np.cumsum(counts)[:-1])
        self._reach = [np.cumsum(population.segments.measure[members]) for members in self._members]
        self.last_uses = LastUses(
            plans.values(), population.pieces, population.until_s, population.memory_s, anew=population.from_s <= 0.0
        )
        self.sample = Sample(by_arm=[[] for _ in plans])
        self._drawn = np.zeros(len(population.strata), dtype=np.int64)

    def draw(self, counts: IntArray) -> list[Window]:
        """This number of further draws from each stratum."""
        windows = []
        for stratum, count in enumerate(counts.tolist()):
            first = int(self._drawn[stratum])
            windows += [
                self.window(stratum, first + nth, u) for nth, u in enumerate(self._uniforms(stratum, first, count))
            ]
        self._drawn += counts
        return windows

    def run(self, windows: Sequence[Window], pool: "Workers[Any, Any]", told: Callable[[float], None]) -> None:
        """Simulate windows and add them to the sample, in their order for any number of processes."""
        tasks = self._tasks(windows)
        done = 0
        for results, (_, of_task) in zip(pool.map(tasks), tasks, strict=True):
            for window, tallies in zip(of_task, results, strict=True):
                self.sample.stratum.append(window.stratum)
                self.sample.measure.append(window.measure)
                self.sample.windows.append(window)
                for by_arm, each in zip(self.sample.by_arm, tallies, strict=True):
                    by_arm.append(each)
            done += len(of_task)
            told(done / len(windows))

    @property
    def budget(self) -> float:
        """Requests of another round, over all arms."""
        return max(float(self._least_round * len(self.plans)), GROWTH * self.sample.simulated)

    def pilot(self) -> IntArray:
        """Draws from each stratum in the first round, which is small enough to tell how long the next ones will take.

        Its size follows from the scenario alone, so the same round has the same bytes on any machine.
        """
        used = self.population.measures > 0.0
        few = [
            self.window(stratum, nth, u)
            for stratum in np.flatnonzero(used).tolist()
            for nth, u in enumerate(self._uniforms(stratum, 0, FEWEST))
        ]
        requests = len(self.plans) * self.rate_per_s * sum(window.until_s - window.begin_s for window in few)
        draws = min(max(int(FEWEST * PILOT_REQUESTS / max(requests, 1.0)), FEWEST), self.effort.pilot)
        return np.where(used, draws, 0)

    def load_of(self, counts: IntArray) -> float:
        """Requests to be expected of a round with these draws, over all arms."""
        return float((counts * self._cost()).sum())

    @property
    def pilot_requests(self) -> float:
        """About the requests of the first round, load included, over all arms."""
        segments = self.population.segments
        lasts_s = np.minimum(segments.end_s - segments.start_s, self._longest_s)
        strata = len(self.population.strata)
        usual_s = np.bincount(segments.stratum, lasts_s, strata) / np.maximum(np.bincount(segments.stratum), 1)
        each_s = usual_s + self.population.memory_s + self._period_s / 2.0
        return float((self.pilot() * each_s).sum()) * self.rate_per_s * len(self.plans)

    def next_round(self) -> IntArray:
        """Draws from each stratum in another round."""
        sample, population = self.sample, self.population
        budget = self.budget
        stratum = np.asarray(sample.stratum)
        strata = len(population.strata)
        n = np.bincount(stratum, minlength=strata)
        cost = self._cost()
        worth = np.sqrt(self._worth(stratum, n)) * population.measures
        ideal = worth / np.sqrt(np.maximum(cost, 1.0))
        if not ideal.sum() > 0.0:
            ideal = np.where(n > 0, 1.0, 0.0)
        whole = budget + float((n * cost).sum())
        target = ideal * whole / max(float((ideal * cost).sum()), 1e-300)
        more = np.maximum(target - n, 0.0)
        more *= budget / max(float((more * cost).sum()), 1e-300)
        return np.where(n > 0, np.ceil(more), 0.0).astype(np.int64)

    def _cost(self) -> FloatArray:
        """Requests of a draw from each stratum, over all arms, as simulated so far."""
        strata = len(self.population.strata)
        n = np.bincount(self.sample.stratum, minlength=strata)
        load = np.array([[each.simulated for each in tallies] for tallies in self.sample.by_arm]).sum(axis=0)
        found: FloatArray = np.bincount(self.sample.stratum, load, strata) / np.maximum(n, 1)
        return found

    def _worth(self, stratum: IntArray, n: IntArray) -> FloatArray:
        """The variance of a draw's residuals by stratum, each metric relative to its target, summed over arms."""
        found = np.zeros(len(n))
        measure = np.asarray(self.sample.measure)
        weight = self.population.measures[stratum] / n[stratum] / measure
        usual = np.bincount(stratum, measure, len(n)) / np.maximum(n, 1)
        for tallies in self.sample.by_arm:
            values = np.array([each.values for each in tallies])
            requests, ok = values[:, REQUESTS], values[:, OK]
            cost = values[:, COST] + values[:, PROBE_COST]
            asked = weighted_sum(weight, requests)
            if asked <= 0.0:
                continue
            lost = values[:, LOST]
            share = max(weighted_sum(weight, lost), float(weight.max())) / asked
            residuals = [((lost - share * requests) / measure / (share * asked), _TARGETS[0])]
            spent = weighted_sum(weight, cost)
            if spent > 0.0:
                residuals.append(((cost - spent / asked * requests) / measure / spent, _TARGETS[1]))
            for tail in _TAILS:
                above = _above(tallies, weight, tail)
                missed = (above - (1.0 - tail) * ok) / measure / max(weighted_sum(weight, ok), 1.0) / (1.0 - tail)
                residuals.append((missed, _TARGETS[2]))
            for residual, target in residuals:
                found += _spread(residual, stratum, n) / target**2
            # A stratum that lost nothing yet may lose one request more than was seen.
            seen = np.bincount(stratum, requests, len(n)) / np.maximum(n, 1)
            one = 1.0 / np.maximum(usual, 1e-300) / (share * asked) / np.sqrt(np.maximum(n, 1))
            found += np.where(seen > 0.0, (one / _TARGETS[0]) ** 2, 0.0)
        return found

    def window(self, stratum: int, number: int, u: float, purpose: str = "window") -> Window:
        """The block at the share `u` of the stratum's measure."""
        population = self.population
        members, reach = self._members[stratum], self._reach[stratum]
        at = u * reach[-1]
        place = min(int(np.searchsorted(reach, at, side="right")), len(reach) - 1)
        segment = int(members[place])
        start_s, end_s = float(population.segments.start_s[segment]), float(population.segments.end_s[segment])
        until = population.exposure.until
        into = at - (reach[place] - population.segments.measure[segment])
        if population.segments.measure[segment] <= 0.0:
            time_s = start_s
        else:
            time_s = float(population.exposure.time_s(until(np.array([start_s])) + into)[0])
        of = population.strata[stratum]
        is_quiet = of.kind == STEADY and of.down == of.impaired == 0
        parts = max(1, math.ceil((end_s - start_s) / (self._longest_s if is_quiet else self._block_s)))
        length_s = (end_s - start_s) / parts
        part = min(max(int((time_s - start_s) / length_s), 0), parts - 1)
        from_s = start_s + part * length_s
        until_s = end_s if part == parts - 1 else start_s + (part + 1) * length_s
        piece = int(population.segments.piece[segment])
        drawn = self.between(stratum, number, piece, from_s, until_s, purpose=purpose)
        if of.kind == STEADY or end_s - start_s < population.memory_s * (1.0 - 1e-9):
            return drawn
        return replace(drawn, end_s=(max(from_s, end_s - _END * population.memory_s), until_s))

    def between(
        self,
        stratum: int,
        number: int,
        piece: int,
        from_s: float,
        until_s: float,
        *,
        warm_up_s: float | None = None,
        purpose: str = "window",
    ) -> Window:
        """A block of a piece, with its warm-up and all incidents until its last request must have ended.

        The warm-up is longer by a random part of the longest period. Before it come the last uses of legs that stand
        idle.
        """
        population = self.population
        seed = seed_of(self._plan.seed, population.strata[stratum].name, number, purpose)
        phase_s = self._period_s * (seed % _PHASES) / _PHASES
        begin_s = from_s - phase_s - (population.memory_s if warm_up_s is None else warm_up_s)
        if population.from_s <= 0.0:
            begin_s = max(0.0, begin_s)
        cut_s = until_s + self.tail_s
        timeline = open_in(population.pieces[piece], begin_s, cut_s)
        spells = self.last_uses.before(piece, begin_s)
        if spells:
            timeline, begin_s = preceded(timeline, begin_s, spells)
        measured = population.exposure.until(np.array([from_s, until_s]))
        return Window(
            stratum=stratum,
            number=number,
            piece=piece,
            measure=float(measured[1] - measured[0]),
            begin_s=begin_s,
            from_s=from_s,
            until_s=until_s,
            cut_s=cut_s,
            seed=seed,
            timeline=timeline,
        )

    def played_on(self, window: Window, from_s: float, until_s: float) -> Window | None:
        """The same window, which counts a later spell instead; None where incidents start or end between."""
        source, cut_s = self.population.pieces[window.piece], until_s + self.tail_s
        for times_s in (source.start_s, source.end_s):
            if ((times_s > window.until_s) & (times_s < until_s)).any():
                return None
        timeline = followed(window.timeline, source, window.cut_s, cut_s)
        return replace(
            window, from_s=from_s, until_s=until_s, cut_s=max(cut_s, window.cut_s), timeline=timeline, end_s=(0.0, 0.0)
        )

    def _uniforms(self, stratum: int, first: int, count: int) -> list[float]:
        rng = generator(self._plan.seed, 0, f"estimate/windows\x1f{self.population.strata[stratum].name}")
        drawn: list[float] = rng.random(first + count)[first:].tolist()
        return drawn

    def _tasks(self, windows: Sequence[Window]) -> list[Task]:
        tasks: list[Task] = []
        plans = tuple(self.plans.values())
        taken: list[Window] = []
        load = 0.0
        for window in windows:
            taken.append(window)
            load += ((window.until_s - window.begin_s) * self.rate_per_s + 100.0) * len(plans)
            if load >= _TASK_REQUESTS:
                tasks.append((plans, tuple(taken)))
                taken, load = [], 0.0
        if taken:
            tasks.append((plans, tuple(taken)))
        return tasks


def block_s(plans: Iterable[Plan], memory_s: float, effort: WindowsEffort = USUAL) -> float:
    """The longest block: enough requests to be worth its warm-up, no more than can be spared, and a whole batch."""
    several = list(plans)
    rate_per_s = max(request_rate_per_s(plan) for plan in several)
    longest_s = max(effort.block_requests / rate_per_s, min(memory_s, effort.most_block_requests / rate_per_s))
    batches_s = [
        plan.workload.arrivals.every_s for plan in several if isinstance(plan.workload.arrivals, BatchArrivals)
    ]
    return max([longest_s, *batches_s])


def _above(tallies: Sequence[Tally], weight: FloatArray, tail: float) -> FloatArray:
    """Served requests of each draw that took longer than the weighted percentile."""
    histogram = np.zeros(len(bin_edges()))
    for each, one in zip(tallies, weight.tolist(), strict=True):
        histogram[each.bins] += one * each.counts
    reach = np.cumsum(histogram)
    place = int(np.searchsorted(reach, tail * reach[-1])) if reach[-1] > 0.0 else len(reach)
    return np.array([float(each.counts[each.bins > place].sum()) for each in tallies])


def _spread(residual: FloatArray, stratum: IntArray, n: IntArray) -> FloatArray:
    """The variance within each stratum; 0 with fewer than two draws."""
    mean = np.bincount(stratum, residual, len(n)) / np.maximum(n, 1)
    about = np.bincount(stratum, (residual - mean[stratum]) ** 2, len(n))
    return np.where(n > 1, about / np.maximum(n - 1, 1), 0.0)


def is_steady(population: Population, stratum: int) -> bool:
    return population.strata[stratum].kind == STEADY
