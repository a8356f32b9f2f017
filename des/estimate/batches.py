"""What became of each batch of a workload that arrives in batches: hit by an incident, late, incomplete."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from des.estimate.exact import RunningMean
from des.estimate.histogram import LogHistogram
from des.estimate.laws import is_lost
from des.vocabulary import BY_INCIDENT, PROBE

Block = Mapping[str, NDArray[Any]]


@dataclass(slots=True)
class _Batch:
    """A batch whose rows have not all been seen yet; requests and attempts reach us in blocks of their own."""

    requests: int = 0
    attempts_due: int = 0
    attempts: int = 0
    arrival_s: float = 0.0
    end_s: float = 0.0  # NaN once a request of it never ends
    hit: bool = False
    lost: bool = False


class BatchTotals:
    """Takes blocks of the engine's rows; requests `size * k` to `size * (k + 1) - 1` are batch k.

    Memory holds the batches under way alone.
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

    def requests(self, block: Block) -> None:
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

    def attempts(self, block: Block) -> None:
        made = np.flatnonzero(block["kind"] != PROBE)
        by_incident = block["cause"] == BY_INCIDENT
        for batch, places in _by_batch(block["request_id"][made] // self._size):
            rows = made[places]
            state = self._of(batch)
            state.attempts += len(rows)
            state.hit = state.hit or bool(by_incident[rows].any())
            self._close_if_whole(batch, state)

    def metrics(self) -> dict[str, float | int | None]:
        """Call it once, after the last block: batches that were cut off count with the rows they have.

        Lateness is from a batch's arrival to the end of its last request; batches with a request that never ends
        have none and are counted under `batches_endless`.
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


def _by_batch(batches: NDArray[Any]) -> list[tuple[int, NDArray[np.int64]]]:
    """(batch, its rows) for each batch among the rows."""
    order = np.argsort(batches, kind="stable")
    found, starts = np.unique(batches[order], return_index=True)
    return list(zip(found.tolist(), np.split(order, starts[1:]), strict=True)) if len(found) else []
