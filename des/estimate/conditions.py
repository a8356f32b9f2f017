"""The incidents that a call meets, along a drawn timeline or at one drawn instant of equilibrium.

At an instant, each sample and class has the number of incidents that are open at the arrival or start within the
longest walk after it, when they start, and how much of each is left. A tilt draws this number from another
distribution: Poisson with a larger mean, or an alternating process that is down more often. The ratio of the two
distributions is the sample's weight, so figures stay unbiased.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from des.distributions import Distribution, FloatArray
from des.estimate.sources import POISSON, RENEWAL, Source
from des.faults import Intervals, Timeline
from des.faults.episodes import merged
from des.scenario.plan import Effect

_IntArray = NDArray[np.int64]
_BoolArray = NDArray[np.bool_]
_Drawn = list[tuple[FloatArray, FloatArray]]
_COMMON_LOAD: Final = 1.0
"""Mean number of incidents met of a tilted Poisson class. P(one is met) is cheapest to estimate there."""
_COMMON_SHARE: Final = 0.7
"""Share of the time in which a tilted alternating class is down or goes down within the walk."""


class Conditions(Protocol):
    """The open incidents, for many requests at once. `rows` are the requests that ask, with times of their own."""

    def open_effects(self, endpoint: int, at_s: FloatArray, rows: _IntArray) -> _IntArray:
        """int64[n, k]: the open effects, in the order in which failures are attributed to them, -1 beyond the last."""
        ...

    def next_kill(self, endpoint: int, after_s: FloatArray, rows: _IntArray) -> tuple[FloatArray, _IntArray]:
        """Start (infinite if there is none) and effect of the next killing incident that begins after each time."""
        ...


class TimelineConditions:
    """The open incidents of each endpoint as piecewise-constant states, the same for every request."""

    def __init__(self, timeline: Timeline, endpoints: Sequence[int]) -> None:
        self._states = {endpoint: _states(timeline, endpoint) for endpoint in endpoints}
        killing = np.array([effect.kills_in_flight for effect in timeline.effects], dtype=np.bool_)
        self._kills: dict[int, tuple[FloatArray, _IntArray]] = {}
        for endpoint in endpoints:
            chosen = timeline.hits[:, endpoint] & killing[timeline.effect]
            effects = np.append(timeline.effect[chosen], -1)
            self._kills[endpoint] = (np.append(timeline.start_s[chosen], np.inf), effects)

    def open_effects(self, endpoint: int, at_s: FloatArray, rows: _IntArray) -> _IntArray:
        from_s, state, effects = self._states[endpoint]
        opened: _IntArray = effects[state[np.searchsorted(from_s, at_s, side="right")]]
        return opened

    def next_kill(self, endpoint: int, after_s: FloatArray, rows: _IntArray) -> tuple[FloatArray, _IntArray]:
        start_s, effect = self._kills[endpoint]
        place = np.minimum(np.searchsorted(start_s, after_s, side="right"), len(start_s) - 1)
        return start_s[place], effect[place]


class Undisturbed:
    """No incident is ever open."""

    def open_effects(self, endpoint: int, at_s: FloatArray, rows: _IntArray) -> _IntArray:
        return np.full((len(rows), 1), -1, dtype=np.int64)

    def next_kill(self, endpoint: int, after_s: FloatArray, rows: _IntArray) -> tuple[FloatArray, _IntArray]:
        return np.full(len(rows), np.inf), np.full(len(rows), -1, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Part:
    """The incidents of one source with one hit set. Of an alternating source, all of its hit sets."""

    source: Source
    sets: tuple[tuple[int, float], ...]
    rate_per_s: float

    @property
    def load(self) -> float:
        return self.rate_per_s * self.source.duration.mean


@dataclass(frozen=True, slots=True)
class SampledConditions:
    """Incidents of n samples as columns, sorted by start along each row. Empty slots start at infinity.

    The arrival is time 0: incidents open then start before 0. `hits` are bit masks of the endpoints hit, `kills` is
    bool[effects + 1].
    """

    start_s: FloatArray  # float64[n, slots]
    end_s: FloatArray
    effect: _IntArray
    hits: _IntArray
    kills: _BoolArray

    def open_effects(self, endpoint: int, at_s: FloatArray, rows: _IntArray) -> _IntArray:
        at_s = at_s[:, None]
        hit = (self.hits[rows] >> endpoint & 1).astype(bool)
        is_open = hit & (self.start_s[rows] <= at_s) & (at_s < self.end_s[rows])
        return np.where(is_open, self.effect[rows], -1)

    def next_kill(self, endpoint: int, after_s: FloatArray, rows: _IntArray) -> tuple[FloatArray, _IntArray]:
        hit = (self.hits[rows] >> endpoint & 1).astype(bool) & self.kills[self.effect[rows]]
        start_s = np.where(hit & (self.start_s[rows] > after_s[:, None]), self.start_s[rows], np.inf)
        first = start_s.argmin(axis=1)
        every_row = np.arange(len(rows))
        return start_s[every_row, first], self.effect[rows][every_row, first]

    def meets_any(self, endpoints: Sequence[int]) -> _BoolArray:
        """bool[n]: whether any incident of the sample hits one of the endpoints."""
        wanted = sum(1 << endpoint for endpoint in endpoints)
        met: _BoolArray = np.asarray((self.hits & wanted).any(axis=1), dtype=np.bool_)
        return met

    def of(self, rows: _IntArray) -> "SampledConditions":
        """The conditions of some of the samples."""
        return SampledConditions(self.start_s[rows], self.end_s[rows], self.effect[rows], self.hits[rows], self.kills)

    def all_down(self, endpoints: Sequence[int], outage: _BoolArray) -> _BoolArray:
        """bool[n]: whether every endpoint is down at the arrival."""
        is_open = (self.start_s <= 0.0) & (self.end_s > 0.0) & outage[self.effect]
        down = np.bitwise_or.reduce(np.where(is_open, self.hits, 0), axis=1)
        wanted = sum(1 << endpoint for endpoint in endpoints)
        down_together: _BoolArray = np.asarray((down & wanted) == wanted, dtype=np.bool_)
        return down_together


def sampled_conditions(
    parts: Sequence[Part],
    tilts: Sequence[frozenset[int]],
    shares: FloatArray,
    tilt: _IntArray,
    reach_s: float,
    effects: Sequence[Effect],
    rng: np.random.Generator,
) -> tuple[SampledConditions, FloatArray]:
    """Conditions of n samples and their weights.

    Sample i makes the parts in `tilts[tilt[i]]` common; each tilt has its share of the samples. The weight is the ratio
    of the true distribution to the mixture over all tilts (the balance heuristic; Veach and Guibas 1995).
    """
    n = len(tilt)
    codes = {effect: code for code, effect in enumerate(effects)}
    log_ratio = np.zeros((len(tilts), n))  # likelihood of the draws under each tilt over the true one
    columns: list[tuple[FloatArray, FloatArray, _IntArray, _IntArray]] = []
    for number, part in enumerate(parts):
        tilted = np.array([number in chosen for chosen in tilts])
        draw = _poisson if part.source.kind == POISSON else _alternating
        drawn, ratio = draw(part, tilted[tilt], reach_s, rng)
        log_ratio[tilted] += ratio
        effect = codes[part.source.effect]
        for start_s, end_s in drawn:
            hits = _hit(part, n, rng)
            columns.append((start_s, end_s, np.full(n, effect, dtype=np.int64), hits))
    start_s, end_s, effect_codes, hits = (
        np.stack(column, axis=1) if columns else np.full((n, 1), blank)
        for column, blank in zip(
            zip(*columns, strict=True) if columns else [()] * 4, (np.inf, -np.inf, -1, 0), strict=True
        )
    )
    empty = ~np.isfinite(start_s)
    effect_codes = np.where(empty, -1, effect_codes)
    hits = np.where(empty, 0, hits)
    order = np.argsort(start_s, axis=1, kind="stable")
    filled = max(1, int((~empty).sum(axis=1).max(initial=0)))
    order = order[:, :filled]
    conditions = SampledConditions(
        start_s=np.take_along_axis(start_s, order, axis=1),
        end_s=np.take_along_axis(end_s, order, axis=1),
        effect=np.take_along_axis(effect_codes, order, axis=1),
        hits=np.take_along_axis(hits, order, axis=1),
        kills=np.array([*(effect.kills_in_flight for effect in effects), False]),
    )
    shift = log_ratio.max(axis=0)
    return conditions, np.exp(-shift) / (shares[:, None] * np.exp(log_ratio - shift)).sum(axis=0)


def parts_of(source: Source) -> list[Part]:
    """The source as parts.

    A Poisson source is split by hit set, so that incidents that hit every endpoint can be made common by themselves.
    """
    if source.kind == RENEWAL:
        return [Part(source, source.sets, source.rate_per_s)]
    return [Part(source, ((hits, 1.0),), source.rate_per_s * share) for hits, share in source.sets]


def _poisson(part: Part, tilted: _BoolArray, reach_s: float, rng: np.random.Generator) -> tuple[_Drawn, FloatArray]:
    """Incidents open at the arrival or starting within reach, as one Poisson number."""
    met = part.load + part.rate_per_s * reach_s
    common = max(met, _COMMON_LOAD)
    count = rng.poisson(np.where(tilted, common, met))
    ratio = (met - common) + count * np.log(common / met)

    def draw(chosen: _IntArray) -> tuple[FloatArray, FloatArray]:
        start_s, length_s = _residual(part, len(chosen), rng)
        later = rng.random(len(chosen)) * met >= part.load
        start_s[later] = rng.random(int(later.sum())) * reach_s
        length_s[later] = start_s[later] + part.source.duration.sample(rng, int(later.sum()))
        return start_s, length_s

    return _slots(count, draw), ratio


def _alternating(part: Part, tilted: _BoolArray, reach_s: float, rng: np.random.Generator) -> tuple[_Drawn, FloatArray]:
    """Down at the arrival, going down within reach, or neither; a tilt makes the first two common."""
    up = part.source.up
    assert up is not None
    n, load = len(tilted), part.load
    soon = (1.0 - load) * up.limited_mean(reach_s) / up.mean  # P(up now, and down within the reach)
    met = load + soon
    common = max(met, min(_COMMON_SHARE, 0.5 * (1.0 + met)))
    meets = rng.random(n) < np.where(tilted, common, met)
    misses = np.log1p(-common) - np.log1p(-met) if met < 1.0 else 0.0
    ratio = np.where(meets, np.log(common / met), misses)
    down = meets & (rng.random(n) * met < load)
    drawn = _slots(down.astype(np.int64), lambda chosen: _residual(part, len(chosen), rng))
    now_s = np.full(n, np.inf)
    now_s[meets & ~down] = _short_residual(up, reach_s, int((meets & ~down).sum()), rng)
    if drawn:
        now_s[down] = drawn[0][1][down] + up.sample(rng, int(down.sum()))
    while (starting := np.flatnonzero(now_s < reach_s)).size:
        start_s, end_s = np.full(n, np.inf), np.full(n, -np.inf)
        start_s[starting] = now_s[starting]
        end_s[starting] = now_s[starting] + part.source.duration.sample(rng, len(starting))
        drawn.append((start_s, end_s))
        now_s = np.full(n, np.inf)
        now_s[starting] = end_s[starting] + up.sample(rng, len(starting))
    return drawn, ratio


def _short_residual(up: Distribution, reach_s: float, count: int, rng: np.random.Generator) -> FloatArray:
    """The residual of an up time in equilibrium, given that it is less than the reach.

    Its density falls like P(up time > t): a uniform instant is kept with that probability.
    """
    kept = np.empty(0)
    while len(kept) < count:
        tried = rng.random(2 * (count - len(kept)) + 16) * reach_s
        kept = np.concatenate((kept, tried[rng.random(len(tried)) < up.survival(tried)]))
    return kept[:count]


def _residual(part: Part, count: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    age_s, residual_s = part.source.duration.sample_residual(rng, count)
    return -age_s, residual_s


def _slots(count: _IntArray, draw: Callable[[_IntArray], tuple[FloatArray, FloatArray]]) -> _Drawn:
    """Draws in rows of equal length: the largest count. Row i has values in its first count[i] columns."""
    slots: _Drawn = []
    for slot in range(int(count.max(initial=0))):
        chosen = np.flatnonzero(count > slot)
        start_s, end_s = np.full(len(count), np.inf), np.full(len(count), -np.inf)
        start_s[chosen], end_s[chosen] = draw(chosen)
        slots.append((start_s, end_s))
    return slots


def _hit(part: Part, n: int, rng: np.random.Generator) -> _IntArray:
    if len(part.sets) == 1 and part.sets[0][1] >= 1.0:
        return np.full(n, part.sets[0][0], dtype=np.int64)
    masks = np.array([*(hits for hits, _ in part.sets), 0], dtype=np.int64)
    edges = np.cumsum([share for _, share in part.sets])
    return masks[np.searchsorted(edges, rng.random(n), side="right")]


def affected(timeline: Timeline, endpoint: int, longest_walk_s: float) -> Intervals:
    """Arrivals whose walk can meet an incident at the endpoint: from the longest walk before its start to its end."""
    hit = timeline.hits[:, endpoint]
    return merged(Intervals(timeline.start_s[hit] - longest_walk_s, timeline.end_s[hit]))


def _states(timeline: Timeline, endpoint: int) -> tuple[FloatArray, _IntArray, _IntArray]:
    """(instants, int64[instants + 1] state before the first and after each, int64[states, k] effects by state).

    The effects of a state are in the order of their incidents, with -1 beyond the last.
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
