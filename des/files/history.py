"""Incident histories to fit, from any recorded file: a status page, an issue tracker, the incidents of a run, a table.

No value is guessed, and no row is skipped unless the user asks for it. Every row with missing, unreadable, reversed or
duplicate times is reported before anything is fitted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from des.files.incident_rows import (
    Rows,
    listed,
    of_services,
    of_severities,
    other_ends,
    parse_columns,
    parse_where,
    read_rows,
)
from des.files.table import RecordedFileError, as_text, read_share

_MOST_ROWS_TOLD: Final = 20
_LONG_AGO_S: Final = 1e8
"""Smaller numbers are seconds without a date; larger ones are seconds since 1970 (March 1973 and later)."""
_MILLISECONDS_FROM: Final = 1e11
_FARTHEST_S: Final = 4.2e9
"""Times farther from 1970 than this (before 1837, after 2103) are out of range."""
FIRST_MONDAY_S: Final = 4 * 86_400.0
"""Second 0 of times without a date: a Monday 00:00 UTC, as in a scenario without `start:`."""


@dataclass(frozen=True, slots=True)
class RecordedIncident:
    """One incident of one service in seconds since 1970; its end is infinite while it is open."""

    provider: str
    service: str
    start_s: float
    end_s: float
    severity: str
    id: str
    error_rate: float = math.nan
    """The share of calls that failed; NaN if the file does not say."""


@dataclass(frozen=True, slots=True)
class History:
    """Incidents in the order of their file, and the time until which the services were observed.

    `skipped` reports the bad rows that were left out on request, `remarks` what else was left out and why. `relative`
    is set if times were seconds without a date.
    """

    source: str
    incidents: tuple[RecordedIncident, ...]
    last_seen_s: float
    skipped: tuple[str, ...]
    relative: bool
    remarks: tuple[str, ...] = ()


def read_history(
    path: Path,
    *,
    columns: Sequence[str] = (),
    flags: Sequence[str] = (),
    where: Sequence[str] = (),
    services: Sequence[str] = (),
    severities: Sequence[str] = (),
    skip_bad: bool = False,
    open_ends: bool = False,
    format: str | None = None,  # noqa: A002
) -> History:
    """The incidents of the services named (`service` or `provider/service`), or of all.

    `columns` are texts such as `start=began,end=over,service=team`. `flags` name columns of 0 and 1, each of which is a
    service. `where` keeps rows by texts such as `region=eu`; several values of a column are alternatives. Severities
    that are not failures, such as maintenance, are left out unless `severities` names those to keep (`all` for
    everything). With `open_ends` a row without an end is an incident that is still open. Raises RecordedFileError, with
    every bad row unless `skip_bad` leaves them out.
    """
    rows = read_rows(path, parse_columns(columns), listed(flags), parse_where(where), open_ends, format)
    chosen, remarks = of_severities(path, rows, of_services(path, rows, services), listed(severities))
    clock = _clock([rows.start[row] for row in chosen])
    kept, bad = _sound(rows, chosen, clock)
    if bad and not skip_bad:
        told = "\n".join(bad[:_MOST_ROWS_TOLD])
        more = f"\n(and {len(bad) - _MOST_ROWS_TOLD} more)" if len(bad) > _MOST_ROWS_TOLD else ""
        rows_of_them = f"{len(bad)} row{'s' if len(bad) != 1 else ''}"
        other = other_ends(path, rows, format) if any("the end is missing" in each for each in bad) else ""
        raise RecordedFileError(f"{told}{more}\n{rows_of_them} cannot be fitted; --skip-bad leaves them out{other}")
    if not kept:
        raise RecordedFileError(f"{path}: no row left to fit")
    return History(
        source=path.name,
        incidents=tuple(
            RecordedIncident(
                rows.provider[row],
                rows.service[row],
                start,
                end,
                rows.severity[row],
                rows.id[row],
                _share(rows, row),
            )
            for row, start, end in kept
        ),
        last_seen_s=_last_seen_s(rows, kept, clock),
        skipped=tuple(bad),
        relative=clock.zero_s > 0.0,
        remarks=(*rows.remarks, *remarks),
    )


def read_moment(text: str) -> float:
    """Seconds since 1970 of a date or timestamp; without a zone it is UTC. Raises ValueError with a user message."""
    return _timestamp_s(text)


@dataclass(frozen=True, slots=True)
class _Clock:
    """How the times of a history are written: as timestamps, or as numbers of `unit_s` after `zero_s` since 1970."""

    numbers: bool = False
    zero_s: float = 0.0
    unit_s: float = 1.0

    def moment_s(self, value: object) -> float:
        """Seconds since 1970. Raises ValueError with a user message."""
        if not self.numbers:
            return _timestamp_s(value)
        number = _as_number(value)
        if number is None or not math.isfinite(number):
            raise ValueError(f"{as_text(value)!r} is not a number of seconds, as in other rows")
        return self.zero_s + self.unit_s * number


def _clock(starts: Sequence[object]) -> _Clock:
    """The way in which most rows write their times."""
    numbers = [number for value in starts if (number := _as_number(value)) is not None]
    if len(numbers) * 2 <= sum(value not in (None, "") for value in starts):
        return _Clock()
    if min(numbers) >= 1900_01_01 and max(numbers) <= 2100_12_31:
        raise RecordedFileError(f"times such as {numbers[0]:.0f} look like dates, not seconds: write 2024-01-31")
    if min(numbers) < _LONG_AGO_S:
        return _Clock(numbers=True, zero_s=FIRST_MONDAY_S)
    return _Clock(numbers=True, unit_s=1e-3 if min(numbers) >= _MILLISECONDS_FROM else 1.0)


def _sound(rows: Rows, chosen: Sequence[int], clock: _Clock) -> tuple[list[tuple[int, float, float]], list[str]]:
    """(row, start, end) of each valid row, and a message for every other one."""
    kept: list[tuple[int, float, float]] = []
    bad: list[str] = []
    seen: dict[tuple[str, float, float, str], int] = {}
    for row in chosen:
        try:
            start, end = _times(rows, row, clock)
            _check_stages(rows, row, clock)
            _share(rows, row)
            first = seen.setdefault((rows.name(row), start, end, rows.id[row]), row)
            if first != row:
                same = f"the same id {rows.id[row]!r} and times" if rows.id[row] else "the same times"
                raise ValueError(f"{same} of {rows.name(row)} as in {rows.place(first)}")
        except ValueError as error:
            bad.append(f"{rows.place(row)}: {error}")
        else:
            kept.append((row, start, end))
    return kept, bad


def _times(rows: Rows, row: int, clock: _Clock) -> tuple[float, float]:
    """Start and end; the end is infinite while an incident is open. Raises ValueError with a user message."""
    if _missing(rows.start[row]):
        raise ValueError("the start is missing")
    start = clock.moment_s(rows.start[row])
    if not _missing(rows.end[row]):
        end = clock.moment_s(rows.end[row])
    elif rows.still_open[row]:
        end = math.inf
    else:
        raise ValueError("the end is missing (if it is still open, use --open-ends)")
    for moment, text in ((start, rows.start[row]), (end, rows.end[row])):
        if abs(moment) > _FARTHEST_S and math.isfinite(moment):
            raise ValueError(f"{as_text(text)} is out of range")
    if end < start:
        raise ValueError(f"the end {as_text(rows.end[row])} is before the start {as_text(rows.start[row])}")
    return start, end


def _check_stages(rows: Rows, row: int, clock: _Clock) -> None:
    """Raises ValueError with a user message where one stage of an incident is told to come before the one before it."""
    told = [(name, values[row]) for name, values in rows.stages.items() if not _missing(values[row])]
    for (earlier, first), (later, second) in pairwise(told):
        if clock.moment_s(second) < clock.moment_s(first):
            raise ValueError(f"{later} {as_text(second)} is before {earlier} {as_text(first)}")


def _share(rows: Rows, row: int) -> float:
    """The share of calls that failed, if given. Raises ValueError with a user message."""
    text = rows.error_rate[row].strip()
    share = read_share(text) if text else math.nan
    if text and not 0.0 <= share <= 1.0:
        raise ValueError(f"{rows.columns['error_rate']} {text!r} is not a share from 0 to 1 (35 % is 0.35 or 35%)")
    return share


def _last_seen_s(rows: Rows, kept: Sequence[tuple[int, float, float]], clock: _Clock) -> float:
    seen_s = max(start if math.isinf(end) else end for _, start, end in kept)
    for moment in rows.last_seen:
        try:
            seen_s = max(seen_s, clock.moment_s(moment))
        except ValueError:
            continue
    return seen_s


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _as_number(value: object) -> float | None:
    if isinstance(value, bool) or _missing(value):
        return None
    if isinstance(value, int | float):
        return float(value)
    try:
        return float(value) if isinstance(value, str) and "_" not in value else None
    except ValueError:
        return None


def _timestamp_s(value: object) -> float:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError(f"{value!r} is not a timestamp such as 2024-05-01T12:30:00Z") from None
    if isinstance(value, datetime):
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value).timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    raise ValueError(f"{as_text(value)!r} is not a timestamp such as 2024-05-01T12:30:00Z")
