"""The columns of a recorded file (CSV, JSON lines or parquet) as plain Arrow arrays, each row with its place."""

import csv
import difflib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

FORMATS: Final = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".parquet": "parquet"}
"""Format by suffix."""


class RecordedFileError(ValueError):
    """A file that cannot be replayed, in one line: which file, which row, what is wrong."""


@dataclass(frozen=True, slots=True)
class RecordedColumns:
    """Every column is text, int64, float64 or timestamps; `place` names a row (from 0) as a person would find it.

    `broken` tells of rows that are no rows at all and left out, nothing if there are none.
    """

    arrays: dict[str, Any]  # pyarrow arrays
    row_count: int
    place: Callable[[int], str]
    broken: str = ""


def and_more(count: int) -> str:
    return f" (and {count} more bad row{'s' if count > 1 else ''})" if count else ""


@contextmanager
def together_with(broken: str) -> Iterator[None]:
    """Raises a RecordedFileError of broken rows in the end, and of what else the block found wrong with the file."""
    try:
        yield
    except RecordedFileError as error:
        raise RecordedFileError("; ".join(each for each in (broken, str(error)) if each)) from error
    if broken:
        raise RecordedFileError(broken)


def read_columns(path: Path, wanted: Sequence[str], format: str | None) -> RecordedColumns:  # noqa: A002
    """Like `read_sound_rows`, but broken rows raise a RecordedFileError as well."""
    read = read_sound_rows(path, wanted, format)
    with together_with(read.broken):
        return read


def read_sound_rows(path: Path, wanted: Sequence[str], format: str | None) -> RecordedColumns:  # noqa: A002
    """The columns wanted, of a file in the format given or told by its suffix. Raises RecordedFileError.

    The caller looks into the rows that could be read and raises what it finds `together_with` the broken ones.
    """
    if format is None:
        format = FORMATS.get(path.suffix.lower())  # noqa: A001
        if format is None:
            raise RecordedFileError(f"{path}: format unknown by its name; say format: csv, jsonl or parquet")
    readers = {"csv": _read_csv, "jsonl": _read_json_lines, "parquet": _read_parquet}
    if format not in readers:
        raise RecordedFileError(f"{path}: unknown format {format!r}; it is csv, jsonl or parquet")
    if not path.exists():
        raise RecordedFileError(f"{path}: no such file")
    if path.is_dir():
        raise RecordedFileError(f"{path}: is a folder, not a file")
    try:
        columns = readers[format](path, list(dict.fromkeys(wanted)))
    except OSError as error:
        raise RecordedFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise RecordedFileError(f"{path}: is no {format} file: it holds bytes that are not UTF-8 text") from error
    if not columns.row_count:
        raise RecordedFileError(columns.broken or f"{path}: has no rows")
    return columns


def _require(path: Path, wanted: Sequence[str], there: Sequence[str]) -> None:
    for column in wanted:
        if column not in there:
            near = difflib.get_close_matches(column.lower(), [name.lower() for name in there], n=1, cutoff=0.5)
            nearest = next((repr(name) for name in there if near and name.lower() == near[0]), "")
            meant = f"; did you mean {nearest}?" if nearest else ""
            raise RecordedFileError(f"{path}: no column {column!r}{meant} (there are: {', '.join(map(repr, there))})")
        if there.count(column) > 1:
            raise RecordedFileError(f"{path}: column {column!r} stands {there.count(column)} times in the header")


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
            raise RecordedFileError(f"{path}:{reader.line_num}: is no CSV: {error}") from error


def _read_csv(path: Path, wanted: Sequence[str]) -> RecordedColumns:
    import pyarrow as pa

    _, header = next(_csv_rows(path), (0, []))
    if not header:
        raise RecordedFileError(f"{path}: is empty")
    _require(path, wanted, header)
    try:
        (arrays, count), broken = _arrow_cells(path, wanted), ""
    except pa.ArrowInvalid as error:
        broken = _ragged(path, len(header))
        if not broken:
            raise RecordedFileError(f"{path}: is no CSV: {_first_line(error)}") from error
        arrays, count = _sound_cells(path, wanted, header)

    lines = cache(lambda: [line for line, cells in _csv_rows(path) if len(cells) == len(header)])
    return RecordedColumns(arrays, count, lambda row: f"{path}:{lines()[row + 1]}", broken)


def _arrow_cells(path: Path, wanted: Sequence[str]) -> tuple[dict[str, Any], int]:
    """The columns as text and the number of rows, by Arrow's reader. Raises ArrowInvalid where a row is ragged.

    No `invalid_row_handler` leaves such rows out: a thread of the reader may let go of it while the interpreter ends,
    and the process is aborted then (apache/arrow, issue 34314).
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
    """The columns as text and their number, of the rows that have as many cells as the header."""
    import pyarrow as pa

    rows = [cells for _, cells in _csv_rows(path) if len(cells) == len(header)][1:]
    texts = {column: [cells[header.index(column)] for cells in rows] for column in wanted}
    return {column: pa.array(values, pa.string()) for column, values in texts.items()}, len(rows)


def _ragged(path: Path, width: int) -> str:
    """Which rows have another number of cells than the header: the first, and how many more; nothing if none has."""
    ragged = [(line, len(cells)) for line, cells in _csv_rows(path) if len(cells) != width]
    if not ragged:
        return ""
    line, cells = ragged[0]
    return f"{path}:{line}: has {cells} cell{'s' if cells > 1 else ''}, the header {width}{and_more(len(ragged) - 1)}"


def _read_json_lines(path: Path, wanted: Sequence[str]) -> RecordedColumns:
    there: dict[str, None] = {}
    columns: dict[str, list[Any]] = {column: [] for column in wanted}
    lines: list[int] = []
    bad: list[tuple[int, str]] = []
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if line.isspace():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, dict):
                bad.append((number, "is no JSON object; one object a line is expected"))
                continue
            if "\\ud" in line.lower() and not _is_text(row):
                bad.append((number, "holds half a character (\\ud800 to \\udfff), which no text may"))
                continue
            there.update(dict.fromkeys(row))
            lines.append(number)
            for column, values in columns.items():
                values.append(row.get(column))
    broken = f"{path}:{bad[0][0]}: {bad[0][1]}{and_more(len(bad) - 1)}" if bad else ""
    missing = [column for column in wanted if column not in there]
    if lines and missing:
        with together_with(broken):
            _require(path, missing, list(there))
    arrays = {column: _json_array(values) for column, values in columns.items()}
    return RecordedColumns(arrays, len(lines), lambda row: f"{path}:{lines[row]}", broken)


def _is_text(row: dict[str, Any]) -> bool:
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _as_float(number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _json_array(values: Sequence[Any]) -> Any:
    """Numbers where there is nothing else, otherwise text."""
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {int, float}:
        try:
            return pa.array(values, pa.int64() if kinds == {int} else pa.float64())
        except (pa.ArrowInvalid, OverflowError):
            return pa.array([None if value is None else _as_float(value) for value in values], pa.float64())
    texts = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
    return pa.array(texts, pa.string())


def _read_parquet(path: Path, wanted: Sequence[str]) -> RecordedColumns:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            _require(path, wanted, file.schema_arrow.names)
            read = file.read(columns=list(wanted))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise RecordedFileError(f"{path}: is no parquet file: {_first_line(error)}") from error
    columns = {column: _plain(path, column, read[column].combine_chunks()) for column in wanted}
    return RecordedColumns(columns, read.num_rows, lambda row: f"{path}: row {row + 1}")


def _plain(path: Path, column: str, array: Any) -> Any:
    """Text, int64, float64, truth or timestamps, whatever the file stores them as."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if types.is_null(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return array.cast(pa.string())
    if types.is_date(kind):
        return array.cast(pa.timestamp("s") if types.is_date32(kind) else pa.timestamp("ms"))
    if types.is_integer(kind):
        return array.cast(pa.float64() if types.is_uint64(kind) else pa.int64(), safe=False)
    if types.is_floating(kind) or types.is_decimal(kind):
        return array.cast(pa.float64())
    if types.is_string(kind) or types.is_timestamp(kind) or types.is_boolean(kind):
        return array if not types.is_boolean(kind) else array.cast(pa.string())
    raise RecordedFileError(f"{path}: column {column!r} holds {kind}: neither text, numbers nor timestamps")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
