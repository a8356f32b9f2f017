"""Writes one table of one replication to a parquet file, a row group at a time.

Rows are collected column by column in NumPy buffers that are passed to Arrow without a copy. Every row group has the
same number of rows, whatever the blocks of the input, so the file's bytes depend on the rows only.

With a thread, a full row group is encoded and written there while the caller fills a second set of buffers. There are
no more than these two, so a caller that is faster than the disk waits.
"""

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from des.errors import RunError
from des.traces.levels import FULL, TraceLevel
from des.traces.schemas import ROWS_PER_GROUP, TABLES

_ZSTD_LEVEL: Final = 1
"""Level 3 makes files 1 % smaller and writing a fifth slower."""


@dataclass(frozen=True, slots=True)
class WrittenTrace:
    """A finished file: its path below the run (`requests/as_modelled-0000.parquet`), rows, size and SHA-256."""

    name: str
    rows: int
    bytes: int
    sha256: str


class TraceWriter:
    """Writes `<directory>/<table>/<arm>-<replication, 4 digits>.parquet`.

    `names` gives each dictionary column's values in the order of their codes. Its `arm` lists all arms of the run, so
    that the files of a table share one dictionary; without it the dictionary has this arm only. The file says in its
    metadata if its rows are those of a sample (`level`); choosing them is up to the caller. Row groups are written in
    the `thread`, an executor of one, where there is one. On a full disk or an unwritable directory every method but
    `abort` may raise OSError. What goes wrong in the thread is raised by the next call.
    """

    def __init__(
        self,
        directory: Path,
        table: str,
        arm: str,
        replication: int,
        names: Mapping[str, Sequence[str]],
        scenario: str,
        *,
        level: TraceLevel = FULL,
        thread: Executor | None = None,
    ) -> None:
        schema = TABLES[table]
        arms = tuple(names.get("arm", (arm,)))
        said = {key: str(value) for key, value in level.facts(table).items()}
        self._schema = schema.with_metadata({**schema.metadata, **said, b"scenario": scenario.encode()})
        constant = {"arm": arms.index(arm), "replication": replication}

        def columns() -> _Columns:
            return tuple(
                _column(field, arms if field.name == "arm" else names.get(field.name), constant.get(field.name))
                for field in schema
            )

        self._thread = thread
        self._writing: Future[None] | None = None  # the row group that the thread is at
        self._columns = columns()
        self._others = None if thread is None else columns()
        self._filled = 0
        self._rows = 0
        self._name = f"{table}/{arm}-{replication:04d}.parquet"
        self._path = directory / self._name
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._sink = pa.OSFile(str(self._path), "wb")
        try:
            self._parquet = pq.ParquetWriter(self._sink, self._schema, **_encoding(schema))
        except OSError:
            self._path.unlink()
            raise

    def append(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Add rows: one array per column of the table except `arm` and `replication`. Other arrays are ignored.

        Dictionary columns are codes into `names` (-1 is null), NaN is a null float, a negative number a null integer
        (both in nullable columns only). The arrays are copied. Raises RunError for a value that does not fit its
        column.
        """
        if self._writing is not None and self._writing.done():
            self._finish_writing()
        given = tuple(column for column in self._columns if column.name not in _CONSTANT)
        rows = len(columns[given[0].name])
        for column in given:
            column.check(columns[column.name])
        done = 0
        while done < rows:
            take = min(rows - done, ROWS_PER_GROUP - self._filled)
            for column in self._columns:
                if column.name not in _CONSTANT:
                    block = columns[column.name]
                    column.buffer[self._filled : self._filled + take] = block[done : done + take]
            self._filled += take
            done += take
            if self._filled == ROWS_PER_GROUP:
                self._write_group()

    def close(self) -> WrittenTrace:
        """Write the remaining rows and finish the file. Without rows it holds only the schema."""
        if self._filled:
            self._write_group()
        self._finish_writing()
        self._parquet.close()
        self._sink.close()
        with self._path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return WrittenTrace(self._name, self._rows, self._path.stat().st_size, sha256)

    def abort(self) -> None:
        """Abandon the file and remove it. Never raises OSError."""
        if self._writing is not None and not self._writing.cancel():
            wait([self._writing])
        for close in (self._parquet.close, self._sink.close, self._path.unlink):
            with contextlib.suppress(OSError, ValueError):
                close()

    def _write_group(self) -> None:
        self._rows += self._filled
        columns, filled, self._filled = self._columns, self._filled, 0
        if self._thread is None or self._others is None:
            self._write(columns, filled)
            return
        self._finish_writing()  # whose buffers come next
        self._columns, self._others = self._others, columns
        self._writing = self._thread.submit(self._write, columns, filled)

    def _finish_writing(self) -> None:
        """Wait for the row group that the thread is at, and raise what it raised."""
        if (writing := self._writing) is not None:
            wait([writing])  # interrupted here, there is still something for `abort` to wait for
            self._writing = None
            writing.result()

    def _write(self, columns: "_Columns", rows: int) -> None:
        arrays = [column.arrow(rows) for column in columns]
        self._parquet.write_batch(
            pa.RecordBatch.from_arrays(arrays, schema=self._schema), row_group_size=ROWS_PER_GROUP
        )


_CONSTANT: Final = frozenset({"arm", "replication"})


_KEYS: Final = frozenset({"arm", "replication", "request_id", "arrival_s", "start_s", "end_s", "time_s"})
"""What files and row groups are sorted by, so that readers skip those that a filter rules out.

Every row group has most values of the others: their least and greatest would rule out nothing, and take a fifth of the
time to write.
"""
_STEPS: Final = frozenset(
    {"request_id", "attempt", "attempts", "chain_position", "cause_id", "input_tokens", "output_tokens"}
)
"""Integers close to the one before them, or of few bits."""


def _encoding(schema: pa.Schema) -> dict[str, Any]:
    """How each column is packed: what few values have as codes, steps as differences, other floats split by bytes."""
    codes = [field.name for field in schema if pa.types.is_dictionary(field.type) or _unit(field) == "USD"]
    floats = [field.name for field in schema if pa.types.is_floating(field.type) and field.name not in codes]
    steps = [field.name for field in schema if field.name in _STEPS]
    return {
        "compression": "zstd",
        "compression_level": _ZSTD_LEVEL,
        "use_dictionary": codes,
        "column_encoding": dict.fromkeys(floats, "BYTE_STREAM_SPLIT") | dict.fromkeys(steps, "DELTA_BINARY_PACKED"),
        "write_statistics": [field.name for field in schema if field.name in _KEYS],
        "store_schema": True,
    }


def _unit(field: pa.Field) -> str:
    return str((field.metadata or {}).get(b"unit", b"").decode())


@dataclass(frozen=True, slots=True)
class _Column:
    """A column's buffer for one row group, and its conversion to an Arrow array."""

    field: pa.Field
    buffer: NDArray[Any]
    dictionary: pa.Array | None  # for a dictionary column

    @property
    def name(self) -> str:
        return str(self.field.name)

    def check(self, block: NDArray[Any]) -> None:
        if self.buffer.dtype.kind not in "iu" or not len(block):
            return
        if self.dictionary is None and np.can_cast(block.dtype, self.buffer.dtype):
            return  # whatever it is, it fits
        lowest, highest = int(block.min()), int(block.max())
        if self.dictionary is not None:
            floor, ceiling = (-1 if self.field.nullable else 0), len(self.dictionary) - 1
        else:
            limits = np.iinfo(self.buffer.dtype)
            floor, ceiling = int(limits.min), int(limits.max)
        if lowest < floor or highest > ceiling:
            wrong = lowest if lowest < floor else highest
            raise RunError(f"trace column {self.name} cannot hold {wrong}: it runs from {floor} to {ceiling}")

    def arrow(self, rows: int) -> pa.Array:
        """The first rows, without a copy: they must be written before the buffer is filled again."""
        values = self.buffer[:rows]
        if values.dtype == object:
            return pa.array(values, type=self.field.type)
        validity, nulls = self._validity(values)
        data = pa.py_buffer(np.packbits(values, bitorder="little") if values.dtype == bool else values)
        if self.dictionary is None:
            return pa.Array.from_buffers(self.field.type, rows, [validity, data], nulls)
        codes = pa.Array.from_buffers(self.field.type.index_type, rows, [validity, data], nulls)
        return pa.DictionaryArray.from_arrays(codes, self.dictionary, safe=False)

    def _validity(self, values: NDArray[Any]) -> tuple[pa.Buffer | None, int]:
        if not self.field.nullable:
            return None, 0
        valid = ~np.isnan(values) if values.dtype.kind == "f" else values >= 0
        nulls = len(values) - int(np.count_nonzero(valid))
        return (pa.py_buffer(np.packbits(valid, bitorder="little")) if nulls else None), nulls


_Columns = tuple[_Column, ...]


def _column(field: pa.Field, names: Sequence[str] | None, constant: int | None) -> _Column:
    column = _empty_column(field, names)
    if constant is not None:
        column.buffer[:] = constant
    return column


def _empty_column(field: pa.Field, names: Sequence[str] | None) -> _Column:
    if pa.types.is_dictionary(field.type):
        if names is None:
            raise ValueError(f"no names given for the dictionary column {field.name}")
        most = int(np.iinfo(field.type.index_type.to_pandas_dtype()).max) + 1
        if len(names) > most:
            raise RunError(f"trace column {field.name} holds up to {most} names, not {len(names)}")
        dictionary = pa.array(names, type=pa.string())
        return _Column(field, np.empty(ROWS_PER_GROUP, field.type.index_type.to_pandas_dtype()), dictionary)
    dtype = object if pa.types.is_nested(field.type) else field.type.to_pandas_dtype()
    return _Column(field, np.empty(ROWS_PER_GROUP, dtype), None)
