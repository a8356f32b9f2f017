"""Counts by minute: how service recovers after a trigger, and when it stays collapsed.

A run is metastable if service stays collapsed after its trigger has gone, under no more load than before (Bronson et
al., HotOS 2021; Huang et al., OSDI 2022). Something it does itself, mostly retries, keeps it collapsed.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.estimate.conservation import is_lost
from des.faults import Intervals
from des.tally import passes_of
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
_OF_REQUESTS: Final = tuple(map(COUNTS.index, ("offered", "served", "goodput", "failed")))
_OF_ATTEMPTS: Final = tuple(
    map(
        COUNTS.index,
        (
            "calls",
            "hedges",
            "retries",
            "admitted",
            "refused_by_budget",
            "refused_by_limit",
            "refused_by_capacity",
            "late_work",
        ),
    )
)
"""What the compiled engine's passes count, in their order."""
MINUTE_S: Final = 60.0
MINUTES_KEPT: Final = 31 * 24 * 60
"""A longer horizon has bins of several minutes, to bound memory."""
MOST_BINS: Final = 2 * MINUTES_KEPT
"""Bins including those after the horizon. A run that goes on even longer doubles the length of its bins."""
_RECOVERED: Final = 0.9
"""Share of the baseline's served share that service has to reach again."""
_STEADY_S: Final = 180.0
"""How long service has to stay there, unless the observation ends first."""
_PATIENCE_S: Final = 600.0
_PATIENCE: Final = 5.0
"""Service is metastable if it has not recovered in this many lengths of its trigger, nor in ten minutes."""
_LEAST_ENDED: Final = 0.5
"""Share of a bin's requests that must have ended. Where a run is cut off, served ones have ended first."""
_MORE_LOAD: Final = 1.1
"""Factor of the load before. Above it nothing is concluded, since the greater load may be the cause."""
_NOISE: Final = 2.0
"""Standard deviations by which load must exceed that, or service fall short of the baseline, to rule out chance."""
_ROUNDING: Final = 1e-12

_Block = Mapping[str, NDArray[Any]]
_Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bins:
    """Counts of n bins of `bin_s`, a whole number of minutes, from time 0: int64[n] each, by the names of `COUNTS`."""

    bin_s: float
    of: Mapping[str, _Counts]

    def __len__(self) -> int:
        return len(self.of["offered"])

    def total(self, name: str) -> int:
        return int(self.of[name].sum())

    def rows(self) -> dict[str, NDArray[Any]]:
        """The columns of the trace."""
        count = len(self)
        return {"time_s": np.arange(count) * self.bin_s, "bin_s": np.full(count, self.bin_s), **self.of}


class Minutes:
    """Takes blocks of the engine's rows, in any order. Probes are left out, since they serve no request.

    Requests count when they arrive, `goodput` when they are served. Calls count when they are sent, `late_work` when
    the client abandons them. `budgets` are the indices of the client's own limits: a call that they refuse is never
    sent.
    """

    def __init__(self, horizon_s: float, budgets: Collection[int] = ()) -> None:
        self._budgets = np.array(sorted(budgets), np.int64)
        minutes = max(1, -int(-horizon_s // MINUTE_S))
        self._minutes_a_bin = -(-minutes // MINUTES_KEPT)
        self._least = -(-minutes // self._minutes_a_bin)
        self._counts = np.zeros((len(COUNTS), _even(self._least)), np.int64)

    def requests(self, block: _Block) -> None:
        if (passes := passes_of(block)) is not None:
            self._make_room(int(block["end_s"].max() // MINUTE_S))
            passes.minutes_of_requests(block, self._minutes_a_bin, self._counts, _OF_REQUESTS)
            return
        outcome = block["outcome"]
        arrived = self._bins_of(block["arrival_s"])
        ok = outcome == REQUEST_OK
        self._count("offered", arrived)
        self._count("served", arrived[ok])
        self._count("failed", arrived[is_lost(outcome)])
        self._count("goodput", self._bins_of(block["end_s"][ok]))

    def attempts(self, block: _Block) -> None:
        if (passes := passes_of(block)) is not None:
            self._make_room(int(block["end_s"].max() // MINUTE_S))
            passes.minutes_of_attempts(block, self._minutes_a_bin, self._budgets, self._counts, _OF_ATTEMPTS)
            return
        kind, outcome, cause = block["kind"], block["outcome"], block["cause"]
        real = kind != PROBE
        given_up = real & ((outcome == TIMEOUT) | (outcome == CANCELLED)) & ~np.isnan(block["end_s"])
        self._count("late_work", self._bins_of(block["end_s"][given_up]))
        sent = self._bins_of(block["start_s"])
        refused = real & (cause == BY_LIMIT) & (outcome == RATE_LIMITED)
        by_budget = refused & np.isin(block["cause_id"], self._budgets) if len(self._budgets) else refused & False
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

    def refusals(self, block: _Block) -> None:
        """Add what the client itself refused, in columns of minutes and counts."""
        bins = self._bins_of(block["minute"] * MINUTE_S)
        np.add.at(self._counts[COUNTS.index("refused_by_client")], bins, block["count"])

    def bins(self) -> Bins:
        """All bins up to the horizon, and those after it up to the last that is not empty."""
        used = np.flatnonzero(self._counts.any(axis=0))
        count = max(self._least, int(used[-1]) + 1 if len(used) else 0)
        return Bins(
            self._minutes_a_bin * MINUTE_S,
            {name: self._counts[place, :count].copy() for place, name in enumerate(COUNTS)},
        )

    def _bins_of(self, time_s: NDArray[np.float64]) -> _Counts:
        """The bin of each instant. Count into them before the next call, which may double the length of all bins."""
        minute: _Counts = np.floor_divide(time_s, MINUTE_S).astype(np.int64)
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

    def _count(self, name: str, bins: _Counts) -> None:
        if not len(bins):
            return
        first = int(bins.min())
        found = np.bincount(bins - first)
        self._counts[COUNTS.index(name), first : first + len(found)] += found


@dataclass(frozen=True, slots=True)
class Recovery:
    """How service fared after one trigger that ended before the horizon.

    `observed_s` runs from the trigger's end to the next trigger or the horizon. `recovered_s` runs to the start of the
    recovery, None if none was observed. `metastable` is None if the observation was too short to tell. `offered` and
    `goodput` count the requests that came and were served from the trigger's end to the recovery, or as long as
    observed.
    """

    end_s: float
    observed_s: float
    recovered_s: float | None
    metastable: bool | None
    offered: int
    goodput: int

    @property
    def collapsed_s(self) -> float:
        """How long service was observed without having recovered."""
        return self.observed_s if self.recovered_s is None else self.recovered_s


@dataclass(slots=True)
class _Before:
    """Bins so far without an incident and with steady service."""

    seconds: float = 0.0
    offered: int = 0
    served: int = 0
    finished: int = 0

    def add(self, bins: Bins, some: slice) -> None:
        of = bins.of
        self.seconds += (some.stop - some.start) * bins.bin_s
        self.offered += int(of["offered"][some].sum())
        self.served += int(of["served"][some].sum())
        self.finished += int((of["served"][some] + of["failed"][some]).sum())

    @property
    def served_share(self) -> float:
        return self.served / self.finished if self.finished else 1.0


def recoveries(bins: Bins, triggers: Intervals, horizon_s: float) -> tuple[Recovery, ...]:
    """One for each of `triggers` (disjoint and sorted) that ended before the horizon.

    The baseline is the served share of all earlier bins without an incident that do not belong to the aftermath of an
    earlier trigger; 1 where there is none.
    """
    return tuple(_each(bins, triggers, horizon_s))


def _each(bins: Bins, triggers: Intervals, horizon_s: float) -> Iterator[Recovery]:
    before = _Before()
    overall_per_s = bins.total("offered") / horizon_s
    horizon_bins = math.ceil(horizon_s / bins.bin_s)
    starts_s = [*triggers.start_s.tolist(), math.inf]
    steady_from: int | None = 0  # the first bin of steady service since the last trigger; None if service is not back
    for number, end_s in enumerate(triggers.end_s.tolist()):
        start_s, next_s = max(0.0, starts_s[number]), starts_s[number + 1]
        if end_s >= horizon_s:
            return
        if steady_from is not None:
            before.add(bins, slice(steady_from, max(steady_from, int(start_s // bins.bin_s))))
        stop = horizon_bins if next_s >= horizon_s else int(next_s // bins.bin_s)
        after = slice(first := math.ceil(end_s / bins.bin_s), max(first, stop))
        steady_from = _steady_from(bins, after, before.served_share)
        recovered_s = None if steady_from is None else max(0.0, steady_from * bins.bin_s - end_s)
        observed_s = min(next_s, horizon_s) - end_s
        span = slice(after.start, after.stop if steady_from is None else steady_from)
        wait_s = max(_PATIENCE_S, _PATIENCE * (end_s - start_s))
        metastable = None
        if recovered_s is not None and recovered_s <= wait_s:
            metastable = False
        elif observed_s >= wait_s and bins.of["offered"][span].any():
            per_s = before.offered / before.seconds if before.seconds else overall_per_s
            metastable = _collapsed(bins, span, before.served_share, per_s, horizon_s)
        yield Recovery(
            end_s,
            observed_s,
            recovered_s,
            metastable,
            int(bins.of["offered"][span].sum()),
            int(bins.of["goodput"][span].sum()),
        )


def _steady_from(bins: Bins, after: slice, baseline: float) -> int | None:
    """The first bin from which service is back for long enough. Bins with too few ended requests are ignored."""
    served = bins.of["served"][after]
    finished = served + bins.of["failed"][after]
    (asked,) = np.nonzero(finished > _LEAST_ENDED * bins.of["offered"][after])
    if not len(asked):
        return None
    good = served[asked] >= _RECOVERED * baseline * finished[asked] * (1.0 - _ROUNDING)
    (bad,) = np.nonzero(~good)
    first = np.concatenate(([0], bad + 1))
    length = np.concatenate((bad, [len(asked)])) - first
    enough = length >= math.ceil(_STEADY_S / bins.bin_s)
    enough[-1] = length[-1] > 0
    (runs,) = np.nonzero(enough)
    if not len(runs):
        return None
    run = int(first[runs[0]])
    return int(after.start) + (int(asked[run - 1]) + 1 if run else 0)


def _collapsed(bins: Bins, span: slice, baseline: float, before_per_s: float, horizon_s: float) -> bool:
    """Whether service in all of the span is below the baseline, without more load than before."""
    served, failed, offered = (int(_of(bins, name, span).sum()) for name in ("served", "failed", "offered"))
    lasts_s = min(span.stop * bins.bin_s, horizon_s) - span.start * bins.bin_s
    most = _MORE_LOAD * before_per_s * lasts_s
    share = _RECOVERED * baseline
    least = share * (served + failed) - _NOISE * math.sqrt((served + failed) * share * (1.0 - share))
    return served < least and offered <= most + _NOISE * math.sqrt(most)


def _of(bins: Bins, name: str, span: slice) -> NDArray[np.int64]:
    return bins.of[name][span]


def _even(count: int) -> int:
    return count + count % 2


def _pairs(counts: _Counts) -> _Counts:
    """Sums of two neighbouring bins each, padded to an even number of columns."""
    rows, width = counts.shape
    summed: _Counts = counts.reshape(rows, width // 2, 2).sum(axis=2)
    return np.pad(summed, ((0, 0), (0, summed.shape[1] % 2)))
