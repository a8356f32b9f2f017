"""Recorded incidents and arrivals to replay, as seconds of a run.

Every row that `where` keeps must be valid. Otherwise reading fails with the first row of each kind of fault.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np

from des.files.formats import arrival_roles, column_names, read_sound_rows
from des.files.table import (
    UNITS,
    Faults,
    FloatArray,
    IntArray,
    RecordedFileError,
    Table,
    nanoseconds,
    together_with,
)

_FAR: Final = 10.0
"""If times reach beyond this number of horizons, they may not be in seconds."""
_NO_END: Final = "; an incident that is still open has none: leave it out by `where:`, for example by its status"


@dataclass(frozen=True, slots=True)
class RecordedRows:
    """Incident windows in seconds, sorted by start. `severity` has one text per window ("" without such a column).

    `error_rate` is the share of failing calls of each window, None without such a column. `by_clock` is set if the file
    has timestamps rather than numbers. `remarks` say what the format left out.
    """

    start_s: FloatArray
    end_s: FloatArray
    severity: tuple[str, ...]
    error_rate: FloatArray | None = None
    by_clock: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedArrivalRows:
    """Arrivals in seconds after the first, sorted. Rows with equal times keep the order of the file."""

    arrival_s: FloatArray
    input_tokens: IntArray | None
    output_tokens: IntArray | None
    by_clock: bool = False
    remarks: tuple[str, ...] = ()


def read_incidents(
    path: Path | str,
    *,
    start: str,
    end: str,
    where: Mapping[str, Sequence[str]] | None = None,
    severity: str | None = None,
    error_rate: str | None = None,
    unit: str | None = None,
    origin: datetime | None = None,
    format: str | None = None,  # noqa: A002
) -> RecordedRows:
    """Windows from columns `start` and `end`, in seconds after `origin`. Windows of zero length are dropped.

    Windows may start before the origin, at negative seconds. Numbers are in `unit` (seconds by default) and do not
    depend on the origin. `where` keeps the rows whose columns have one of the given values. Raises RecordedFileError.
    """
    _check_unit(path, unit)
    where = where or {}
    wanted = [start, end, *(column for column in (severity, error_rate) if column), *where]
    table = read_sound_rows(Path(path), wanted, format)
    with together_with(table.broken):
        return _incidents(table.where(where), start, end, severity, error_rate, unit, origin)


def _check_unit(path: Path | str, unit: str | None) -> None:
    if unit is not None and unit not in UNITS:
        raise RecordedFileError(f"{path}: unknown unit {unit!r}; times are in {', '.join(UNITS)}")


def _incidents(
    table: Table,
    start: str,
    end: str,
    severity: str | None,
    error_rate: str | None,
    unit: str | None,
    origin: datetime | None,
) -> RecordedRows:
    path = table.path
    faults = Faults(table)
    start_time, end_time = table.times(start, unit, faults), table.times(end, unit, faults, missing=_NO_END)
    if not faults.bad.any() and start_time.is_clock != end_time.is_clock:
        raise RecordedFileError(f"{path}: one of {start!r} and {end!r} has timestamps, the other numbers")
    faults.mark(
        start_time.values > end_time.values,
        lambda row: f"{end} {table.text(end, row)!r} is before {start} {table.text(start, row)!r}",
    )
    shares = table.shares(error_rate, faults) if error_rate else None
    faults.check()
    if start_time.is_clock and origin is None:
        raise RecordedFileError(f"{path}: {start!r} has timestamps: give the scenario a `start:`")
    zero = nanoseconds(origin) if start_time.is_clock and origin is not None else 0
    start_s, end_s = start_time.seconds_after(zero), end_time.seconds_after(zero)
    lasting = start_time.values < end_time.values
    if not lasting.any():
        raise RecordedFileError(f"{path}: all incidents have zero length: {start!r} equals {end!r} in every row")
    order = np.argsort(start_s, kind="stable")
    order = order[lasting[order]]
    severities = table.texts(severity) if severity else [""] * len(start_s)
    return RecordedRows(
        start_s[order],
        end_s[order],
        tuple(severities[row] for row in order),
        None if shares is None else shares[order],
        start_time.is_clock,
        table.remarks,
    )


def arrival_columns(path: Path | str, format: str | None = None) -> dict[str, str]:  # noqa: A002
    """{role: column} of a log whose format defines them, including the time. Raises RecordedFileError for others."""
    roles = dict(arrival_roles(Path(path), format))
    if "time" not in roles:
        there = ", ".join(map(repr, column_names(Path(path), format)))
        raise RecordedFileError(f"{path}: name the column with the times: columns: {{time: ...}} (there are: {there})")
    return roles


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
    """Arrivals from column `time`: timestamps, or numbers in `unit` (seconds by default).

    `where` keeps the rows whose columns have one of the given values. Raises RecordedFileError.
    """
    _check_unit(path, unit)
    where = where or {}
    wanted = [time, *(column for column in (input_tokens, output_tokens) if column), *where]
    table = read_sound_rows(Path(path), wanted, format)
    with together_with(table.broken):
        return _arrivals(table.where(where), time, input_tokens, output_tokens, unit)


def _arrivals(
    table: Table, time: str, input_tokens: str | None, output_tokens: str | None, unit: str | None
) -> RecordedArrivalRows:
    faults = Faults(table)
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
        times.is_clock,
        table.remarks,
    )


def outside(
    start_s: FloatArray, end_s: FloatArray | None, horizon_s: float, *, by_clock: bool, unit: str | None
) -> str:
    """A remark on the number of rows outside a run; empty if there are none. Arrivals have no ends.

    If numbers read as seconds would fit in a smaller unit, the remark says so.
    """
    counts = {
        "before its start": 0 if end_s is None else int((end_s <= 0.0).sum()),
        "past its horizon": int((start_s >= horizon_s).sum()),
    }
    parts = [f"{count:,} {where}" for where, count in counts.items() if count]
    if not parts:
        return ""
    told = f"of {len(start_s):,} rows, these are outside the run: {' and '.join(parts)}"
    return told + _hint(float(start_s.max()), horizon_s, by_clock, unit)


def _hint(last_s: float, horizon_s: float, by_clock: bool, unit: str | None) -> str:
    """A hint on the likely unit, if times in seconds reach far past the horizon but fit in another unit."""
    if by_clock or unit is not None or last_s < _FAR * horizon_s:
        return ""
    fitting = (name for name in ("ms", "us", "ns") if last_s / UNITS[name][1] < horizon_s)
    return next((f"; numbers count as seconds; with `unit: {name}` all would fit" for name in fitting), "")
