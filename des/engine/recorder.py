"""The output of a run: requests, attempts, transitions, incidents, refusals, in order of time, in blocks of columns."""

from collections import Counter
from collections.abc import Callable
from itertools import starmap
from math import inf, nan
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from des.engine.clock import Clock
from des.engine.codes import Names
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
from des.engine.records import Call, Request
from des.scenario.plan import Plan
from des.vocabulary import ERROR_TYPES, REQUEST_OK

_ENOUGH_ROWS = 4096  # enough to sort and hand over


class _Rows:
    """The open rows of a table, packed every few thousand events, sorted and handed over in pieces.

    Packed rows are no objects, so Python's garbage collector has nothing to look through. `order` names the columns
    that rows are sorted by, the time first. Pieces go to `send`. Without it rows are kept until asked for.
    """

    __slots__ = ("_clock", "_enough", "_fresh", "_order", "_pack", "_packed", "_send", "_type", "append")

    def __init__(
        self,
        clock: Clock,
        layout: Layout,
        order: tuple[str, ...],
        send: Callable[[NDArray[Any]], None] | None,
    ) -> None:
        self._clock = clock
        self._pack = Struct("<" + "".join(code for _, code in layout)).pack
        self._packed = bytearray()
        self._fresh: list[tuple[Any, ...]] = []
        self.append = self._fresh.append
        """Add a row: the values of the layout, in order."""
        self._type = row_type(layout)
        self._order = order
        self._send = send
        self._enough = _ENOUGH_ROWS * self._type.itemsize

    def _pack_fresh(self) -> None:
        self._packed += b"".join(starmap(self._pack, self._fresh))
        self._fresh.clear()

    def hand_over(self) -> None:
        """Send the final rows, once there are enough of them. A row is final if no later one can come before it."""
        self._pack_fresh()
        if self._send is not None and len(self._packed) >= self._enough:
            self._send(self.flush_until())
            self._enough = max(_ENOUGH_ROWS * self._type.itemsize, 2 * len(self._packed))

    def flush_until(self, *, until_s: float | None = None) -> NDArray[Any]:
        """The final rows in order: those of times before now.

        Rows may have future times, but new ones have none in the past. `until_s` ends the table: rows up to it are
        returned, later ones dropped. NaN, which sorts last, returns all.
        """
        self._pack_fresh()
        rows = np.frombuffer(self._packed, dtype=self._type)
        rows = rows[in_order(rows, self._order)]
        time_s = rows[self._order[0]]
        if until_s is not None:
            self._packed = bytearray()
            return rows[: int(np.searchsorted(time_s, until_s, side="right"))]
        whole = int(np.searchsorted(time_s, self._clock.now, side="left"))
        self._packed = bytearray(rows[whole:].tobytes())
        return rows[:whole]


class Recorder:
    """Takes rows in order of time and sends sorted columns in pieces.

    Rows without an end come last of all and wait in separate tables.
    """

    def __init__(self, plan: Plan, names: Names, clock: Clock, sink: Sink) -> None:
        self._sink = sink
        self._columns = Columns(plan, names, sink)
        self._names = names
        self._clock = clock
        self.refusals = Refusals()
        self.attempts = _Rows(clock, ATTEMPT_LAYOUT, ATTEMPT_ORDER, self._columns.attempts)
        self._requests = _Rows(clock, REQUEST_LAYOUT, REQUEST_ORDER, self._columns.requests)
        self.transitions = _Rows(clock, TRANSITION_LAYOUT, TRANSITION_ORDER, self._columns.transitions)
        self._endless_attempts = _Rows(clock, ATTEMPT_LAYOUT, ATTEMPT_ORDER, None)
        self._endless_requests = _Rows(clock, REQUEST_LAYOUT, REQUEST_ORDER, None)

    def attempt(self, call: Call) -> None:
        """Record a call that may never end. One with an end may go to `attempts` directly, even before it ends."""
        (self._endless_attempts if call.end_s == inf else self.attempts).append(call)

    def request(
        self, request: Request, end_s: float, outcome: int, error_type: int, lost_to: int, *, cached: bool = False
    ) -> None:
        last = request.last
        served = outcome == REQUEST_OK and last is not None
        row = (
            request.id,
            request.arrival_s,
            end_s,
            outcome,
            error_type,
            last.leg if served and last is not None else -1,
            request.rounds,
            request.attempts,
            request.backoff_s,
            request.queued_s,
            request.cost,
            request.cost - last.cost if served and last is not None else request.cost,
            request.input_tokens,
            request.output_tokens if outcome == REQUEST_OK else 0,
            cached,
            lost_to,
        )
        (self._endless_requests if end_s != end_s else self._requests).append(row)

    def transition(self, time_s: float, entity: str, kind: str, before: str, after: str) -> None:
        """Record a change of state."""
        self.transitions.append((time_s, *self._coded(entity, kind, before, after)))

    def changes_of(self, entity: str, kind: str) -> Callable[[str, str], None]:
        """A function that records changes of one entity's state, from one state to another, at the present time."""

        def changed(before: str, after: str) -> None:
            self.transition(self._clock.now, entity, kind, before, after)

        return changed

    def limiter_state(self, kind: str, name: str) -> "LimiterState":
        """The state of a limit or a capacity, initially admitting."""
        entity = f"{kind} {name}"
        return LimiterState(
            self.transitions.append,
            self._coded(entity, kind, "admitting", "refusing"),
            self._coded(entity, kind, "refusing", "admitting"),
        )

    def _coded(self, entity: str, kind: str, before: str, after: str) -> tuple[int, int, int, int]:
        """A change of state in codes: a row of `transitions` without its time."""
        names = self._names
        return (
            names.entities.index(entity),
            names.entity_kinds.index(kind),
            names.states.index(before),
            names.states.index(after),
        )

    def hand_over(self) -> None:
        """Send on the final rows of each table that has enough of them."""
        for rows in (self.attempts, self._requests, self.transitions, self._endless_attempts, self._endless_requests):
            rows.hand_over()
        if len(self.refusals.counts) >= _ENOUGH_ROWS:
            self._send_refusals()

    def close(self, until_s: float) -> None:
        """Hand over the remaining rows up to the end of the run.

        Calls and requests that never ended come last, by number.
        """
        self._columns.attempts(self.attempts.flush_until(until_s=until_s))
        self._columns.requests(self._requests.flush_until(until_s=until_s))
        self._columns.transitions(self.transitions.flush_until(until_s=until_s))
        self._columns.attempts(self._endless_attempts.flush_until(until_s=nan))
        self._columns.requests(self._endless_requests.flush_until(until_s=nan))
        self._send_refusals()

    def _send_refusals(self) -> None:
        if self.refusals.counts:
            self._sink.refusals(self.refusals.columns())
            self.refusals.counts.clear()


class LimiterState:
    """Whether a limit or a capacity refuses: from its first refusal until it admits again, even without a call.

    A bucket under stress changes with every token, so the codes of its two rows are computed once.
    """

    __slots__ = ("_append", "_to_admitting", "_to_refusing", "refuses")

    def __init__(
        self, append: Callable[[tuple[Any, ...]], None], to_refusing: tuple[int, ...], to_admitting: tuple[int, ...]
    ) -> None:
        self._append = append
        self._to_refusing = to_refusing
        self._to_admitting = to_admitting
        self.refuses = False

    def refused(self, now_s: float) -> None:
        if not self.refuses:
            self.refuses = True
            self._append((now_s, *self._to_refusing))

    def admitted(self, now_s: float) -> None:
        if self.refuses:
            self.refuses = False
            self._append((now_s, *self._to_admitting))


class Refusals:
    """Refusals by the client itself. They are no attempts, and are counted by minute, leg and reason.

    Each refusal by a queue, a ramp or throttling counts at its leg, even if another leg of the group is called then. A
    group without a leg to call counts once, at its first leg.
    """

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: Counter[tuple[int, int, str]] = Counter()

    def count(self, now_s: float, leg: int, reason: str) -> None:
        """`reason` is an error type: circuit_open or client_limit."""
        self.counts[int(now_s / 60.0), leg, reason] += 1

    def columns(self) -> dict[str, NDArray[np.int64]]:
        """Minute, leg, reason (a code of `ERROR_TYPES`) and count, each int64[n], sorted by the first three."""
        rows = sorted((minute, leg, ERROR_TYPES.index(reason), n) for (minute, leg, reason), n in self.counts.items())
        table = np.array(rows, dtype=np.int64).reshape(-1, 4)
        return {name: table[:, place] for place, name in enumerate(("minute", "leg", "reason", "count"))}
