"""Whether the declared memory is enough: runs that saw an earlier past must look like runs that did not.

After a change point c, or an instant of quiet time, one run that began a memory M before it goes on to c + 3M and
beyond. Another begins afresh at c, a third at c + 2M. Where M is enough, the first and the second are alike in the
spell after c + M, the first and the third in the spell after c + 3M: what they have not in common is forgotten. Where
the state changes before the later spell, there is the earlier alone. All see the same incidents, at the same place in
time, with draws of their own. The differences are tested over all instants and for each kind of them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.draws import generator
from des.estimate.windows_population import STEADY, Stratum
from des.estimate.windows_sample import Sampler, Tallies, Task, simulate_task
from des.estimate.windows_segments import ATTEMPTS, LATENCY_S, LIMITED, LOST, OK, REQUESTS, Window, tallies
from des.faults.intervals import FloatArray
from des.pool import Report, Workers
from des.scenario.plan import Plan

_FEWEST: Final = 4
"""In a stratum, as far as the pairs go."""
_SPELL: Final = 0.25
"""Of the memory: how long the spells are that are compared."""
_LATER: Final = (1.0, 3.0)
"""Memories after the change point at which the spells begin."""
LEVEL: Final = 0.02
"""Of the tests of an arm's spells together. A false alarm costs no more than a longer memory."""
_GREAT: Final = 0.25
"""A difference of losses that counts by itself, with at least `_ENOUGH` requests in both: a storm that chance ends."""
_ENOUGH: Final = 15
_SMALL: Final = 0.01
"""A difference of shares below this does not matter, whatever its significance."""
METRICS: Final = ("losses", "attempts a request", "the rate-limited share", "mean latency")

_Spell = tuple[float, float]
_Task = tuple[tuple[Plan, ...], Window, tuple[Window, ...], tuple[_Spell, ...]]
"""Arms, the run that goes on, those that begin afresh, and the spell of each."""
_Pair = list[tuple[FloatArray, FloatArray]]
"""(with an earlier past, afresh) sums over each spell."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """Why the memory is not enough: what differs, by how much, and in which arm; `untested` where nothing could be."""

    what: str = ""
    untested: bool = False


def compared(sampler: Sampler, pool: "Workers[Any, Any]", told: Callable[[float], None]) -> Remembered:
    """Nothing in `what` where the runs look alike. The pool is of `window_task`."""
    tasks, strata = _tasks(sampler, pairs_of(sampler)[0])
    if not tasks:
        return Remembered(untested=True)
    done: list[list[_Pair]] = []
    for result in pool.map(tasks):
        done.append(result)
        told(len(done) / len(tasks))
    for arm, name in enumerate(sampler.plans):
        for spell, later in enumerate(_LATER):
            pairs = [(pair[arm][spell], of) for pair, of in zip(done, strata, strict=True) if spell < len(pair[arm])]
            if not pairs:
                continue
            saw, afresh = (np.array([pair[place] for pair, _ in pairs]) for place in (0, 1))
            what = _differs(saw, afresh, np.array([of for _, of in pairs]))
            if what:
                return Remembered(f"{what} {later * sampler.population.memory_s:,.0f} s after a change, in arm {name}")
    return Remembered()


def window_task(task: _Task | Task, report: Report | None = None) -> list[_Pair] | Tallies:
    """What the same processes do: simulate windows, or compare runs with each other."""
    return simulate_task(task) if len(task) == 2 else compare_task(task)


def pairs_of(sampler: Sampler) -> tuple[int, float]:
    """How many change points are looked at, over all strata of transients, and the requests that this takes an arm."""
    load = sampler.rate_per_s * sampler.population.memory_s * (_LATER[-1] + 3.0 * (1.0 + _SPELL))
    fewest, most = sampler.effort.pairs
    pairs = round(min(max(sampler.effort.pairs_requests / load, fewest), most))
    return pairs, pairs * load


def compare_task(task: _Task) -> list[_Pair]:
    """By arm."""
    plans, saw, afresh, spells = task
    found = []
    for plan in plans:
        one = tallies(plan, saw, spells)
        two = [tallies(plan, window, (spell,))[0] for window, spell in zip(afresh, spells, strict=True)]
        found.append([(_figures(a.values), _figures(b.values)) for a, b in zip(one, two, strict=True)])
    return found


def _figures(values: FloatArray) -> FloatArray:
    return values[[REQUESTS, LOST, ATTEMPTS, LIMITED, OK, LATENCY_S]]


def _tasks(sampler: Sampler, pairs: int) -> tuple[list[_Task], list[int]]:
    """Change points with a stretch after them that is long enough, and instants in the midst of quiet time."""
    population = sampler.population
    memory_s = population.memory_s
    plans = tuple(sampler.plans.values())
    tasks: list[_Task] = []
    strata: list[int] = []
    for number, (stratum, piece, change_s, lasts_s) in enumerate(_instants(sampler, pairs)):
        ends = [(later * memory_s, (later + _SPELL) * memory_s) for later in _LATER]
        spells = tuple((change_s + low, change_s + high) for low, high in ends if high <= lasts_s)
        seen_s = spells[0][0] - change_s + memory_s
        saw = sampler.between(stratum, number, piece, spells[0][0], spells[-1][1], warm_up_s=seen_s, purpose="memory")
        afresh = tuple(
            sampler.between(stratum, number, piece, *spell, purpose=f"afresh {nth}") for nth, spell in enumerate(spells)
        )
        tasks.append((plans, saw, afresh, spells))
        strata.append(stratum)
    return tasks, strata


def _instants(sampler: Sampler, pairs: int) -> list[tuple[int, int, float, float]]:
    """(stratum, piece, time, how long its state lasts) of starts of transients, and in the midst of quiet stretches.

    Each state lasts for one spell at least; half are such as last for both, where there are any. Quiet ones come first.
    """
    population = sampler.population
    segments, memory_s = population.segments, population.memory_s
    of_strata = [number for number, each in enumerate(population.strata) if each.kind != STEADY or _clear(each)]
    of_strata.sort(key=lambda number: (not _clear(population.strata[number]), number))
    each = max(_FEWEST, pairs // max(1, len(of_strata)))
    least_s, needed_s = ((later + _SPELL) * memory_s for later in _LATER)
    found: list[tuple[int, int, float, float]] = []
    seed = next(iter(sampler.plans.values())).seed
    last = len(segments.start_s) - 1
    for stratum in of_strata:
        of = np.flatnonzero(segments.stratum == stratum)
        lasts_s = segments.end_s[of] - segments.start_s[of]
        steady = population.strata[stratum].kind == STEADY
        if steady:
            of = of[lasts_s >= needed_s + memory_s]
            lasts_s = segments.end_s[of] - segments.start_s[of]
        else:
            following = np.minimum(of + 1, last)
            joined = (segments.start_s[following] == segments.end_s[of]) & (following > of)
            joined &= (segments.piece[following] == segments.piece[of]) & (lasts_s >= memory_s * (1.0 - 1e-9))
            lasts_s = segments.end_s[following] - segments.start_s[of]
            fits = joined & (lasts_s >= least_s)
            of, lasts_s = of[fits], lasts_s[fits]
        share = (
            pairs // 2 if _clear(population.strata[stratum]) and not steady else each
        )  # where storms outlive outages
        few = min(share, pairs - len(found), len(of))
        if few <= 0:
            continue
        rng = generator(seed, 0, f"estimate/windows/memory\x1f{population.strata[stratum].name}")
        order = rng.permutation(len(of))
        long = order[lasts_s[order] >= needed_s][: (few + 1) // 2]
        chosen = np.concatenate((long, order[~np.isin(order, long)]))[:few]
        for place in chosen.tolist():
            segment = int(of[place])
            at_s = float(segments.start_s[segment])
            if steady:
                at_s += memory_s + rng.random() * (float(lasts_s[place]) - needed_s - memory_s)
            until_s = float(segments.start_s[segment]) + float(lasts_s[place])
            found.append((stratum, int(segments.piece[segment]), at_s, until_s - at_s))
    return found


def _clear(stratum: Stratum) -> bool:
    return stratum.down == stratum.impaired == 0


def _differs(saw: FloatArray, afresh: FloatArray, strata: NDArray[np.int64]) -> str:
    """The first metric that differs, over all pairs or in one stratum; empty if none does."""
    requests = np.minimum(saw[:, 0], afresh[:, 0])
    kept = requests > 0
    groups = [kept] + [kept & (strata == stratum) for stratum in np.unique(strata)]
    tests = len(METRICS) * len(groups)
    great = (_of_metric(saw, 0) - _of_metric(afresh, 0))[requests >= _ENOUGH]
    more, fewer = int((great > _GREAT).sum()), int((great < -_GREAT).sum())
    if more >= 2 and more > 3 * fewer:
        return f"{METRICS[0]} still remember the past ({more} of {len(great)} times)"
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
