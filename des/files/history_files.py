"""The rows of an incident history as its file holds them: a status page's `incidents.json`, or a table's columns."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from des.files.history_json import HistoryError, parsed, status_page
from des.files.recorded_file import FORMATS, RecordedFileError, read_columns

ROLES: Final = ("start", "end", "service", "provider", "severity", "id")
LAYOUTS: Final[Sequence[Mapping[str, str]]] = (
    {
        "start": "started_at",
        "end": "resolved_at",
        "service": "service",
        "provider": "provider",
        "severity": "impact_level",
        "id": "incident_id",
    },
    {"start": "start_s", "end": "end_s", "service": "component", "severity": "error_rate"},
    {role: role for role in ROLES},
)
"""Columns that need no naming: of a status page's history, of a run's own incidents, and called as their roles."""


@dataclass(slots=True)
class Rows:
    """Rows as they stand, and where each stands. `is_open` says that a missing end means: not over yet."""

    place: list[Callable[[], str]] = field(default_factory=list)
    start: list[Any] = field(default_factory=list)
    end: list[Any] = field(default_factory=list)
    is_open: list[bool] = field(default_factory=list)
    provider: list[str] = field(default_factory=list)
    service: list[str] = field(default_factory=list)
    severity: list[str] = field(default_factory=list)
    id: list[str] = field(default_factory=list)
    last_seen: list[Any] = field(default_factory=list)
    """Times at which nothing begins or ends, but somebody was still looking."""

    def name(self, row: int) -> str:
        return f"{self.provider[row]}/{self.service[row]}" if self.provider[row] else self.service[row]


def read_rows(path: Path, named: Mapping[str, str], open_ends: bool) -> Rows:
    """A status page's incidents, or the rows of a table in the columns named or known. Raises HistoryError."""
    if not path.exists():
        raise HistoryError(f"{path}: no such file")
    if path.is_dir():
        raise HistoryError(f"{path}: is a folder; name one file in it")
    if path.suffix.lower() == ".json" and (page := status_page(path)) is not None:
        if named:
            raise HistoryError(f"{path}: is a status page's incidents.json, whose fields need no --columns")
        return _page_rows(path, page)
    return _table_rows(path, named, open_ends)


def _page_rows(path: Path, page: Mapping[str, Any]) -> Rows:
    """One row for each component of each incident; an incident without components counts for the page."""
    rows = Rows()
    about = page.get("page")
    provider = str(about.get("name") or "") if isinstance(about, dict) else ""
    if isinstance(about, dict):
        rows.last_seen.append(about.get("updated_at"))
    for number, incident in enumerate(page["incidents"]):
        if not isinstance(incident, dict):
            raise HistoryError(f"{path}: incidents[{number}] is no incident: {str(incident)[:40]!r}")
        listed = incident.get("components")
        components = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        names = [str(each.get("name") or "") for each in components] or [provider or path.stem]
        label = f"{path}: incidents[{number}] ({incident.get('id') or incident.get('name') or 'without id'})"
        rows.last_seen.append(incident.get("updated_at"))
        for name in dict.fromkeys(names):
            rows.place.append(lambda label=label: label)  # type: ignore[misc]
            rows.start.append(incident.get("started_at") or incident.get("created_at"))
            rows.end.append(incident.get("resolved_at"))
            rows.is_open.append(incident.get("status") not in ("resolved", "postmortem", "completed"))
            rows.provider.append(provider if components else "")
            rows.service.append(name)
            rows.severity.append(str(incident.get("impact") or ""))
            rows.id.append(str(incident.get("id") or ""))
    if not rows.start:
        raise HistoryError(f"{path}: has no incidents")
    return rows


def _table_rows(path: Path, named: Mapping[str, str], open_ends: bool) -> Rows:
    try:
        columns = named or _layout(path)
        read = read_columns(path, list(columns.values()), None)
    except RecordedFileError as error:
        raise HistoryError(str(error)) from error
    values = {role: read.arrays[column].to_pylist() for role, column in columns.items()}
    nothing = [""] * read.row_count

    def texts(role: str) -> list[str]:
        return [as_text(value) for value in values[role]] if role in values else nothing

    return Rows(
        place=[partial(read.place, row) for row in range(read.row_count)],
        start=values["start"],
        end=values["end"],
        is_open=[open_ends] * read.row_count,
        provider=texts("provider"),
        service=texts("service") if "service" in values else [path.stem] * read.row_count,
        severity=texts("severity"),
        id=texts("id"),
    )


def _layout(path: Path) -> Mapping[str, str]:
    """The columns of a known layout that the file has."""
    there = _header(path)
    for layout in LAYOUTS:
        if layout["start"] in there and layout["end"] in there:
            return {role: column for role, column in layout.items() if column in there}
    if not there:
        raise HistoryError(f"{path}: is empty: not even a line with the names of the columns")
    raise HistoryError(
        f"{path}: says nowhere when incidents start and end; name the columns: --columns start=...,end=..."
        f"[,service=...,provider=...,severity=...,id=...] (there are: {', '.join(map(repr, there))})"
    )


def _header(path: Path) -> list[str]:
    kind = FORMATS.get(path.suffix.lower())
    try:
        if kind == "csv":
            with path.open(newline="", encoding="utf-8-sig") as file:
                return next(csv.reader(file), [])
        if kind == "jsonl":
            with path.open(encoding="utf-8-sig") as file:
                first = parsed(next((line for line in file if line.strip()), "{}"))
            if not isinstance(first, dict):
                raise HistoryError(f'{path}: its first line is {first!r:.40}, not an object such as {{"start": ...}}')
            return list(first)
        if kind == "parquet":
            from pyarrow import parquet

            return list(parquet.read_schema(path).names)
    except OSError as error:
        raise HistoryError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, csv.Error) as error:  # which pyarrow's own and UnicodeDecodeError are
        raise HistoryError(f"{path}: is no {kind} file: {str(error).splitlines()[0]}") from error
    raise HistoryError(f"{path}: format unknown by its name; a history is .csv, .parquet, .jsonl or .json")


def as_text(value: object) -> str:
    """A cell as a person would write it: whole numbers without a point, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
