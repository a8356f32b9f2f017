"""The population that windows are sampled from: all segments of many years of drawn incidents, in strata.

Time is cut where an incident that matters starts or ends. Up to the memory after such a change point lies a transient,
from there to the next change point a steady stretch, in which the set of open incidents has not changed for that long.
A segment is a transient or a stretch; a block is a part of one, short enough to be simulated. Lengths are measured by
the arrivals to be expected: seconds, weighted by the profile.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.engine.arrivals import OperationalClock
from des.estimate.effort import USUAL, WindowsEffort
from des.estimate.interaction import arrival_profile, needs_whole_horizons
from des.estimate.timeline import incidents_per_year
from des.faults import Timeline, draw_timeline
from des.faults.intervals import BoolArray, FloatArray
from des.faults.marginals import chain_endpoints
from des.scenario.plan import Plan, ReplayedArrivals
from des.scenario.text.units import WEEK_S, YEAR_S

IntArray = NDArray[np.int64]

CLEAR, IMPAIRED, DOWN = 0, 1, 2
STEADY, WORSE, BETTER = 0, 1, 2
"""A steady stretch, or a transient after a change in which an endpoint became worse, or none did."""

_BLOCKS: Final = 40
"""Of years, over which the spread of the incidents themselves is measured."""
_LONGEST_PIECE_S: Final = 1456 * WEEK_S
"""About 28 years: the clock's float64 then still tells a tenth of a microsecond."""
_MOST_BEFORE: Final = 4.0
"""Memories that a window may begin before its requests count; the clock does not start below 0."""
_BASE: Final = 3


@dataclass(frozen=True, slots=True)
class Stratum:
    """Segments alike: the same endpoints down or impaired, steady or a transient, and what changed before.

    `state` has one of CLEAR, IMPAIRED and DOWN for each of the population's endpoints, or is empty where several states
    are merged; `name` is unique. `all_down` says of each arm, in order, whether its whole chain is down.
    """

    name: str
    state: tuple[int, ...]
    kind: int
    all_down: tuple[bool, ...]
    down: int
    impaired: int


@dataclass(frozen=True, slots=True)
class Segments:
    """Columns, sorted by piece and time: n segments that cover every piece's counted time."""

    piece: IntArray
    start_s: FloatArray
    end_s: FloatArray
    stratum: IntArray
    measure: FloatArray


@dataclass(frozen=True, slots=True)
class Population:
    """All segments of the drawn years, shared by arms that have the same components.

    Counted time is [from_s, until_s) of each piece. `by_block` is the measure of each stratum in each block of years,
    float64[blocks, strata].
    """

    endpoints: tuple[int, ...]
    memory_s: float
    from_s: float
    until_s: float
    pieces: tuple[Timeline, ...]  # of incidents that reach one of `endpoints`
    exposure: "Exposure"
    segments: Segments
    strata: tuple[Stratum, ...]
    by_block: FloatArray
    block_of_piece: IntArray

    @property
    def years(self) -> float:
        return len(self.pieces) * (self.until_s - self.from_s) / YEAR_S

    @property
    def measures(self) -> FloatArray:
        """Of each stratum."""
        found: FloatArray = self.by_block.sum(axis=0)
        return found


class Exposure:
    """Arrivals to be expected until a time, in seconds at the mean rate: plain seconds without a profile."""

    __slots__ = ("_clock",)

    def __init__(self, plan: Plan) -> None:
        profile = arrival_profile(plan)
        self._clock = None if profile is None else OperationalClock(profile)

    def until(self, time_s: FloatArray) -> FloatArray:
        return time_s if self._clock is None else self._clock.operational_s(time_s)

    def time_s(self, measure: FloatArray) -> FloatArray:
        return measure if self._clock is None else self._clock.time_s(measure)


def whole_horizons(plan: Plan) -> bool:
    """Whether a long timeline is no sequence of horizons, so that each horizon is drawn as one of its own."""
    arrivals = plan.workload.arrivals
    return needs_whole_horizons(plan) or (isinstance(arrivals, ReplayedArrivals) and arrivals.period_s is None)


def default_years(plan: Plan, effort: WindowsEffort = USUAL) -> float:
    """As many as draw some hundred thousand incidents, and at least as long as ten horizons."""
    per_year = incidents_per_year(plan)
    years = min(effort.years, effort.incidents / per_year) if per_year > 0.0 else 1000.0
    if whole_horizons(plan):
        return max(10 * plan.horizon_s / YEAR_S, min(years, 2_000 * plan.horizon_s / YEAR_S))
    return max(years, 0.1)


def population(
    plans: Mapping[str, Plan], years: float, memory_s: float, tail_s: float, effort: WindowsEffort = USUAL
) -> Population:
    """Of arms with the same components, endpoints, seed and profile. Incidents are known `tail_s` beyond the end."""
    plan = next(iter(plans.values()))
    endpoints = relevant_endpoints(plans.values())
    exposure = Exposure(plan)
    if whole_horizons(plan):
        count, from_s, until_s = max(1, math.ceil(years * YEAR_S / plan.horizon_s)), 0.0, plan.horizon_s
    else:
        total_s = max(years * YEAR_S, WEEK_S)
        count = max(_BLOCKS, math.ceil(total_s / _LONGEST_PIECE_S))
        weeks = max(1, round(total_s / count / WEEK_S))
        from_s = math.ceil(_MOST_BEFORE * memory_s / WEEK_S) * WEEK_S
        until_s = from_s + weeks * WEEK_S
    beyond_s = tail_s + 4.0 * memory_s
    pieces = tuple(_relevant(draw_timeline(plan, piece, until_s + beyond_s), endpoints) for piece in range(count))
    parts = [_cut(timeline, endpoints, from_s, until_s, memory_s) for timeline in pieces]
    states = np.concatenate([part[2] for part in parts])
    kinds = np.concatenate([part[3] for part in parts])
    start_s, end_s = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
    codes, strata = _strata(states, kinds, end_s - start_s, endpoints, list(plans.values()), effort)
    piece = np.repeat(np.arange(count), [len(part[0]) for part in parts])
    measure = exposure.until(end_s) - exposure.until(start_s)
    blocks = min(_BLOCKS, count)
    block_of_piece = np.arange(count) * blocks // count
    cells = block_of_piece[piece] * len(strata) + codes
    by_block: FloatArray = np.bincount(cells, measure, blocks * len(strata)).astype(np.float64)
    return Population(
        endpoints,
        memory_s,
        from_s,
        until_s,
        pieces,
        exposure,
        Segments(piece, start_s, end_s, codes, measure),
        strata,
        by_block.reshape(blocks, len(strata)),
        block_of_piece,
    )


def relevant_endpoints(plans: Iterable[Plan]) -> tuple[int, ...]:
    """Endpoints of any arm's chain, and those that a surge goes by."""
    found: dict[int, None] = {}
    for plan in plans:
        found |= dict.fromkeys(chain_endpoints(plan))
        for surge in plan.surges:
            found |= dict.fromkeys((*surge.when, *surge.to))
    return tuple(sorted(found))


def open_in(timeline: Timeline, begin_s: float, until_s: float) -> Timeline:
    """The incidents that are open in [begin, until), as a timeline of their own that ends at infinity."""
    starting = int(np.searchsorted(timeline.start_s, until_s, side="left"))
    return replace(_where(timeline, np.flatnonzero(timeline.end_s[:starting] > begin_s)), until_s=math.inf)


def _relevant(timeline: Timeline, endpoints: Sequence[int]) -> Timeline:
    return _where(timeline, np.flatnonzero(timeline.hits[:, list(endpoints)].any(axis=1)))


def _where(timeline: Timeline, kept: NDArray[np.intp]) -> Timeline:
    return replace(
        timeline,
        component=timeline.component[kept],
        kind=timeline.kind[kept],
        start_s=timeline.start_s[kept],
        end_s=timeline.end_s[kept],
        effect=timeline.effect[kept],
        hits=timeline.hits[kept],
        shared=timeline.shared[kept],
    )


_Cut = tuple[FloatArray, FloatArray, NDArray[np.int8], IntArray]


def _cut(timeline: Timeline, endpoints: Sequence[int], from_s: float, until_s: float, memory_s: float) -> _Cut:
    """(start, end, state of each endpoint as int8[n, endpoints], kind) of one piece's segments."""
    changes = np.unique(np.concatenate((timeline.start_s, timeline.end_s)))
    time_s = np.concatenate(([-math.inf], changes))
    states = _states(timeline, endpoints, changes)
    starts_anew = from_s <= 0.0
    if starts_anew:  # an empty system, as a run begins
        at = int(np.searchsorted(time_s, 0.0, side="right"))
        states = np.insert(states, at, states[at - 1], axis=0)
        time_s = np.insert(time_s, at, 0.0)
    worse = np.concatenate(([False], (states[1:] > states[:-1]).any(axis=1)))
    next_s = np.append(time_s[1:], math.inf)
    settled_s = np.minimum(next_s, time_s + memory_s)
    start_s = np.column_stack((time_s, settled_s)).ravel()
    end_s = np.column_stack((settled_s, next_s)).ravel()
    kinds = np.column_stack((np.where(worse, WORSE, BETTER), np.full(len(worse), STEADY))).ravel()
    states = np.repeat(states, 2, axis=0)
    start_s, end_s = np.clip(start_s, from_s, until_s), np.clip(end_s, from_s, until_s)
    kept = end_s > start_s
    return start_s[kept], end_s[kept], states[kept], kinds[kept]


def _states(timeline: Timeline, endpoints: Sequence[int], changes: FloatArray) -> NDArray[np.int8]:
    """CLEAR, IMPAIRED or DOWN before the first change and from each one on, int8[changes + 1, endpoints]."""
    outage = timeline.outage
    states = np.zeros((len(changes) + 1, len(endpoints)), dtype=np.int8)
    for column, endpoint in enumerate(endpoints):
        for worst, chosen in ((IMPAIRED, ~outage), (DOWN, outage)):
            of = timeline.hits[:, endpoint] & chosen
            open_now = np.zeros(len(changes) + 1, dtype=np.int64)
            np.add.at(open_now, np.searchsorted(changes, timeline.start_s[of]) + 1, 1)
            np.add.at(open_now, np.searchsorted(changes, timeline.end_s[of]) + 1, -1)
            states[np.cumsum(open_now) > 0, column] = worst
    return states


def _strata(
    states: NDArray[np.int8],
    kinds: IntArray,
    lasts_s: FloatArray,
    endpoints: Sequence[int],
    plans: Sequence[Plan],
    effort: WindowsEffort,
) -> tuple[IntArray, tuple[Stratum, ...]]:
    """The stratum of each segment. Rare ones are merged by the number of endpoints down and the arms that are down."""
    chains = [np.isin(endpoints, chain_endpoints(plan)) for plan in plans]
    exact, _, code = _grouped(np.column_stack((states, kinds[:, np.newaxis])))
    if len(exact) > effort.strata:
        common = np.argsort(-np.bincount(code, lasts_s), kind="stable")[: effort.common_strata]
        rough = np.column_stack(
            (
                np.full(len(exact), -1),
                exact[:, -1] != STEADY,
                *((exact[:, :-1][:, chain] == DOWN).all(axis=1) for chain in chains),
                (exact[:, :-1] == DOWN).sum(axis=1),
            )
        ).astype(np.int64)
        rough[common] = -1
        rough[common, 0] = common
        _, first_of_group, merged = _grouped(rough)
        group_sizes = np.bincount(merged)
        strata = tuple(
            _stratum(exact[place], chains, merged=group_sizes[number] > 1)
            for number, place in enumerate(first_of_group)
        )
        return merged[code], strata
    return code, tuple(_stratum(row, chains, merged=False) for row in exact)


def _stratum(row: NDArray[np.int64], chains: Sequence[BoolArray], *, merged: bool) -> Stratum:
    state, kind = row[:-1], int(row[-1])
    all_down = tuple(bool((state[chain] == DOWN).all()) for chain in chains)
    down, impaired = int((state == DOWN).sum()), int((state == IMPAIRED).sum())
    said = "".join("-~x"[level] for level in state) + " " + ("steady", "worse", "better")[kind]
    if merged:
        flags = "".join(str(int(flag)) for flag in all_down)
        said = f"{down} down ({flags}) {'steady' if kind == STEADY else 'changed'}"
    return Stratum(said, () if merged else tuple(state.tolist()), kind, all_down, down, impaired)


def _grouped(rows: NDArray[Any]) -> tuple[IntArray, IntArray, IntArray]:
    """(distinct rows, where each comes first, each row's number among them).

    Rows are told apart by one number each: exactly with up to 38 small digits, else except by an accident of 2^-64.
    """
    weights = np.power(np.uint64(_BASE), np.arange(rows.shape[1], dtype=np.uint64))
    keys = (rows + 1).astype(np.uint64) @ weights
    _, first, code = np.unique(keys, return_index=True, return_inverse=True)
    return rows[first].astype(np.int64), first, code.ravel().astype(np.int64)
