"""Recorded history read from files: incident windows and arrivals, from CSV, JSON lines or parquet.

Nothing is guessed and no row is skipped: every row that `where` keeps must be sound, or reading fails with the first
row of each kind of fault and how many more there are. Timestamps are exact to the nanosecond; those without a zone
are UTC.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.files.recorded_file import RecordedColumns, RecordedFileError, and_more, read_sound_rows, together_with

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
_MOST_TOKENS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class RecordedRows:
    """Incident windows in seconds, sorted by start; `severity` has one text a window ("" without such a column)."""

    start_s: FloatArray
    end_s: FloatArray
    severity: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordedArrivalRows:
    """Arrivals in seconds after the first, sorted; rows of the same time keep the file's order."""

    arrival_s: FloatArray
    input_tokens: IntArray | None
    output_tokens: IntArray | None


def read_incidents(
    path: Path | str,
    *,
    start: str,
    end: str,
    where: Mapping[str, Sequence[str]] | None = None,
    severity: str | None = None,
    origin: datetime | None = None,
    format: str | None = None,  # noqa: A002
) -> RecordedRows:
    """Windows of columns `start` and `end`, in seconds after `origin`; windows of no length are dropped.

    Windows may begin before the origin, as negative seconds. Numbers instead of timestamps are seconds as they are,
    whatever the origin. `where` keeps the rows whose columns hold one of the values given. Raises RecordedFileError.
    """
    where = where or {}
    wanted = [start, end, *([severity] if severity else []), *where]
    read = read_sound_rows(Path(path), wanted, format)
    with together_with(read.broken):
        return _incidents(_Table.of(Path(path), read).where(where), start, end, severity, origin)


def _incidents(table: "_Table", start: str, end: str, severity: str | None, origin: datetime | None) -> RecordedRows:
    path = table.path
    faults = _Faults(table)
    start_time, end_time = table.times(start, None, faults), table.times(end, None, faults)
    if not faults.bad.any() and start_time.is_clock != end_time.is_clock:
        raise RecordedFileError(f"{path}: one of {start!r} and {end!r} holds timestamps, the other numbers")
    faults.mark(
        start_time.values > end_time.values,
        lambda row: f"{end} {table.text(end, row)!r} is before {start} {table.text(start, row)!r}",
    )
    faults.check()
    if start_time.is_clock and origin is None:
        raise RecordedFileError(f"{path}: {start!r} holds timestamps: give the scenario a `start:` to place them by")
    zero = _nanoseconds(origin) if start_time.is_clock and origin is not None else 0
    start_s, end_s = start_time.seconds_after(zero), end_time.seconds_after(zero)
    lasting = start_time.values < end_time.values
    if not lasting.any():
        raise RecordedFileError(f"{path}: no incident lasts any time: {start!r} equals {end!r} in every row")
    order = np.argsort(start_s, kind="stable")
    order = order[lasting[order]]
    severities = table.texts(severity) if severity else [""] * len(start_s)
    return RecordedRows(start_s[order], end_s[order], tuple(severities[row] for row in order))


def read_arrivals(
    path: Path | str,
    *,
    time: str,
    input_tokens: str | None = None,
    output_tokens: str | None = None,
    unit: str | None = None,
    where: Mapping[str, Sequence[str]] | None = None,
    format: str | None = None,  # noqa: A002
) -> RecordedArrivalRows:
    """Arrivals of column `time`: timestamps, or numbers in `unit` (seconds, if it is not given).

    `where` keeps the rows whose columns hold one of the values given. Raises RecordedFileError.
    """
    if unit is not None and unit not in UNITS:
        raise RecordedFileError(f"{path}: unknown unit {unit!r}; times are in {', '.join(UNITS)}")
    where = where or {}
    wanted = [time, *(column for column in (input_tokens, output_tokens) if column), *where]
    read = read_sound_rows(Path(path), wanted, format)
    with together_with(read.broken):
        return _arrivals(_Table.of(Path(path), read).where(where), time, input_tokens, output_tokens, unit)


def _arrivals(
    table: "_Table", time: str, input_tokens: str | None, output_tokens: str | None, unit: str | None
) -> RecordedArrivalRows:
    faults = _Faults(table)
    times = table.times(time, unit, faults)
    if not times.is_clock:
        faults.mark(times.values < 0, lambda row: f"{time} {table.text(time, row)!r} is negative")
    tokens_in = table.tokens(input_tokens, faults) if input_tokens else None
    tokens_out = table.tokens(output_tokens, faults) if output_tokens else None
    faults.check()
    order = np.argsort(times.values, kind="stable")
    arrival_s = times.seconds_after(times.values[order[0]])[order]
    return RecordedArrivalRows(
        arrival_s,
        None if tokens_in is None else tokens_in[order],
        None if tokens_out is None else tokens_out[order],
    )


# Times


@dataclass(frozen=True, slots=True)
class _Times:
    """Nanoseconds since 1970 (a clock), or numbers in a unit; integers are kept as integers, hence exact."""

    values: Any  # IntArray | FloatArray
    is_clock: bool
    unit: str

    def seconds_after(self, zero: Any) -> FloatArray:
        after = self.values - zero
        numerator, denominator = UNITS[self.unit]
        if after.dtype.kind == "f":
            return np.asarray(after * numerator / denominator, dtype=np.float64)
        # Whole seconds and the rest apart where an int64 has more digits than a float64.
        whole, rest = np.divmod(after, denominator)
        exact = after * float(numerator) / denominator
        split = whole * float(numerator) + rest / denominator
        return np.asarray(np.where(np.abs(after) < 2**53, exact, split), dtype=np.float64)


def _nanoseconds(moment: datetime) -> int:
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


# A file's columns


class _Faults:
    """Bad rows as they are found; of each kind the first is named, the rest counted."""

    def __init__(self, table: "_Table") -> None:
        self.table = table
        self.found: list[tuple[BoolArray, Callable[[int], str]]] = []
        self.bad = np.zeros(len(table.rows), dtype=np.bool_)

    def mark(self, bad: BoolArray, describe: Callable[[int], str]) -> None:
        """Only the first thing wrong with a row is told: what follows from it is not."""
        bad = bad & ~self.bad
        self.bad = self.bad | bad
        self.found.append((bad, describe))

    def check(self) -> None:
        if not self.bad.any():
            return
        firsts = sorted((int(np.argmax(bad)), kind) for kind, (bad, _) in enumerate(self.found) if bad.any())
        raise RecordedFileError("; ".join(self._told(first, *self.found[kind]) for first, kind in firsts))

    def _told(self, first: int, bad: BoolArray, describe: Callable[[int], str]) -> str:
        place = self.table.place(int(self.table.rows[first]))
        return f"{place}: {describe(first)}{and_more(int(bad.sum()) - 1)}"


@dataclass(frozen=True, slots=True)
class _Table:
    """The columns asked for, as Arrow arrays of text, numbers or timestamps, and how to name a row."""

    path: Path
    columns: Mapping[str, Any]
    place: Callable[[int], str]
    rows: IntArray  # of the file, still there

    @classmethod
    def of(cls, path: Path, read: RecordedColumns) -> "_Table":
        return cls(path, read.arrays, read.place, np.arange(read.row_count))

    def where(self, wanted: Mapping[str, Sequence[str]]) -> "_Table":
        table = self
        for column, values in wanted.items():
            texts = table.texts(column)
            kept = np.array([text in values for text in texts], dtype=np.bool_)
            if not kept.any():
                seen = sorted(set(texts))
                shown = ", ".join(map(repr, seen[:8])) + (", ..." if len(seen) > 8 else "")
                raise RecordedFileError(
                    f"{self.path}: no row left where {column!r} is {' or '.join(map(repr, values))}; it holds {shown}"
                )
            table = _Table(
                self.path,
                {name: array.filter(_arrow(kept)) for name, array in table.columns.items()},
                self.place,
                table.rows[kept],
            )
        return table

    def texts(self, column: str) -> list[str]:
        """Every value as text, whole numbers without a point, a missing one as nothing."""
        return [_as_text(value) for value in self.columns[column].to_pylist()]

    def text(self, column: str, row: int) -> str:
        return _as_text(self.columns[column][row].as_py())

    def tokens(self, column: str, faults: _Faults) -> IntArray:
        values = self._numbers(column, faults)
        self._unless_text(faults, column, values != np.floor(values), "is no whole number")
        self._unless_text(faults, column, values < 0, "is negative")
        self._unless_text(faults, column, values > _MOST_TOKENS, f"is over {_MOST_TOKENS}")
        return np.where(faults.bad, 0, values).astype(np.int64)

    def times(self, column: str, unit: str | None, faults: _Faults) -> _Times:
        import pyarrow as pa

        array = self.columns[column]
        if pa.types.is_timestamp(array.type):
            if unit is not None:
                raise RecordedFileError(f"{self.path}: {column!r} holds timestamps, which have no unit {unit!r}")
            return _Times(self._clock(column, array, faults), True, "ns")
        if pa.types.is_string(array.type) and unit is None and _looks_like_timestamps(array):
            return _Times(self._clock(column, array, faults), True, "ns")
        return _Times(
            self._numbers(column, faults, "a number" if unit else "a timestamp or a number"), False, unit or "s"
        )

    def _unless_text(self, faults: _Faults, column: str, bad: BoolArray, what: str) -> None:
        faults.mark(bad, lambda row: f"{column} {self.text(column, row)!r} {what}")

    def _mark_missing(self, column: str, faults: _Faults) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        array = self.columns[column]
        missing = array.is_null()
        if pa.types.is_string(array.type):
            missing = pc.fill_null(pc.equal(array, ""), True)
        faults.mark(np.asarray(missing), lambda row: f"{column} is missing")

    def _clock(self, column: str, array: Any, faults: _Faults) -> IntArray:
        """Nanoseconds since 1970; 0 in rows marked as bad."""
        import pandas as pd
        import pyarrow as pa
        import pyarrow.compute as pc

        self._mark_missing(column, faults)
        if pa.types.is_timestamp(array.type):
            # Out of an int64 of nanoseconds: before 1678 or after 2261.
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
        self._unless_text(faults, column, bad, "is no timestamp such as 2024-05-01T12:30:00Z")
        return np.where(bad, 0, moments.astype("int64").to_numpy())

    def _numbers(self, column: str, faults: _Faults, what: str = "a number") -> Any:
        """int64 if all are integers, else float64; 0 in rows marked as bad."""
        import pyarrow as pa
        import pyarrow.compute as pc

        self._mark_missing(column, faults)
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


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _looks_like_timestamps(array: Any) -> bool:
    """By the first value that is either a date or a number."""
    for text in (value.as_py() for value in array):
        if text and text[:4].isdigit() and text[4:5] == "-":
            return True
        if _number(text) is not None:
            return False
    return False


def _parsed(texts: Any) -> Any:
    """Integers, else floats, null where a text is neither."""
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
