"""What happened minute by minute: requests offered and served, calls made, refused and given up."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.estimate.laws import is_lost
from des.vocabulary import (
    BY_CAPACITY,
    BY_LIMIT,
    CALL,
    CANCELLED,
    HEDGE,
    OVERLOADED,
    PROBE,
    RATE_LIMITED,
    REQUEST_OK,
    TIMEOUT,
)

COUNTS: Final = (
    "offered",
    "calls",
    "hedges",
    "retries",
    "admitted",
    "refused_by_budget",
    "refused_by_limit",
    "refused_by_capacity",
    "refused_by_client",
    "served",
    "goodput",
    "late_work",
    "failed",
)
MINUTE_S: Final = 60.0
MINUTES_KEPT: Final = 31 * 24 * 60
"""A longer horizon has bins of several minutes, so that memory does not grow with it."""
MOST_BINS: Final = 2 * MINUTES_KEPT
"""With those after the horizon; a run that goes on even longer doubles its bins."""

Block = Mapping[str, NDArray[Any]]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bins:
    """Counts of n bins of `bin_s`, a whole number of minutes, from 0 on: int64[n] each, by the names of `COUNTS`."""

    bin_s: float
    of: Mapping[str, Counts]

    def __len__(self) -> int:
        return len(self.of["offered"])

    def total(self, name: str) -> int:
        return int(self.of[name].sum())

    def rows(self) -> dict[str, NDArray[Any]]:
        """The columns of the trace."""
        count = len(self)
        return {"time_s": np.arange(count) * self.bin_s, "bin_s": np.full(count, self.bin_s), **self.of}


class Minutes:
    """Takes blocks of the engine's rows, in any order; probes, which serve nobody, are left out.

    Requests count when they arrive, those of `goodput` when they are served; calls when they are sent, those of
    `late_work` when their client gives them up. `budgets` are the indices of those limits that are the client's own:
    what they refuse never reaches a provider.
    """

    def __init__(self, horizon_s: float, budgets: Collection[int] = ()) -> None:
        self._budgets = np.array(sorted(budgets), np.int64)
        minutes = max(1, -int(-horizon_s // MINUTE_S))
        self._minutes_a_bin = -(-minutes // MINUTES_KEPT)
        self._least = -(-minutes // self._minutes_a_bin)
        self._counts = np.zeros((len(COUNTS), _even(self._least)), np.int64)

    def requests(self, block: Block) -> None:
        outcome = block["outcome"]
        arrived = self._bins_of(block["arrival_s"])
        ok = outcome == REQUEST_OK
        self._count("offered", arrived)
        self._count("served", arrived[ok])
        self._count("failed", arrived[is_lost(outcome)])
        self._count("goodput", self._bins_of(block["end_s"][ok]))

    def attempts(self, block: Block) -> None:
        kind, outcome, cause = block["kind"], block["outcome"], block["cause"]
        real = kind != PROBE
        given_up = real & ((outcome == TIMEOUT) | (outcome == CANCELLED)) & ~np.isnan(block["end_s"])
        self._count("late_work", self._bins_of(block["end_s"][given_up]))
        sent = self._bins_of(block["start_s"])
        refused = real & (cause == BY_LIMIT) & (outcome == RATE_LIMITED)
        by_budget = refused & np.isin(block["cause_id"], self._budgets)
        by_limit = refused & ~by_budget
        by_capacity = real & (cause == BY_CAPACITY) & (outcome == OVERLOADED)
        calls = kind == CALL
        self._count("calls", sent[calls])
        self._count("retries", sent[calls & (block["attempt"] > 0)])
        self._count("hedges", sent[kind == HEDGE])
        self._count("refused_by_budget", sent[by_budget])
        self._count("refused_by_limit", sent[by_limit])
        self._count("refused_by_capacity", sent[by_capacity])
        self._count("admitted", sent[real & ~refused & ~by_capacity])

    def refusals(self, block: Block) -> None:
        """Add what the client itself refused, in columns of minutes and counts."""
        bins = self._bins_of(block["minute"] * MINUTE_S)
        np.add.at(self._counts[COUNTS.index("refused_by_client")], bins, block["count"])

    def bins(self) -> Bins:
        """All bins up to the horizon, and those after it up to the last in which anything happened."""
        used = np.flatnonzero(self._counts.any(axis=0))
        count = max(self._least, int(used[-1]) + 1 if len(used) else 0)
        return Bins(
            self._minutes_a_bin * MINUTE_S,
            {name: self._counts[place, :count].copy() for place, name in enumerate(COUNTS)},
        )

    def _bins_of(self, time_s: NDArray[np.float64]) -> Counts:
        """The bins that instants fall in, to be counted before others are asked for: these may make all bins longer."""
        minute: Counts = np.floor_divide(time_s, MINUTE_S).astype(np.int64)
        if len(minute):
            self._make_room(int(minute.max()))
        return minute // self._minutes_a_bin

    def _make_room(self, minute: int) -> None:
        while minute // self._minutes_a_bin >= MOST_BINS:
            self._minutes_a_bin *= 2
            self._least = -(-self._least // 2)
            self._counts = _pairs(self._counts)
        bins, width = minute // self._minutes_a_bin + 1, self._counts.shape[1]
        if bins > width:
            more = _even(min(MOST_BINS, max(bins, 2 * width))) - width
            self._counts = np.pad(self._counts, ((0, 0), (0, more)))

    def _count(self, name: str, bins: Counts) -> None:
        if not len(bins):
            return
        first = int(bins.min())
        found = np.bincount(bins - first)
        self._counts[COUNTS.index(name), first : first + len(found)] += found


def _even(count: int) -> int:
    return count + count % 2


def _pairs(counts: Counts) -> Counts:
    """Sums of two neighbouring bins each, in an even number of columns again."""
    rows, width = counts.shape
    summed: Counts = counts.reshape(rows, width // 2, 2).sum(axis=2)
    return np.pad(summed, ((0, 0), (0, summed.shape[1] % 2)))
