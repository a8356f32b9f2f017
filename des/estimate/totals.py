"""The figures of one replication, added up from its rows as they pass: requests, losses by outage, batches.

Every sum is of integers (picodollars, nanoseconds, counts), so no figure depends on how the rows are cut into blocks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.estimate.conservation import Conservation, is_lost
from des.estimate.sums import LogHistogram, RunningMean, bin_edges, integer_sum
from des.faults import Intervals
from des.tally import RequestTally, passes_of
from des.vocabulary import (
    ATTEMPT_OUTCOMES,
    BY_INCIDENT,
    PROBE,
    RATE_LIMITED,
    REQUEST_IN_FLIGHT,
    REQUEST_OK,
    REQUEST_OUTCOMES,
)

_MOST_APART: Final = 200
"""Most lost requests outside outages whose times are kept. With more, arms are not compared by their losses."""
_PICODOLLARS: Final = 10**12

_Block = Mapping[str, NDArray[Any]]
Metrics = dict[str, Any]
"""Each a number, None where the denominator is zero, or a dict of numbers by name."""


class Totals:
    """Takes blocks of the engine's rows, in order, and gives the replication's metrics.

    `names` are the dictionaries of the tables' columns; `lost_to` of `requests` lists the causes of loss. `legs` are
    the legs' names in the order of the chain.
    """

    def __init__(self, names: Mapping[str, Mapping[str, Sequence[str]]], legs: Sequence[str]) -> None:
        self._legs = tuple(legs)
        self._lost_names = tuple(names["requests"]["lost_to"])
        self._conservation = Conservation()
        self._outcomes = np.zeros(len(REQUEST_OUTCOMES), np.int64)
        self._attempt_outcomes = np.zeros(len(ATTEMPT_OUTCOMES), np.int64)
        self._served = np.zeros(len(self._legs) + 1, np.int64)  # the last entry: by no leg
        self._fallbacks = 0  # served after the first group
        self._lost = np.zeros(len(self._lost_names), np.int64)
        self._latency = LogHistogram()
        self._latency_s = RunningMean()
        self._quality = RunningMean()
        self._cache_hits = 0
        self._probes = 0
        self._cost = 0
        self._wasted = 0
        self._probe_cost = 0

    def requests(self, block: _Block) -> None:
        """Add rows of requests. Raises RunError, naming the rule, for rows that break a conservation rule."""
        if (passes := passes_of(block)) is not None:
            counts = self._outcomes, self._served, self._lost
            last = self._conservation.last_request.row
            tally = passes.requests(block, last, counts, self._latency.bins, bin_edges())
            if tally is not None:
                self._add(tally, block)
                return
        self._conservation.requests(block)
        outcome = block["outcome"]
        ok = outcome == REQUEST_OK
        self._outcomes += np.bincount(outcome, minlength=len(REQUEST_OUTCOMES))
        by_leg = np.where(block["served_by"] < 0, len(self._legs), block["served_by"])[ok]
        self._served += np.bincount(by_leg, minlength=len(self._served))
        self._fallbacks += int(np.count_nonzero(block["chain_position"][ok] > 0))
        lost_to = block["lost_to"][is_lost(outcome)]
        self._lost += np.bincount(lost_to, minlength=len(self._lost))
        latency_s = block["latency_s"][ok]
        self._latency.add(latency_s)
        self._latency_s.add(latency_s)
        quality = block["quality"][ok]
        self._quality.add(quality[~np.isnan(quality)])
        self._cache_hits += int(np.count_nonzero(block["response_cache_hit"]))
        self._cost += integer_sum(block["cost_picousd"])
        self._wasted += integer_sum(block["wasted_picousd"])

    def attempts(self, block: _Block) -> None:
        """Add rows of attempts. Raises RunError, naming the rule, for rows that break a conservation rule."""
        if (passes := passes_of(block)) is not None:
            tally = passes.attempts(block, self._conservation.last_attempt.row, self._attempt_outcomes)
            if tally is not None:
                self._conservation.add_attempts(tally, block)
                self._probes += tally.probes
                self._probe_cost += tally.probe_cost
                return
        self._conservation.attempts(block)
        probe = block["kind"] == PROBE
        self._attempt_outcomes += np.bincount(block["outcome"][~probe], minlength=len(ATTEMPT_OUTCOMES))
        self._probes += int(np.count_nonzero(probe))
        self._probe_cost += integer_sum(block["cost_picousd"][probe])

    def _add(self, tally: RequestTally, block: _Block) -> None:
        """Add rows that a pass has added up, but for what it counted itself."""
        self._conservation.add_requests(tally, block)
        self._fallbacks += tally.fallbacks
        self._latency.add_ends(tally.zeros, tally.least_s, tally.greatest_s)
        self._latency_s.add_steps(tally.latency_steps, tally.latencies)
        self._quality.add_steps(tally.quality_steps, tally.qualities)
        self._cache_hits += tally.cache_hits
        self._cost += tally.cost
        self._wasted += tally.wasted

    @property
    def latency(self) -> LogHistogram:
        """Of ok requests, in seconds."""
        return self._latency

    def check(self, arrivals: int) -> None:
        """Raises RunError, naming the rule, unless all rows together account for each arrival, call and cost."""
        self._conservation.check(arrivals)

    def metrics(self) -> Metrics:
        """The replication's figures.

        Latency, quality (where it is known) and shares of service are over ok requests. The response cache counts as no
        leg. Attempts are calls and hedges. Probes count separately, but `cost_usd`, the bill, includes them.
        """
        outcomes = _by_name(REQUEST_OUTCOMES, self._outcomes)
        attempt_outcomes = _by_name(ATTEMPT_OUTCOMES, self._attempt_outcomes)
        requests, ok = sum(outcomes.values()), outcomes["ok"]
        attempts = sum(attempt_outcomes.values())
        bill = self._cost + self._probe_cost
        served = [int(count) for count in self._served]
        return {
            "requests": requests,
            "availability": _ratio(ok, requests - int(self._outcomes[REQUEST_IN_FLIGHT])),
            "cost_usd_per_request": _ratio(bill, requests * _PICODOLLARS),
            "cost_usd_per_success": _ratio(bill, ok * _PICODOLLARS),
            "wasted_cost_share": _ratio(self._wasted, bill),
            "latency_s_mean": self._latency_s.value,
            "latency_s_p50": self._latency.quantile(0.5),
            "latency_s_p95": self._latency.quantile(0.95),
            "latency_s_p99": self._latency.quantile(0.99),
            "fallback_share": _ratio(self._fallbacks, ok),
            "attempts_per_request": _ratio(attempts, requests),
            "rate_limited_share": _ratio(int(self._attempt_outcomes[RATE_LIMITED]), attempts),
            "served_share": {leg: _ratio(count, ok) for leg, count in zip(self._legs, served[:-1], strict=True)},
            "lost_by_cause": _by_name(self._lost_names, self._lost),
            "response_cache_hit_share": _ratio(self._cache_hits, requests),
            "quality_mean": self._quality.value,
            "cost_usd": bill / _PICODOLLARS,
            "wasted_cost_usd": self._wasted / _PICODOLLARS,
            "probe_cost_usd": self._probe_cost / _PICODOLLARS,
            "attempts": attempts,
            "probes": self._probes,
            "request_outcomes": outcomes,
            "attempt_outcomes": attempt_outcomes,
        }


@dataclass(frozen=True, slots=True)
class Losses:
    """Losses of one replication: by outage, outages that lost some, and requests lost outside outages.

    `on_record` of those outside were lost in recorded incidents, which are the same in every replication. `spans_s` are
    the (start, end) of the outages that lost some. `apart_s` are the arrivals of the first 200 requests lost outside.
    """

    in_outages: tuple[int, ...] = ()
    apart: int = 0
    spans_s: tuple[tuple[float, float], ...] = ()
    apart_s: tuple[float, ...] = ()
    on_record: int = 0

    @property
    def clusters(self) -> list[tuple[float, float, int]]:
        """(start, end, lost) in seconds of each outage that lost requests, and of each request lost outside."""
        outages = [(*span, lost) for span, lost in zip(self.spans_s, self.in_outages, strict=True)]
        return [*outages, *((at_s, at_s, 1) for at_s in self.apart_s)]


class LossCounter:
    """Takes blocks of requests. `outages` are the random ones: disjoint, sorted intervals.

    Requests lost in recorded outages, also disjoint and sorted, count as lost outside.
    """

    def __init__(self, outages: Intervals, on_record: Intervals | None = None) -> None:
        self._outages = outages
        self._record = on_record
        self._lost = np.zeros(len(outages.start_s), np.int64)
        self._apart = 0
        self._on_record = 0
        self._apart_s: list[float] = []

    def requests(self, block: _Block) -> None:
        """A request counts for the last outage that was open between its arrival and its end."""
        lost = is_lost(block["outcome"])
        if not lost.any():
            return
        arrival_s, end_s = block["arrival_s"][lost], block["end_s"][lost]
        last_s = np.where(np.isnan(end_s), arrival_s, end_s)
        place, within = _last_open(self._outages, arrival_s, last_s)
        self._lost += np.bincount(place[within], minlength=len(self._lost))
        self._apart += int(np.count_nonzero(~within))
        if self._record is not None:
            _, on_record = _last_open(self._record, arrival_s, last_s)
            self._on_record += int(np.count_nonzero(on_record & ~within))
        if len(self._apart_s) < _MOST_APART:
            self._apart_s.extend(arrival_s[~within][: _MOST_APART - len(self._apart_s)].tolist())

    def losses(self) -> Losses:
        some = np.flatnonzero(self._lost)
        spans_s = zip(self._outages.start_s[some].tolist(), self._outages.end_s[some].tolist(), strict=True)
        in_outages = tuple(self._lost[some].tolist())
        return Losses(in_outages, self._apart, tuple(spans_s), tuple(self._apart_s), self._on_record)


@dataclass(slots=True)
class _Batch:
    """A batch whose rows are not complete. Requests and attempts come in separate blocks."""

    requests: int = 0
    attempts_due: int = 0
    attempts: int = 0
    arrival_s: float = 0.0
    end_s: float = 0.0  # NaN if a request never ends
    hit: bool = False
    lost: bool = False


class BatchTotals:
    """Takes blocks of the engine's rows; requests `size * k` to `size * (k + 1) - 1` are batch k.

    Memory holds only unfinished batches.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._open: dict[int, _Batch] = {}
        self._lateness_s = RunningMean()
        self._histogram = LogHistogram()
        self._latest_s: float | None = None
        self._batches = 0
        self._hit = 0
        self._lost = 0
        self._endless = 0

    def requests(self, block: _Block) -> None:
        number = block["request_id"]
        lost = is_lost(block["outcome"])
        for batch, rows in _by_batch(number // self._size):
            state = self._of(batch)
            state.requests += len(rows)
            state.attempts_due += int(block["attempts"][rows].sum())
            state.arrival_s = float(block["arrival_s"][rows[0]])
            state.end_s = float(np.maximum(state.end_s, block["end_s"][rows].max()))  # NaN stays NaN
            state.lost = state.lost or bool(lost[rows].any())
            self._close_if_whole(batch, state)

    def attempts(self, block: _Block) -> None:
        made = np.flatnonzero(block["kind"] != PROBE)
        by_incident = block["cause"] == BY_INCIDENT
        for batch, places in _by_batch(block["request_id"][made] // self._size):
            rows = made[places]
            state = self._of(batch)
            state.attempts += len(rows)
            state.hit = state.hit or bool(by_incident[rows].any())
            self._close_if_whole(batch, state)

    def metrics(self) -> dict[str, float | int | None]:
        """Call it once, after the last block. Batches that were cut off count with the rows they have.

        Lateness is from a batch's arrival to the end of its last request. Batches with a request that never ends have
        none and are counted under `batches_endless`.
        """
        for state in self._open.values():
            self._count(state)
        self._open.clear()
        whole = self._batches or None
        return {
            "batches": self._batches,
            "batches_hit_by_incident": self._hit,
            "batches_hit_by_incident_share": whole and self._hit / whole,
            "batches_with_lost_requests": self._lost,
            "batches_with_lost_requests_share": whole and self._lost / whole,
            "batches_endless": self._endless,
            "batch_lateness_s_mean": self._lateness_s.value,
            "batch_lateness_s_p50": self._histogram.quantile(0.5),
            "batch_lateness_s_p95": self._histogram.quantile(0.95),
            "batch_lateness_s_max": self._latest_s,
        }

    def _of(self, batch: int) -> _Batch:
        return self._open.setdefault(batch, _Batch())

    def _close_if_whole(self, batch: int, state: _Batch) -> None:
        if state.requests == self._size and state.attempts >= state.attempts_due:
            self._count(self._open.pop(batch))

    def _count(self, state: _Batch) -> None:
        self._batches += 1
        self._hit += state.hit
        self._lost += state.lost
        if np.isnan(state.end_s) or not state.requests:
            self._endless += 1
            return
        lateness_s = np.array([state.end_s - state.arrival_s])
        self._lateness_s.add(lateness_s)
        self._histogram.add(lateness_s)
        self._latest_s = max(float(lateness_s[0]), self._latest_s or 0.0)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _by_name(names: Sequence[str], counts: NDArray[np.int64]) -> dict[str, int]:
    return {name: int(count) for name, count in zip(names, counts, strict=True)}


def _last_open(
    intervals: Intervals, first_s: NDArray[np.float64], last_s: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(position, whether there is one) of the last interval that overlaps [first, last], for each."""
    place = np.searchsorted(intervals.start_s, last_s, side="right") - 1
    within = place >= 0
    within[within] = intervals.end_s[place[within]] >= first_s[within]
    return place, within


def _by_batch(batches: NDArray[Any]) -> list[tuple[int, NDArray[np.int64]]]:
    """(batch, its rows) for each batch among the rows."""
    order = np.argsort(batches, kind="stable")
    found, starts = np.unique(batches[order], return_index=True)
    return list(zip(found.tolist(), np.split(order, starts[1:]), strict=True)) if len(found) else []
