"""Roles of the columns of a table of incidents, by their names; `Resolved At` and `resolvedAt` are the same name."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

ROLES: Final = ("start", "end", "service", "provider", "severity", "id", "status", "error_rate")
_PAIRS: Final = (("started_at", "resolved_at"), ("start_s", "end_s"), ("start", "end"))
"""Columns that belong together: those of a status page, of a run's incidents, of tables that name them by role."""
_CANDIDATES: Final[Mapping[str, Sequence[str]]] = {
    "start": (
        *("started_at", "start", "start_time", "start_timestamp", "start_date", "start_s", "began_at", "begin"),
        *("begin_time", "opened_at", "opened_time", "detected_at", "occurred_at", "created_at", "created"),
    ),
    "end": (
        *("resolved_at", "end", "end_time", "end_timestamp", "end_date", "end_s", "ended_at", "closed_at"),
        *("close_timestamp", "close_time", "closed_time", "resolved_timestamp", "resolved_time", "resolution_time"),
        *("restored_at", "recovered_at", "fixed_at", "finished_at", "completed_at"),
    ),
    "service": ("service", "component", "component_name", "service_name", "monitor", "monitor_name", "product"),
    "provider": ("provider", "vendor"),
    "severity": (
        *("impact_level", "severity", "error_rate", "impact", "raw_severity", "incident_impact_level"),
        *("incident_impact", "status_impact"),
    ),
    "id": ("incident_id", "id", "number"),
    "status": ("status", "state"),
}
"""Possible column names of each role, the most certain first."""
_STAGES: Final = ("investigating", "identified", "monitoring", "resolved", "postmortem")
"""Of an incident on a status page, in their order; a table may have a column with the time of each."""
_OPEN: Final = frozenset(
    {
        *("open", "opened", "reopened", "new", "active", "ongoing", "live", "triggered", "acknowledged", "fixing"),
        *("investigating", "identified", "monitoring", "scheduled", "inprogress", "verifying"),
    }
)
_NO_FAILURE: Final = frozenset(
    {
        *("none", "maintenance", "undermaintenance", "scheduled", "scheduledmaintenance", "information"),
        *("serviceinformation", "informational", "operational", "available"),
    }
)


def told_by_names(there: Sequence[str]) -> dict[str, list[str]]:
    """The possible columns of each role, the likeliest first. Roles without one are left out."""
    by_name = {folded(name): name for name in reversed(there)}
    found = {
        role: [
            by_name[key]
            for key in map(folded, names)
            if key in by_name and (role in ("start", "end") or there.count(by_name[key]) == 1)
        ]
        for role, names in _CANDIDATES.items()
    }
    for start, end in _PAIRS:
        if start in there and end in there:
            found["start"] = [start]
            found["end"] = [end, *(name for name in found["end"] if name != end)]
            break
    return {role: names for role, names in found.items() if names}


def stages_told_by_names(there: Sequence[str]) -> list[str]:
    """The columns with the times of an incident's stages, in the order of the stages, if there are at least two."""
    by_name = {folded(name): name for name in reversed(there)}
    keys = [[folded(f"{stage}_{ending}") for ending in ("timestamp", "at", "time")] for stage in _STAGES]
    found = [next((by_name[key] for key in names if key in by_name), None) for names in keys]
    columns = [name for name in found if name is not None]
    return columns if len(columns) > 1 else []


def is_open(status: str) -> bool:
    """Whether an incident with this status and without an end is still open."""
    return folded(status) in _OPEN


def is_no_failure(severity: str) -> bool:
    """Whether this severity means planned work or a notice."""
    return folded(severity) in _NO_FAILURE


def holds_times(values: Sequence[object]) -> bool:
    """Whether all present values are timestamps."""
    return _all(values, _is_timestamp)


def holds_flags(values: Sequence[object]) -> bool:
    """Whether all present values are 0 or 1, and some are 1."""
    return _all(values, lambda value: value in ("0", "1", 0, 1)) and any(value in ("1", 1) for value in values)


def _all(values: Sequence[object], told: Callable[[object], bool]) -> bool:
    there = [value for value in values if value not in (None, "")]
    return bool(there) and all(map(told, there))


def _is_timestamp(value: object) -> bool:
    if isinstance(value, datetime):
        return True
    try:
        return isinstance(value, str) and "-" in value and datetime.fromisoformat(value.strip()) is not None
    except ValueError:
        return False


def folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())
