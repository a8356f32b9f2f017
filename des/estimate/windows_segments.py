"""One block of a segment, simulated request by request, and what its counted requests came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.compiled import simulate_window
from des.engine import RunWindow, names
from des.estimate.conservation import is_lost
from des.estimate.sums import bin_edges, integer_sum
from des.faults import Timeline
from des.faults.intervals import FloatArray
from des.scenario.plan import Plan
from des.vocabulary import PROBE, RATE_LIMITED, REQUEST_IN_FLIGHT, REQUEST_OK

IntArray = NDArray[np.int64]
_Block = Mapping[str, NDArray[Any]]

REQUESTS, OK, LOST, CUT, COST, WASTED, ATTEMPTS, LIMITED, FALLBACK, LATENCY_S, CACHE_HITS, PROBE_COST = range(12)
"""Places of a tally's values; then come the requests served by each leg and those lost to each cause."""
COUNTED: Final = 12
_PICODOLLARS: Final = 1e12


@dataclass(frozen=True, slots=True)
class Window:
    """A block to simulate: `number` is its draw in `stratum`, `measure` the arrivals to be expected of it.

    The clock starts at `begin_s`; requests that arrive in [from_s, until_s) count. `timeline` has the incidents open
    from the one to `cut_s`, and `seed` is that of all draws. `end_s` is the part of it, [from, until), that lies in the
    last quarter of a whole transient, if any.
    """

    stratum: int
    number: int
    piece: int
    measure: float
    begin_s: float
    from_s: float
    until_s: float
    cut_s: float
    seed: int
    timeline: Timeline
    end_s: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Tally:
    """What the requests of a window came to, in one arm.

    `values` are sums over counted requests, in USD and seconds. `bins` and `counts` are the latencies of those served,
    by bins of `sums.bin_edges`. `simulated` counts all requests, load included. `met` are the incidents, by component
    and effect, that were open when a counted request arrived. `called` are the legs that counted requests called. `end`
    are the first sums of `values` over the requests of the window's `end_s`. `costs` are of all counted requests, by
    the same bins, -1 for no cost, and `cost_counts` how many they are.
    """

    values: FloatArray
    bins: IntArray
    counts: IntArray
    simulated: int
    met: tuple[tuple[int, int], ...] = ()
    called: tuple[int, ...] = ()
    end: FloatArray = field(default_factory=lambda: np.zeros(COUNTED))
    costs: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    cost_counts: IntArray = field(default_factory=lambda: np.empty(0, np.int64))


def seed_of(seed: int, stratum: str, number: int, purpose: str = "window") -> int:
    """The seed of one draw's own randomness: arms that draw the same block share it."""
    digest = blake2b(f"{seed}\x1f{purpose}\x1f{stratum}\x1f{number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def tally(plan: Plan, window: Window) -> Tally:
    """Simulate the window in one arm."""
    from_s, until_s = window.end_s
    if from_s >= until_s:
        return tallies(plan, window, ((window.from_s, window.until_s),))[0]
    whole, end = tallies(plan, window, ((window.from_s, window.until_s), window.end_s))
    return replace(whole, end=end.values[:COUNTED])


def tallies(plan: Plan, window: Window, slices: Sequence[tuple[float, float]]) -> list[Tally]:
    """Simulate the window once, and count the requests of each of these spells of time, which lie within it."""
    rows = _Rows()
    played = RunWindow(window.timeline, window.begin_s, window.from_s, window.until_s, window.cut_s)
    simulate_window(replace(plan, seed=window.seed), 0, rows, played)
    return [_counted(plan, window, rows, from_s, until_s) for from_s, until_s in slices]


class _Rows:
    """The engine's rows, as they come."""

    def __init__(self) -> None:
        self._requests: list[_Block] = []
        self._attempts: list[_Block] = []

    def requests(self, block: _Block) -> None:
        self._requests.append(block)

    def attempts(self, block: _Block) -> None:
        self._attempts.append(block)

    def transitions(self, block: _Block) -> None:
        """Nothing of them is counted, nor of the next two."""

    def incidents(self, block: _Block) -> None: ...

    def refusals(self, block: _Block) -> None: ...

    def of_requests(self, *columns: str) -> list[NDArray[Any]]:
        return [_joined(self._requests, column) for column in columns]

    def of_attempts(self, *columns: str) -> list[NDArray[Any]]:
        return [_joined(self._attempts, column) for column in columns]

    @property
    def simulated(self) -> int:
        return sum(len(block["request_id"]) for block in self._requests)


def _joined(blocks: Sequence[_Block], column: str) -> NDArray[Any]:
    if len(blocks) == 1:
        return blocks[0][column]
    return np.concatenate([block[column] for block in blocks]) if blocks else np.empty(0)


def _counted(plan: Plan, window: Window, rows: _Rows, from_s: float, until_s: float) -> Tally:
    values = np.zeros(COUNTED + len(plan.chain) + len(names(plan)["requests"]["lost_to"]))
    number, arrival_s, outcome, cost, wasted, attempts, served_by, place, hit, latency_s, lost_to = rows.of_requests(
        "request_id",
        "arrival_s",
        "outcome",
        "cost_picousd",
        "wasted_picousd",
        "attempts",
        "served_by",
        "chain_position",
        "response_cache_hit",
        "latency_s",
        "lost_to",
    )
    own = (arrival_s >= from_s) & (arrival_s < until_s)
    if not own.any():
        return Tally(values, np.empty(0, np.int64), np.empty(0, np.int64), rows.simulated)
    ok = own & (outcome == REQUEST_OK)
    lost = own & is_lost(outcome)
    values[CUT] = np.count_nonzero(own & (outcome == REQUEST_IN_FLIGHT))
    values[REQUESTS] = np.count_nonzero(own)
    values[OK], values[LOST] = np.count_nonzero(ok), np.count_nonzero(lost)
    values[COST] = integer_sum(cost[own]) / _PICODOLLARS
    values[WASTED] = integer_sum(wasted[own]) / _PICODOLLARS
    values[ATTEMPTS] = integer_sum(attempts[own])
    values[FALLBACK] = np.count_nonzero(place[ok] > 0)
    values[CACHE_HITS] = np.count_nonzero(hit[own])
    values[LATENCY_S] = integer_sum(np.rint(latency_s[ok] * 1e9).astype(np.int64)) / 1e9
    legs = len(plan.chain)
    by_leg = served_by[ok]
    values[COUNTED : COUNTED + legs] = np.bincount(by_leg[by_leg >= 0], minlength=legs)
    values[COUNTED + legs :] = np.bincount(lost_to[lost], minlength=len(values) - COUNTED - legs)
    called = _count_attempts(values, rows, number[own], from_s, until_s)
    bins, counts = _by_bin(latency_s[ok])
    costs, cost_counts = _by_bin(cost[own] / _PICODOLLARS, without=-1)
    met = _met(window, arrival_s[own])
    return Tally(values, bins, counts, rows.simulated, met, called, costs=costs, cost_counts=cost_counts)


def _by_bin(values: FloatArray, without: int = 0) -> tuple[IntArray, IntArray]:
    """The bins of `sums.bin_edges` that have values, and how many. Zeros are in the bin `without`."""
    edges = bin_edges()
    places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    bins, counts = np.unique(np.where(values > 0.0, places, without), return_counts=True)
    return bins.astype(np.int64), counts.astype(np.int64)


def _count_attempts(
    values: FloatArray, rows: _Rows, own: NDArray[Any], from_s: float, until_s: float
) -> tuple[int, ...]:
    """Attempts of the counted requests, whose ids follow each other, and probes that start in the same time.

    Returns the legs that the requests called.
    """
    number, kind, outcome, start_s, cost, leg = rows.of_attempts(
        "request_id", "kind", "outcome", "start_s", "cost_picousd", "leg"
    )
    if not len(number):
        return ()
    probe = kind == PROBE
    of_own = (number >= own.min()) & (number <= own.max()) & ~probe
    values[LIMITED] = np.count_nonzero(of_own & (outcome == RATE_LIMITED))
    timely = probe & (start_s >= from_s) & (start_s < until_s)
    values[PROBE_COST] = integer_sum(cost[timely]) / _PICODOLLARS
    return tuple(np.unique(leg[of_own]).tolist())


def _met(window: Window, arrival_s: FloatArray) -> tuple[tuple[int, int], ...]:
    timeline = window.timeline
    if not len(timeline):
        return ()
    ordered = np.sort(arrival_s)
    arrived = np.searchsorted(ordered, timeline.end_s) > np.searchsorted(ordered, timeline.start_s)
    pairs = zip(timeline.component[arrived].tolist(), timeline.effect[arrived].tolist(), strict=True)
    return tuple(sorted(set(pairs)))
