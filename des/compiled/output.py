"""The kernel's rows, sorted and sent to the sink as the engine's recorder sends its own."""

from collections import Counter, namedtuple
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.compiled.client_tables import Array
from des.compiled.compiling import Kernel, interpreted
from des.compiled.kernel.world import REFUSAL
from des.compiled.tables import Tables
from des.compiled.tallies import CompiledPasses
from des.engine.columns import (
    ATTEMPT_LAYOUT,
    ATTEMPT_ORDER,
    REQUEST_LAYOUT,
    REQUEST_ORDER,
    TRANSITION_LAYOUT,
    TRANSITION_ORDER,
    Columns,
    Layout,
    Sink,
    in_order,
    row_type,
)

_PLACES: Final = 1 << 16
_TRANSITION: Final = np.dtype(
    [
        ({"from": "before", "to": "after"}.get(name, name), row_type([(name, code)])[0])
        for name, code in TRANSITION_LAYOUT
    ]
)
"""As the layout says, with names that Python takes for attributes."""


class Output:
    """Buffers that the kernel fills, and what it left in them that is not final."""

    def __init__(self, tables: Tables, sink: Sink) -> None:
        self._columns = Columns(tables.plan, tables.names, sink)
        self._sink = sink
        self.attempts = np.zeros(_PLACES, row_type(ATTEMPT_LAYOUT))
        self.requests = np.zeros(_PLACES, row_type(REQUEST_LAYOUT))
        self.transitions = np.zeros(_PLACES, _TRANSITION)
        self.refusals = np.zeros(_PLACES, REFUSAL)
        self._endless_attempts: list[Array] = []
        self._endless_requests: list[Array] = []
        self._refused: Counter[tuple[int, int, int]] = Counter()
        self._heads = self._places = np.empty(0, np.int64)  # for sorting
        self._times_s = np.empty(0)
        self.kernel: Kernel = interpreted()

    def say_places(self, g: Any) -> None:
        """Tell the kernel how many rows fit."""
        g["attempt_places"], g["request_places"] = len(self.attempts), len(self.requests)
        g["transition_places"], g["refusal_places"] = len(self.transitions), len(self.refusals)

    def hold(self, requests: int, g: Any) -> None:
        """Have room for the rows of this number of open requests."""
        if len(self.requests) < 4 * requests:
            self.requests = np.concatenate([self.requests, np.zeros_like(self.requests, shape=4 * requests)])
            self.say_places(g)

    def hand_over(self, g: Any) -> None:
        """Send the final rows, those of times before now, and keep the others."""
        self._flush(g, float(g["now_s"]), "left")
        for name, rows in (("attempts", "attempt_rows"), ("transitions", "transition_rows")):
            table = getattr(self, name)
            if 2 * int(g[rows]) > len(table):  # most of them are not final
                setattr(self, name, np.concatenate([table, np.zeros_like(table)]))
        self.hold(int(g["open"]), g)
        self.say_places(g)

    def arrays(self) -> dict[str, Any]:
        """By their names in the world."""
        return {
            "attempt_rows": self.attempts,
            "request_rows": self.requests,
            "transition_rows": self.transitions,
            "refusal_rows": self.refusals,
        }

    def close(self, g: Any, until_s: float) -> None:
        """Send the remaining rows up to the end of the run. Calls and requests that never ended come last."""
        self._flush(g, until_s, "right")
        for parts, order, send in (
            (self._endless_attempts, ATTEMPT_ORDER, self._columns.attempts),
            (self._endless_requests, REQUEST_ORDER, self._columns.requests),
        ):
            if parts:
                endless = np.concatenate(parts)
                send(endless[in_order(endless, order)])
        if self._refused:
            table = np.array([(*key, count) for key, count in sorted(self._refused.items())], np.int64)
            self._sink.refusals({name: table[:, at] for at, name in enumerate(("minute", "leg", "reason", "count"))})

    def _flush(self, g: Any, until_s: float, side: Any) -> None:
        self._flush_attempts(g, until_s, side)
        self._flush_requests(g, until_s, side)
        transitions = self.transitions[: int(g["transition_rows"])].view(row_type(TRANSITION_LAYOUT))
        transitions = transitions.take(in_order(transitions, TRANSITION_ORDER))  # much faster than an index
        whole = int(np.searchsorted(transitions["time_s"], until_s, side=side))
        self._columns.transitions({name: transitions[name][:whole].copy() for name, _ in TRANSITION_LAYOUT})
        g["transition_rows"] = _keep(self.transitions, transitions[whole:])
        refused = self.refusals[: int(g["refusal_rows"])]
        self._refused.update(zip(*(refused[name].tolist() for name in ("minute", "leg", "reason")), strict=True))
        g["refusal_rows"] = 0

    def _flush_attempts(self, g: Any, until_s: float, side: Any) -> None:
        rows = self.attempts[: int(g["attempt_rows"])]
        rows, end_s, places = self._in_order(rows, "attempt", ATTEMPT_ORDER, self._endless_attempts)
        whole = int(np.searchsorted(end_s, until_s, side=side))
        columns = _new(AttemptColumns, ATTEMPT_LAYOUT, whole)
        self.kernel.attempt_columns(rows, places[:whole], columns)
        self._columns.attempts({**columns._asdict(), "end_s": end_s[:whole]}, CompiledPasses(self.kernel))
        g["attempt_rows"] = _keep(self.attempts, rows[places[whole:]])

    def _flush_requests(self, g: Any, until_s: float, side: Any) -> None:
        rows = self.requests[: int(g["request_rows"])]
        # "attempts" never counts, as no two have one number
        rows, end_s, places = self._in_order(rows, "attempts", REQUEST_ORDER, self._endless_requests)
        whole = int(np.searchsorted(end_s, until_s, side=side))
        columns = _new(RequestColumns, REQUEST_LAYOUT, whole)
        self.kernel.request_columns(rows, places[:whole], columns)
        self._columns.requests({**columns._asdict(), "end_s": end_s[:whole]}, CompiledPasses(self.kernel))
        g["request_rows"] = _keep(self.requests, rows[places[whole:]])

    def _in_order(
        self, rows: Array, nth: str, order: tuple[str, ...], endless: list[Array]
    ) -> tuple[Array, NDArray[np.float64], NDArray[np.int64]]:
        """The rows that end, their times in order, and their places. The others are added to the endless ones."""
        found = self._sorted(rows, nth)
        if found is None and not (ended := np.isfinite(rows["end_s"])).all():
            endless.append(rows[~ended])
            rows = rows[ended]
            found = self._sorted(rows, nth)
        return rows, *(found or _sorted(rows, order))

    def _sorted(self, rows: Array, nth: str) -> tuple[NDArray[np.float64], NDArray[np.int64]] | None:
        """The times of rows in order, and their places; None where rows have no end, or too many end together."""
        if len(self._heads) <= len(rows):
            self._heads, self._places = np.empty(2 * len(rows), np.int64), np.empty(2 * len(rows), np.int64)
            self._times_s = np.empty(2 * len(rows))
        end_s = np.empty(len(rows))
        keys = rows["end_s"], rows["request_id"], rows[nth]
        count = self.kernel.sort(*keys, self._times_s, end_s, self._places, self._heads)
        return (end_s, self._places[:count]) if count >= 0 else None


def _sorted(rows: Array, order: tuple[str, ...]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """As `Output._sorted`, however many rows end together."""
    places = in_order(rows, order)
    return rows[order[0]].take(places), places


def _keep(buffer: Array, rows: Array) -> int:
    """Move rows to the front of their buffer; their number."""
    buffer[: len(rows)] = rows.view(buffer.dtype)
    return len(rows)


def _columns_of(name: str, layout: Layout) -> Any:
    """The type of a table's columns, but for the times that rows are sorted by: arrays by name."""
    return namedtuple(name, [column for column, _ in layout if column != "end_s"])


AttemptColumns: Final = _columns_of("AttemptColumns", ATTEMPT_LAYOUT)
RequestColumns: Final = _columns_of("RequestColumns", REQUEST_LAYOUT)


def _new(kind: Any, layout: Layout, rows: int) -> Any:
    """Columns for so many rows."""
    types = row_type(layout)
    return kind(*(np.empty(rows, types[name]) for name in kind._fields))
