"""The columns of a recorded file of any format as Arrow arrays, and the faults of their rows.

No value is guessed and no row is skipped. A fault names its first row and counts the others. Timestamps are exact to
the nanosecond. Those without a zone are UTC.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.errors import DesError
from des.words import meant

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

UNITS: Final = {
    "ns": (1, 10**9),
    "us": (1, 10**6),
    "ms": (1, 1000),
    "s": (1, 1),
    "min": (60, 1),
    "h": (3600, 1),
    "d": (86400, 1),
}
"""Seconds in a unit of time, as a fraction."""

_TIMESTAMP = (
    r"^(1[7-9]|2[01])\d\d-\d\d-\d\d"
    r"([T ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d(:?\d\d)?)?)?$"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_TOKENS: Final = 2**31 - 1


class RecordedFileError(DesError, ValueError):
    """A recorded file that cannot be used. The message names the file, the row and the fault."""


@contextmanager
def together_with(broken: str) -> Iterator[None]:
    """Raises one RecordedFileError for the broken rows and for the faults that the block finds."""
    try:
        yield
    except RecordedFileError as error:
        raise RecordedFileError("; ".join(each for each in (broken, str(error)) if each)) from error
    if broken:
        raise RecordedFileError(broken)


def and_more(count: int) -> str:
    return f" (and {count} more bad row{'s' if count > 1 else ''})" if count else ""


def require(path: Path, wanted: Sequence[str], there: Sequence[str]) -> None:
    """Raises RecordedFileError if a wanted column is missing or occurs more than once."""
    for column in wanted:
        if column not in there:
            raise RecordedFileError(f"{path}: no column '{column}'{meant(column, there, most_listed=len(there))}")
        if there.count(column) > 1:
            raise RecordedFileError(f"{path}: column {column!r} is {there.count(column)} times in the header")


def as_text(value: object) -> str:
    """A cell as a person would write it: whole numbers without a point, empty if missing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


@dataclass(frozen=True, slots=True)
class Times:
    """Nanoseconds since 1970 (a clock), or numbers in a unit. Integers stay integers, so they are exact."""

    values: Any  # IntArray | FloatArray
    is_clock: bool
    unit: str

    def seconds_after(self, zero: int | float) -> FloatArray:
        after = self.values - zero
        numerator, denominator = UNITS[self.unit]
        if after.dtype.kind == "f":
            return np.asarray(after * numerator / denominator, dtype=np.float64)
        # Whole seconds and the rest separately, because an int64 may have more digits than a float64.
        whole, rest = np.divmod(after, denominator)
        exact = after * float(numerator) / denominator
        split = whole * float(numerator) + rest / denominator
        return np.asarray(np.where(np.abs(after) < 2**53, exact, split), dtype=np.float64)


def nanoseconds(moment: datetime) -> int:
    """Nanoseconds since 1970. A time without a zone is UTC."""
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


class Faults:
    """Collects the bad rows of a table. For each kind of fault the first row is named and the others are counted."""

    def __init__(self, table: "Table") -> None:
        self.bad = np.zeros(len(table.rows), dtype=np.bool_)
        self._table = table
        self._found: list[tuple[BoolArray, Callable[[int], str]]] = []

    def mark(self, bad: BoolArray, describe: Callable[[int], str]) -> None:
        """Only the first fault of a row is reported, not faults that follow from it."""
        bad = bad & ~self.bad
        self.bad = self.bad | bad
        self._found.append((bad, describe))

    def check(self) -> None:
        """Raises RecordedFileError if any row was marked."""
        if not self.bad.any():
            return
        firsts = sorted((int(np.argmax(bad)), kind) for kind, (bad, _) in enumerate(self._found) if bad.any())
        raise RecordedFileError("; ".join(self._told(first, *self._found[kind]) for first, kind in firsts))

    def _told(self, first: int, bad: BoolArray, describe: Callable[[int], str]) -> str:
        return f"{self._table.place(first)}: {describe(first)}{and_more(int(bad.sum()) - 1)}"


@dataclass(frozen=True, slots=True)
class Table:
    """The wanted columns, as Arrow arrays of text, int64, float64 or timestamps.

    `broken` reports rows that could not be read and are left out, `remarks` what the format leaves out or fills in. A
    document of incidents also gives in `last_seen` the times at which its services were observed.
    """

    path: Path
    columns: Mapping[str, Any]
    rows: IntArray
    """The position of each row in the file."""
    place_in_file: Callable[[int], str]
    """Names a row by its position, so that a person can find it."""
    broken: str = ""
    last_seen: Sequence[object] = ()
    remarks: tuple[str, ...] = ()

    def place(self, row: int) -> str:
        return self.place_in_file(int(self.rows[row]))

    def where(self, wanted: Mapping[str, Sequence[str]]) -> "Table":
        """The rows whose columns have one of the given values. Raises RecordedFileError if none is left."""
        table = self
        for column, values in wanted.items():
            texts = table.texts(column)
            kept = np.array([text in values for text in texts], dtype=np.bool_)
            if not kept.any():
                seen = sorted(set(texts))
                shown = ", ".join(map(repr, seen[:8])) + (", ..." if len(seen) > 8 else "")
                raise RecordedFileError(
                    f"{self.path}: no row left where {column!r} is {' or '.join(map(repr, values))}; it has {shown}"
                )
            columns = {name: array.filter(_arrow(kept)) for name, array in table.columns.items()}
            table = replace(table, columns=columns, rows=table.rows[kept])
        return table

    def texts(self, column: str) -> list[str]:
        """Every value as text: whole numbers without a point, missing values empty."""
        return [as_text(value) for value in self.columns[column].to_pylist()]

    def text(self, column: str, row: int) -> str:
        return as_text(self.columns[column][row].as_py())

    def tokens(self, column: str, faults: Faults) -> IntArray:
        values = self.numbers(column, faults)
        self._unless_text(faults, column, values != np.floor(values), "is not a whole number")
        self._unless_text(faults, column, values < 0, "is negative")
        self._unless_text(faults, column, values > _MOST_TOKENS, f"is over {_MOST_TOKENS}")
        return np.where(faults.bad, 0, values).astype(np.int64)

    def shares(self, column: str, faults: Faults) -> FloatArray:
        """Shares written as `0.35` or `35%`; 0 in rows marked as bad."""
        self._mark_missing(column, faults)
        texts = [text.strip() for text in self.texts(column)]
        shares = np.array([read_share(text) for text in texts])
        self._unless_text(faults, column, np.isnan(shares), "is not a share such as 0.35 or 35%")
        self._unless_text(
            faults, column, (shares < 0) | (shares > 1), "is not a share from 0 to 1 (35 % is 0.35 or 35%)"
        )
        return np.where(faults.bad, 0.0, shares)

    def times(self, column: str, unit: str | None, faults: Faults, missing: str = "") -> Times:
        """`missing` is appended to the message for a row without a value."""
        import pyarrow as pa

        array = self.columns[column]
        if pa.types.is_timestamp(array.type):
            if unit is not None:
                raise RecordedFileError(f"{self.path}: {column!r} has timestamps: leave out the unit {unit!r}")
            return Times(self._clock(column, array, faults, missing), True, "ns")
        if pa.types.is_string(array.type) and unit is None and _looks_like_timestamps(array):
            return Times(self._clock(column, array, faults, missing), True, "ns")
        numbers = self.numbers(column, faults, "a number" if unit else "a timestamp or a number", missing)
        return Times(numbers, False, unit or "s")

    def _unless_text(self, faults: Faults, column: str, bad: BoolArray, what: str) -> None:
        faults.mark(bad, lambda row: f"{column} {self.text(column, row)!r} {what}")

    def _mark_missing(self, column: str, faults: Faults, more: str = "") -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        array = self.columns[column]
        missing = array.is_null()
        if pa.types.is_string(array.type):
            missing = pc.fill_null(pc.equal(array, ""), True)
        faults.mark(np.asarray(missing), lambda row: f"{column} is missing{more}")

    def _clock(self, column: str, array: Any, faults: Faults, missing: str = "") -> IntArray:
        """Nanoseconds since 1970; 0 in rows marked as bad."""
        import pandas as pd
        import pyarrow as pa
        import pyarrow.compute as pc

        self._mark_missing(column, faults, missing)
        if pa.types.is_timestamp(array.type):
            # Beyond an int64 of nanoseconds: before 1678 or after 2261.
            seconds = np.asarray(pc.cast(array, pa.timestamp("s"), safe=False).cast(pa.int64()).fill_null(0))
            far = np.abs(seconds.astype(np.float64)) > 9.2e9
            self._unless_text(faults, column, far, "is out of range")
            array = pc.if_else(_arrow(~far), array, pa.scalar(None, array.type))
            return np.asarray(array.cast(pa.timestamp("ns", array.type.tz)).cast(pa.int64()).fill_null(0), np.int64)
        shaped = pc.fill_null(pc.match_substring_regex(array, _TIMESTAMP), False)
        moments = pd.to_datetime(
            pd.Series(pc.if_else(shaped, array, pa.scalar(None, pa.string())).to_pylist(), dtype=object),
            format="ISO8601",
            utc=True,
            errors="coerce",
        ).astype("datetime64[ns, UTC]")
        bad = moments.isna().to_numpy()
        self._unless_text(faults, column, bad, "is not a timestamp such as 2024-05-01T12:30:00Z")
        return np.where(bad, 0, moments.astype("int64").to_numpy())

    def numbers(self, column: str, faults: Faults, what: str = "a number", missing: str = "") -> Any:
        """Numbers as int64 if all are integers, else as float64; 0 in rows marked as bad."""
        import pyarrow as pa
        import pyarrow.compute as pc

        self._mark_missing(column, faults, missing)
        array = self.columns[column]
        if pa.types.is_string(array.type):
            array = _parsed(pc.utf8_trim_whitespace(array))
            unread = np.asarray(array.is_null())
            self._unless_text(faults, column, unread, f"is not {what}")
        if pa.types.is_integer(array.type):
            return np.asarray(array.fill_null(0), dtype=np.int64)
        values = np.asarray(array.fill_null(0.0), dtype=np.float64)
        self._unless_text(faults, column, ~np.isfinite(values), "is not a finite number")
        return np.where(np.isfinite(values), values, 0.0)


def _arrow(mask: BoolArray) -> Any:
    import pyarrow as pa

    return pa.array(mask)


def _looks_like_timestamps(array: Any) -> bool:
    """By the first value that is either a date or a number."""
    for text in (value.as_py() for value in array):
        if text and text[:4].isdigit() and text[4:5] == "-":
            return True
        if _number(text) is not None:
            return False
    return False


def _parsed(texts: Any) -> Any:
    """Integers, else floats; null where a text is neither."""
    import pyarrow as pa

    for kind in (pa.int64(), pa.float64()):
        try:
            return texts.cast(kind)
        except pa.ArrowInvalid:
            continue
    return pa.array([_number(text) for text in texts.to_pylist()], pa.float64())


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text and "_" not in text else None
    except ValueError:
        return None


def read_share(text: str) -> float:
    """The share written as `0.35` or `35%`; NaN for anything else."""
    number = _number(text.removesuffix("%"))
    return math.nan if number is None else number / 100.0 if text.endswith("%") else number


@dataclass(frozen=True, slots=True)
class Opening:
    """The parts that distinguish formats of one suffix: the document of a JSON file, and the first record or header."""

    document: Any = None
    first: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Format:
    """A format of recorded files: its name, and how its column names and columns are read."""

    name: str
    suffixes: tuple[str, ...]
    names: Callable[[Path], list[str]]
    read: Callable[[Path, Sequence[str]], Table]
    recognises: Callable[[Opening], bool] = lambda opening: True
    """Whether a file has this format rather than another one with the same suffix."""
    roles: Mapping[str, str] = field(default_factory=dict)
    """The default columns of a replay of arrivals: `time`, `input_tokens`, `output_tokens`."""
