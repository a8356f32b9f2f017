"""The best few are simulated, replication by replication, until one wins.

Where requests do not depend on each other, a replication is a block of drawn years that all finalists share, walked as
in the screen but with more requests. Where they do (limits, guards, queues, hedges), it is a replication of `des run`:
every request of the horizon, with the same arrivals, incidents and draws for every finalist. What a horizon is too
short to meet is then taken from the walk, see `Simulator`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from des.compiled import carried, prepare
from des.estimate.availability import choose
from des.estimate.common_incidents import CommonIncidents, why_only_simulated
from des.estimate.estimate import EXACT, REQUEST_LEVEL, TIMELINE, Estimate
from des.estimate.interaction import relieved
from des.estimate.intervals import students_t
from des.estimate.selection import FIRST, Selection, Zone
from des.estimate.timeline import incidents_per_year
from des.pool import Report, Where, Workers
from des.scenario.checks.aims import OPTIMISABLE
from des.study.optimising.aim import LOST, Aim
from des.study.optimising.screening import Figures, Task, Walker
from des.study.optimising.searching import Screened
from des.study.optimising.space import AS_WRITTEN, Candidate, Space
from des.study.replication import Part, Replicator

FINALISTS: Final = 12
MOST_REPLICATIONS: Final = 400
SAMPLES: Final = 4_096
"""Requests walked for each finalist in a replication."""
_BATCH: Final = 4
"""Replications between two looks; a fixed number, so that the result is the same for any number of processes."""
_FEW_BESIDE: Final = 4
"""Candidates simulated for the front alone where that takes every request."""
_LONG_RUN: Final = 4
"""Blocks walked for the share lost in the long run."""
_BEYOND: Final = 1 << 20
"""Numbers of blocks from here on are those of no replication."""
_WITHIN_REACH: Final = 5.0
"""A finalist's aim in the screen is worse than the best one's by at most this multiple of the indifference."""
_NEARLY: Final = 0.5
"""A candidate that misses its bounds by less, as a share of them, in the screen may keep them."""


@dataclass(frozen=True, slots=True)
class Simulator:
    """Replications of `des run` of candidates.

    `lost` is the share that each loses in the long run as walked. A replication meets few incidents, and few of them
    may be all. So its own share is moved by what the walk loses in the long run, less what it loses along this
    replication's own incidents: a control variate with a coefficient of 1, which changes no expectation. Without `lost`
    it is as simulated.
    """

    space: Space
    lost: Mapping[Candidate, float] = field(default_factory=dict)

    def __call__(self, task: Task, report: Report | None = None) -> list[Figures | str]:
        found: list[Figures | str] = []
        for candidate in task.candidates:
            plan = self.space.plan(candidate)
            outcome = Replicator({plan.arm: plan}, None, "{}")(Part(plan.arm, task.number), report)
            figures = figures_of(outcome.observed.metrics)
            if candidate in self.lost:
                along = CommonIncidents(plan, task.number, SAMPLES, of_replication=True).figures(plan)
                figures = _with_lost(figures, figures[LOST] + self.lost[candidate] - along[LOST])
            found.append(figures)
        return found


def _with_lost(figures: Figures, lost: float) -> Figures:
    """The share may be below 0 in a replication; its mean is right."""
    return {**figures, LOST: lost, "availability": 1.0 - lost}


def figures_of(metrics: Mapping[str, Any]) -> Figures:
    """The metrics of a replication that candidates are told apart by; NaN where there is none."""
    served = metrics["availability"]
    of = {**metrics, "failure_share": None if served is None else 1.0 - served}
    return {metric: math.nan if of[metric] is None else float(of[metric]) for metric in OPTIMISABLE}


@dataclass(slots=True)
class Selected:
    """The finalists and what their replications gave, in the order of the replications.

    `best` is None where no finalist keeps its bounds. `decided` says whether the procedures came to an end, else `best`
    leads after all replications. `beside` were replicated at first for the front
    alone. `why_simulated` is empty where replications are blocks of drawn years. `exact` has the
    share lost of those of which it is known exactly.
    """

    finalists: tuple[Candidate, ...]
    replications: int
    best: Candidate | None
    decided: bool
    why_simulated: tuple[str, ...]
    within_reach: int
    figures: dict[Candidate, list[Figures]] = field(default_factory=dict)
    beside: tuple[Candidate, ...] = ()
    infeasible: tuple[Candidate, ...] = ()
    exact: dict[Candidate, float] = field(default_factory=dict)

    @property
    def estimator(self) -> str:
        return REQUEST_LEVEL if self.why_simulated else TIMELINE

    def mean(self, candidate: Candidate, first: int | None = None) -> Figures:
        """Over the replications, or the `first` of them, which every candidate has in common."""
        rows = self.figures[candidate][:first]
        found = {metric: math.fsum(row[metric] for row in rows) / len(rows) for metric in OPTIMISABLE}
        return _with_lost(found, _share(found[LOST]))

    def estimate(self, candidate: Candidate, metric: str) -> Estimate:
        """With Student's interval over the replications; exact where it is."""
        if metric in ("availability", LOST) and candidate in self.exact:
            lost = Estimate(self.exact[candidate], estimator=EXACT)
            return lost if metric == LOST else lost.complement()
        found = estimate_of([row[metric] for row in self.figures[candidate]], self.estimator)
        if metric not in ("availability", LOST) or found.mean is None:
            return found
        low, high = (None if end is None else _share(end) for end in (found.low, found.high))
        return replace(found, mean=_share(found.mean), low=low, high=high)


def _share(value: float) -> float:
    """A control variate may leave [0, 1]; a NaN stays."""
    return value if math.isnan(value) else min(1.0, max(0.0, value))


def estimate_of(values: Sequence[float], estimator: str) -> Estimate:
    """The mean of replications; without a mean where one of them has none."""
    if not all(map(math.isfinite, values)):
        return Estimate(None, n=len(values), estimator=estimator)
    found = students_t(values)
    return Estimate(found.value, found.low, found.high, len(values), estimator)


def finalists_of(space: Space, screened: Screened, aim: Aim, first: Sequence[Candidate]) -> tuple[list[Candidate], int]:
    """(the candidates of the space to simulate, how many are within reach); those of `first` that belong to it lead.

    Within reach are those that keep their bounds in the screen, or nearly, and whose aim is close to that of the best
    that keeps them. Without one that keeps them, those that miss them by the least.
    """
    figures = {candidate: of for candidate, of in screened.figures.items() if space.has(candidate)}
    leading = [candidate for candidate in first if candidate in figures]
    kept = {candidate for candidate, of in figures.items() if aim.feasible(of, tolerant=True)}
    if not kept:
        near = sorted(figures, key=lambda each: (aim.excess(figures[each]), each))
        return list(dict.fromkeys([*leading, *near]))[:FINALISTS], len(near)
    value = {candidate: aim.of(of) for candidate, of in figures.items()}
    least = min(value[candidate] for candidate in kept)
    reach = least + _WITHIN_REACH * aim.indifference * abs(least)
    good = sorted((each for each in kept if value[each] <= reach), key=lambda each: (value[each], each))
    missing = [each for each in figures if each not in kept and value[each] <= reach]
    nearly = [each for each in missing if aim.excess(figures[each]) <= _NEARLY]
    nearly.sort(key=lambda each: (aim.excess(figures[each]), value[each], each))
    before = good[: FINALISTS - min(len(nearly), FINALISTS // 3)]
    chosen = list(dict.fromkeys([*leading, *before, *nearly, *good]))[:FINALISTS]
    return chosen, len({*good, *nearly, *leading})


def zone_of(aim: Aim, screened: Screened, finalists: Sequence[Candidate]) -> Zone:
    """The indifference in the aim's unit, fixed by the screen before anything is simulated."""
    of = [screened.figures[candidate] for candidate in finalists]
    values = [aim.of(each) for each in of if aim.feasible(each, tolerant=True)] or [aim.of(each) for each in of]
    least = min((abs(value) for value in values if math.isfinite(value)), default=1.0)
    close = max(aim.indifference * least, 1e-12)
    return Zone(indifference=close, tolerances=tuple(aim.tolerance * bound.scale for bound in aim.bounds))


def why_simulated(space: Space, finalists: Sequence[Candidate]) -> tuple[str, ...]:
    """Why replications must be those of `des run`: what makes requests of any finalist depend on each other."""
    found: dict[str, None] = {}
    for candidate in finalists:
        plan, _ = relieved(space.plan(candidate))
        found |= dict.fromkeys(why_only_simulated(plan))
    return tuple(found)


def select(
    space: Space,
    aim: Aim,
    screened: Screened,
    finalists: Sequence[Candidate],
    within_reach: int,
    *,
    beside: Sequence[Candidate] = (),
    workers: Where,
    most: int = MOST_REPLICATIONS,
    tell: Callable[[float, str], None] | None = None,
) -> Selected:
    """Simulate the finalists until one has won, or `most` replications are made. The same for any number of workers.

    Those `beside` are simulated in the first replications only, for their figures.
    """
    order = tuple(finalists)
    reasons = why_simulated(space, order)
    others = tuple(each for each in beside if each not in order)[: _FEW_BESIDE if reasons else None]
    exact = {} if reasons else _exactly_lost(space, (*order, *others))
    selection = Selection(len(order), zone_of(aim, screened, order))
    found: dict[Candidate, list[Figures]] = {candidate: [] for candidate in (*order, *others)}
    walker = Walker(space, SAMPLES)
    job: Callable[[Task, Report | None], list[Figures | str]] = walker
    if reasons:
        job = Simulator(space, _lost_in_the_long_run(walker, [*found], workers))
        plans = [space.plan(candidate) for candidate in found]
        prepare(plans, FIRST * sum(plan.workload.arrivals.expected_requests(plan.horizon_s) or 0.0 for plan in plans))
        job = carried(job, plans)
    with Workers[Task, list[Figures | str]](job, workers) as pool:
        while wanted := _wanted(selection, max(most, FIRST)):
            begins = not selection.replications
            candidates = [*(order[each] for each in wanted), *(others if begins else ())]
            count, first = FIRST if begins else _BATCH, selection.replications + 1
            for rows in _replications(pool, candidates, first, count, apart=bool(reasons)):
                if selection.replications >= FIRST and not selection.running:
                    break
                told = rows | {each: _with_lost(rows[each], exact[each]) for each in candidates if each in exact}
                left = [order[each] for each in selection.running] if selection.replications >= FIRST else candidates
                for candidate in left:
                    found[candidate].append(told[candidate])
                selection.observe({each: _observed(aim, told[order[each]]) for each in wanted})
            if tell is not None:
                left_over = len(selection.running)
                tell(1.0 - left_over / (len(order) + 1.0), f"{left_over} of {len(order)} left")
    if selection.running:
        selection.conclude()
    best = selection.best if selection.best is not None else selection.leading
    return Selected(
        finalists=order,
        replications=selection.replications,
        best=None if best is None else order[best],
        decided=not selection.running,
        why_simulated=reasons,
        within_reach=within_reach,
        figures={candidate: rows for candidate, rows in found.items() if rows},
        beside=others,
        infeasible=tuple(order[each] for each in selection.infeasible),
        exact=exact,
    )


def _lost_in_the_long_run(walker: Walker, candidates: Sequence[Candidate], workers: Where) -> dict[Candidate, float]:
    """The share that each candidate loses as walked; empty where no incident comes at random."""
    if not any(incidents_per_year(walker.space.plan(candidate)) > 0.0 for candidate in candidates):
        return {}
    tasks = [Task(_BEYOND + number, tuple(candidates)) for number in range(_LONG_RUN)]
    with Workers[Task, list[Figures | str]](walker, workers) as pool:
        blocks = list(pool.map(tasks))
    found = {}
    for place, candidate in enumerate(candidates):
        rows = [block[place] for block in blocks]
        found[candidate] = math.fsum(row[LOST] for row in rows if not isinstance(row, str)) / len(rows)
    return found


def _wanted(selection: Selection, most: int) -> tuple[int, ...]:
    """The systems to replicate next: all in the first replications, then those that are running."""
    if not selection.replications:
        return tuple(range(selection.systems))
    return selection.running if selection.replications < most else ()


def _observed(aim: Aim, figures: Figures) -> tuple[float, list[float]]:
    return aim.of(figures), [bound.miss(figures) for bound in aim.bounds]


def _replications(
    pool: "Workers[Task, list[Figures | str]]", candidates: Sequence[Candidate], first: int, count: int, *, apart: bool
) -> list[dict[Candidate, Figures]]:
    """Consecutive replications of the candidates, from number `first`; `apart` makes each a task of its own."""
    several = [(candidate,) for candidate in candidates] if apart else [tuple(candidates)]
    tasks = [Task(number, of) for number in range(first, first + count) for of in several]
    rows: list[dict[Candidate, Figures]] = [{} for _ in range(count)]
    for task, figures in zip(tasks, pool.map(tasks), strict=True):
        for candidate, of in zip(task.candidates, figures, strict=True):
            assert not isinstance(of, str)  # its plan was made in the screen
            rows[task.number - first][candidate] = of
    return rows


def _exactly_lost(space: Space, candidates: Sequence[Candidate]) -> dict[Candidate, float]:
    """The share lost of those of which it has a closed form."""
    found = {}
    for candidate in candidates:
        choice = choose(space.plan(candidate))
        if choice.estimator == EXACT and choice.exact is not None and choice.exact.lost is not None:
            found[candidate] = choice.exact.lost
    return found


def as_written(space: Space) -> Candidate:
    return Candidate(AS_WRITTEN, space.written())
