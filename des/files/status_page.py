"""A status page's `incidents.json` (Atlassian Statuspage, and pages that imitate it) as a table.

One row for each component of each incident; an incident without components counts for the page itself.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from des.files.table import Format, RecordedFileError, Table, require
from des.files.tabular import is_text, json_array, json_document

_COLUMNS: Final = ("incident_id", "provider", "service", "started_at", "resolved_at", "impact_level", "status")
_OVER: Final = ("resolved", "postmortem", "completed")


def _document(path: Path) -> Mapping[str, Any] | None:
    """The page, or None for a file that holds something else. Raises RecordedFileError for torn JSON."""
    document = json_document(path)
    if isinstance(document, list):
        document = {"incidents": document}
    return document if isinstance(document, dict) and isinstance(document.get("incidents"), list) else None


def _read(path: Path, wanted: Sequence[str]) -> Table:
    require(path, wanted, _COLUMNS)
    page = _document(path) or {"incidents": []}
    about = page["page"] if isinstance(page.get("page"), dict) else {}
    provider = str(about.get("name") or "")
    rows: list[tuple[object, ...]] = []
    places: list[str] = []
    last_seen = [about.get("updated_at")]
    for number, incident in enumerate(page["incidents"]):
        place = f"{path}: incidents[{number}]"
        if not isinstance(incident, dict):
            raise RecordedFileError(f"{place} is no incident: {str(incident)[:40]!r}")
        if not is_text(incident):
            raise RecordedFileError(f"{place} holds half a character (\\ud800 to \\udfff), which no text may")
        listed = incident.get("components")
        components = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        names = [str(each.get("name") or "") for each in components] or [provider or path.stem]
        name = str(incident.get("id") or incident.get("name") or "without id")
        last_seen.append(incident.get("updated_at"))
        for service in dict.fromkeys(names):
            places.append(f"{place} ({name})")
            rows.append(
                (
                    str(incident.get("id") or ""),
                    provider if components else "",
                    service,
                    incident.get("started_at") or incident.get("created_at"),
                    incident.get("resolved_at"),
                    str(incident.get("impact") or ""),
                    str(incident.get("status") or ""),
                )
            )
    if not rows:
        raise RecordedFileError(f"{path}: has no incidents")
    columns = dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True))
    return Table(
        path,
        {column: json_array(columns[column]) for column in wanted},
        np.arange(len(rows)),
        places.__getitem__,
        still_open=tuple(status not in _OVER for status in columns["status"]),
        last_seen=tuple(last_seen),
    )


STATUS_PAGE: Final = Format(
    "status_page",
    (".json",),
    names=lambda path: list(_COLUMNS),
    read=_read,
    recognises=lambda path: _document(path) is not None,
)
