"""Whether recoveries look like calm at their end: in all windows sampled, not in those of the memory's test alone.

A transient is as long as the memory. If that is long enough, its last quarter is like the steady stretch that follows,
in which the same incidents are open. Two things are looked at after each round: the mean of all last quarters, and
single windows that lose much more than usual there, which are played on to see whether they ever calm down.
"""

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from des.estimate.linear import weighted_sum
from des.estimate.windows_population import STEADY, IntArray, Population
from des.estimate.windows_sample import Sampler
from des.estimate.windows_segments import ATTEMPTS, LATENCY_S, LIMITED, LOST, OK, REQUESTS, Window
from des.faults.intervals import FloatArray
from des.pool import Workers

_FAR: Final = 4.0
"""Standard errors: the test is made of four metrics after every round."""
_RELEVANT: Final = {"losses": 0.02, "attempts a request": 0.005, "the rate-limited share": 0.05, "mean latency": 0.01}
"""Of the whole figure, by metric: what the last quarters have in excess, from which the memory is too short."""
_PARTS: Final = {
    "losses": (LOST, REQUESTS),
    "attempts a request": (ATTEMPTS, REQUESTS),
    "the rate-limited share": (LIMITED, ATTEMPTS),
    "mean latency": (LATENCY_S, OK),
}
_GREAT: Final = 0.25
"""A share of requests lost above the usual one, from which a window is played on."""
_ENOUGH: Final = 15
"""Requests in both, or a share says little."""
_FOLLOWED: Final = 12
"""Windows played on, at most, after a round."""
_LATER: Final = (1.5, 2.0)
"""Memories after the change at which a window that is played on is looked at again."""
_AFRESH: Final = 3
"""Runs that begin afresh there: chance alone seldom makes all of them calm, and the one that goes on not."""


def outlasts(sampler: Sampler, seen: int, pool: "Workers[Any, Any]") -> str:
    """What outlasts the memory, in words; empty where nothing is known to. `seen` draws were looked at before.

    The pool is of `window_task`.
    """
    for arm, name in enumerate(sampler.plans):
        for metric in _PARTS:
            what = _excess(sampler, arm, metric)
            if what:
                return f"{what} at the end of the memory, in arm {name}"
    return _still_storms(sampler, _storms(sampler, seen), pool)


def _excess(sampler: Sampler, arm: int, metric: str) -> str:
    """Of the last quarters over steady stretches of the same state, where it is certain and matters."""
    population, sample = sampler.population, sampler.sample
    tallies = sample.by_arm[arm]
    part, whole = _PARTS[metric]
    stratum = np.asarray(sample.stratum)
    measure = np.asarray(sample.measure)
    n = np.bincount(stratum, minlength=len(population.strata))
    weight = population.measures[stratum] / n[stratum] / measure
    values = np.array([each.values[[part, whole]] for each in tallies])
    ends = np.array([each.end[[part, whole]] for each in tallies])
    total = weighted_sum(weight, values[:, 0])
    if not total > 0.0:
        return ""
    excess = variance = 0.0
    for calm, changed in _alike(population):
        of_calm, of_changed = stratum == calm, np.isin(stratum, changed)
        asked, ended = (
            weighted_sum(weight[of_calm], values[of_calm, 1]),
            weighted_sum(weight[of_changed], ends[of_changed, 1]),
        )
        if asked <= 0.0 or ended <= 0.0:
            continue
        share = weighted_sum(weight[of_calm], values[of_calm, 0]) / asked
        own = weight * (ends[:, 0] - share * ends[:, 1]) * of_changed
        usual = weight * (values[:, 0] - share * values[:, 1]) * of_calm * (ended / asked)
        excess += float(own.sum())
        variance += _variance(own, stratum, n) + _variance(usual, stratum, n)
    if abs(excess) > _RELEVANT[metric] * total and abs(excess) > _FAR * math.sqrt(variance):
        return f"{metric} differ by {excess / total:+.1%}"
    return ""


def _alike(population: Population) -> Iterator[tuple[int, list[int]]]:
    """(a steady stratum, the transients of the same state)."""
    strata = population.strata
    for calm, of in enumerate(strata):
        if of.kind == STEADY and of.state:
            changed = [number for number, each in enumerate(strata) if each.kind != STEADY and each.state == of.state]
            if changed:
                yield calm, changed


def _variance(values: FloatArray, stratum: IntArray, n: IntArray) -> float:
    """Of a sum over draws that are independent within each stratum."""
    mean = np.bincount(stratum, values, len(n)) / np.maximum(n, 1)
    about = np.bincount(stratum, (values - mean[stratum]) ** 2, len(n))
    return float((about * n / np.maximum(n - 1, 1)).sum())


def _storms(sampler: Sampler, seen: int) -> list[Window]:
    """Windows whose end loses much more than steady stretches of the same state do, and that can be played on."""
    population, sample = sampler.population, sampler.sample
    usual = [_usual_loss(sampler, arm) for arm in range(len(sampler.plans))]
    calm_of = {number: calm for calm, changed in _alike(population) for number in changed}
    found: list[Window] = []
    for draw in range(seen, len(sample.stratum)):
        stratum = sample.stratum[draw]
        if stratum not in calm_of:
            continue
        for losses, tallies in zip(usual, sample.by_arm, strict=True):
            end = tallies[draw].end
            if end[REQUESTS] < _ENOUGH or end[LOST] / end[REQUESTS] < losses[calm_of[stratum]] + _GREAT:
                continue
            found.append(sample.windows[draw])
            break
    return found


def _usual_loss(sampler: Sampler, arm: int) -> FloatArray:
    """The share lost in each stratum."""
    sample = sampler.sample
    stratum, measure = np.asarray(sample.stratum), np.asarray(sample.measure)
    values = np.array([each.values[[LOST, REQUESTS]] for each in sample.by_arm[arm]]) / measure[:, None]
    lost, asked = (np.bincount(stratum, values[:, place], len(sampler.population.strata)) for place in (0, 1))
    found: FloatArray = lost / np.maximum(asked, 1e-300)
    return found


def _still_storms(sampler: Sampler, storms: list[Window], pool: "Workers[Any, Any]") -> str:
    """Play some of the windows on, and compare each with runs that begin afresh at the same place."""
    memory_s = sampler.population.memory_s
    played: list[tuple[Window, ...]] = []
    for window in storms:
        change_s = window.end_s[1] - memory_s
        spell = change_s + _LATER[0] * memory_s, change_s + _LATER[1] * memory_s
        on = sampler.played_on(window, *spell)
        if on is not None and len(played) < _FOLLOWED:
            afresh = [
                sampler.between(window.stratum, window.number, window.piece, *spell, purpose=f"calm {nth}")
                for nth in range(_AFRESH)
            ]
            played.append((on, *afresh))
    plans = tuple(sampler.plans.values())
    for results in list(pool.map([(plans, windows) for windows in played])):
        for arm, name in enumerate(sampler.plans):
            what = _is_storm(*(tallies[arm].values for tallies in results))
            if what:
                return f"{what}, in arm {name}"
    return ""


def _is_storm(on: FloatArray, *afresh: FloatArray) -> str:
    """What is lost in the one run, in words, where it is much more than in each of the others."""
    if min(each[REQUESTS] for each in (on, *afresh)) < _ENOUGH:
        return ""
    lost, calm = on[LOST] / on[REQUESTS], max(each[LOST] / each[REQUESTS] for each in afresh)
    return f"{lost:.0%} of requests are lost long after a change, not {calm:.0%}" if lost > calm + _GREAT else ""
