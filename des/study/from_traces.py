"""The rows of one replication as its traces hold them, handed to a sink in blocks as the engine hands them over.

What the engine knows and traces do not say outright is found from the rows: the leg that served a request, and what a
lost request was lost to. Money is read back to the picodollar, for amounts below about $2,000 a row.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.engine import names
from des.errors import DesError, RunError
from des.estimate.conservation import is_lost
from des.faults import Timeline, draw_timeline
from des.scenario.plan import Plan
from des.storage import readable
from des.traces.reader import Run
from des.traces.schemas import ROWS_PER_GROUP
from des.vocabulary import (
    BY_CAPACITY,
    BY_DEADLINE,
    BY_HEDGE,
    BY_INCIDENT,
    BY_LIMIT,
    BY_ROT,
    CANCELLED,
    ERROR_TYPES,
    OK,
    PROBE,
    REQUEST_DEADLINE,
    REQUEST_OK,
    REQUEST_REJECTED,
    TIMEOUT,
)

Block = dict[str, NDArray[Any]]
_PICODOLLARS: Final = 1e12
_HANG: Final = ERROR_TYPES.index("hang")
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "requests": (
        "request_id",
        "arrival_s",
        "end_s",
        "latency_s",
        "outcome",
        "error_type",
        "provider",
        "model",
        "chain_position",
        "attempts",
        "cost_usd",
        "wasted_cost_usd",
        "response_cache_hit",
        "quality",
    ),
    "attempts": (
        "request_id",
        "attempt",
        "leg",
        "kind",
        "start_s",
        "end_s",
        "duration_s",
        "outcome",
        "cause",
        "cause_id",
        "cost_usd",
    ),
    "transitions": ("time_s", "entity", "kind", "from", "to"),
    "incidents": ("incident_id", "component", "start_s", "end_s"),
    "minutes": ("time_s", "refused_by_client"),
}
"""What is read of each table."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """Hands over what a run's traces hold of a replication of an arm, in place of simulating it.

    The plan may be that of the arm which is simulated for it.
    """

    run: Run
    arm: str

    def __call__(self, plan: Plan, replication: int, sink: Any, report: Callable[[float], None] | None = None) -> int:
        """The number of requests. Raises DesError where the traces lack a table or hold a name that is not the plan's,
        RunError where the incidents are not those of the seed.
        """
        rows = Rows(self.run, self.arm, replication, names(plan))
        components = _components(rows, draw_timeline(plan, replication, plan.horizon_s))
        lost = _Lost.of(rows, plan, components)
        served = _Servers.of(rows, plan)
        count = 0
        for table, block in in_time({table: rows.blocks(table) for table in ("requests", "attempts")}):
            if table == "attempts":
                sink.attempts(block)
                continue
            count += len(block["request_id"])
            sink.requests({**block, "served_by": served.of_requests(block), "lost_to": lost.of_requests(block)})
            if report is not None and len(block["arrival_s"]):
                report(float(block["arrival_s"].max()))
        for block in rows.blocks("transitions"):
            sink.transitions(block)
        if rows.has("minutes"):
            for block in rows.blocks("minutes"):
                some = block["refused_by_client"] > 0
                minute = np.rint(block["time_s"][some] / 60.0).astype(np.int64)
                sink.refusals({"minute": minute, "count": block["refused_by_client"][some]})
        return count


@dataclass(frozen=True, slots=True)
class Rows:
    """The tables of one arm and replication. Names become codes into `names`, nulls NaN or -1, dollars picodollars."""

    run: Run
    arm: str
    replication: int
    names: Mapping[str, Mapping[str, Sequence[str]]]

    def has(self, table: str) -> bool:
        return self._name(table) in self.run.manifest["traces"]

    def blocks(self, table: str, columns: Sequence[str] = ()) -> Iterator[Block]:
        """In order, of up to `ROWS_PER_GROUP` rows: these columns, by default those of `COLUMNS`.

        Raises DesError for a file that cannot be read."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        known, columns = self.names.get(table, {}), columns or COLUMNS[table]
        name = self._name(table)
        if not self.has(table):
            raise DesError(f"{self.run.path}: this run kept no {name}")
        try:
            for batch in pq.ParquetFile(readable(self.run.path / name)).iter_batches(
                ROWS_PER_GROUP, columns=list(columns)
            ):
                yield _priced({column: _array(batch.column(column), known.get(column, ())) for column in columns})
        except (OSError, pa.ArrowException, KeyError) as error:
            raise DesError(f"{self.run.path / name}: cannot be read: {error}") from None

    def _name(self, table: str) -> str:
        return f"{table}/{self.arm}-{self.replication:04d}.parquet"


def _array(column: Any, known: Sequence[str]) -> NDArray[Any]:
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        words = column.dictionary.to_pylist()
        codes = np.array([known.index(word) if word in known else -2 for word in words] + [-1])
        found: NDArray[Any] = codes[column.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)]
        if (found == -2).any():
            raise KeyError(f"{words[int(np.argmax(codes == -2))]!r} is no name of the scenario")
        return found
    if pa.types.is_floating(column.type):
        return np.asarray(column.fill_null(np.nan).to_numpy(zero_copy_only=False))
    filled = column if pa.types.is_boolean(column.type) else column.fill_null(-1)
    return np.asarray(filled.to_numpy(zero_copy_only=False))


def _priced(block: Block) -> Block:
    for of, picodollars in (("cost_usd", "cost_picousd"), ("wasted_cost_usd", "wasted_picousd")):
        if of in block:
            block[picodollars] = np.rint(block[of] * _PICODOLLARS).astype(np.int64)
    return block


def in_time(waiting: Mapping[str, Iterator[Block]]) -> Iterator[tuple[str, Block]]:
    """Blocks of tables that are sorted by their end, the earlier first, so that few rows wait for the other."""
    heads = {table: block for table, blocks in waiting.items() if (block := next(blocks, None)) is not None}
    while heads:
        table = min(heads, key=lambda each: (_first_end_s(heads[each]), each))
        yield table, heads.pop(table)
        if (block := next(waiting[table], None)) is not None:
            heads[table] = block


def _first_end_s(block: Block) -> float:
    end_s = float(block["end_s"][0]) if len(block["end_s"]) else -np.inf
    return np.inf if np.isnan(end_s) else end_s


def _components(rows: Rows, timeline: Timeline) -> NDArray[np.int64]:
    """int64[incidents], the component of each by its number.

    Raises RunError unless each is the one that the seed draws. Those that start after the timeline ends are not
    compared.
    """
    components = [np.empty(0, np.int64)]
    for block in rows.blocks("incidents"):
        number = block["incident_id"]
        first = sum(map(len, components))
        if not np.array_equal(number, np.arange(first, first + len(number))):
            raise RunError("incidents are not numbered from 0 in the order of their start")
        known = number < len(timeline)
        if (block["start_s"][~known] < timeline.until_s).any():
            raise RunError(f"incident {len(timeline)} is none that the seed draws")
        for column, drawn in (
            ("component", timeline.component),
            ("start_s", timeline.start_s),
            ("end_s", timeline.end_s),
        ):
            if (wrong := block[column][known] != np.asarray(drawn)[number[known]]).any():
                raise RunError(f"incident {int(number[known][wrong][0])} has another {column} than the seed draws")
        components.append(block["component"].astype(np.int64))
    found = np.concatenate(components)
    if len(found) < len(timeline):
        raise RunError(f"incident {len(found)}, which the seed draws, has no row")
    return found


@dataclass(frozen=True, slots=True)
class _Servers:
    """The leg that served each request: by provider, model and position, or by its call where legs share all three."""

    by_endpoint: Mapping[tuple[int, int, int], int]
    by_request: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, rows: Rows, plan: Plan) -> "_Servers":
        known = rows.names["requests"]
        found: dict[tuple[int, int, int], int] = {}
        for leg in plan.chain:
            endpoint = plan.endpoints[leg.endpoint]
            key = known["provider"].index(endpoint.provider), known["model"].index(endpoint.model), leg.position
            if key in found:
                return cls({}, cls._by_calls(rows))
            found[key] = leg.index
        return cls(found)

    @staticmethod
    def _by_calls(rows: Rows) -> NDArray[np.int64]:
        served: dict[int, int] = {}
        for block in rows.blocks("attempts", ("request_id", "leg", "outcome")):
            ok = (block["outcome"] == OK) & (block["request_id"] >= 0)
            for number, leg in zip(block["request_id"][ok].tolist(), block["leg"][ok].tolist(), strict=True):
                served.setdefault(number, leg)
        found = np.full(max(served, default=-1) + 1, -1, np.int64)
        found[list(served)] = list(served.values())
        return found

    def of_requests(self, block: Block) -> NDArray[np.int64]:
        found = np.full(len(block["request_id"]), -1, np.int64)
        served = (block["outcome"] == REQUEST_OK) & ~block["response_cache_hit"]
        if self.by_request is not None:
            found[served] = self.by_request[block["request_id"][served]]
            return found
        for (provider, model, position), leg in self.by_endpoint.items():
            of_leg = (block["provider"] == provider) & (block["model"] == model) & (block["chain_position"] == position)
            found[served & of_leg] = leg
        return found


@dataclass(frozen=True, slots=True)
class _Lost:
    """What lost requests were lost to, found from the last call of each. Memory grows with the lost requests."""

    number: NDArray[np.int64]
    last: Mapping[str, NDArray[np.int64]]
    components: NDArray[np.int64]
    losses: Mapping[str, int]
    first: tuple[int, int] = field(default=(0, 0))
    """The codes of the first limit and the first capacity."""

    @classmethod
    def of(cls, rows: Rows, plan: Plan, components: NDArray[np.int64]) -> "_Lost":
        lost = [
            block["request_id"][is_lost(block["outcome"])]
            for block in rows.blocks("requests", ("request_id", "outcome"))
        ]
        number = np.sort(np.concatenate([np.empty(0, np.int64), *lost]))
        last = {name: np.full(len(number), -1, np.int64) for name in ("attempt", "outcome", "cause", "cause_id")}
        last_s = np.full(len(number), -np.inf)
        columns = ("request_id", "attempt", "kind", "end_s", "outcome", "cause", "cause_id")
        for block in rows.blocks("attempts", columns):
            some = np.isin(block["request_id"], number) & (block["kind"] != PROBE) & (block["cause"] != BY_HEDGE)
            calls = {name: block[name][some] for name in columns}
            end_s = np.where(np.isnan(calls["end_s"]), np.inf, calls["end_s"])
            # Rows come in order of their end, so the last row of a request is its last failure. Of calls that never
            # end it is the first, which is the request's own and not a copy.
            for row, at in enumerate(np.searchsorted(number, calls["request_id"]).tolist()):
                never = end_s[row] == np.inf and last_s[at] == np.inf
                if not (never and calls["attempt"][row] > last["attempt"][at]):
                    last_s[at] = end_s[row]
                    for name, values in last.items():
                        values[at] = calls[name][row]
        causes = list(rows.names["requests"]["lost_to"])
        first_limit = len(plan.components)
        return cls(
            number,
            last,
            components,
            {name: code for code, name in enumerate(causes)},
            (first_limit, first_limit + len(plan.limits)),
        )

    def of_requests(self, block: Block) -> NDArray[np.int64]:
        found = np.full(len(block["request_id"]), -1, np.int64)
        for row in np.flatnonzero(is_lost(block["outcome"])).tolist():
            at = int(np.searchsorted(self.number, block["request_id"][row]))
            found[row] = self._blamed(at, int(block["outcome"][row]), int(block["error_type"][row]))
        return found

    def _blamed(self, at: int, outcome: int, error_type: int) -> int:
        other = self.losses
        if error_type < 0:
            return -1  # which breaks the rule that a lost request names what it was lost to
        if outcome == REQUEST_REJECTED:
            return other[ERROR_TYPES[error_type]]
        by = self._of_last_call(at, outcome)
        if error_type == _HANG:
            return other["hang"] if by in (None, other["timeout"]) else by
        return other["deadline"] if by is None else by

    def _of_last_call(self, at: int, outcome: int) -> int | None:
        """None where no call was made."""
        cause, cause_id, of_call = (int(self.last[name][at]) for name in ("cause", "cause_id", "outcome"))
        other, (first_limit, first_capacity) = self.losses, self.first
        if of_call < 0:
            return None
        if cause == BY_INCIDENT or (cause == BY_DEADLINE and cause_id >= 0):
            return int(self.components[cause_id])
        if cause == BY_LIMIT:
            return first_limit + cause_id
        if cause == BY_CAPACITY:
            return first_capacity + cause_id if cause_id >= 0 else other["overload"]
        if cause == BY_ROT:
            return other["silent_rot"]
        if outcome == REQUEST_DEADLINE or of_call == CANCELLED:
            return other["deadline"]
        return other["timeout" if of_call == TIMEOUT else "random_error"]
