"""About how long a command will take and how much it will write, measured within a second or so before it begins.

Ever larger parts of the actual work are done, for a fraction of a second, and the times of the last two extrapolated.
The engine is the one that the work itself will have.
Times are of the processor, so that other work on the machine makes no difference. `des explain` measures more carefully
(`explanation.py`).
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from des.compiled import SIMPY, using
from des.disk import free_bytes
from des.errors import DesError
from des.estimate import rare, timeline
from des.estimate.availability import Choice, choose, years_for
from des.estimate.estimate import RARE, REQUEST_LEVEL, TIMELINE
from des.estimate.joint_figures import DrawnIncidents, horizons_of, long_run_years
from des.pool import Where, processors
from des.scenario import Loaded
from des.scenario.plan import Plan
from des.scenario.text.units import YEAR_S
from des.study.arms import compared_arms, same_arms
from des.study.options import Forecast
from des.study.study import Study
from des.study.trial import Trial, busier, size_of, trial
from des.traces.levels import NONE, TraceLevel

_LONG_S: Final = 0.25
"""No larger part is measured when it is expected to take longer."""
_TOO_LONG_S: Final = 1.0
"""Nothing larger than the smallest part is measured where that takes so long."""
_IN_ALL_S: Final = 1.0
"""When so much is measured, the arms and points that are left are taken to be like those before."""
_FEW: Final = 20_000.0
"""Requests and incidents that take a few seconds at most: nothing is measured for them."""
_REQUESTS: Final = (20.0, 150.0, 1_000.0, 5_000.0, 50_000.0, 200_000.0)
_FEW_REQUESTS: Final = (1_000.0, 5_000.0)
"""SimPy simulates them in less than a second."""
_CLEARLY: Final = 2.0
"""How many times what is free a size must be that was measured on few requests."""
_SHARES: Final = (1 / 256, 1 / 64, 1 / 16, 1 / 4, 1.0)
"""Of an estimator's equal parts, or of the horizons of drawn incidents."""


@dataclass(slots=True)
class _Clock:
    """Processor time since it was made."""

    started_s: float

    @property
    def is_over(self) -> bool:
        return time.process_time() - self.started_s > _IN_ALL_S


def of_run(study: Study, workers: Where, finished: int = 0, target: Path | None = None) -> Forecast:
    """The forecast of a run of which `finished` replications are kept."""
    return of_runs([study], workers, finished, target)


def of_runs(studies: Sequence[Study], workers: Where, finished: int = 0, target: Path | None = None) -> Forecast:
    """The forecast of several runs, of which the replications `finished` are left out. They go to below `target`."""
    clock = _Clock(time.process_time())
    simulating_s, after_s, size, measured = 0.0, 0.0, 0.0, 0
    parts = sum(map(_parts, studies))
    for number in _spread(len(studies)) if sum(map(_events, studies)) >= _FEW else ():
        if measured and clock.is_over:
            break
        study = studies[number]
        study.prepare()
        one = _study_parts(study, clock)
        simulating_s += one.replication_s * study.first_replications
        size += one.size * study.first_replications
        after_s += one.comparing_s
        measured += 1
    scale = len(studies) / measured if measured else 0.0
    left = (parts - finished) / parts if parts else 0.0
    processes = max(1, min(processors(workers), parts - finished))
    comparing = 1 if len(studies) == 1 else processes
    return Forecast(
        seconds=scale * (simulating_s * left / processes + after_s / comparing),
        finished=finished,
        replications=parts,
        processes=processes,
        at_least=any(study.precision is not None for study in studies),
        size=scale * size * left,
        free=None if target is None else free_bytes(target),
    )


def too_large(studies: Sequence[Study], workers: Where, target: Path, finished: int = 0) -> Forecast | None:
    """The forecast, without its time, of runs that the engine is compiled for and that will not fit below `target`.

    None of others. SimPy measures their size, for the rows are the same: nobody is to wait for a run that is refused.
    A size that is known from few requests counts where it is far above what is free.
    """
    free = free_bytes(target)
    if free is None or not any(study.compiles_first for study in studies):
        return None
    clock = _Clock(time.process_time())
    size, measured = 0.0, 0
    with using(SIMPY):
        for number in _spread(len(studies)):
            if measured and clock.is_over:
                break
            size += _size(studies[number], clock)
            measured += 1
    parts = sum(map(_parts, studies))
    size *= len(studies) / measured * (parts - finished) / parts
    if size < _CLEARLY * free:
        return None
    return Forecast(
        seconds=0.0,
        untimed=True,
        finished=finished,
        replications=parts,
        processes=max(1, min(processors(workers), parts - finished)),
        at_least=any(study.precision is not None for study in studies),
        size=size,
        free=free,
    )


def _size(study: Study, clock: _Clock) -> float:
    """Bytes of the traces of all arms and replications, from the first few requests."""
    size, measured = 0.0, 0
    copies = Counter(same_arms(study.plans).values())
    plans = _simulated(study)
    for plan in plans:
        if measured and clock.is_over:
            break
        measured += 1
        horizon_s = _horizons_s(plan)
        trials = [trial(plan, horizon_s(count), study.traces) for count in _FEW_REQUESTS]
        size += size_of(trials, plan) * (1 + copies[plan.arm])
    return size * len(plans) / measured * study.first_replications


def _spread(number: int) -> list[int]:
    """The first, the middle one, ..."""
    return sorted(range(number), key=lambda each: f"{each:016b}"[::-1])


def of_availability(loaded: Loaded, years: float | None, estimator: str | None, workers: Where) -> Forecast:
    """The forecast of the availability of all arms, the built-in ones included."""
    clock = _Clock(time.process_time())
    arms, _ = compared_arms(loaded)
    same = same_arms(arms)
    each_s: list[float] = []
    different = [plan for arm, plan in arms.items() if arm not in same]
    for plan in different:
        if each_s and clock.is_over:
            break
        drawn = years_for(plan, years)
        choice = choose(plan, drawn)
        each_s.append(_estimator_s(plan, choice, estimator or choice.estimator, drawn, workers))
    return Forecast(
        seconds=sum(each_s) * len(different) / len(each_s) if each_s else 0.0, processes=processors(workers)
    )


def of_replications(plans: Sequence[Plan], replications: int, workers: Where) -> Forecast:
    """The forecast of `replications` of each plan, at least two, all of them side by side."""
    clock = _Clock(time.process_time())
    each_s: list[float] = []
    for plan in plans:
        if each_s and clock.is_over:
            break
        each_s.append(_replication(plan, NONE)[0])
    parts = replications * len(plans)
    processes = max(1, min(processors(workers), parts))
    return Forecast(seconds=parts * sum(each_s) / len(each_s) / processes, processes=processes, replications=parts)


def _parts(study: Study) -> int:
    return study.first_replications * len(_simulated(study))


def _simulated(study: Study) -> list[Plan]:
    same = same_arms(study.plans)
    return [plan for arm, plan in study.plans.items() if arm not in same]


def _events(study: Study) -> float:
    """Requests and incidents to be expected; infinitely many where only a simulation tells."""
    found = 0.0
    for plan in _simulated(study):
        requests = plan.workload.arrivals.expected_requests(plan.horizon_s)
        found += (_FEW if requests is None else requests) + _incidents_per_s(plan) * plan.horizon_s
    return found * study.first_replications


def _incidents_per_s(plan: Plan) -> float:
    return timeline.incidents_per_year(plan) / YEAR_S


@dataclass(frozen=True, slots=True)
class _Parts:
    """Seconds and bytes of one replication of every arm, and the seconds of what a comparison does after them."""

    replication_s: float
    comparing_s: float
    size: float


def _study_parts(study: Study, clock: _Clock) -> _Parts:
    replication_s: list[float] = []
    comparing_s: list[float] = []
    sizes: list[float] = []
    copies = Counter(same_arms(study.plans).values())
    plans = _simulated(study)
    for plan in plans:
        if replication_s and clock.is_over:
            break
        seconds, size = _replication(plan, study.traces)
        replication_s.append(seconds)
        sizes.append(size * (1 + copies[plan.arm]))
        comparing_s.append(_comparing_s(plan) if study.comparison else 0.0)
    scale = len(plans) / len(replication_s)
    return _Parts(scale * sum(replication_s), scale * sum(comparing_s), scale * sum(sizes))


def _replication(plan: Plan, level: TraceLevel) -> tuple[float, float]:
    """(seconds, bytes) of one replication with its traces."""
    trials: list[Trial] = []
    horizon_s = _horizons_s(plan)
    seconds = _extrapolated(
        lambda length_s: trials.append(trial(plan, length_s, level)),
        [horizon_s(count) for count in _REQUESTS],
        plan.horizon_s,
    )
    return seconds * busier(trials, plan), size_of(trials, plan)


def _horizons_s(plan: Plan) -> Callable[[float], float]:
    """The seconds in which this many requests arrive, or incidents begin."""
    per_s = _incidents_per_s(plan)

    def horizon_s(count: float) -> float:
        with_incidents = count / per_s if per_s > 0.0 else plan.horizon_s
        return min(plan.workload.arrivals.time_for_s(count, plan.horizon_s), with_incidents)

    return horizon_s


def _comparing_s(plan: Plan) -> float:
    """Of the long-run figures of an arm."""
    try:
        years = long_run_years(plan)
        choice = choose(plan, years)
        horizons, horizon_s = horizons_of(plan)
    except DesError:  # which the command reports itself
        return 0.0

    def draw(some: float) -> None:
        DrawnIncidents.some(plan, max(1, round(some)), horizon_s)

    drawing_s = _extrapolated(draw, [max(1.0, share * horizons) for share in _SHARES], float(horizons))
    return drawing_s + _estimator_s(plan, choice, choice.estimator, years, 1)


def _estimator_s(plan: Plan, choice: Choice, estimator: str, years: float, workers: Where) -> float:
    """Of an estimator of availability, on the processes of `workers`."""
    if estimator == TIMELINE and choice.estimator != REQUEST_LEVEL:
        parts = timeline.one_part(plan, years)[1]
        one_s = _extrapolated(lambda share: timeline.one_part(plan, years, share=share)[0](), _SHARES, 1.0)
        return parts * one_s / max(1, processors(workers))
    if estimator == RARE and choice.estimator != REQUEST_LEVEL:
        parts = rare.one_part(plan)[1]
        return parts * _extrapolated(lambda share: rare.one_part(plan, share=share)[0](), _SHARES, 1.0)
    return 0.0


def _extrapolated(work: Callable[[float], object], sizes: Sequence[float], whole: float) -> float:
    """Seconds of `work(whole)`, where time is taken to be linear in the size beyond what every size takes."""
    fixed_s, slope_s, before_size, before_s = 0.0, 0.0, 0.0, 0.0
    for number, size in enumerate(sorted({min(size, whole) for size in sizes})):
        if number > 1 and fixed_s + slope_s * size > _LONG_S:
            break
        took_s = _taken_s(work, size)
        if number == 0 and took_s < _TOO_LONG_S:
            took_s = min(took_s, _taken_s(work, size))  # the first time includes imports
        if size >= whole:
            return took_s
        if number == 0 or took_s > _LONG_S:
            slope_s = 0.5 * took_s / size
        if number > 0:
            slope_s = max(slope_s if took_s > _LONG_S else 0.0, (took_s - before_s) / (size - before_size))
        fixed_s = max(0.0, took_s - slope_s * size)
        before_size, before_s = size, took_s
        if took_s > (_LONG_S if number else _TOO_LONG_S):
            break
    return fixed_s + slope_s * whole


def _taken_s(work: Callable[[float], object], size: float) -> float:
    started_s = time.process_time()
    work(size)
    return time.process_time() - started_s
