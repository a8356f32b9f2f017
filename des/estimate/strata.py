"""Time parted into strata: where and when to sample arrivals, and how many there are."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from des.faults import Intervals
from des.faults.incident_classes import weights_at
from des.faults.intervals import FloatArray
from des.scenario.plan import Profile
from des.scenario.text.units import HOUR_S, WEEK_S

MOST_STRATA: Final = 32


def strata(several: Sequence[Intervals], until_s: float) -> list[Intervals]:
    """[0, until_s) where any of `several` holds, parted by which of them do; by how many, if that makes too many."""
    time_s = np.concatenate([np.concatenate(intervals) for intervals in several])
    bits = [1 << number for number in range(len(several))] if len(several) <= 20 else [1] * len(several)
    change = np.concatenate(
        [np.repeat((bit, -bit), len(intervals.start_s)) for bit, intervals in zip(bits, several, strict=True)]
    )
    time_s = np.clip(time_s, 0.0, until_s)
    order = np.argsort(time_s, kind="stable")
    start_s = time_s[order]
    end_s = np.append(start_s[1:], until_s)
    held = np.cumsum(change[order])
    kept = (end_s > start_s) & (held > 0)
    start_s, end_s, held = start_s[kept], end_s[kept], held[kept]
    if len(np.unique(held)) > MOST_STRATA:
        held = np.array([bin(mask).count("1") for mask in held.tolist()], dtype=np.int64)
    return [Intervals(start_s[held == mask], end_s[held == mask]) for mask in np.unique(held).tolist()]


def stratified(windows: Intervals, count: int, rng: np.random.Generator) -> tuple[float, FloatArray]:
    """(total length, one instant from each of `count` equal parts of it)."""
    reach = np.cumsum(windows.end_s - windows.start_s)
    measure = float(reach[-1])
    at = (np.arange(count) + rng.random(count)) * (measure / count)
    window = np.minimum(np.searchsorted(reach, at, side="right"), len(reach) - 1)
    into_s = at - (reach[window] - (windows.end_s - windows.start_s)[window])
    return measure, np.minimum(windows.start_s[window] + into_s, np.nextafter(windows.end_s[window], 0.0))


def expected_arrivals(profile: Profile, until_s: float) -> float:
    """Integral over [0, until_s) of the arrivals' weights; a scenario may start within an hour of the profile."""
    before_s = profile.offset_s % HOUR_S
    weights = weights_at(profile, np.arange(168, dtype=np.float64) * HOUR_S - before_s)
    weeks, rest_s = divmod(until_s + before_s, WEEK_S)
    hours, into_s = divmod(rest_s, HOUR_S)
    whole = float(weights[: int(hours)].sum()) * HOUR_S
    since_the_hour = weeks * float(weights.sum()) * HOUR_S + whole + float(weights[int(hours) % 168]) * into_s
    return since_the_hour - float(weights[0]) * before_s
