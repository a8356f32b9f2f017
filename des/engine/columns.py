"""The rows of a run as columns for its sink: of calls, requests and changes of state."""

from collections.abc import Callable, Iterator, Mapping
from math import nan
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from des.engine.codes import Kinds, Names
from des.engine.records import Call
from des.rules.billing import PICO
from des.scenario.plan import Plan
from des.tally import Passes
from des.vocabulary import PROBE

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


class MadeBlock(Mapping[str, NDArray[Any]]):
    """A block whose columns may be functions that make them, called once and only where the column is read.

    `passes` of the compiled engine add up its columns faster than NumPy; None where another engine made it.
    """

    __slots__ = ("_columns", "passes")

    def __init__(
        self, columns: dict[str, NDArray[Any] | Callable[[], NDArray[Any]]], passes: Passes | None = None
    ) -> None:
        self._columns = columns
        self.passes = passes

    def __getitem__(self, name: str) -> NDArray[Any]:
        column = self._columns[name]
        if isinstance(column, np.ndarray):
            return column
        made = self._columns[name] = column()
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


Rows = NDArray[Any] | Mapping[str, NDArray[Any]]
"""Packed rows, or their columns."""
Layout = list[tuple[str, str]]
"""[(column, struct code)], with the codes q (int64), i (int32), h (int16), b (int8), d (float64), f (float32)."""

REQUEST_LAYOUT: Final[Layout] = [
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
ATTEMPT_LAYOUT: Final[Layout] = list(zip(Call._fields, "qhbbddbbqdqiiib", strict=True))
TRANSITION_LAYOUT: Final[Layout] = [("time_s", "d"), ("entity", "h"), ("kind", "b"), ("from", "b"), ("to", "b")]
REQUEST_ORDER: Final = ("end_s", "request_id")
ATTEMPT_ORDER: Final = ("end_s", "request_id", "attempt")
TRANSITION_ORDER: Final = ("time_s", "entity")
"""The columns that rows are sorted by, the time first."""

_TYPES: Final = {"q": "<i8", "i": "<i4", "h": "<i2", "b": "i1", "d": "<f8", "f": "<f4"}


def row_type(layout: Layout) -> np.dtype[Any]:
    """The type of a packed row."""
    return np.dtype([(name, _TYPES[code]) for name, code in layout])


def in_order(rows: NDArray[Any], order: tuple[str, ...]) -> NDArray[np.int64]:
    """The places of the rows, sorted by these columns; equals keep their order."""
    first = rows[order[0]]
    if (first[1:] > first[:-1]).all():  # as transitions usually come
        return np.arange(len(rows))
    return np.lexsort([rows[column] for column in reversed(order)])


class Columns:
    """Sends sorted rows to a sink as columns. `passes` of the compiled engine go with the blocks."""

    def __init__(self, plan: Plan, names: Names, sink: Sink) -> None:
        self._sink = sink
        endpoints = [plan.endpoints[leg.endpoint] for leg in plan.chain]
        self._provider_of_leg = np.array([names.providers.index(e.provider) for e in endpoints] + [-1], np.int16)
        self._model_of_leg = np.array([names.models.index(e.model) for e in endpoints] + [-1], np.int16)
        quality = [nan if e.quality is None else e.quality for e in endpoints]
        self._quality_of_leg = np.array([*quality, nan], dtype=np.float32)
        self._position_of_leg = np.array([*(leg.position for leg in plan.chain), -1], dtype=np.int8)
        kinds = Kinds(plan)
        self._status = np.array(kinds.statuses, np.int16)
        self._outcome = np.array(kinds.outcomes, dtype=np.int8)
        self._has_own_kinds = kinds.outcomes != list(range(len(kinds.outcomes)))

    def transitions(self, rows: Rows) -> None:
        if len(rows["time_s"]):
            self._sink.transitions({name: rows[name] for name, _ in TRANSITION_LAYOUT})

    def attempts(self, rows: Rows, passes: Passes | None = None) -> None:
        if not len(rows["end_s"]):
            return
        start_s, leg, outcome, cost = rows["start_s"], rows["leg"], rows["outcome"], rows["cost"]
        end_s = rows["end_s"]
        if not np.isfinite(end_s[-1]):  # those that never end come last
            end_s = np.where(np.isinf(end_s), nan, end_s)
        self._sink.attempts(
            MadeBlock(
                {
                    "request_id": rows["request_id"],
                    "attempt": rows["attempt"],
                    "round": rows["round"],
                    "chain_position": lambda: self._position_of_leg.take(leg),
                    "leg": leg,
                    "provider": lambda: self._provider_of_leg.take(leg),
                    "model": lambda: self._model_of_leg.take(leg),
                    "kind": np.where(rows["request_id"] < 0, np.int8(PROBE), rows["kind"]),
                    "start_s": start_s,
                    "end_s": end_s,
                    "duration_s": lambda: end_s - start_s,
                    "outcome": self._outcome.take(outcome) if self._has_own_kinds else outcome,
                    "http_status": lambda: np.where(np.isnan(end_s), np.int16(-1), self._status.take(outcome)),
                    "cause": rows["cause"],
                    "cause_id": rows["cause_id"],
                    "retry_after_s": rows["retry_after_s"],
                    "cost_picousd": cost,
                    "cost_usd": lambda: cost / PICO,
                    "input_tokens": rows["input_tokens"],
                    "cached_tokens": rows["cached_tokens"],
                    "output_tokens": rows["output_tokens"],
                },
                passes,
            )
        )

    def requests(self, rows: Rows, passes: Passes | None = None) -> None:
        if not len(rows["end_s"]):
            return
        leg, arrival_s, end_s = rows["leg"], rows["arrival_s"], rows["end_s"]
        self._sink.requests(
            MadeBlock(
                {
                    "request_id": rows["request_id"],
                    "arrival_s": arrival_s,
                    "end_s": end_s,
                    "latency_s": lambda: end_s - arrival_s,
                    "outcome": rows["outcome"],
                    "error_type": rows["error_type"],
                    "provider": lambda: self._provider_of_leg.take(leg),
                    "model": lambda: self._model_of_leg.take(leg),
                    "chain_position": lambda: self._position_of_leg.take(leg),
                    "rounds": rows["rounds"],
                    "attempts": rows["attempts"],
                    "backoff_s": rows["backoff_s"],
                    "queued_s": rows["queued_s"],
                    "cost_picousd": rows["cost"],
                    "wasted_picousd": rows["wasted"],
                    "cost_usd": lambda: rows["cost"] / PICO,
                    "wasted_cost_usd": lambda: rows["wasted"] / PICO,
                    "input_tokens": rows["input_tokens"],
                    "output_tokens": rows["output_tokens"],
                    "response_cache_hit": lambda: rows["response_cache_hit"].astype(bool),
                    "quality": lambda: self._quality_of_leg.take(leg),
                    "weight": lambda: np.ones(len(leg)),
                    "lost_to": rows["lost_to"],
                    "served_by": leg,
                },
                passes,
            )
        )
