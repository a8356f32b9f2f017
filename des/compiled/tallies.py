"""Blocks of rows checked and added up by the compiled engine's passes.

The figures and the rules are those of `des.estimate`, which does the same in NumPy to blocks of other sources, and to
those where a pass meets a row that may break a rule.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from des.compiled.compiling import Kernel
from des.compiled.kernel.tallies import (
    CACHE_HITS,
    CALL_MARKS,
    CALLS,
    COST_HIGH,
    COST_MARKS,
    FALLBACKS,
    IDS,
    KEY_SHIFT,
    LATENCIES,
    LATENCY_HIGH,
    MARKS,
    PROBE_HIGH,
    PROBES,
    QUALITIES,
    QUALITY_HIGH,
    SUMS,
    WASTED_HIGH,
    ZEROS,
)
from des.engine.columns import ATTEMPT_LAYOUT, REQUEST_LAYOUT, Layout, MadeBlock, row_type
from des.tally import Block, CallTally, Counts, Last, Passes, RequestTally

_Array = NDArray[Any]
_INT: Final = np.dtype(np.int64)
_CALLS: Final[Layout] = [("duration_s", "d"), ("cost_picousd", "q")]
_REQUESTS: Final[Layout] = [
    ("latency_s", "d"),
    ("cost_picousd", "q"),
    ("wasted_picousd", "q"),
    ("served_by", "b"),
    ("chain_position", "b"),
    ("quality", "f"),
]
"""Columns that are made from those of the layouts."""


class _Calls(NamedTuple):
    request_id: _Array
    nth: _Array
    start_s: _Array
    end_s: _Array
    duration_s: _Array
    outcome: _Array
    kind: _Array
    cost: _Array


class _Requests(NamedTuple):
    request_id: _Array
    arrival_s: _Array
    end_s: _Array
    latency_s: _Array
    latency_bits: _Array
    outcome: _Array
    attempts: _Array
    cost: _Array
    wasted: _Array
    lost_to: _Array
    served_by: _Array
    position: _Array
    quality: _Array
    cache_hit: _Array
    edges: _Array
    bin_of_key: _Array
    first_key: int


class _CallsByMinute(NamedTuple):
    nth: _Array
    start_s: _Array
    end_s: _Array
    outcome: _Array
    kind: _Array
    cause: _Array
    cause_id: _Array
    places: tuple[int, ...]


class _RequestsByMinute(NamedTuple):
    arrival_s: _Array
    end_s: _Array
    outcome: _Array
    places: tuple[int, ...]


class CompiledPasses:
    """`des.tally.Passes`, by the functions of a kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def attempts(self, block: Block, last: Last, outcomes: Counts) -> CallTally | None:
        given = _Calls(
            request_id=block["request_id"],
            nth=block["attempt"],
            start_s=block["start_s"],
            end_s=block["end_s"],
            duration_s=block["duration_s"],
            outcome=block["outcome"],
            kind=block["kind"],
            cost=block["cost_picousd"],
        )
        sums, marks = _nothing()
        if not self._kernel.tally_attempts(given, *last, outcomes, sums, marks):
            return None
        return CallTally(
            calls=int(sums[CALLS]),
            cost=_of_two(sums, COST_HIGH),
            call_marks=int(marks[CALL_MARKS]),
            cost_marks=int(marks[COST_MARKS]),
            probes=int(sums[PROBES]),
            probe_cost=_of_two(sums, PROBE_HIGH),
        )

    def requests(
        self, block: Block, last: Last, counts: tuple[Counts, Counts, Counts], bins: Counts, edges: NDArray[np.float64]
    ) -> RequestTally | None:
        edges, bin_of_key, first_key = _keyed(edges)
        latency_s = block["latency_s"]
        given = _Requests(
            request_id=block["request_id"],
            arrival_s=block["arrival_s"],
            end_s=block["end_s"],
            latency_s=latency_s,
            latency_bits=latency_s.view(np.int64),
            outcome=block["outcome"],
            attempts=block["attempts"],
            cost=block["cost_picousd"],
            wasted=block["wasted_picousd"],
            lost_to=block["lost_to"],
            served_by=block["served_by"],
            position=block["chain_position"],
            quality=block["quality"],
            cache_hit=block["response_cache_hit"].view(np.int8),
            edges=edges,
            bin_of_key=bin_of_key,
            first_key=first_key,
        )
        ends = np.array([np.inf, -np.inf])
        sums, marks = _nothing()
        if not self._kernel.tally_requests(given, *last[:2], *counts, bins, ends, sums, marks):
            return None
        return RequestTally(
            ids=int(marks[IDS]),
            calls=int(sums[CALLS]),
            call_marks=int(marks[CALL_MARKS]),
            cost=_of_two(sums, COST_HIGH),
            cost_marks=int(marks[COST_MARKS]),
            wasted=_of_two(sums, WASTED_HIGH),
            fallbacks=int(sums[FALLBACKS]),
            cache_hits=int(sums[CACHE_HITS]),
            latencies=int(sums[LATENCIES]),
            latency_steps=_of_two(sums, LATENCY_HIGH),
            qualities=int(sums[QUALITIES]),
            quality_steps=_of_two(sums, QUALITY_HIGH),
            zeros=int(sums[ZEROS]),
            least_s=float(ends[0]),
            greatest_s=float(ends[1]),
        )

    def minutes_of_attempts(
        self, block: Block, minutes_a_bin: int, budgets: Counts, counts: Counts, places: tuple[int, ...]
    ) -> None:
        given = _CallsByMinute(
            nth=block["attempt"],
            start_s=block["start_s"],
            end_s=block["end_s"],
            outcome=block["outcome"],
            kind=block["kind"],
            cause=block["cause"],
            cause_id=block["cause_id"],
            places=places,
        )
        self._kernel.minutes_of_attempts(given, minutes_a_bin, budgets, counts)

    def minutes_of_requests(self, block: Block, minutes_a_bin: int, counts: Counts, places: tuple[int, ...]) -> None:
        given = _RequestsByMinute(block["arrival_s"], block["end_s"], block["outcome"], places)
        self._kernel.minutes_of_requests(given, minutes_a_bin, counts)


def load(kernel: Kernel) -> None:
    """Compile the passes, or load them, by blocks without rows."""
    passes = CompiledPasses(kernel)
    counts, last = np.zeros(1, _INT), (-np.inf, -1, -1)
    calls, asked = _empty(ATTEMPT_LAYOUT, _CALLS, passes), _empty(REQUEST_LAYOUT, _REQUESTS, passes)
    passes.attempts(calls, last, counts)
    passes.requests(asked, last, (counts, counts, counts), counts, np.array([1.0, 2.0]))
    passes.minutes_of_attempts(calls, 1, counts, counts.reshape(1, 1), (0,) * 8)
    passes.minutes_of_requests(asked, 1, counts.reshape(1, 1), (0,) * 4)


def _empty(layout: Layout, more: Layout, passes: Passes) -> MadeBlock:
    types = row_type([*layout, *more])
    return MadeBlock({name: np.empty(0, types[name]) for name in types.names or ()}, passes)


def _nothing() -> tuple[Counts, NDArray[np.uint64]]:
    return np.zeros(SUMS, _INT), np.zeros(MARKS, np.uint64)


def _of_two(sums: Counts, high: int) -> int:
    """The sum whose high bits are at a place, and whose low ones follow."""
    return (int(sums[high]) << 32) + int(sums[high + 1])


_Keyed = tuple[NDArray[np.float64], NDArray[np.int64], int]
_KEYED: dict[int, tuple[NDArray[np.float64], _Keyed]] = {}


def _keyed(edges: NDArray[np.float64]) -> _Keyed:
    """The edges of a histogram; by key, the first bin where values with it may be; and the first key.

    A key is the bits of a float without the last `KEY_SHIFT`. So a value's bin is found by a look and a step or two.
    """
    found = _KEYED.get(id(edges))
    if found is None:
        first, last = (int(edge.view(np.int64)) >> KEY_SHIFT for edge in (edges[0], edges[-1]))
        least = (np.arange(first, last + 1) << KEY_SHIFT).view(np.float64)
        bins = np.clip(np.searchsorted(edges, least, side="right") - 1, 0, len(edges) - 2)
        keyed = edges.copy(), bins, first  # for Numba, an array that cannot be written to would be of another type
        found = _KEYED[id(edges)] = edges, keyed
    return found[1]
