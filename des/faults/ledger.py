"""The shock ledger: incidents that start as a Poisson process, even or by hour of the week, and may overlap."""

import numpy as np

from des.distributions import Exponential
from des.faults.intervals import FloatArray, Intervals, joined, none
from des.faults.keys import ClassKeys
from des.faults.succession import overlapping, refuse_too_many
from des.scenario.plan import PoissonIncidents, Profile

HOUR_S = 3600.0
WEEK_HOURS = 168


def ledger(incidents: PoissonIncidents, keys: ClassKeys, until_s: float, start_up: bool) -> Intervals:
    """Incidents that start before `until_s`; in equilibrium also those open at 0, which start before it.

    Starts and durations are one Poisson process of points, so the number open at 0 is Poisson(rate x mean) with
    length-biased durations. A profile thins candidates drawn at its highest rate, each by the rate at its start:
    those open at 0 too, which makes their equilibrium the periodic process's.
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
    hour = np.floor((time_s + profile.offset_s) / HOUR_S).astype(np.int64) % WEEK_HOURS
    return np.asarray(profile.weights, dtype=np.float64)[hour]
