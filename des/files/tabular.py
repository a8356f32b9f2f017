"""Readers of CSV and parquet. Each row has a place by which a person can find it."""

import csv
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from des.files.table import Format, RecordedFileError, Table, and_more, require

# CSV


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row that is not blank."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        line = 1
        try:
            for cells in reader:
                if cells:
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            raise RecordedFileError(f"{path}:{reader.line_num}: is not CSV: {error}") from error


def _csv_names(path: Path) -> list[str]:
    _, header = next(_csv_rows(path), (0, []))
    if not header:
        raise RecordedFileError(f"{path}: is empty: a line with the names of the columns is needed")
    return header


def _read_csv(path: Path, wanted: Sequence[str]) -> Table:
    import pyarrow as pa

    header = _csv_names(path)
    require(path, wanted, header)
    try:
        (arrays, count), broken = _arrow_cells(path, wanted), ""
    except pa.ArrowInvalid as error:
        broken = _ragged(path, len(header))
        if not broken:
            raise RecordedFileError(f"{path}: is not CSV: {_first_line(error)}") from error
        arrays, count = _sound_cells(path, wanted, header)

    lines = cache(lambda: [line for line, cells in _csv_rows(path) if len(cells) == len(header)])
    return Table(path, arrays, np.arange(count), lambda row: f"{path}:{lines()[row + 1]}", broken)


def _arrow_cells(path: Path, wanted: Sequence[str]) -> tuple[dict[str, Any], int]:
    """The columns as text and the number of rows, by Arrow's reader. Raises ArrowInvalid for a ragged row.

    An `invalid_row_handler` could leave such rows out, but a thread of the reader may release it while the interpreter
    exits, which aborts the process (apache/arrow, issue 34314).
    """
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    read = arrow_csv.read_csv(
        path,
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types={column: pa.string() for column in wanted}, include_columns=wanted
        ),
    )
    return {column: read[column].combine_chunks() for column in wanted}, read.num_rows


def _sound_cells(path: Path, wanted: Sequence[str], header: Sequence[str]) -> tuple[dict[str, Any], int]:
    """The columns as text and the number of rows, without rows whose number of cells differs from the header's."""
    import pyarrow as pa

    rows = [cells for _, cells in _csv_rows(path) if len(cells) == len(header)][1:]
    texts = {column: [cells[header.index(column)] for cells in rows] for column in wanted}
    return {column: pa.array(values, pa.string()) for column, values in texts.items()}, len(rows)


def _ragged(path: Path, width: int) -> str:
    """A message on rows whose number of cells differs from the header's: the first, and a count; empty if none."""
    ragged = [(line, len(cells)) for line, cells in _csv_rows(path) if len(cells) != width]
    if not ragged:
        return ""
    line, cells = ragged[0]
    return f"{path}:{line}: has {cells} cell{'s' if cells > 1 else ''}, the header {width}{and_more(len(ragged) - 1)}"


# Parquet


def _parquet_names(path: Path) -> list[str]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return list(parquet.read_schema(path).names)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise RecordedFileError(f"{path}: is not a parquet file: {_first_line(error)}") from error


def _read_parquet(path: Path, wanted: Sequence[str]) -> Table:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            require(path, wanted, file.schema_arrow.names)
            read = file.read(columns=list(wanted))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise RecordedFileError(f"{path}: is not a parquet file: {_first_line(error)}") from error
    columns = {column: _plain(path, column, read[column].combine_chunks()) for column in wanted}
    return Table(path, columns, np.arange(read.num_rows), lambda row: f"{path}: row {row + 1}")


def _plain(path: Path, column: str, array: Any) -> Any:
    """Converts a stored column to text, int64, float64 or timestamps; truth values become text."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if types.is_null(kind) or types.is_large_string(kind) or types.is_string_view(kind) or types.is_boolean(kind):
        return array.cast(pa.string())
    if types.is_date(kind):
        return array.cast(pa.timestamp("s") if types.is_date32(kind) else pa.timestamp("ms"))
    if types.is_integer(kind):
        return array.cast(pa.float64() if types.is_uint64(kind) else pa.int64(), safe=False)
    if types.is_floating(kind) or types.is_decimal(kind):
        return array.cast(pa.float64())
    if types.is_string(kind) or types.is_timestamp(kind):
        return array
    raise RecordedFileError(f"{path}: column {column!r} has {kind}: expected text, numbers or timestamps")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


CSV: Final = Format("csv", (".csv",), _csv_names, _read_csv)
PARQUET: Final = Format("parquet", (".parquet",), _parquet_names, _read_parquet)
