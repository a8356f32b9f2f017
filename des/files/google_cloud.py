"""Google Cloud's and Google Workspace's `incidents.json`: one row for each product that an incident affected.

An incident is open while its `end` is missing. Its severity is the `status_impact` (SERVICE_INFORMATION,
SERVICE_DISRUPTION, SERVICE_OUTAGE), or `severity` where that is missing.
"""

from pathlib import Path
from typing import Final

from des.files.json_records import Record, Records, json_document, records_format, sound
from des.files.status_page import incident_rows
from des.files.table import Opening, RecordedFileError

_PROVIDER: Final = "Google Cloud"
_OF_A_PRODUCT: Final = frozenset({"affected_products", "service_name", "status_impact", "external_desc"})


def _recognises(opening: Opening) -> bool:
    first = opening.first
    return isinstance(opening.document, list) and "begin" in first and not _OF_A_PRODUCT.isdisjoint(first)


def _read(path: Path) -> Records:
    listed = json_document(path)
    if not isinstance(listed, list):
        raise RecordedFileError(f"{path}: is not a list of incidents like Google Cloud's incidents.json")
    rows: list[Record] = []
    places: list[str] = []
    last_seen: list[object] = []
    for number, each in enumerate(listed):
        place = f"{path}: [{number}]"
        incident = sound(each, place, "incident")
        products = incident.get("affected_products")
        titles = [
            str(product.get("title") or product.get("id") or "")
            for product in (products if isinstance(products, list) else [])
            if isinstance(product, dict)
        ]
        name = str(incident.get("number") or incident.get("id") or "")
        columns = {
            "incident_id": str(incident.get("id") or name),
            "provider": _PROVIDER,
            "started_at": incident.get("begin"),
            "resolved_at": incident.get("end"),
            "impact_level": str(incident.get("status_impact") or incident.get("severity") or ""),
            "status": "resolved" if incident.get("end") else "open",
        }
        last_seen.append(incident.get("modified"))
        made = incident_rows(incident, columns, titles or [str(incident.get("service_name") or _PROVIDER)])
        rows += made
        places += [f"{place} ({name})"] * len(made)
    return Records(rows, places, last_seen)


GOOGLE_CLOUD: Final = records_format("google_cloud", (".json",), _read, _recognises)
