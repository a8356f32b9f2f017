"""A status page's `incidents.json` (Atlassian Statuspage v2, and pages that imitate it).

There is one row for each component of each incident. An incident without components belongs to the page itself.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from des.files.json_records import Record, Records, flat, json_document, records_format, sound
from des.files.table import Opening, RecordedFileError

_LISTS: Final = ("incidents", "scheduled_maintenances")
_OF_A_PAGE: Final = frozenset({"components", "incident_updates", "impact", "shortlink"})
_STARTS: Final = ("started_at", "scheduled_for", "created_at")


def incident_rows(incident: Mapping[str, Any], columns: Mapping[str, object], services: list[str]) -> list[Record]:
    """A row for each service, with the columns common to incident documents beside the incident's own fields."""
    return [{**flat(incident), **columns, "service": service} for service in dict.fromkeys(services)]


def _incidents(document: object) -> list[Any] | None:
    if isinstance(document, list):
        return document
    found = [document.get(key) for key in _LISTS] if isinstance(document, dict) else []
    lists = [each for each in found if isinstance(each, list)]
    return [each for listed in lists for each in listed] if lists else None


def _recognises(opening: Opening) -> bool:
    listed = _incidents(opening.document)
    if listed is None:
        return False
    first = listed[0] if listed else None
    if isinstance(opening.document, list):
        return isinstance(first, dict) and not _OF_A_PAGE.isdisjoint(first)
    return not isinstance(first, dict) or any(key in first for key in _STARTS)


def _read(path: Path) -> Records:
    page = json_document(path)
    listed = _incidents(page)
    if not listed:
        raise RecordedFileError(f"{path}: has no {' and no '.join(_LISTS) if listed is None else 'incidents'}")
    about = page.get("page") if isinstance(page, dict) else None
    about = sound(about, f"{path}: page", "page") if isinstance(about, dict) else {}
    provider = str(about.get("name") or "")
    rows: list[Record] = []
    places: list[str] = []
    last_seen = [about.get("updated_at")]
    for number, each in enumerate(listed):
        place = f"{path}: incidents[{number}]"
        incident = sound(each, place, "incident")
        components = _components(incident)
        columns = {
            "incident_id": str(incident.get("id") or ""),
            "provider": provider if components else "",
            "started_at": next((incident[key] for key in _STARTS if incident.get(key)), None),
            "resolved_at": incident.get("resolved_at"),
            "impact_level": str(incident.get("impact") or ""),
            "status": str(incident.get("status") or ""),
        }
        last_seen.append(incident.get("updated_at"))
        name = str(incident.get("id") or incident.get("name") or "without id")
        made = incident_rows(incident, columns, components or [provider or path.stem])
        rows += made
        places += [f"{place} ({name})"] * len(made)
    return Records(rows, places, last_seen)


def _components(incident: Mapping[str, Any]) -> list[str]:
    listed = incident.get("components")
    components = listed if isinstance(listed, list) else []
    return [str(each.get("name") or "") for each in components if isinstance(each, dict)]


STATUS_PAGE: Final = records_format("status_page", (".json",), _read, _recognises)
