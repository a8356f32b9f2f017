"""What is open when along a drawn timeline, looked up for many instants at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from des.faults import Intervals, Timeline
from des.faults.episodes import merged

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class TimelineSky:
    """The open incidents of each endpoint as piecewise-constant states; the same for every request."""

    def __init__(self, timeline: Timeline, endpoints: Sequence[int]) -> None:
        self._states = {endpoint: _states(timeline, endpoint) for endpoint in endpoints}
        killing = np.array([effect.kills_in_flight for effect in timeline.effects], dtype=np.bool_)
        self._kills: dict[int, tuple[FloatArray, IntArray]] = {}
        for endpoint in endpoints:
            chosen = timeline.hits[:, endpoint] & killing[timeline.effect]
            effects = np.append(timeline.effect[chosen], -1)
            self._kills[endpoint] = (np.append(timeline.start_s[chosen], np.inf), effects)

    def open_effects(self, endpoint: int, at_s: FloatArray, rows: IntArray) -> IntArray:
        from_s, state, effects = self._states[endpoint]
        opened: IntArray = effects[state[np.searchsorted(from_s, at_s, side="right")]]
        return opened

    def next_kill(self, endpoint: int, after_s: FloatArray, rows: IntArray) -> tuple[FloatArray, IntArray]:
        start_s, effect = self._kills[endpoint]
        place = np.minimum(np.searchsorted(start_s, after_s, side="right"), len(start_s) - 1)
        return start_s[place], effect[place]


class ClearSky:
    """Nothing is open, ever."""

    def open_effects(self, endpoint: int, at_s: FloatArray, rows: IntArray) -> IntArray:
        return np.full((len(rows), 1), -1, dtype=np.int64)

    def next_kill(self, endpoint: int, after_s: FloatArray, rows: IntArray) -> tuple[FloatArray, IntArray]:
        return np.full(len(rows), np.inf), np.full(len(rows), -1, dtype=np.int64)


def affected(timeline: Timeline, endpoint: int, longest_walk_s: float) -> Intervals:
    """Arrivals whose walk can meet an incident at the endpoint: from a walk before it starts until it ends."""
    hit = timeline.hits[:, endpoint]
    return merged(Intervals(timeline.start_s[hit] - longest_walk_s, timeline.end_s[hit]))


def _states(timeline: Timeline, endpoint: int) -> tuple[FloatArray, IntArray, IntArray]:
    """(instants, state after as many of them, effects by state): int64[instants + 1] and int64[states, k].

    The effects of a state stand by their incidents' numbers, -1 beyond the last.
    """
    hit = np.flatnonzero(timeline.hits[:, endpoint])
    start_s, end_s, effect = timeline.start_s[hit], timeline.end_s[hit], timeline.effect[hit]
    time_s = np.concatenate((start_s, end_s))
    order = np.argsort(time_s, kind="stable")
    time_s = time_s[order]
    kinds = np.unique(effect)
    counts = np.zeros((len(time_s) + 1, max(1, len(kinds))), dtype=np.int64)
    for column, code in enumerate(kinds.tolist()):
        change = np.concatenate(((effect == code) * 1, (effect == code) * -1))[order]
        np.cumsum(change, out=counts[1:, column])
    several = np.flatnonzero((counts > 0).sum(axis=1) > 1)
    most = int(counts.max(initial=0)) + 1
    dominant = counts.argmax(axis=1)
    keys = dominant * most + counts[np.arange(len(counts)), dominant]
    distinct, state = np.unique(keys, return_inverse=True)
    rows: list[tuple[int, ...]] = [
        (int(kinds[key // most]),) * int(key % most) if key % most else () for key in distinct.tolist()
    ]
    known: dict[tuple[int, ...], int] = {}
    if len(several):
        first = merged(Intervals(start_s, end_s)).start_s
        for place in several.tolist():
            at_s = time_s[place - 1]
            spell = first[np.searchsorted(first, at_s, side="right") - 1]
            low, high = np.searchsorted(start_s, spell), np.searchsorted(start_s, at_s, side="right")
            opened = tuple(effect[low:high][end_s[low:high] > at_s].tolist())
            if opened not in known:
                known[opened] = len(rows)
                rows.append(opened)
            state[place] = known[opened]
    width = max(1, max(len(row) for row in rows))
    table = np.array([row + (-1,) * (width - len(row)) for row in rows], dtype=np.int64)
    return time_s, state.astype(np.int64), table
