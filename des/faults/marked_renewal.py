"""Incidents that start as a renewal process, each with a duration of its own; they may overlap."""

import numpy as np

from des.distributions import Distribution
from des.faults.intervals import FloatArray, Intervals, joined, none
from des.faults.keys import ClassKeys
from des.faults.succession import block_sizes, overlapping
from des.scenario.plan import MarkedRenewalIncidents

MOST_PAST_STARTS = 1_000_000


def marked_renewal(incidents: MarkedRenewalIncidents, keys: ClassKeys, until_s: float, start_up: bool) -> Intervals:
    """Incidents that start before `until_s`; in equilibrium also those open at 0, which start before it.

    In equilibrium 0 falls into a length-biased gap between two starts. Before that gap lie ordinary ones, so the past
    is drawn backwards, as far as a duration can reach, and those that have ended by 0 are dropped.
    """
    between, duration = incidents.between, incidents.duration
    if start_up:
        first_s = float(between.sample(keys.stream("first"), 1)[0])
        return overlapping(between, duration, keys, first_s, until_s)
    age_s, residual_s = between.sample_residual(keys.stream("gap at the start"), 1)
    before = _open_at_zero(between, duration, keys, float(age_s[0]))
    return joined(before, overlapping(between, duration, keys, float(residual_s[0]), until_s))


def _open_at_zero(between: Distribution, duration: Distribution, keys: ClassKeys, latest_age_s: float) -> Intervals:
    reach_s = duration.tail_bound()
    blocks = [none()]
    next_age_s, drawn = latest_age_s, 0
    for number, size in block_sizes():
        if next_age_s > reach_s or drawn > MOST_PAST_STARTS:
            break
        gaps = between.sample(keys.stream("gaps before the start", number), size)
        ages: FloatArray = next_age_s + np.cumsum(np.concatenate(([0.0], gaps)))
        end_s = duration.sample(keys.stream("durations before the start", number), size) - ages[:-1]
        blocks.append(Intervals(-ages[:-1], end_s).where(end_s > 0.0))
        next_age_s = float(ages[-1])
        drawn += size
    starts, ends = (np.concatenate(columns)[::-1] for columns in zip(*blocks, strict=True))
    return Intervals(starts, ends)
