"""Incident histories from files: CSV, parquet, JSON lines, or a status page's `incidents.json`.

No row is guessed at and none is skipped unasked: rows with missing, unreadable, reversed or duplicate times are
told by row, all of them, before anything is fitted.
"""

import difflib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import numpy as np

from des.faults.calibration import ServiceHistory
from des.files.history_files import ROLES, Rows, as_text, read_rows
from des.files.history_json import HistoryError
from des.scenario.text.units import DAY_S

MOST_ROWS_TOLD: Final = 20
LONG_AGO_S: Final = 1e8
"""Numbers below are seconds from a start of their own; above, seconds since 1970 (March 1973 and later)."""
MILLISECONDS_FROM: Final = 1e11
FARTHEST_S: Final = 4.2e9
"""From 1970, either way: before 1837 or after 2103 nobody looked."""
FIRST_MONDAY_S: Final = 4 * DAY_S
"""Where seconds from a start of their own are placed: on a Monday 00:00 UTC, as a scenario without `start:` is."""


@dataclass(frozen=True, slots=True)
class History:
    """Each service's incidents, in the order of their names; `skipped` rows were left out because it was asked for."""

    source: str
    services: tuple[ServiceHistory, ...]
    rows: int
    skipped: tuple[str, ...]
    relative: bool
    """Whether times were seconds from a start of their own."""


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
    incident that is still open. Raises HistoryError, with every bad row unless `skip_bad` leaves them out.
    """
    named = parse_columns(columns)
    rows = read_rows(path, named, open_ends)
    chosen = _chosen(path, rows, services)
    zero, scale, numbers = _clock(rows, chosen)
    kept, bad = _sound(rows, chosen, zero, scale, numbers)
    if bad and not skip_bad:
        told = "\n".join(bad[:MOST_ROWS_TOLD])
        more = f"\n(and {len(bad) - MOST_ROWS_TOLD} more)" if len(bad) > MOST_ROWS_TOLD else ""
        raise HistoryError(f"{told}{more}\n{_rows(len(bad))} cannot be fitted; --skip-bad leaves them out")
    if not kept:
        raise HistoryError(f"{path}: no row left to fit")
    seen_s = max(max(start, start if math.isinf(end) else end) for _, start, end in kept)
    for moment in rows.last_seen:
        try:
            seen_s = max(seen_s, _moment(moment, numbers) * scale + zero)
        except ValueError:
            continue
    return History(
        source=path.name,
        services=tuple(_services(rows, kept, seen_s)),
        rows=len(kept),
        skipped=tuple(bad),
        relative=zero > 0.0,
    )


def parse_columns(texts: Sequence[str]) -> dict[str, str]:
    """{role: column} of `role=column` pairs, parted by commas or given one by one."""
    named: dict[str, str] = {}
    for pair in (pair.strip() for text in texts for pair in text.split(",")):
        role, equals, column = (part.strip() for part in pair.partition("="))
        if not equals or not column:
            raise HistoryError(f"--columns {pair!r}: expected pairs such as start=started_at,end=resolved_at")
        if role not in ROLES:
            near = difflib.get_close_matches(role.lower(), ROLES, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise HistoryError(f"--columns {pair!r}: unknown role {role!r}{meant} (there are: {', '.join(ROLES)})")
        if role in named:
            raise HistoryError(f"--columns: {role} is given twice ({named[role]!r} and {column!r})")
        named[role] = column
    if named and not {"start", "end"} <= set(named):
        raise HistoryError("--columns needs start=... and end=... at least")
    return named


def read_moment(text: str, option: str) -> float:
    """Seconds since 1970 of a date or timestamp given as an option; without a zone it is UTC."""
    try:
        return _moment(text, numbers=False)
    except ValueError as error:
        raise HistoryError(f"{option} {text!r}: {error}") from None


def _chosen(path: Path, rows: Rows, services: Sequence[str]) -> list[int]:
    """The rows of the services named."""
    if not services:
        return list(range(len(rows.start)))
    there = sorted({rows.name(row) for row in range(len(rows.start))})
    known = {name.lower() for name in there} | {name.lower() for name in rows.service}
    for wanted in services:
        if wanted.lower() not in known:
            near = difflib.get_close_matches(wanted.lower(), sorted(known), n=1, cutoff=0.5)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise HistoryError(f"{path}: no service {wanted!r}{meant} (there are: {', '.join(there)})")
    named = {name.lower() for name in services}
    return [
        row for row in range(len(rows.start)) if rows.name(row).lower() in named or rows.service[row].lower() in named
    ]


def _clock(rows: Rows, chosen: Sequence[int]) -> tuple[float, float, bool]:
    """(second 0 as seconds since 1970, seconds in a unit, whether times are numbers), by what most rows hold."""
    numbers = [value for row in chosen if (value := _as_number(rows.start[row])) is not None]
    if len(numbers) * 2 <= sum(rows.start[row] not in (None, "") for row in chosen):
        return 0.0, 1.0, False
    if min(numbers) >= 1900_01_01 and max(numbers) <= 2100_12_31:
        raise HistoryError(f"times such as {numbers[0]:.0f} read as dates, not seconds: write them as 2024-01-31")
    if min(numbers) < LONG_AGO_S:
        return FIRST_MONDAY_S, 1.0, True
    return 0.0, 1e-3 if min(numbers) >= MILLISECONDS_FROM else 1.0, True


def _sound(
    rows: Rows, chosen: Sequence[int], zero: float, scale: float, numbers: bool
) -> tuple[list[tuple[int, float, float]], list[str]]:
    """(row, start, end) of each sound row, an infinite end while open, and a line for every other row."""
    kept: list[tuple[int, float, float]] = []
    bad: list[str] = []
    seen: dict[tuple[str, float, float], int] = {}
    for row in chosen:
        try:
            if _missing(rows.start[row]):
                raise ValueError("the start is missing")
            start = zero + scale * _moment(rows.start[row], numbers)
            if _missing(rows.end[row]):
                if not rows.is_open[row]:
                    raise ValueError("the end is missing (still open? --open-ends takes it so)")
                end = math.inf
            else:
                end = zero + scale * _moment(rows.end[row], numbers)
            for moment, text in ((start, rows.start[row]), (end, rows.end[row])):
                if abs(moment) > FARTHEST_S and math.isfinite(moment):
                    raise ValueError(f"{as_text(text)} is out of range")
            if end < start:
                raise ValueError(f"the end {as_text(rows.end[row])} is before the start {as_text(rows.start[row])}")
            first = seen.setdefault((rows.name(row), start, end), row)
            if first != row:
                raise ValueError(f"the same times of {rows.name(row)} as in {rows.place[first]()}")
        except ValueError as error:
            bad.append(f"{rows.place[row]()}: {error}")
        else:
            kept.append((row, start, end))
    return kept, bad


def _services(rows: Rows, kept: Sequence[tuple[int, float, float]], seen_s: float) -> Iterator[ServiceHistory]:
    groups: dict[tuple[str, str], list[tuple[float, float, int]]] = {}
    for row, start, end in kept:
        groups.setdefault((rows.provider[row], rows.service[row]), []).append((start, end, row))
    for (provider, service), group in sorted(groups.items()):
        group.sort()
        starts, ends, order = zip(*group, strict=True)
        is_open = any(map(math.isinf, ends))
        yield ServiceHistory(
            provider=provider,
            service=service,
            from_s=starts[0],
            until_s=seen_s if is_open else max(ends),
            start_s=np.array(starts, dtype=np.float64),
            end_s=np.array(ends, dtype=np.float64),
            severity=tuple(rows.severity[row] for row in order),
            incident_id=tuple(rows.id[row] for row in order),
        )


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


def _moment(value: object, numbers: bool) -> float:
    """Seconds since 1970 of a timestamp, or the number itself. Raises ValueError in words."""
    if numbers:
        number = _as_number(value)
        if number is None or not math.isfinite(number):
            raise ValueError(f"{as_text(value)!r} is no number of seconds, as others are")
        return number
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


def _rows(count: int) -> str:
    return f"{count} row{'s' if count != 1 else ''}"
