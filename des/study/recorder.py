"""Where a replication's rows go: to its traces on disk and into its totals, block by block."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from des.engine import names
from des.estimate.cascades import Cascade, CascadeTotals
from des.estimate.summary import Observed
from des.estimate.totals import BatchTotals, LossCounter, Totals
from des.faults import Intervals
from des.scenario.plan import BatchArrivals, Plan
from des.traces.schemas import TABLES
from des.traces.writer import TraceWriter, WrittenTrace

Block = Mapping[str, NDArray[Any]]


class Recorder:
    """The engine's sink for one replication; without a directory it keeps totals alone.

    `outages` is when requests may be lost together: some endpoint of the chain is down, or fails some of its calls;
    `on_record` when that is so in every replication alike. `triggers` is when something may set off a cascade; None
    for runs in which there can be none. Traces are written for the arms that are the `same`, too.
    """

    def __init__(
        self,
        plan: Plan,
        replication: int,
        outages: Intervals,
        *,
        on_record: Intervals | None = None,
        directory: Path | None,
        arms: Sequence[str],
        scenario: str,
        triggers: Intervals | None = None,
        same: Sequence[str] = (),
    ) -> None:
        columns = names(plan)
        self._totals = Totals(columns, [leg.name for leg in plan.chain])
        self._losses = LossCounter(outages, on_record)
        arrivals = plan.workload.arrivals
        self._batches = BatchTotals(arrivals.size) if isinstance(arrivals, BatchArrivals) else None
        self._cascade = None if triggers is None else CascadeTotals(plan, columns, triggers)
        self._writers: dict[str, list[TraceWriter]] = {}
        if directory is not None:
            for table in TABLES:
                if table == "minutes" and self._cascade is None:
                    continue
                values = {**columns.get(table, {}), "arm": arms}
                self._writers[table] = []  # grows one by one: what is open when a further file fails is let go of
                for arm in (plan.arm, *same):
                    self._writers[table].append(TraceWriter(directory, table, arm, replication, values, scenario))

    def requests(self, block: Block) -> None:
        self._write("requests", block)
        self._totals.requests(block)
        self._losses.requests(block)
        if self._batches is not None:
            self._batches.requests(block)
        if self._cascade is not None:
            self._cascade.requests(block)

    def attempts(self, block: Block) -> None:
        self._write("attempts", block)
        self._totals.attempts(block)
        if self._batches is not None:
            self._batches.attempts(block)
        if self._cascade is not None:
            self._cascade.attempts(block)

    def incidents(self, block: Block) -> None:
        self._write("incidents", block)

    def transitions(self, block: Block) -> None:
        self._write("transitions", block)
        if self._cascade is not None:
            self._cascade.transitions(block)

    def refusals(self, block: Block) -> None:
        if self._cascade is not None:
            self._cascade.refusals(block)

    def close(self, arrivals: int) -> tuple[Observed, Cascade | None, list[WrittenTrace]]:
        """Finish the files; the replication's figures, those of its cascades, and what is in each file.

        Raises RunError, naming the law, where the rows do not account for each arrival, call and cost.
        """
        self._totals.check(arrivals)
        metrics = self._totals.metrics()
        if self._batches is not None:
            metrics |= self._batches.metrics()
        observed = Observed(metrics, self._losses.losses(), self._totals.latency)
        cascade = None
        if self._cascade is not None:
            cascade, bins = self._cascade.close()
            self._write("minutes", bins.rows())
        return observed, cascade, [writer.close() for writers in self._writers.values() for writer in writers]

    def abort(self) -> None:
        """Let go of the files of a replication that will not be finished."""
        for writers in self._writers.values():
            for writer in writers:
                writer.abort()

    def _write(self, table: str, block: Block) -> None:
        for writer in self._writers.get(table, ()):
            writer.append(block)
