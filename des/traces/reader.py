"""Reads a finished run: its tables as pandas frames, its manifest and summary as dicts."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from des.disk import put_back
from des.errors import DesError
from des.frames import Told, flat, html
from des.single_files import json_object
from des.storage import place_of, readable
from des.traces.levels import TraceLevel
from des.traces.schemas import ROWS_PER_GROUP, TABLES
from des.vocabulary import FULL_TRACES, REQUEST_TRACES

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MANIFEST = "manifest.json"
SUMMARY = "summary.json"


@dataclass(frozen=True, eq=False)
class Run(Told):
    """The directory of a complete run. A table is read at its first use and kept."""

    path: Path
    manifest: Mapping[str, Any]
    summary: Mapping[str, Any]

    @property
    def trace_level(self) -> TraceLevel:
        """Which rows the run kept. Its summary is of all requests, whatever the level."""
        return TraceLevel.of_manifest(self.manifest)

    @cached_property
    def requests(self) -> "pd.DataFrame":
        """One row per request, over all arms and replications; of a sample, those in it. Names are categorical."""
        return self._frame("requests")

    @cached_property
    def attempts(self) -> "pd.DataFrame":
        """One row per call of a leg. Nullable integers (`request_id` of a probe) have pandas' nullable type."""
        return self._frame("attempts")

    @cached_property
    def incidents(self) -> "pd.DataFrame":
        """One row per incident."""
        return self._frame("incidents")

    @cached_property
    def transitions(self) -> "pd.DataFrame":
        """One row per change of state."""
        return self._frame("transitions")

    @cached_property
    def minutes(self) -> "pd.DataFrame":
        """One row per minute, for runs in which requests affect each other or a client's policy decides."""
        return self._frame("minutes")

    @cached_property
    def table(self) -> "pd.DataFrame":
        """One row per arm: every headline figure of the summary with its interval."""
        import pandas as pd

        rows = [
            {"arm": arm} | flat({name: figure for name, figure in figures.items() if "mean" in figure})
            for arm, figures in self.summary["arms"].items()
        ]
        return pd.DataFrame(rows).set_index("arm")

    def batches(self, table: str, columns: Sequence[str], arm: str | None = None) -> "Iterator[pd.DataFrame]":
        """A table in pieces of up to `ROWS_PER_GROUP` rows of one replication, in order; names are text.

        So a long run takes no more memory than a short one. Of a sample, these are the rows in it. Raises DesError for
        a run that kept none.
        """
        import pyarrow.parquet as pq

        for file in self.files(table, arm):
            for batch in pq.ParquetFile(readable(file)).iter_batches(ROWS_PER_GROUP, columns=list(columns)):
                yield _as_text(batch)

    def of_file(self, file: Path, columns: Sequence[str]) -> "pd.DataFrame":
        """A table of one replication, from one of its `files`; names are text."""
        import pyarrow.parquet as pq

        return _as_text(pq.read_table(readable(file), columns=list(columns)))

    def files(self, table: str, arm: str | None = None) -> list[Path]:
        """The files of a table, one per arm and replication, in order of arms. Raises DesError if there are none."""
        recorded = {name for name in self.manifest.get("traces", {}) if name.startswith(f"{table}/")}
        if not recorded:
            raise self._lacking(table)
        arms = self.manifest["arms"] if arm is None else [arm]
        names = [f"{table}/{each}-{n:04}.parquet" for each in arms for n in range(self.manifest["replications"])]
        return [self.path / name for name in names if name in recorded]

    def _lacking(self, table: str) -> DesError:
        if table == "minutes" and self.manifest.get("traces"):
            return DesError(f"{self.path}: a run has minutes where its scenario has limits, a surge or a client")
        return DesError(
            f"{self.path}: this run kept no {table} (trace level {self.trace_level}); {_run_again_for(table)}"
        )

    def needs_all(self, table: str) -> None:
        """Raises DesError, with the level to run at, unless every row of the table was kept."""
        if not any(name.startswith(f"{table}/") for name in self.manifest.get("traces", {})):
            raise self._lacking(table)
        level = self.trace_level
        if level.is_sample and level.facts(table):
            raise DesError(
                f"{self.path}: this run kept a sample of its {table} (trace level {level}), and this takes all of them;"
                f" {_run_again_for(table)}"
            )

    def verify(self) -> None:
        """Compare the SHA-256 of every trace with the manifest's. Raises DesError naming each that differs."""
        if problems := amiss(self.path, self.manifest):
            raise DesError("\n".join(f"{self.path}: {problem}" for problem in problems))

    def _frame(self, table: str) -> "pd.DataFrame":
        directory = self.path / table
        if not directory.is_dir():
            raise self._lacking(table)
        import pyarrow as pa
        import pyarrow.parquet as pq

        if isinstance(directory, Path):
            return _as_pandas(pq.read_table(directory, schema=TABLES[table]))
        parts = [pq.read_table(readable(file), schema=TABLES[table]) for file in sorted(directory.glob("*.parquet"))]
        return _as_pandas(pa.concat_tables(parts))

    def _repr_html_(self) -> str:
        return html(repr(self), self.table)

    def __repr__(self) -> str:
        arms = self.manifest.get("arms", [])
        replications = self.manifest.get("replications", "?")
        traces = self.manifest.get("traces", {})
        rows = {
            table: sum(facts["rows"] for name, facts in traces.items() if name.startswith(table))
            for table in TABLES
            if table != "minutes"
        }
        held = ", ".join(f"{count:,} {table}" for table, count in rows.items()) if traces else "no traces"
        if self.trace_level.is_sample:
            held += f" ({self.trace_level})"
        return f"<Run {self.path}: arms {', '.join(arms)}; replications {replications}; {held}>"


def _run_again_for(table: str) -> str:
    level = FULL_TRACES if table == "attempts" else REQUEST_TRACES
    return f"run its scenario again with --traces {level} (in Python, traces={level!r})"


def amiss(directory: Path, manifest: Mapping[str, Any]) -> list[str]:
    """How the traces in the directory differ from those that the manifest lists."""
    recorded: Mapping[str, Mapping[str, Any]] = manifest.get("traces", {})
    present = {path.relative_to(directory).as_posix() for table in TABLES for path in (directory / table).glob("*")}
    problems = [f"{name} is in no manifest" for name in sorted(present - recorded.keys())]
    for name, facts in recorded.items():
        if name not in present:
            problems.append(f"{name} is missing")
        elif problem := _difference(directory / name, facts["sha256"]):
            problems.append(f"{name} {problem}")
    return problems


def load(run: str | Path) -> Run:
    """Open the directory of a run, or a run at an address. Raises DesError if it is none. Traces are not read yet."""
    path = place_of(run)
    if isinstance(path, Path):
        put_back(path)
    if not path.is_dir():
        raise DesError(f"{path}: no such run; name the directory of a finished run")
    manifest = _json(path, MANIFEST)
    _check_shape(path / MANIFEST, manifest)
    return Run(path, manifest, _json(path, SUMMARY))


def _check_shape(file: Path, manifest: Mapping[str, Any]) -> None:
    """Checks the form of the parts of the manifest that are read here."""
    arms, traces = manifest.get("arms", []), manifest.get("traces", {})
    if not (isinstance(arms, list) and all(isinstance(arm, str) for arm in arms)):
        raise DesError(f"{file}: arms is not a list of names")
    if not isinstance(traces, dict):
        raise DesError(f"{file}: traces is not an object")
    for name, facts in traces.items():
        if not (isinstance(facts, dict) and type(facts.get("rows")) is int and isinstance(facts.get("sha256"), str)):
            raise DesError(f"{file}: traces lacks the rows or the checksum of {name}")


def _json(path: Path, name: str) -> dict[str, Any]:
    try:
        return json_object(path / name)
    except FileNotFoundError:
        raise DesError(f"{path}: not a run, as it holds no {name}") from None


def _as_pandas(table: "pa.Table") -> "pd.DataFrame":
    """Dictionaries become categoricals. Integers with nulls become pandas' nullable ones, so that ids stay exact."""
    import pandas as pd
    import pyarrow as pa

    nullable = {pa.int16(): pd.Int16Dtype(), pa.int64(): pd.Int64Dtype()}
    columns = {
        field.name: table.column(field.name).to_pandas(types_mapper=nullable.get if field.nullable else None)
        for field in table.schema
    }
    return pd.DataFrame(columns, copy=False)


def _as_text(batch: "pa.RecordBatch | pa.Table") -> "pd.DataFrame":
    """Dictionaries become text, so that pieces with different codes can be put together."""
    import pandas as pd
    import pyarrow as pa

    nullable = {pa.int16(): pd.Int16Dtype(), pa.int64(): pd.Int64Dtype()}
    columns: dict[str, pd.Series[Any]] = {}
    for field, column in zip(batch.schema, batch.columns, strict=True):
        is_name = pa.types.is_dictionary(field.type)
        columns[field.name] = (column.cast(pa.string()) if is_name else column).to_pandas(
            types_mapper=nullable.get if field.nullable else None
        )
    return pd.DataFrame(columns, copy=False)


def _difference(path: Path, sha256: str) -> str | None:
    """How a file differs from the one recorded; None where it does not."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"cannot be read ({(error.strerror or str(error)).lower()})"
    return None if found == sha256 else "has been changed"
