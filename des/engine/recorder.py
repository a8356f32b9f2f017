"""The output of a run: requests, attempts, transitions, incidents, refusals, in order of time, in blocks of columns."""

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import starmap
from math import inf, nan
from struct import Struct
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from des.engine.clock import Clock
from des.engine.codes import Kinds, Names
from des.engine.records import Call, Request
from des.rules.billing import PICO
from des.scenario.plan import Plan
from des.vocabulary import ERROR_TYPES, PROBE, REQUEST_OK

Block = Mapping[str, NDArray[Any]]


class Sink(Protocol):
    """Receives blocks of columns: dictionary columns as codes, nulls as NaN or -1, money in picodollars.

    Refusals by the client itself come counted by minute, leg and reason. A minute may be split over two blocks. Without
    any there is no block.
    """

    def requests(self, block: Block) -> None: ...
    def attempts(self, block: Block) -> None: ...
    def transitions(self, block: Block) -> None: ...
    def incidents(self, block: Block) -> None: ...
    def refusals(self, block: Block) -> None: ...


_ENOUGH_ROWS = 2048  # enough to sort and hand over


class _Rows(list[tuple[Any, ...]]):
    """The open rows of a table, sorted and handed over in pieces. It is a list, so adding a row is no Python call.

    `layout` is [(column, struct code)], with the codes q (int64), i (int32), h (int16), b (int8), d (float64); `order`
    names the columns that rows are sorted by, the time first. Pieces go to `send`. Without it rows are kept, packed,
    until asked for.
    """

    _TYPES: ClassVar = {"q": "<i8", "i": "<i4", "h": "<i2", "b": "i1", "d": "<f8"}
    __slots__ = ("_clock", "_enough", "_order", "_pack", "_packed", "_send", "_type")

    def __init__(
        self,
        clock: Clock,
        layout: list[tuple[str, str]],
        order: tuple[str, ...],
        send: Callable[[NDArray[Any]], None] | None,
    ) -> None:
        super().__init__()
        self._clock = clock
        self._pack = Struct("<" + "".join(code for _, code in layout)).pack
        self._packed = bytearray()
        self._type = np.dtype([(name, self._TYPES[code]) for name, code in layout])
        self._order = order
        self._send = send
        self._enough = _ENOUGH_ROWS

    def hand_over(self) -> None:
        """Send the final rows, once there are enough of them. A row is final if no later one can come before it."""
        if len(self) < self._enough:
            return
        if self._send is None:
            self._packed += b"".join(starmap(self._pack, self))
            self.clear()
        else:
            self._send(self.flush_until())
            self._enough = max(_ENOUGH_ROWS, 2 * len(self))

    def flush_until(self, *, until_s: float | None = None) -> NDArray[Any]:
        """The final rows in order: those of times before now.

        Rows may have future times, but new ones have none in the past. `until_s` ends the table: rows up to it are
        returned, later ones dropped. NaN, which sorts last, returns all.
        """
        packed = bytes(self._packed) + b"".join(starmap(self._pack, self))
        rows = np.frombuffer(packed, dtype=self._type) if packed else np.empty(0, self._type)
        order = np.lexsort([rows[column] for column in reversed(self._order)])
        rows = rows[order]
        time_s = rows[self._order[0]]
        if until_s is not None:
            self.clear()
            return rows[: int(np.searchsorted(time_s, until_s, side="right"))]
        whole = int(np.searchsorted(time_s, self._clock.now, side="left"))
        self[:] = [self[place] for place in order[whole:].tolist()]
        return rows[:whole]


_REQUEST_LAYOUT = [
    ("request_id", "q"),
    ("arrival_s", "d"),
    ("end_s", "d"),
    ("outcome", "b"),
    ("error_type", "b"),
    ("leg", "b"),
    ("rounds", "b"),
    ("attempts", "h"),
    ("backoff_s", "d"),
    ("queued_s", "d"),
    ("cost", "q"),
    ("wasted", "q"),
    ("input_tokens", "i"),
    ("output_tokens", "i"),
    ("response_cache_hit", "b"),
    ("lost_to", "h"),
]
_ATTEMPT_LAYOUT = list(zip(Call._fields, "qhbbddbbqdqiiib", strict=True))
_TRANSITION_LAYOUT = [("time_s", "d"), ("entity", "h"), ("kind", "b"), ("from", "b"), ("to", "b")]


class Recorder:
    """Takes rows in order of time and sends sorted columns in pieces.

    Rows without an end come last of all and wait in separate tables.
    """

    def __init__(self, plan: Plan, names: Names, clock: Clock, sink: Sink) -> None:
        self._sink = sink
        self._names = names
        self._clock = clock
        self.refusals = Refusals()
        self.attempts = _Rows(clock, _ATTEMPT_LAYOUT, ("end_s", "request_id", "attempt"), self._send_attempts)
        self._requests = _Rows(clock, _REQUEST_LAYOUT, ("end_s", "request_id"), self._send_requests)
        self.transitions = _Rows(clock, _TRANSITION_LAYOUT, ("time_s", "entity"), self._send_transitions)
        self._endless_attempts = _Rows(clock, _ATTEMPT_LAYOUT, ("end_s", "request_id", "attempt"), None)
        self._endless_requests = _Rows(clock, _REQUEST_LAYOUT, ("end_s", "request_id"), None)
        endpoints = [plan.endpoints[leg.endpoint] for leg in plan.chain]
        self._provider_of_leg = np.array([names.providers.index(e.provider) for e in endpoints] + [-1])
        self._model_of_leg = np.array([names.models.index(e.model) for e in endpoints] + [-1])
        quality = [nan if e.quality is None else e.quality for e in endpoints]
        self._quality_of_leg = np.array([*quality, nan], dtype=np.float32)
        self._position_of_leg = np.array([*(leg.position for leg in plan.chain), -1], dtype=np.int8)
        kinds = Kinds(plan)
        self._status = np.array(kinds.statuses)
        self._outcome = np.array(kinds.outcomes, dtype=np.int8)

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
        self._send_attempts(self.attempts.flush_until(until_s=until_s))
        self._send_requests(self._requests.flush_until(until_s=until_s))
        self._send_transitions(self.transitions.flush_until(until_s=until_s))
        self._send_attempts(self._endless_attempts.flush_until(until_s=nan))
        self._send_requests(self._endless_requests.flush_until(until_s=nan))
        self._send_refusals()

    def _send_refusals(self) -> None:
        if self.refusals.counts:
            self._sink.refusals(self.refusals.columns())
            self.refusals.counts.clear()

    def _send_transitions(self, rows: NDArray[Any]) -> None:
        if len(rows):
            self._sink.transitions({name: rows[name] for name, _ in _TRANSITION_LAYOUT})

    def _send_attempts(self, rows: NDArray[Any]) -> None:
        if not len(rows):
            return
        start_s, leg, outcome, cost = rows["start_s"], rows["leg"], rows["outcome"], rows["cost"]
        end_s = np.where(np.isinf(rows["end_s"]), nan, rows["end_s"])
        self._sink.attempts(
            {
                "request_id": rows["request_id"],
                "attempt": rows["attempt"],
                "round": rows["round"],
                "chain_position": self._position_of_leg[leg],
                "leg": leg,
                "provider": self._provider_of_leg[leg],
                "model": self._model_of_leg[leg],
                "kind": np.where(rows["request_id"] < 0, PROBE, rows["kind"]),
                "start_s": start_s,
                "end_s": end_s,
                "duration_s": end_s - start_s,
                "outcome": self._outcome[outcome],
                "http_status": np.where(np.isnan(end_s), -1, self._status[outcome]),
                "cause": rows["cause"],
                "cause_id": rows["cause_id"],
                "retry_after_s": rows["retry_after_s"],
                "cost_picousd": cost,
                "cost_usd": cost / PICO,
                "input_tokens": rows["input_tokens"],
                "cached_tokens": rows["cached_tokens"],
                "output_tokens": rows["output_tokens"],
            }
        )

    def _send_requests(self, rows: NDArray[Any]) -> None:
        if not len(rows):
            return
        leg, arrival_s, end_s = rows["leg"], rows["arrival_s"], rows["end_s"]
        self._sink.requests(
            {
                "request_id": rows["request_id"],
                "arrival_s": arrival_s,
                "end_s": end_s,
                "latency_s": end_s - arrival_s,
                "outcome": rows["outcome"],
                "error_type": rows["error_type"],
                "provider": self._provider_of_leg[leg],
                "model": self._model_of_leg[leg],
                "chain_position": self._position_of_leg[leg],
                "rounds": rows["rounds"],
                "attempts": rows["attempts"],
                "backoff_s": rows["backoff_s"],
                "queued_s": rows["queued_s"],
                "cost_picousd": rows["cost"],
                "wasted_picousd": rows["wasted"],
                "cost_usd": rows["cost"] / PICO,
                "wasted_cost_usd": rows["wasted"] / PICO,
                "input_tokens": rows["input_tokens"],
                "output_tokens": rows["output_tokens"],
                "response_cache_hit": rows["response_cache_hit"].astype(bool),
                "quality": self._quality_of_leg[leg],
                "weight": np.ones(len(rows)),
                "lost_to": rows["lost_to"],
                "served_by": leg,
            }
        )


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
