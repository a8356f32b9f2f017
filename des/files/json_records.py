"""Readers of JSON: one object per line, or a document with a list of records.

Nested objects of a record become columns with dotted names (`most_recent_update.when`). Other lists are JSON text.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from des.files.table import Format, Opening, RecordedFileError, Table, and_more, require, together_with

Record = Mapping[str, Any]
_ONE_OBJECT: Final = "is not a JSON object; expected one object per line"
_HALF_A_CHARACTER: Final = "contains a lone surrogate (\\ud800 to \\udfff), which is only half a character"
_DEEPEST: Final = 8
LINES: Final = (".jsonl", ".ndjson")
"""Suffixes of files with one object per line; `.json` may be either."""


# Records of any source as a table


@dataclass(frozen=True, slots=True)
class Records:
    """Rows as dictionaries, with the place of each, and remarks on what the reader left out or filled in."""

    rows: Sequence[Record]
    places: Sequence[str]
    last_seen: Sequence[object] = ()
    remarks: tuple[str, ...] = ()
    broken: str = ""

    @property
    def names(self) -> list[str]:
        """Every key, in the order of its first use."""
        return list(dict.fromkeys(key for row in self.rows for key in row))


def records_format(
    name: str,
    suffixes: tuple[str, ...],
    read: Callable[[Path], Records],
    recognises: Callable[[Opening], bool],
    roles: Mapping[str, str] | None = None,
) -> Format:
    """A format whose `read` returns records."""

    def table(path: Path, wanted: Sequence[str]) -> Table:
        found = read(path)
        if found.rows:
            with together_with(found.broken):
                require(path, wanted, found.names)
        columns = {column: json_array([row.get(column) for row in found.rows]) for column in wanted}
        return Table(
            path,
            columns,
            np.arange(len(found.rows)),
            found.places.__getitem__,
            found.broken,
            last_seen=found.last_seen,
            remarks=found.remarks,
        )

    return Format(name, suffixes, lambda path: read(path).names, table, recognises, roles or {})


def flat(record: Mapping[str, Any], before: str = "", depth: int = 0) -> dict[str, Any]:
    """A record with the fields of nested objects as its own. Below the depth limit, objects are left as they are."""
    found: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict) and depth < _DEEPEST:
            found |= flat(value, f"{before}{key}.", depth + 1)
        else:
            found[f"{before}{key}"] = value
    return found


def sound(record: object, place: str, what: str) -> Mapping[str, Any]:
    """The record itself. Raises RecordedFileError if it is not an object or contains invalid text."""
    if not isinstance(record, dict):
        raise RecordedFileError(f"{place} is not a valid {what}: {str(record)[:40]!r}")
    try:
        if not _is_text(record):
            raise RecordedFileError(f"{place} {_HALF_A_CHARACTER}")
    except RecursionError:
        raise RecordedFileError(f"{place} is nested too deeply") from None
    return record


def json_array(values: Sequence[Any]) -> Any:
    """An Arrow array of numbers if there are only numbers, otherwise of text."""
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {int, float}:
        try:
            return pa.array(values, pa.int64() if kinds == {int} else pa.float64())
        except (pa.ArrowInvalid, OverflowError):
            return pa.array([None if value is None else _as_float(value) for value in values], pa.float64())
    texts = [value if value is None or isinstance(value, str) else _as_text(value) for value in values]
    return pa.array(texts, pa.string())


def _as_text(value: object) -> str:
    try:
        return json.dumps(value)
    except RecursionError:
        return "(nested too deeply)"


def _as_float(number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _is_text(row: Mapping[str, Any]) -> bool:
    """Whether its texts are free of lone surrogates, which JSON escapes may produce."""
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


# One object per line


def json_lines(path: Path) -> Iterator[tuple[int, Any]]:
    """For each line that is not blank: its number, and the object, or as text what is wrong with the line."""
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if line.isspace():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, dict):
                yield number, _ONE_OBJECT
            elif "\\ud" in line.lower() and not _is_text(row):
                yield number, _HALF_A_CHARACTER
            else:
                yield number, row


def records_of_lines(path: Path, rows_of: Callable[[Mapping[str, Any]], Sequence[Record]]) -> Records:
    """The rows that `rows_of` makes of each line."""
    rows: list[Record] = []
    places: list[str] = []
    bad: list[tuple[int, str]] = []
    for number, found in json_lines(path):
        if isinstance(found, str):
            bad.append((number, found))
            continue
        made = rows_of(found)
        rows += made
        places += [f"{path}:{number}"] * len(made)
    return Records(rows, places, broken=_broken(path, bad))


def _names_of_lines(path: Path) -> list[str]:
    number, row = next(json_lines(path), (1, _ONE_OBJECT))
    if isinstance(row, str):
        raise RecordedFileError(f"{path}:{number}: {row}")
    return list(flat(row))


def _read_lines(path: Path, wanted: Sequence[str]) -> Table:
    """Keeps only the wanted columns, because logs of arrivals are long."""
    there: dict[str, None] = {}
    columns: dict[str, list[Any]] = {column: [] for column in wanted}
    lines: list[int] = []
    bad: list[tuple[int, str]] = []
    nested = [column for column in wanted if "." in column]
    for number, row in json_lines(path):
        if isinstance(row, str):
            bad.append((number, row))
            continue
        if nested:
            row = flat(row) | row
        there.update(dict.fromkeys(row))
        lines.append(number)
        for column, values in columns.items():
            values.append(row.get(column))
    broken = _broken(path, bad)
    missing = [column for column in wanted if column not in there]
    if lines and missing:
        with together_with(broken):
            require(path, missing, list(there))
    arrays = {column: json_array(values) for column, values in columns.items()}
    return Table(path, arrays, np.arange(len(lines)), lambda row: f"{path}:{lines[row]}", broken)


def _broken(path: Path, bad: Sequence[tuple[int, str]]) -> str:
    return f"{path}:{bad[0][0]}: {bad[0][1]}{and_more(len(bad) - 1)}" if bad else ""


# A document


def json_document(path: Path) -> Any:
    """The content of a file with one JSON document; None for JSON lines. Raises RecordedFileError for invalid JSON."""
    text = path.read_text(encoding="utf-8-sig").rstrip()
    try:
        return _parsed(text)
    except json.JSONDecodeError as error:
        if _starts_with_object(text):
            return None
        raise RecordedFileError(f"{path}:{error.lineno}:{error.colno}: {_no_json(text, error)}") from error
    except ValueError as error:
        raise RecordedFileError(f"{path}: is not readable JSON: {error}") from error


def _parsed(text: str) -> Any:
    """Raises ValueError for what cannot be read."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except json.JSONDecodeError:
        raise
    except ValueError:
        raise ValueError("it has a number with thousands of digits") from None


def _starts_with_object(text: str) -> bool:
    """Whether the first line is an object by itself."""
    try:
        return isinstance(_parsed(text.partition("\n")[0]), dict)
    except ValueError:
        return False


def _no_json(text: str, error: json.JSONDecodeError) -> str:
    if not text:
        return "is empty"
    rest = text[error.pos :]
    if error.msg.startswith("Unterminated string") or any(word.startswith(rest) for word in ("true", "false", "null")):
        return f"the JSON is truncated: it ends within line {text.count(chr(10)) + 1}; fetch the file again"
    return f"is not JSON: {error.msg[0].lower()}{error.msg[1:]}"


def record_list(document: object) -> tuple[str, list[Any]] | None:
    """Name and content of a document's list of records: the document itself, or the only such list in it."""
    if isinstance(document, list):
        return "", document
    if not isinstance(document, dict):
        return None
    lists = [(key, value) for key, value in document.items() if isinstance(value, list) and _holds_records(value)]
    return lists[0] if len(lists) == 1 else None


def _holds_records(values: list[Any]) -> bool:
    return bool(values) and isinstance(values[0], dict)


def _records_of_document(path: Path) -> Records:
    found = record_list(json_document(path))
    if found is None:
        raise RecordedFileError(f"{path}: has no list of records, or several")
    name, listed = found
    places = [f"{path}: {name}[{number}]" for number in range(len(listed))]
    return Records([flat(sound(record, place, "record")) for record, place in zip(listed, places, strict=True)], places)


JSON: Final = records_format(
    "json", (".json",), _records_of_document, lambda opening: record_list(opening.document) is not None
)
JSON_LINES: Final = Format("jsonl", (*LINES, ".json"), _names_of_lines, _read_lines)
