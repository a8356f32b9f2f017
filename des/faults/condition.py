"""What is open when, as arrays: what hits an endpoint, what kills its calls, how a component fares."""

from typing import NamedTuple

import numpy as np

from des.faults.episodes import merged
from des.faults.intervals import BoolArray, FloatArray, Intervals
from des.faults.timeline import IntArray, Timeline
from des.vocabulary import COMPONENT_STATES

UP, DEGRADED, DOWN = range(len(COMPONENT_STATES))


class Kills(NamedTuple):
    """Instants at which calls in flight may be killed: sorted float64[k], and the incident that does it, int64[k]."""

    time_s: FloatArray
    incident: IntArray


class Conditions(NamedTuple):
    """A component's state over time, piecewise constant: from `time_s[i]` on it is in `state[i]`.

    float64[m], strictly increasing from 0, and int64[m], codes into COMPONENT_STATES, each other than the one before.
    """

    time_s: FloatArray
    state: IntArray


def hitting(timeline: Timeline, endpoint: int) -> IntArray:
    """The incidents that reach an endpoint, int64[k], by start."""
    return np.flatnonzero(timeline.hits[:, endpoint]).astype(np.int64)


def kills(timeline: Timeline, endpoint: int) -> Kills:
    """The starts, from 0 on, of killing incidents that reach an endpoint."""
    killing: BoolArray = np.array([effect.kills_in_flight for effect in timeline.effects], dtype=np.bool_)
    incident = np.flatnonzero(timeline.hits[:, endpoint] & killing[timeline.effect] & (timeline.start_s >= 0.0))
    return Kills(timeline.start_s[incident], incident.astype(np.int64))


def component_conditions(timeline: Timeline, component: int) -> Conditions:
    """The states of a component by its own incidents, over [0, until_s]."""
    own = timeline.component == component
    down = _open(timeline, own & timeline.outage)
    degraded = _open(timeline, own & ~timeline.outage)
    time_s = np.unique(np.concatenate(([0.0], *down, *degraded)))
    time_s = time_s[(time_s >= 0.0) & (time_s <= timeline.until_s)]
    state = np.full(len(time_s), UP, dtype=np.int64)
    state[_inside(degraded, time_s)] = DEGRADED
    state[_inside(down, time_s)] = DOWN
    changed = np.concatenate(([True], state[1:] != state[:-1]))
    return Conditions(time_s[changed], state[changed])


def _open(timeline: Timeline, chosen: BoolArray) -> Intervals:
    return merged(Intervals(timeline.start_s[chosen], timeline.end_s[chosen]))


def _inside(spells: Intervals, time_s: FloatArray) -> BoolArray:
    """Whether each instant lies in one of disjoint `spells`, bool[m]."""
    begun = np.searchsorted(spells.start_s, time_s, side="right")
    over = np.searchsorted(spells.end_s, time_s, side="right")
    inside: BoolArray = begun > over
    return inside
