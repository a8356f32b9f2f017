"""The windows estimator: long-run figures at request level, without simulating the quiet years.

Incidents are drawn for many years. What happens to a request depends on the last while alone, the memory. So any block
of time can be simulated by itself, with a warm-up as long as the memory. Blocks are drawn from strata with known
probabilities and simulated request by request, with every limit, guard, budget and queue at work. Figures are ratios of
weighted totals. The memory is declared by the settings, then tested, before and after each round, and doubled until it
passes. Where it never does, the scenario is refused.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

import numpy as np

from des.compiled import carried
from des.compiled.choice import LOADED_FOR, prepare
from des.errors import DesError
from des.estimate.effort import USUAL, Budget, WindowsEffort
from des.estimate.estimate import Estimate, Inapplicable
from des.estimate.heterogeneous import Heterogeneous
from des.estimate.memory import (
    forgets_never,
    longest_walk_of_all_s,
    memory_s,
    request_rate_per_s,
    why_under_way_longer,
)
from des.estimate.shape import Shape
from des.estimate.windows_figures import (
    WINDOWS,
    ArmSample,
    by_state,
    difference,
    figures,
    lost_share,
    state_names,
)
from des.estimate.windows_memory import compared, pairs_of, window_task
from des.estimate.windows_months import meeting, months_of
from des.estimate.windows_population import Population, default_years, population
from des.estimate.windows_recovery import outlasts
from des.estimate.windows_sample import LEAST_ROUND, Sampler
from des.estimate.windows_segments import COST, LOST, PROBE_COST, REQUESTS
from des.faults import sharing
from des.pool import Where, Workers
from des.scenario.plan import ClosedArrivals, Plan
from des.scenario.text.units import DAY_S, YEAR_S

ROUNDS: Final = 6
"""Where neither rounds nor seconds are given."""
_MOST_DOUBLINGS: Final = 3
"""A state that outlives eight times what settings declare is held by something else, such as a storm of retries."""
_MOST_LOAD: Final = 60_000.0
"""Requests in a warm-up: with more, no sample can be had in any reasonable time."""
_LONGEST_TAIL_S: Final = 7.0 * DAY_S
_LEAST_MEMORY_S: Final = 1.0
_PILOT: Final = 0.1
"""Share of the first round from which it is known how long it will take."""
_SLOWER: Final = 1.3
"""Times as long as the last one a round may take, by its requests, and still end in time: others use the machine."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """A class of incidents that reaches the arm's chain and that no simulated request met.

    `share` is that of the time in which one of them is open in the drawn years.
    """

    component: str
    number: int
    per_year: float
    share: float


@dataclass(frozen=True, slots=True)
class StateLosses:
    """What a stratum came to: its share of the requests, and the requests lost in it as a share of all."""

    state: str
    requests: float
    lost: float
    segments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmWindows:
    """One arm. `figures` have the names of summary.json; `lost_by_cause` are shares of all requests here.

    `lost` is 1 - availability, precise where that difference would round to 1. `segments` and `requests` were
    simulated, load included; `losing` of the segments lost requests, `lost_requests` in all. `uncalled` are legs that
    no simulated request called. `latency` is of the requests that
    were served, `cost` of all.
    """

    figures: Mapping[str, Estimate | Mapping[str, Estimate]]
    lost: Estimate
    objective: Estimate | None
    segments: int
    requests: int
    unseen: tuple[Unseen, ...]
    by_state: tuple[StateLosses, ...]
    uncalled: tuple[str, ...]
    losing: int
    lost_requests: int
    latency: Shape | None = None
    cost: Shape | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowsAnswer:
    """All arms. `differences` are of each arm less the first, by metric; paired where the two share their blocks."""

    arms: Mapping[str, ArmWindows]
    differences: Mapping[str, Mapping[str, Estimate]]
    years: float
    rounds: int
    memory_s: float
    remembers: str
    requests: int
    wall_s: float
    estimator: str = field(default=WINDOWS)


def why_not_windows(plan: Plan) -> str:
    """What stands against the estimator, before anything is simulated. Empty where it applies."""
    if isinstance(plan.workload.arrivals, ClosedArrivals):
        return "closed workload: users wait for their answers, so a window would have to know what they wait for"
    for reason in forgets_never(plan):
        return reason
    if sharing(plan).mixture:
        return "mixture: whether incidents are shared is decided once a replication, so no window is like another"
    heterogeneous = Heterogeneous.of(plan)
    if heterogeneous is not None:
        return f"{heterogeneous.what}: replications differ by more than their incidents"
    if too_long := why_under_way_longer(plan, _LONGEST_TAIL_S):
        return too_long
    declared_s, what = memory_s(plan)
    return _too_long(declared_s, what, request_rate_per_s(plan))


def windows(
    plans: Mapping[str, Plan],
    *,
    seconds: float | None = None,
    rounds: int | None = None,
    years: float | None = None,
    workers: Where = 1,
    objective: tuple[float, str] | None = None,
    progress: Callable[[float], None] | None = None,
    late: Callable[[int, float], None] | None = None,
    least_round: int = LEAST_ROUND,
    effort: WindowsEffort = USUAL,
) -> WindowsAnswer:
    """Figures of all arms. Raises Inapplicable, naming what remembers, where windows do not apply.

    Stops after `rounds`, or before a round that would not end within `seconds`. The same number of rounds gives the
    same figures for any number of workers. `objective` is an availability, and `month` or days such as `30d`.
    `least_round` is the number of requests that a round after the first simulates in each arm, or more.
    `effort` is how much is simulated before and in the first round.
    `late` is called with the number of windows of the first round and the seconds that it will take, where its first
    tenth tells that these are more than `seconds` leave.
    """
    started = time.perf_counter()
    for arm, plan in plans.items():
        against = why_not_windows(plan)
        if against:
            raise Inapplicable(f"{arm}: {against}")
    if rounds is not None and rounds < 1:
        raise DesError(f"rounds: at least 1, not {rounds}")
    tell = _Progress(progress, started, seconds if rounds is None else None, late)
    prepare(list(plans.values()), LOADED_FOR)
    with Workers(carried(window_task, plans.values()), workers, eager=False) as pool:
        budget = Budget(effort)
        groups = [_Group(dict(members), years, pool, tell, least_round, effort, budget) for members in _alike(plans)]
        done, after_s = 0, 0.0
        limit = rounds if rounds is not None else (ROUNDS if seconds is None else 1000)
        while done < limit:
            round_started, before = time.perf_counter(), sum(group.simulated for group in groups)
            for group in groups:
                group.sample()
            done += 1
            if seconds is None or rounds is not None:
                continue
            grown = sum(group.simulated for group in groups) - before
            per_request_s = (time.perf_counter() - round_started) / max(grown, 1)
            if done == 1 and time.perf_counter() - started < seconds:
                after_s = _figures_s(groups, objective) * len(plans)
            next_s = _SLOWER * per_request_s * sum(group.next_load() for group in groups)
            if time.perf_counter() - started + next_s + after_s > seconds:
                break
    samples = {arm: sample for group in groups for arm, sample in group.samples().items()}
    arms = {arm: _arm(samples[arm], objective) for arm in plans}
    return WindowsAnswer(
        arms=arms,
        differences=_differences({arm: samples[arm] for arm in plans}),
        years=min(group.population.years for group in groups),
        rounds=done,
        memory_s=max(group.population.memory_s for group in groups),
        remembers=max(groups, key=lambda group: group.population.memory_s).remembers,
        requests=sum(sample.simulated for sample in samples.values()),
        wall_s=time.perf_counter() - started,
    )


class _Progress:
    """Tells how far the time, or the rounds, have come, and once where the first round will not end in time."""

    def __init__(
        self,
        told: Callable[[float], None] | None,
        started: float,
        seconds: float | None,
        late: Callable[[int, float], None] | None,
    ) -> None:
        self._told, self._started, self._seconds, self._late = told, started, seconds, late

    def __call__(self, share: float) -> None:
        if self._told is None:
            return
        if self._seconds is not None:
            share = min(1.0, (time.perf_counter() - self._started) / self._seconds)
        self._told(share)

    def of_first_round(self, count: int) -> Callable[[float], None]:
        """Progress of the first round, which has so many windows and begins now."""
        began = time.perf_counter()

        def tell(share: float) -> None:
            self(share)
            if self._late is None or self._seconds is None or share < _PILOT:
                return
            takes_s = (time.perf_counter() - began) / share
            if began - self._started + takes_s > self._seconds:
                self._late(count, takes_s)
            self._late = None

        return tell


class _Group:
    """Arms that share a population and its sample, with a memory that has passed the tests in all of them."""

    def __init__(
        self,
        plans: Mapping[str, Plan],
        years: float | None,
        pool: "Workers[Any, Any]",
        told: _Progress,
        least_round: int,
        effort: WindowsEffort,
        budget: Budget,
    ) -> None:
        self.plans = plans
        self._effort, self._budget = effort, budget
        self._pool, self._told, self._least_round = pool, told, least_round
        plan = next(iter(plans.values()))
        self._years = default_years(plan, effort) if years is None else years
        declared_s, self.remembers = max(memory_s(each) for each in plans.values())
        memory = max(declared_s, _LEAST_MEMORY_S) if declared_s > 0.0 else 0.0
        self._most_s = memory * 2**_MOST_DOUBLINGS
        self._before = 0
        self.population, self.sampler = self._settled(memory, "the memory is too long")

    def _settled(self, memory: float, what: str) -> tuple[Population, Sampler]:
        """The population of this memory, or of the first of its doubles that is long enough in the test."""
        rate_per_s = max(request_rate_per_s(plan) for plan in self.plans.values())
        while memory <= self._most_s and not _too_long(memory, self.remembers, rate_per_s):
            tail_s = max(longest_walk_of_all_s(plan) for plan in self.plans.values())
            found = population(self.plans, self._years, memory, tail_s, self._effort)
            sampler = Sampler(found, self.plans, self._least_round, self._effort)
            too_many = sampler.last_uses.remembers_too_many()
            if too_many:
                raise Inapplicable(too_many)
            if memory <= 0.0:
                return found, sampler
            self._budget.take(pairs_of(sampler)[1] * len(self.plans), self.plans.values())
            verdict = compared(sampler, self._pool, self._told)
            if not verdict.what:
                return found, sampler
            what = verdict.what
            memory *= 2.0
        raise Inapplicable(
            f"metastable: {what}, so no window is long enough; by its settings {self.remembers} remembers longest"
        )

    def sample(self) -> None:
        """Another round, or the first one with a longer memory where recoveries turn out to outlast this one."""
        seen = len(self.sampler.sample.stratum)
        if not seen:
            self._budget.take(self.sampler.pilot_requests, self.plans.values())
        drawn = self.sampler.draw(self.sampler.next_round() if seen else self.sampler.pilot())
        self.sampler.run(drawn, self._pool, self._told if seen else self._told.of_first_round(len(drawn)))
        what = outlasts(self.sampler, seen, self._pool) if self.population.memory_s > 0.0 else ""
        if what:
            self._before += self.sampler.sample.simulated
            self.population, self.sampler = self._settled(2.0 * self.population.memory_s, what)
            self.sample()

    @property
    def simulated(self) -> int:
        """Also in samples given up."""
        return self._before + self.sampler.sample.simulated

    def next_load(self) -> float:
        """Requests of another round."""
        return self.sampler.load_of(self.sampler.next_round())

    def samples(self) -> dict[str, ArmSample]:
        return {
            arm: ArmSample(plan, number, self.population, self.sampler.sample)
            for number, (arm, plan) in enumerate(self.plans.items())
        }


def _too_long(memory: float, what: str, rate_per_s: float) -> str:
    load = memory * rate_per_s
    if load <= _MOST_LOAD:
        return ""
    return f"{what} remembers {_duration(memory)}, in which {load:,.0f} requests come: too many before each window"


def _duration(seconds: float) -> str:
    for unit_s, unit in ((DAY_S, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2.0 * unit_s:
            return f"{seconds / unit_s:,.3g} {unit}"
    return f"{seconds:,.3g} s"


def _alike(plans: Mapping[str, Plan]) -> list[list[tuple[str, Plan]]]:
    """Arms by what their population depends on, each group in the order of the arms."""
    keys: list[Any] = []
    numbered = []
    for arm, plan in plans.items():
        key = (
            plan.components,
            plan.seed,
            plan.shared,
            plan.start_up,
            plan.horizon_s,
            plan.workload.arrivals.weekly,
            tuple((endpoint.provider, endpoint.model, endpoint.component) for endpoint in plan.endpoints),
        )
        if key not in keys:
            keys.append(key)
        numbered.append((keys.index(key), arm, plan))
    numbered.sort(key=lambda each: each[0])
    return [[(arm, plan) for _, arm, plan in members] for _, members in groupby(numbered, key=lambda each: each[0])]


def _figures_s(groups: Sequence["_Group"], objective: tuple[float, str] | None) -> float:
    """How long the figures of one arm take, which follow the last round."""
    began = time.perf_counter()
    _arm(next(iter(groups[0].samples().values())), objective)
    return time.perf_counter() - began


def _arm(sample: ArmSample, objective: tuple[float, str] | None) -> ArmWindows:
    chance = None
    if objective is not None:
        target, length = objective
        chance = meeting(sample, months_of(sample.population, length, sample.plan.start), target)
    names = state_names(sample.population, sample.plan)
    return ArmWindows(
        figures=figures(sample),
        lost=lost_share(sample),
        objective=chance,
        segments=sample.draws,
        requests=sample.simulated,
        unseen=_unseen(sample),
        by_state=tuple(
            StateLosses(names[number], requests, lost, int(sample.n[number]))
            for number, requests, lost in by_state(sample)
        ),
        uncalled=tuple(leg.name for leg in sample.plan.chain if leg.index not in sample.called),
        losing=int(np.count_nonzero(sample.values[:, LOST])),
        lost_requests=int(sample.values[:, LOST].sum()),
        latency=sample.latency_shape(),
        cost=sample.cost_shape(),
    )


def _differences(samples: Mapping[str, ArmSample]) -> dict[str, dict[str, Estimate]]:
    """Of each arm less the first."""
    (_, first), *others = samples.items()
    found: dict[str, dict[str, Estimate]] = {}
    for arm, other in others:
        lost = first.lost(), other.lost()
        heaviest = max(each.heaviest(each.sums(2)) for each in (first, other))
        one = first.ratio(first.sums(COST, PROBE_COST), first.sums(REQUESTS))
        two = other.ratio(other.sums(COST, PROBE_COST), other.sums(REQUESTS))
        found[arm] = {"lost": difference(first, other, lost, heaviest)}
        served = found[arm]["lost"]
        assert served.low is not None
        assert served.high is not None
        found[arm]["availability"] = Estimate(-served.known, -served.high, -served.low, served.n, WINDOWS)
        if one is not None and two is not None:
            found[arm]["cost_usd_per_request"] = difference(first, other, (one, two))
    return found


def _unseen(sample: ArmSample) -> tuple[Unseen, ...]:
    """Classes of incidents that reach the chain in the drawn years and that no simulated request met."""
    plan, drawn = sample.plan, sample.population
    chain = sorted({leg.endpoint for leg in plan.chain})
    counts: dict[tuple[int, int], list[float]] = {}
    effects = drawn.pieces[0].effects if drawn.pieces else ()
    for timeline in drawn.pieces:
        reach = timeline.hits[:, chain].any(axis=1)
        pairs = timeline.component * len(timeline.effects) + timeline.effect
        spans_s = np.maximum(
            np.minimum(timeline.end_s, drawn.until_s) - np.maximum(timeline.start_s, drawn.from_s), 0.0
        )
        for pair in np.unique(pairs[reach & (spans_s > 0.0)]).tolist():
            of = reach & (pairs == pair) & (spans_s > 0.0)
            found = counts.setdefault(divmod(pair, len(timeline.effects)), [0.0, 0.0])
            found[0] += float(np.count_nonzero(of))
            found[1] += float(spans_s[of].sum())
    unseen = []
    for (component, effect), (count, open_s) in sorted(counts.items()):
        if (component, effect) in sample.met:
            continue
        classes = plan.components[component].incidents
        number = next((n for n, each in enumerate(classes) if effects[effect] in each.every_effect), 0)
        total_s = drawn.years * YEAR_S
        unseen.append(Unseen(plan.components[component].name, number, count / drawn.years, open_s / total_s))
    return tuple(unseen)
