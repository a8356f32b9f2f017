"""One replication of one arm: simulated, traced and summed up, in this or another process."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.compiled import simulate
from des.engine import names
from des.engine.columns import Sink
from des.estimate.cascades import Cascade, CascadeTotals, may_cascade, triggers
from des.estimate.objective import WindowCounter, window_edges
from des.estimate.summary import Observed
from des.estimate.sums import LogHistogram
from des.estimate.totals import BatchTotals, LossCounter, Totals
from des.faults import Intervals, draw_timeline
from des.pool import Report
from des.scenario.plan import Plan
from des.scenario.schema.objective import Objective
from des.study.downtime import Spells, downtime, losing_intervals
from des.traces.levels import FULL, TraceLevel
from des.traces.schemas import TABLES
from des.traces.writer import TraceWriter, WrittenTrace


@dataclass(frozen=True, slots=True)
class Part:
    """One task of a process."""

    arm: str
    replication: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replication returns; it also writes files."""

    observed: Observed
    spells: Spells
    written: tuple[WrittenTrace, ...]
    cascade: Cascade | None = None
    windows: tuple[int, int] | None = None
    """(windows that met the objective, whole windows), where one is asked for."""
    called: frozenset[int] = frozenset()
    """The legs of the chain, by index, that were called."""
    broken: Mapping[str, int] = field(default_factory=dict)
    """How often each leg that rots broke."""
    cost: LogHistogram | None = None
    """What each request was billed, in USD, where it is asked for."""


Source = Callable[[Plan, int, Sink, Report | None], int]
"""Hands the rows of a replication of a plan to a sink, and returns the number of requests that arrived."""


@dataclass(frozen=True, slots=True)
class Replicator:
    """Simulates any replication of any arm. The outcome depends only on the part.

    Traces of an arm are also written for the arms that `same` maps to it: rows of the `level`. Without a `directory`
    there are none. `scenario` is canonical JSON, for the traces. `asks_for_cascades` adds their figures even where
    there can be none. With an `objective`, the windows that met it are counted. `asks_for_costs` adds how the
    costs of requests are distributed. Rows come from the `source`, the engine by default.
    """

    plans: Mapping[str, Plan]
    directory: Path | None
    scenario: str
    asks_for_cascades: bool = False
    same: Mapping[str, str] = field(default_factory=dict)
    objective: Objective | None = None
    source: Source | None = None
    asks_for_costs: bool = False
    level: TraceLevel = FULL

    def __call__(self, part: Part, report: Report | None) -> Outcome:
        """Raises RunError where the replication breaks a conservation rule."""
        plan = self.plans[part.arm]
        if report is not None:
            report(0.0)
        timeline = draw_timeline(plan, part.replication, plan.horizon_s)
        of_chain = np.zeros(len(timeline), np.bool_)
        for endpoint in {leg.endpoint for leg in plan.chain}:
            of_chain |= timeline.hits[:, endpoint]
        by_chance, on_record = losing_intervals(timeline, of_chain, shifted=plan.shared < 1.0)
        asked = self.objective
        windows = None if asked is None else WindowCounter(window_edges(plan, asked.per))
        recorder = _Recorder(
            plan,
            part.replication,
            by_chance,
            on_record=on_record,
            windows=windows,
            directory=self.directory,
            arms=list(self.plans),
            scenario=self.scenario,
            same=[arm for arm, simulated in self.same.items() if simulated == part.arm],
            triggers=triggers(plan, timeline) if self.asks_for_cascades or may_cascade(self.plans.values()) else None,
            level=self.level,
            costs=self.asks_for_costs,
        )
        try:
            observed, cascade, written = recorder.close(
                (self.source or simulate)(plan, part.replication, recorder, report)
            )
        except BaseException:
            recorder.abort()
            raise
        met = None if asked is None or windows is None else windows.met(asked.availability)
        return Outcome(
            observed,
            downtime(plan, timeline),
            tuple(written),
            cascade,
            met,
            recorder.called,
            recorder.broken,
            recorder.costs,
        )


_PICODOLLARS: Final = 1e12
_Block = Mapping[str, NDArray[Any]]


class _Recorder:
    """The engine's sink for one replication. Rows go to the traces on disk and into totals, block by block.

    Traces are written in a thread of their own while the next blocks are simulated. They keep the rows of the `level`;
    totals are of all rows. Without a directory there are only totals. `outages` are when requests may be lost together:
    some endpoint of the chain is down or fails some of its calls. `on_record` are those that are the same in every
    replication. `triggers` are when something may start a cascade, None for runs in which there can be none.
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
        windows: WindowCounter | None = None,
        level: TraceLevel = FULL,
        costs: bool = False,
    ) -> None:
        columns = names(plan)
        self._totals = Totals(columns, [leg.name for leg in plan.chain])
        self._losses = LossCounter(outages, on_record)
        self._windows = windows
        self._called = np.zeros(len(plan.chain), np.int64)
        self._breaks = _Breaks(plan, columns["transitions"])
        batch = plan.workload.arrivals.batch
        self._batches = None if batch is None else BatchTotals(batch)
        self._cascade = None if triggers is None else CascadeTotals(plan, columns, triggers)
        self._level = level
        self.costs = LogHistogram() if costs else None
        self._writers: dict[str, list[TraceWriter]] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="traces")  # starts with its first work
        if directory is not None:
            for table in TABLES:
                if not level.keeps(table) or (table == "minutes" and self._cascade is None):
                    continue
                values = {**columns.get(table, {}), "arm": arms}
                self._writers[table] = []  # grows one by one, so that open files are aborted when the next one fails
                for arm in (plan.arm, *same):
                    self._writers[table].append(
                        TraceWriter(
                            directory,
                            table,
                            arm,
                            replication,
                            values,
                            scenario,
                            level=level,
                            thread=self._thread,
                        )
                    )

    def requests(self, block: _Block) -> None:
        self._write("requests", block)
        self._totals.requests(block)
        self._losses.requests(block)
        if self._windows is not None:
            self._windows.requests(block)
        if self.costs is not None:
            self.costs.add(block["cost_picousd"] / _PICODOLLARS)
        if self._batches is not None:
            self._batches.requests(block)
        if self._cascade is not None:
            self._cascade.requests(block)

    def attempts(self, block: _Block) -> None:
        self._write("attempts", block)
        self._totals.attempts(block)
        if not self._called.all():
            self._called += np.bincount(block["leg"], minlength=len(self._called))
        if self._batches is not None:
            self._batches.attempts(block)
        if self._cascade is not None:
            self._cascade.attempts(block)

    def incidents(self, block: _Block) -> None:
        self._write("incidents", block)

    def transitions(self, block: _Block) -> None:
        self._write("transitions", block)
        self._breaks.transitions(block)
        if self._cascade is not None:
            self._cascade.transitions(block)

    def refusals(self, block: _Block) -> None:
        if self._cascade is not None:
            self._cascade.refusals(block)

    @property
    def called(self) -> frozenset[int]:
        return frozenset(np.flatnonzero(self._called).tolist())

    @property
    def broken(self) -> Mapping[str, int]:
        return dict(self._breaks.counts)

    def close(self, arrivals: int) -> tuple[Observed, Cascade | None, list[WrittenTrace]]:
        """Finishes the files. Returns the replication's figures, those of its cascades, and what is in each file.

        Raises RunError, naming the rule, where the rows do not account for each arrival, call and cost.
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
        written = [writer.close() for writers in self._writers.values() for writer in writers]
        self._thread.shutdown()
        return observed, cascade, written

    def abort(self) -> None:
        """Closes the files of a replication that will not be finished.

        The thread ends first. A signal may have come between the start of its work and the note of it in the writer,
        and a file that is closed while Arrow writes to it ends the process.
        """
        self._thread.shutdown(cancel_futures=True)
        for writers in self._writers.values():
            for writer in writers:
                writer.abort()

    def _write(self, table: str, block: _Block) -> None:
        if writers := self._writers.get(table):
            kept = self._level.rows(table, block)
            for writer in writers:
                writer.append(kept)


class _Breaks:
    """Counts how often legs break that do so unnoticed."""

    def __init__(self, plan: Plan, names: Mapping[str, Sequence[str]]) -> None:
        self._names = names["entity"]
        self.counts = {leg.name: 0 for leg in plan.chain if leg.silent_rot is not None}
        self._leg, self._broken = (names["kind"].index("leg"), names["to"].index("broken")) if self.counts else (-1, -1)

    def transitions(self, block: _Block) -> None:
        if not self.counts:
            return
        broke = (block["kind"] == self._leg) & (block["to"] == self._broken)
        for entity in block["entity"][broke].tolist():
            self.counts[self._names[entity]] += 1
