"""Incident histories to fit, from any recorded file: a status page, a run's own incidents, or a table of one's own.

No row is guessed, and none is skipped unless asked: every row with missing, unreadable, reversed or duplicate times
is reported before anything is fitted.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from des.files.formats import column_names, read_columns
from des.files.table import RecordedFileError, as_text
from des.words import did_you_mean, unknown

_ROLES: Final = ("start", "end", "service", "provider", "severity", "id")
_LAYOUTS: Final[Sequence[Mapping[str, str]]] = (
    {
        "start": "started_at",
        "end": "resolved_at",
        "service": "service",
        "provider": "provider",
        "severity": "impact_level",
        "id": "incident_id",
    },
    {"start": "start_s", "end": "end_s", "service": "component", "severity": "error_rate"},
    {role: role for role in _ROLES},
)
"""Known columns: of a status page, of a run's own incidents, and of tables that name columns by role."""
_MOST_ROWS_TOLD: Final = 20
_LONG_AGO_S: Final = 1e8
"""Smaller numbers are seconds since a start of their own, larger ones seconds since 1970 (March 1973 and later)."""
_MILLISECONDS_FROM: Final = 1e11
_FARTHEST_S: Final = 4.2e9
"""Times farther from 1970 than this (before 1837, after 2103) are out of range."""
FIRST_MONDAY_S: Final = 4 * 86_400.0
"""Second 0 of times with a start of their own: a Monday 00:00 UTC, as in a scenario without `start:`."""


@dataclass(frozen=True, slots=True)
class RecordedIncident:
    """One incident of one service in seconds since 1970; its end is infinite while it is open."""

    provider: str
    service: str
    start_s: float
    end_s: float
    severity: str
    id: str


@dataclass(frozen=True, slots=True)
class History:
    """Incidents in the order of their file, and when somebody was last looking.

    `skipped` reports the bad rows that were left out on request; `relative` says that times were seconds since a start
    of their own.
    """

    source: str
    incidents: tuple[RecordedIncident, ...]
    last_seen_s: float
    skipped: tuple[str, ...]
    relative: bool


def read_history(
    path: Path,
    *,
    columns: Sequence[str] = (),
    services: Sequence[str] = (),
    skip_bad: bool = False,
    open_ends: bool = False,
) -> History:
    """The incidents of the services named (`service` or `provider/service`), or of all.

    `columns` are texts such as `start=began,end=over,service=team`. With `open_ends` a row without an end is an
    incident that is still open. Raises RecordedFileError, with every bad row unless `skip_bad` leaves them out.
    """
    rows = _read_rows(path, parse_columns(columns), open_ends)
    chosen = _chosen(path, rows, services)
    clock = _clock([rows.start[row] for row in chosen])
    kept, bad = _sound(rows, chosen, clock)
    if bad and not skip_bad:
        told = "\n".join(bad[:_MOST_ROWS_TOLD])
        more = f"\n(and {len(bad) - _MOST_ROWS_TOLD} more)" if len(bad) > _MOST_ROWS_TOLD else ""
        rows_of_them = f"{len(bad)} row{'s' if len(bad) != 1 else ''}"
        raise RecordedFileError(f"{told}{more}\n{rows_of_them} cannot be fitted; --skip-bad leaves them out")
    if not kept:
        raise RecordedFileError(f"{path}: no row left to fit")
    return History(
        source=path.name,
        incidents=tuple(
            RecordedIncident(rows.provider[row], rows.service[row], start, end, rows.severity[row], rows.id[row])
            for row, start, end in kept
        ),
        last_seen_s=_last_seen_s(rows, kept, clock),
        skipped=tuple(bad),
        relative=clock.zero_s > 0.0,
    )


def parse_columns(texts: Sequence[str]) -> dict[str, str]:
    """{role: column} of `role=column` pairs, separated by commas or given one by one."""
    named: dict[str, str] = {}
    for pair in (pair.strip() for text in texts for pair in text.split(",")):
        role, equals, column = (part.strip() for part in pair.partition("="))
        if not equals or not column:
            raise RecordedFileError(f"--columns {pair!r}: expected pairs such as start=started_at,end=resolved_at")
        if role not in _ROLES:
            raise RecordedFileError(f"--columns {pair!r}: {unknown('role', role, _ROLES)}")
        if role in named:
            raise RecordedFileError(f"--columns: {role} is given twice ({named[role]!r} and {column!r})")
        named[role] = column
    if named and not {"start", "end"} <= set(named):
        raise RecordedFileError("--columns needs start=... and end=... at least")
    return named


def read_moment(text: str) -> float:
    """Seconds since 1970 of a date or timestamp, in UTC without a zone. Raises ValueError with a message for people."""
    return _timestamp_s(text)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The columns of a history by their roles, as they stand. `still_open`: a missing end means not over."""

    place: Callable[[int], str]
    start: Sequence[Any]
    end: Sequence[Any]
    still_open: Sequence[bool]
    provider: Sequence[str]
    service: Sequence[str]
    severity: Sequence[str]
    id: Sequence[str]
    last_seen: Sequence[object]

    def name(self, row: int) -> str:
        return f"{self.provider[row]}/{self.service[row]}" if self.provider[row] else self.service[row]


def _read_rows(path: Path, named: Mapping[str, str], open_ends: bool) -> _Rows:
    columns = named or _layout(path)
    table = read_columns(path, list(columns.values()))
    count = len(table.rows)

    def texts(role: str) -> Sequence[str]:
        return table.texts(columns[role]) if role in columns else [""] * count

    return _Rows(
        place=table.place,
        start=table.columns[columns["start"]].to_pylist(),
        end=table.columns[columns["end"]].to_pylist(),
        still_open=table.still_open or [open_ends] * count,
        provider=texts("provider"),
        service=texts("service") if "service" in columns else [path.stem] * count,
        severity=texts("severity"),
        id=texts("id"),
        last_seen=table.last_seen,
    )


def _layout(path: Path) -> Mapping[str, str]:
    """The columns of a known layout that the file has."""
    there = column_names(path)
    for layout in _LAYOUTS:
        if layout["start"] in there and layout["end"] in there:
            return {role: column for role, column in layout.items() if column in there}
    page = "; it has no list of `incidents` as a status page's incidents.json has" * (path.suffix.lower() == ".json")
    raise RecordedFileError(
        f"{path}: says nowhere when incidents start and end; name the columns: --columns start=...,end=..."
        f"[,service=...,provider=...,severity=...,id=...] (there are: {', '.join(map(repr, there))}){page}"
    )


def _chosen(path: Path, rows: _Rows, services: Sequence[str]) -> list[int]:
    """The rows of the services named."""
    every = range(len(rows.start))
    if not services:
        return list(every)
    there = sorted({rows.name(row) for row in every})
    known = {name.lower() for name in there} | {name.lower() for name in rows.service}
    for wanted in services:
        if wanted.lower() not in known:
            listed = f" (there are: {', '.join(there)})"
            raise RecordedFileError(f"{path}: no service '{wanted}'{did_you_mean(wanted, sorted(known))}{listed}")
    named = {name.lower() for name in services}
    return [row for row in every if rows.name(row).lower() in named or rows.service[row].lower() in named]


@dataclass(frozen=True, slots=True)
class _Clock:
    """How the times of a history are written: timestamps, or numbers of `unit_s` after `zero_s` since 1970."""

    numbers: bool = False
    zero_s: float = 0.0
    unit_s: float = 1.0

    def moment_s(self, value: object) -> float:
        """Seconds since 1970. Raises ValueError with a message for people."""
        if not self.numbers:
            return _timestamp_s(value)
        number = _as_number(value)
        if number is None or not math.isfinite(number):
            raise ValueError(f"{as_text(value)!r} is no number of seconds, as others are")
        return self.zero_s + self.unit_s * number


def _clock(starts: Sequence[object]) -> _Clock:
    """The clock that most rows are written by."""
    numbers = [number for value in starts if (number := _as_number(value)) is not None]
    if len(numbers) * 2 <= sum(value not in (None, "") for value in starts):
        return _Clock()
    if min(numbers) >= 1900_01_01 and max(numbers) <= 2100_12_31:
        raise RecordedFileError(f"times such as {numbers[0]:.0f} read as dates, not seconds: write them as 2024-01-31")
    if min(numbers) < _LONG_AGO_S:
        return _Clock(numbers=True, zero_s=FIRST_MONDAY_S)
    return _Clock(numbers=True, unit_s=1e-3 if min(numbers) >= _MILLISECONDS_FROM else 1.0)


def _sound(rows: _Rows, chosen: Sequence[int], clock: _Clock) -> tuple[list[tuple[int, float, float]], list[str]]:
    """(row, start, end) of each sound row, and a line for every other one."""
    kept: list[tuple[int, float, float]] = []
    bad: list[str] = []
    seen: dict[tuple[str, float, float], int] = {}
    for row in chosen:
        try:
            start, end = _times(rows, row, clock)
            first = seen.setdefault((rows.name(row), start, end), row)
            if first != row:
                raise ValueError(f"the same times of {rows.name(row)} as in {rows.place(first)}")
        except ValueError as error:
            bad.append(f"{rows.place(row)}: {error}")
        else:
            kept.append((row, start, end))
    return kept, bad


def _times(rows: _Rows, row: int, clock: _Clock) -> tuple[float, float]:
    """Start and end, infinite while an incident is open. Raises ValueError with a message for people."""
    if _missing(rows.start[row]):
        raise ValueError("the start is missing")
    start = clock.moment_s(rows.start[row])
    if not _missing(rows.end[row]):
        end = clock.moment_s(rows.end[row])
    elif rows.still_open[row]:
        end = math.inf
    else:
        raise ValueError("the end is missing (still open? --open-ends takes it so)")
    for moment, text in ((start, rows.start[row]), (end, rows.end[row])):
        if abs(moment) > _FARTHEST_S and math.isfinite(moment):
            raise ValueError(f"{as_text(text)} is out of range")
    if end < start:
        raise ValueError(f"the end {as_text(rows.end[row])} is before the start {as_text(rows.start[row])}")
    return start, end


def _last_seen_s(rows: _Rows, kept: Sequence[tuple[int, float, float]], clock: _Clock) -> float:
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
            raise ValueError(f"{value!r} is no timestamp such as 2024-05-01T12:30:00Z") from None
    if isinstance(value, datetime):
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value).timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    raise ValueError(f"{as_text(value)!r} is no timestamp such as 2024-05-01T12:30:00Z")
