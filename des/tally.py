"""What an engine can add up of its own blocks of rows, for estimators that else do so in NumPy.

The compiled engine does; the engine in SimPy does not. Any room may import this module, which imports none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Block = Mapping[str, NDArray[Any]]
Counts = NDArray[np.int64]
Last = tuple[float, int, int]
"""The (end, request, attempt) of the row before a block's first one."""


@dataclass(frozen=True, slots=True)
class CallTally:
    """Sums over a block of calls, exact; money in picodollars. Probes are apart."""

    calls: int
    cost: int
    call_marks: int
    """Fingerprint of the calls by request, modulo 2^64, as is that of what they cost."""
    cost_marks: int
    probes: int
    probe_cost: int


@dataclass(frozen=True, slots=True)
class RequestTally:
    """Sums over a block of requests, exact; latency and quality in steps of 1e-9, of those that were served."""

    ids: int
    """Fingerprint of the requests' numbers, modulo 2^64."""
    calls: int
    call_marks: int
    cost: int
    cost_marks: int
    wasted: int
    fallbacks: int
    cache_hits: int
    latencies: int
    latency_steps: int
    qualities: int
    quality_steps: int
    zeros: int
    """Latencies of zero. The least and the greatest are of those above it."""
    least_s: float
    greatest_s: float


class Passes(Protocol):
    """Adds up the rows of a block, which all have an end, in one loop over them.

    The first two check the conservation rules too. They return None, with nothing added, where some row may break one.
    """

    def attempts(self, block: Block, last: Last, outcomes: Counts) -> CallTally | None:
        """Adds to the counts by outcome too."""

    def requests(
        self, block: Block, last: Last, counts: tuple[Counts, Counts, Counts], bins: Counts, edges: NDArray[np.float64]
    ) -> RequestTally | None:
        """Adds to the counts by outcome, by leg that served and by cause of loss, and to a histogram of latencies."""

    def minutes_of_attempts(
        self, block: Block, minutes_a_bin: int, budgets: Counts, counts: Counts, places: tuple[int, ...]
    ) -> None:
        """Adds to the counts by kind, at these places, and minute."""

    def minutes_of_requests(self, block: Block, minutes_a_bin: int, counts: Counts, places: tuple[int, ...]) -> None:
        """As for calls."""


def passes_of(block: Block) -> Passes | None:
    """None where NumPy is to add up the block."""
    return getattr(block, "passes", None)
