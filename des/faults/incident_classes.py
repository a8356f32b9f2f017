"""What each class of incidents draws: the windows of its incidents, and which of its effects each one has.

Every class is in equilibrium at time 0 unless the plan starts up. Incidents open at 0 then started before it.
"""

from itertools import islice, takewhile

import numpy as np
from numpy.typing import NDArray

from des.distributions import Distribution, Exponential
from des.errors import RunError
from des.faults.intervals import (
    MAX_INCIDENTS,
    ClassKeys,
    FloatArray,
    Intervals,
    alternating,
    block_sizes,
    joined,
    none,
    overlapping,
    refuse_too_many,
)
from des.scenario.plan import (
    IncidentClass,
    IntArray,
    MarkedRenewalIncidents,
    OwnIncidents,
    PoissonIncidents,
    Profile,
    RecordedIncidents,
    RenewalIncidents,
)
from des.scenario.schema.own_classes import called
from des.scenario.schema.own_rules import Draws


def draw_class(
    incidents: IncidentClass, keys: ClassKeys, until_s: float, start_up: bool
) -> tuple[Intervals, NDArray[np.int64]]:
    """Incidents in order of their number in the class, and each one's position in `every_effect`."""
    match incidents:
        case PoissonIncidents():
            drawn = _ledger(incidents, keys, until_s, start_up)
        case RenewalIncidents():
            drawn = _renewal(incidents, keys, until_s, start_up)
        case MarkedRenewalIncidents():
            drawn = _marked_renewal(incidents, keys, until_s, start_up)
        case OwnIncidents():
            drawn = _own(incidents, keys, until_s, start_up)
        case RecordedIncidents():
            return _recorded(incidents, until_s)
    return drawn, np.zeros(len(drawn.start_s), dtype=np.int64)


def kind_of(incidents: IncidentClass) -> str:
    """Its name among INCIDENT_KINDS."""
    match incidents:
        case PoissonIncidents():
            return "poisson"
        case RenewalIncidents():
            return "renewal"
        case MarkedRenewalIncidents():
            return "marked_renewal"
        case OwnIncidents():
            return "schedule"
        case RecordedIncidents():
            return incidents.kind


_HOUR_S = 3600.0
_WEEK_HOURS = 168


def _ledger(incidents: PoissonIncidents, keys: ClassKeys, until_s: float, start_up: bool) -> Intervals:
    """Incidents that start before `until_s`. In equilibrium also those open at 0, which start before it.

    Starts and durations are one Poisson process of points, so the number open at 0 is Poisson(rate x mean) with
    length-biased durations. A profile thins candidates drawn at its highest rate, each by the rate at its start. It
    also thins those open at 0, which gives the equilibrium of the periodic process.
    """
    peak = max(incidents.profile.weights) if incidents.profile else 1.0
    rate_per_s = incidents.rate_per_s * peak
    if rate_per_s <= 0.0:
        return none()
    before = none() if start_up else _open_at_zero(incidents, keys, rate_per_s)
    between = Exponential(1.0 / rate_per_s)
    first_s = float(between.sample(keys.stream("first"), 1)[0])
    after = overlapping(between, incidents.duration, keys, first_s, until_s)
    if incidents.profile:
        before = _thinned(before, incidents.profile, keys.stream("profile of the past"))
        after = _thinned(after, incidents.profile, keys.stream("profile"))
    return joined(before, after)


def _open_at_zero(incidents: PoissonIncidents, keys: ClassKeys, rate_per_s: float) -> Intervals:
    rng = keys.stream("open at the start")
    expected = rate_per_s * incidents.duration.mean
    refuse_too_many(keys, expected)
    age_s, residual_s = incidents.duration.sample_residual(rng, int(rng.poisson(expected)))
    by_start = np.argsort(-age_s, kind="stable")
    return Intervals(-age_s[by_start], residual_s[by_start]).lasting()


def _thinned(candidates: Intervals, profile: Profile, rng: np.random.Generator) -> Intervals:
    share = weights_at(profile, candidates.start_s) / max(profile.weights)
    return candidates.where(rng.random(len(share)) < share)


def weights_at(profile: Profile, time_s: FloatArray) -> FloatArray:
    """The profile's weight at each instant, float64[n]; the week repeats into the past."""
    hour = np.floor((time_s + profile.offset_s) / _HOUR_S).astype(np.int64) % _WEEK_HOURS
    return np.asarray(profile.weights, dtype=np.float64)[hour]


def _renewal(incidents: RenewalIncidents, keys: ClassKeys, until_s: float, start_up: bool) -> Intervals:
    """Down times that start before `until_s`.

    In equilibrium the process is down at 0 with probability mean down / (mean up + mean down), and the interval that
    covers 0 has a residual length (renewal theory's inspection paradox). Otherwise a whole up time begins at 0.
    """
    up, down = incidents.up, incidents.down
    open_at_zero = none()
    if start_up:
        first_s = float(up.sample(keys.stream("first up"), 1)[0])
    elif keys.stream("state at the start").random() * (up.mean + down.mean) < down.mean:
        age_s, residual_s = down.sample_residual(keys.stream("down at the start"), 1)
        open_at_zero = Intervals(-age_s, residual_s).lasting()
        first_s = float(residual_s[0] + up.sample(keys.stream("first up"), 1)[0])
    else:
        first_s = float(up.sample_residual(keys.stream("up at the start"), 1)[1][0])
    return joined(open_at_zero, alternating(down, up, keys, first_s, until_s))


_MOST_PAST_STARTS = 1_000_000


def _marked_renewal(incidents: MarkedRenewalIncidents, keys: ClassKeys, until_s: float, start_up: bool) -> Intervals:
    """Incidents that start before `until_s`. In equilibrium also those open at 0, which start before it.

    In equilibrium 0 falls into a length-biased gap between two starts, with ordinary gaps before it. So the past is
    drawn backwards, as far as a duration can reach, and incidents that have ended by 0 are dropped.
    """
    between, duration = incidents.between, incidents.duration
    if start_up:
        first_s = float(between.sample(keys.stream("first"), 1)[0])
        return overlapping(between, duration, keys, first_s, until_s)
    age_s, residual_s = between.sample_residual(keys.stream("gap at the start"), 1)
    before = _past_until_zero(between, duration, keys, float(age_s[0]))
    return joined(before, overlapping(between, duration, keys, float(residual_s[0]), until_s))


def _past_until_zero(between: Distribution, duration: Distribution, keys: ClassKeys, latest_age_s: float) -> Intervals:
    reach_s = duration.tail_bound()
    blocks = [none()]
    next_age_s, drawn = latest_age_s, 0
    for number, size in block_sizes():
        if next_age_s > reach_s or drawn > _MOST_PAST_STARTS:
            break
        gaps = between.sample(keys.stream("gaps before the start", number), size)
        ages: FloatArray = next_age_s + np.cumsum(np.concatenate(([0.0], gaps)))
        end_s = duration.sample(keys.stream("durations before the start", number), size) - ages[:-1]
        blocks.append(Intervals(-ages[:-1], end_s).where(end_s > 0.0))
        next_age_s = float(ages[-1])
        drawn += size
    starts, ends = (np.concatenate(columns)[::-1] for columns in zip(*blocks, strict=True))
    return Intervals(starts, ends)


def _own(incidents: OwnIncidents, keys: ClassKeys, until_s: float, start_up: bool) -> Intervals:
    """What the class of a user tells, without what has ended by 0. Raises RunError unless it is sorted by start."""
    draws = Draws(lambda purpose, block: keys.stream(f"own {purpose}", block))

    def windows() -> list[tuple[float, float]]:
        told = takewhile(lambda window: window[0] < until_s, incidents.windows(draws, until_s))
        return [*islice(told, MAX_INCIDENTS + 1)]

    told = called(incidents, windows)
    refuse_too_many(keys, len(told))
    found = called(incidents, np.array, told or np.empty((0, 2)), np.float64)
    if found.ndim != 2 or found.shape[1] != 2 or np.isnan(found).any() or (np.diff(found[:, 0]) < 0.0).any():
        raise RunError(f"{incidents.kind_name()}: windows told no (start, end) of numbers, sorted by start")
    if (backwards := found[:, 1] < found[:, 0]).any():
        window = found[backwards][0].tolist()
        raise RunError(f"{incidents.kind_name()}: windows told an incident from {window[0]!r} to {window[1]!r}")
    start_s, end_s = found[:, 0].copy(), found[:, 1].copy()
    kept = (end_s > 0.0) & (start_s < until_s) & (start_s >= (0.0 if start_up else -np.inf))
    return Intervals(start_s, end_s).where(kept).lasting()


def _recorded(incidents: RecordedIncidents, until_s: float) -> tuple[Intervals, IntArray]:
    """Windows that start before `until_s`, and the position of each among the class's windows, int64[n].

    Windows of zero length and windows that end by time 0 are left out, since no request can meet them.
    """
    start_s = np.asarray(incidents.start_s, dtype=np.float64)
    end_s = np.asarray(incidents.end_s, dtype=np.float64)
    kept = np.flatnonzero((end_s > start_s) & (end_s > 0.0) & (start_s < until_s))
    return Intervals(start_s[kept], end_s[kept]), kept.astype(np.int64)
