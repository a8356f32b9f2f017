"""The kernel's rows, sorted and sent to the sink as the engine's recorder sends its own."""

from collections import Counter
from math import inf
from typing import Any, Final

import numpy as np

from des.compiled.client_tables import Array
from des.compiled.kernel.world import REFUSAL
from des.compiled.tables import Tables
from des.engine.columns import (
    ATTEMPT_LAYOUT,
    ATTEMPT_ORDER,
    REQUEST_LAYOUT,
    REQUEST_ORDER,
    TRANSITION_LAYOUT,
    TRANSITION_ORDER,
    Columns,
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
        attempts = self.attempts[: int(g["attempt_rows"])]
        endless = attempts["end_s"] == inf
        if endless.any():
            self._endless_attempts.append(attempts[endless])
            attempts = attempts[~endless]
        requests = self.requests[: int(g["request_rows"])]
        endless = np.isnan(requests["end_s"])
        if endless.any():
            self._endless_requests.append(requests[endless])
            requests = requests[~endless]
        transitions = self.transitions[: int(g["transition_rows"])].view(row_type(TRANSITION_LAYOUT))
        g["attempt_rows"] = _send(attempts, ATTEMPT_ORDER, self._columns.attempts, self.attempts, until_s, side)
        g["request_rows"] = _send(requests, REQUEST_ORDER, self._columns.requests, self.requests, until_s, side)
        g["transition_rows"] = _send(
            transitions, TRANSITION_ORDER, self._columns.transitions, self.transitions, until_s, side
        )
        refused = self.refusals[: int(g["refusal_rows"])]
        self._refused.update(zip(*(refused[name].tolist() for name in ("minute", "leg", "reason")), strict=True))
        g["refusal_rows"] = 0


def _send(part: Array, order: tuple[str, ...], send: Any, buffer: Array, until_s: float, side: Any) -> int:
    """Send the rows up to a time, and move the others to the front of the buffer; their number."""
    part = part.take(_sorted(part, order))  # thirty times as fast as an index
    whole = int(np.searchsorted(part[order[0]], until_s, side=side))
    send({name: np.ascontiguousarray(part[name][:whole]) for name in part.dtype.names or ()})
    left = part[whole:]
    buffer[: len(left)] = left.view(buffer.dtype)
    return len(left)


def _sorted(part: Array, order: tuple[str, ...]) -> Any:
    """The places of rows in order. Times hardly ever agree, and then only the other columns count."""
    time_s = np.ascontiguousarray(part[order[0]])
    places = np.argsort(time_s)
    in_time_s = time_s.take(places)
    if (in_time_s[1:] == in_time_s[:-1]).any():
        return in_order(part, order)
    return places
