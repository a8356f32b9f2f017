"""Measured values: one column of a table, or a file with one number a line."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from des.files.formats import column_names, read_sound_rows
from des.files.table import UNITS, Faults, FloatArray, RecordedFileError, together_with
from des.single_files import check_regular

_LISTS: Final = (".txt", ".csv")
"""Suffixes of files that may hold nothing but numbers, one a line."""
_MOST_TOLD: Final = 15


def read_values(
    path: Path,
    *,
    column: str | None = None,
    unit: str = "s",
    where: Mapping[str, Sequence[str]] | None = None,
    format: str | None = None,  # noqa: A002
) -> FloatArray:
    """The numbers of a column in the order of the file, float64[n]; times of a `unit` in seconds.

    `where` keeps the rows whose columns have one of the given values. A file of a single column needs no `column`, and
    a file of numbers alone has no header. Raises RecordedFileError for values that are missing, negative or no numbers.
    """
    if column is None and not where and path.suffix.lower() in _LISTS and _is_list(path):
        values = _listed(path)
    else:
        named = _only_column(path, format) if column is None else column
        table = read_sound_rows(path, [named, *(where or {})], format)
        with together_with(table.broken):
            table = table.where(where or {})
            faults = Faults(table)
            values = np.asarray(table.numbers(named, faults), np.float64)
            faults.mark(values < 0.0, lambda row: f"{named} {table.text(named, row)!r} is negative")
            faults.check()
    numerator, denominator = UNITS[unit]
    return np.asarray(values * numerator / denominator, np.float64)


def _only_column(path: Path, format: str | None) -> str:  # noqa: A002
    names = column_names(path, format)
    if len(names) != 1:
        there = ", ".join(names[:_MOST_TOLD]) + (", ..." if len(names) > _MOST_TOLD else "")
        raise RecordedFileError(f"{path}: name the column with the values: column: ... (there are: {there})")
    return names[0]


def _is_list(path: Path) -> bool:
    """Whether the first line is a number, so that there is no header. Raises RecordedFileError."""
    return path.suffix.lower() == ".txt" or _number(next(iter(_lines(path)), (0, ""))[1]) is not None


def _lines(path: Path) -> list[tuple[int, str]]:
    """(line number, text) of each line that is not blank."""
    try:
        check_regular(path)
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise RecordedFileError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise RecordedFileError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise RecordedFileError(f"{path}: cannot be read: {error.strerror or error}") from None
    return [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def _listed(path: Path) -> FloatArray:
    values: list[float] = []
    for line, text in _lines(path):
        value = _number(text)
        if value is None or not 0.0 <= value < np.inf:
            what = "is no number" if value is None else "is negative or not finite"
            raise RecordedFileError(f"{path}:{line}: {text[:60]!r} {what}: one number a line is needed")
        values.append(value)
    if not values:
        raise RecordedFileError(f"{path}: has no rows")
    return np.array(values)


def _number(text: str) -> float | None:
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None
