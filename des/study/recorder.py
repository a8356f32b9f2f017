"""Where a replication's rows go: to its traces on disk and into its totals, block by block."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from des.estimate.totals import Totals
from des.traces.schemas import TABLES
from des.traces.writer import TraceWriter, WrittenTrace

Block = Mapping[str, NDArray[Any]]


class Recorder:
    """The engine's sink for one replication; without a directory it keeps totals alone."""

    def __init__(
        self,
        totals: Totals,
        *,
        directory: Path | None,
        arm: str,
        replication: int,
        names: Mapping[str, Mapping[str, Sequence[str]]],
        scenario: str,
    ) -> None:
        self.totals = totals
        self._writers: dict[str, TraceWriter] = {}
        if directory is None:
            return
        for table in TABLES:
            self._writers[table] = TraceWriter(directory, table, arm, replication, names[table], scenario)

    def requests(self, block: Block) -> None:
        self._write("requests", block)
        self.totals.requests(block)

    def attempts(self, block: Block) -> None:
        self._write("attempts", block)
        self.totals.attempts(block)

    def incidents(self, block: Block) -> None:
        self._write("incidents", block)

    def transitions(self, block: Block) -> None:
        self._write("transitions", block)

    def close(self) -> list[WrittenTrace]:
        """Finish the files and say what is in them."""
        return [writer.close() for writer in self._writers.values()]

    def abort(self) -> None:
        """Let go of the files of a replication that will not be finished."""
        for writer in self._writers.values():
            writer.abort()

    def _write(self, table: str, block: Block) -> None:
        writer = self._writers.get(table)
        if writer is not None:
            writer.append(block)
