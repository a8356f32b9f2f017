"""When components and endpoints are down: episodes, their number and their share of the time.

An episode is a maximal interval during which an outage (error rate 1) is open. Outages that overlap or touch make one.
Brownouts never make an episode. Figures are valid up to the timeline's `until_s`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from des.faults.intervals import BoolArray, FloatArray, Intervals, none
from des.faults.timeline import Timeline


def down_intervals(timeline: Timeline, chosen: BoolArray) -> Intervals:
    """Episodes made by the outages among the incidents that `chosen`, bool[n], selects: disjoint and sorted.

    The first may start before 0, and the last may end after `until_s`.
    """
    outages = chosen & timeline.outage
    return merged(Intervals(timeline.start_s[outages], timeline.end_s[outages]))


def component_down(timeline: Timeline, component: int) -> Intervals:
    """Episodes of a component from its own incidents, without those of its dependencies."""
    return down_intervals(timeline, timeline.component == component)


def endpoint_down(timeline: Timeline, endpoint: int) -> Intervals:
    """Episodes of an endpoint from all incidents that hit it."""
    return down_intervals(timeline, timeline.hits[:, endpoint])


def all_down(timeline: Timeline, endpoints: Sequence[int]) -> Intervals:
    """Episodes during which every one of `endpoints` is down."""
    return intersection([endpoint_down(timeline, endpoint) for endpoint in endpoints])


def down_share(intervals: Intervals, horizon_s: float) -> float:
    """Share of [0, horizon_s) inside disjoint `intervals`."""
    lengths = np.minimum(intervals.end_s, horizon_s) - np.maximum(intervals.start_s, 0.0)
    return float(np.maximum(lengths, 0.0).sum()) / horizon_s


def episodes_started(intervals: Intervals, horizon_s: float) -> int:
    """How many of `intervals` start in [0, horizon_s)."""
    return int(np.count_nonzero((intervals.start_s >= 0.0) & (intervals.start_s < horizon_s)))


def merged(intervals: Intervals) -> Intervals:
    """The union of `intervals`, sorted by start, as disjoint intervals that do not touch."""
    if not len(intervals.start_s):
        return none()
    latest_end_s: FloatArray = np.maximum.accumulate(intervals.end_s)
    first = np.concatenate(([True], intervals.start_s[1:] > latest_end_s[:-1]))
    last = np.concatenate((first[1:], [True]))
    return Intervals(intervals.start_s[first], latest_end_s[last])


def intersection(several: Sequence[Intervals]) -> Intervals:
    """The times at which all of `several` hold, each of them merged. Without any intervals, empty."""
    if not several:
        return none()
    common = several[0]
    for other in several[1:]:
        common = _pair(common, other)
    return common


def _pair(a: Intervals, b: Intervals) -> Intervals:
    """Each common interval starts where one of the two starts inside the other."""
    in_b, covering_b = _covering(b, a.start_s)
    in_a, covering_a = _covering(a, b.start_s)
    both = a.start_s[in_b], b.start_s[in_a]
    ends = np.minimum(a.end_s[in_b], b.end_s[covering_b]), np.minimum(b.end_s[in_a], a.end_s[covering_a])
    start_s, first = np.unique(np.concatenate(both), return_index=True)  # sorted, and equal starts only once
    return Intervals(start_s, np.concatenate(ends)[first])


def _covering(intervals: Intervals, time_s: FloatArray) -> tuple[BoolArray, NDArray[np.intp]]:
    """Which instants lie in one of disjoint `intervals`, and the position of the interval of each that does."""
    latest = np.searchsorted(intervals.start_s, time_s, side="right") - 1
    inside = latest >= 0
    inside[inside] = intervals.end_s[latest[inside]] > time_s[inside]
    return inside, latest[inside]
