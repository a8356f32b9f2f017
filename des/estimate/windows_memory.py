"""Whether the declared memory is enough: runs that saw an earlier past must look like runs that did not.

After a change point c, one run that began a memory M before it goes on to c + 3M and beyond. Another begins afresh at
c, a third at c + 2M. Where M is enough, the first and the second are alike in the spell after c + M, the first and the
third in the spell after c + 3M: what they have not in common is forgotten. All three see the same incidents, at the
same place in time, with draws of their own. The differences are tested change point by change point.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from des.draws import generator
from des.estimate.windows_population import STEADY, Population
from des.estimate.windows_sample import Sampler
from des.estimate.windows_segments import ATTEMPTS, LATENCY_S, LIMITED, LOST, OK, REQUESTS, Window, tallies
from des.faults.intervals import FloatArray
from des.pool import Report, Workers
from des.scenario.plan import Plan

_PAIRS: Final = (12, 40)
"""Change points looked at, over all strata of transients: at least and at most."""
_PAIRS_REQUESTS: Final = 40_000.0
"""To be simulated for the test of an arm."""
_FEWEST: Final = 4
"""In a stratum, as far as the pairs go."""
_SPELL: Final = 0.25
"""Of the memory: how long the spells are that are compared."""
_LATER: Final = (1.0, 3.0)
"""Memories after the change point at which the spells begin."""
LEVEL: Final = 1e-4
"""Of each test, over all metrics and strata of an arm together."""
_SMALL: Final = 0.01
"""A difference of shares below this does not matter, whatever its significance."""
METRICS: Final = ("losses", "attempts a request", "the rate-limited share", "mean latency")

_Task = tuple[tuple[Plan, ...], tuple[Window, Window, Window], tuple[tuple[float, float], tuple[float, float]]]
_Pair = list[tuple[FloatArray, FloatArray]]
"""(with an earlier past, afresh) sums over a spell, for each of the two spells."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """Why the memory is not enough: what differs, by how much, and in which arm; `untested` where nothing could be."""

    what: str = ""
    untested: bool = False


def compared(sampler: Sampler, workers: int, told: Callable[[float], None]) -> Remembered:
    """Nothing in `what` where the runs look alike."""
    load = sampler.rate_per_s * sampler.population.memory_s * (_LATER[-1] + 3.0 * (1.0 + _SPELL))
    fewest, most = _PAIRS
    tasks, strata = _tasks(sampler, round(min(max(_PAIRS_REQUESTS / load, fewest), most)))
    if not tasks:
        return Remembered(untested=True)
    done: list[list[_Pair]] = []
    with Workers(compare_task, workers) as pool:
        for result in pool.map(tasks):
            done.append(result)
            told(len(done) / len(tasks))
    for arm, name in enumerate(sampler.plans):
        by_pair = [pair[arm] for pair in done]
        for spell, later in enumerate(_LATER):
            saw = np.array([pair[spell][0] for pair in by_pair])
            afresh = np.array([pair[spell][1] for pair in by_pair])
            what = _differs(saw, afresh, np.array(strata))
            if what:
                return Remembered(f"{what} {later * sampler.population.memory_s:,.0f} s after a change, in arm {name}")
    return Remembered()


def compare_task(task: _Task, report: Report | None = None) -> list[_Pair]:
    """By arm."""
    plans, (saw, afresh, later), spells = task
    found = []
    for plan in plans:
        one = tallies(plan, saw, spells)
        two = [tallies(plan, window, (spell,))[0] for window, spell in zip((afresh, later), spells, strict=True)]
        found.append([(_figures(a.values), _figures(b.values)) for a, b in zip(one, two, strict=True)])
    return found


def _figures(values: FloatArray) -> FloatArray:
    return values[[REQUESTS, LOST, ATTEMPTS, LIMITED, OK, LATENCY_S]]


def _tasks(sampler: Sampler, pairs: int) -> tuple[list[_Task], list[int]]:
    """Change points with a stretch after them that is long enough, as evenly over the strata as there are any."""
    population = sampler.population
    memory_s = population.memory_s
    needed_s = memory_s * (_LATER[-1] + _SPELL)
    chosen: list[tuple[int, int]] = []
    segments = population.segments
    strata = [number for number, each in enumerate(population.strata) if each.kind != STEADY]
    each = max(_FEWEST, pairs // max(1, len(strata)))
    for stratum in sorted(strata, key=lambda number: (-_clear(population, number), number)):
        of = np.flatnonzero(segments.stratum == stratum)
        of = of[segments.end_s[of] - segments.start_s[of] >= memory_s * (1.0 - 1e-9)]
        following = np.minimum(of + 1, len(segments.start_s) - 1)
        same = (segments.start_s[following] == segments.end_s[of]) & (segments.piece[following] == segments.piece[of])
        length_s = segments.end_s[following] - segments.start_s[of]
        of = of[same & (length_s >= needed_s)]
        rng = generator(next(iter(sampler.plans.values())).seed, 0, f"estimate/windows/memory\x1f{stratum}")
        few = min(each, pairs - len(chosen), len(of))
        if few > 0:
            chosen += [(stratum, int(segment)) for segment in rng.choice(of, few, replace=False)]
    tasks = []
    plans = tuple(sampler.plans.values())
    for number, (stratum, segment) in enumerate(chosen):
        change_s, piece = float(segments.start_s[segment]), int(segments.piece[segment])
        spells = tuple((change_s + later * memory_s, change_s + (later + _SPELL) * memory_s) for later in _LATER)
        saw = sampler.between(
            stratum,
            number,
            piece,
            spells[0][0],
            spells[1][1],
            warm_up_s=spells[0][0] - change_s + memory_s,
            purpose="memory",
        )
        afresh, later = (
            sampler.between(stratum, number, piece, *spell, purpose=f"afresh {nth}") for nth, spell in enumerate(spells)
        )
        tasks.append((plans, (saw, afresh, later), (spells[0], spells[1])))
    return tasks, [stratum for stratum, _ in chosen]


def _clear(population: Population, number: int) -> bool:
    stratum = population.strata[number]
    return stratum.down == 0 and stratum.impaired == 0


def _differs(saw: FloatArray, afresh: FloatArray, strata: NDArray[np.int64]) -> str:
    """The first metric that differs, over all pairs or in one stratum; empty if none does."""
    requests = np.minimum(saw[:, 0], afresh[:, 0])
    kept = requests > 0
    groups = [kept] + [kept & (strata == stratum) for stratum in np.unique(strata)]
    tests = len(METRICS) * len(groups)
    for metric, name in enumerate(METRICS):
        one, two = _of_metric(saw, metric), _of_metric(afresh, metric)
        scale = max(1.0, float(np.nanmean(two))) if metric in (1, 3) and np.isfinite(two).any() else 1.0
        for group in groups:
            apart = (one - two)[group]
            apart = apart[np.isfinite(apart)] / scale
            if len(apart) >= _FEWEST and abs(float(apart.mean())) > _SMALL and _p_value(apart) < LEVEL / tests:
                low, high = float(np.nanmean(two[group])), float(np.nanmean(one[group]))
                return f"{name} still remember the past ({high:.3g} against {low:.3g})"
    return ""


def _of_metric(sums: FloatArray, metric: int) -> FloatArray:
    """By pair; NaN where there is none."""
    part, whole = ((1, 0), (2, 0), (3, 2), (5, 4))[metric]
    whole_of = sums[:, whole]
    found: FloatArray = np.where(whole_of > 0.0, sums[:, part] / np.maximum(whole_of, 1.0), math.nan)
    return found


def _p_value(apart: Sequence[float] | FloatArray) -> float:
    """Two-sided, of Student's t on paired differences."""
    from scipy.special import stdtr

    values = np.asarray(apart, dtype=np.float64)
    spread = float(values.std(ddof=1))
    if spread <= 0.0:
        return 0.0 if values.any() else 1.0
    t = abs(float(values.mean())) / spread * math.sqrt(len(values))
    return 2.0 * float(stdtr(len(values) - 1, -t))
