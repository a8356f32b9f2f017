"""Incidents recorded as issues of a tracker (Upptime, GitHub, GitLab), as its API lists them: `state`, `closed_at`.

Upptime's titles name the service (`🛑 API is down`, `⚠️ API has degraded performance`). Otherwise a label such as
`service: api` does, or all issues belong to one service. Pull requests are not incidents.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from des.files.json_records import (
    LINES,
    Record,
    Records,
    json_document,
    json_lines,
    record_list,
    records_format,
    sound,
)
from des.files.status_page import incident_rows
from des.files.table import Opening, RecordedFileError

_TITLE: Final = re.compile(r"^\W*(?P<service>\w.*?) (?P<what>is down|has degraded performance)\W*$")
_LABEL: Final = re.compile(r"^(?:service|system|component)\s*[:/]\s*(?P<service>.+)$", re.IGNORECASE)
_SEVERITY: Final = re.compile(r"^(?:severity|impact)\s*[:/]\s*(?P<severity>.+)$", re.IGNORECASE)
_BY_TITLE: Final = {"is down": "down", "has degraded performance": "degraded"}
_MAINTENANCE: Final = "maintenance"


def _recognises(opening: Opening) -> bool:
    first = opening.first
    found = record_list(opening.document)
    if found is not None and found[1] and isinstance(found[1][0], dict):
        first = found[1][0]
    return {"state", "created_at", "closed_at"} <= set(first)


def _issues(path: Path) -> list[tuple[str, object]]:
    """Each issue with its place."""
    document = None if path.suffix.lower() in LINES else json_document(path)
    if document is None:
        return [(f"{path}:{line}", issue) for line, issue in json_lines(path)]
    found = record_list(document)
    if found is None:
        raise RecordedFileError(f"{path}: has no list of issues")
    return [(f"{path}: {found[0]}[{number}]", issue) for number, issue in enumerate(found[1])]


def _read(path: Path) -> Records:
    rows: list[Record] = []
    places: list[str] = []
    last_seen: list[object] = []
    pulls = 0
    for place, each in _issues(path):
        issue = sound(each, place, "issue")
        if issue.get("pull_request"):
            pulls += 1
            continue
        number = str(issue.get("number") or issue.get("iid") or issue.get("id") or "")
        service, severity = _about(issue)
        columns = {
            "incident_id": number,
            "provider": str(issue.get("repository_url") or "").rpartition("/repos/")[2],
            "started_at": issue.get("created_at"),
            "resolved_at": issue.get("closed_at"),
            "impact_level": severity,
            "status": str(issue.get("state") or ""),
        }
        last_seen.append(issue.get("updated_at"))
        rows += incident_rows(issue, columns, [service or path.stem])
        places.append(f"{place} (#{number})" if number else place)
    left_out = f"{pulls} pull request{'s' if pulls > 1 else ''} left out: only issues are incidents"
    return Records(rows, places, last_seen, (left_out,) if pulls else ())


def _about(issue: Mapping[str, Any]) -> tuple[str, str]:
    """Service and severity from the title and labels; empty if they do not say."""
    listed = issue.get("labels")
    labels = [
        str(label.get("name") if isinstance(label, dict) else label)
        for label in (listed if isinstance(listed, list) else [])
    ]
    title = _TITLE.match(str(issue.get("title") or ""))
    service = title["service"] if title else _first(_LABEL, labels, "service")
    if any(label.casefold() == _MAINTENANCE for label in labels):
        return service, _MAINTENANCE
    return service, _first(_SEVERITY, labels, "severity") or (_BY_TITLE[title["what"]] if title else "")


def _first(pattern: re.Pattern[str], labels: list[str], group: str) -> str:
    return next((found[group].strip() for label in labels if (found := pattern.match(label))), "")


ISSUE_TRACKER: Final = records_format("issues", (".json", *LINES), _read, _recognises)
