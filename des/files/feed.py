"""RSS and Atom feeds of status pages: one row per entry, with times from the updates in its text.

Statuspage writes each update as `Jan 5, 10:00 UTC` and `Resolved`, without a year. The year nearest to the entry's
publication is taken. Google Cloud writes when an incident began and ended. Other feeds give no durations. Entity
declarations are refused: feeds need none, and expanding them may take all memory.

Every scenario imports the formats of files, so the readers of XML and HTML are imported when a feed is read.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from des.files.json_records import Record, Records, records_format
from des.files.table import RecordedFileError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_UPDATE: Final = re.compile(
    r"(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\s+(?P<day>\d{1,2})\s*,\s*(?:(?P<year>\d{4})\s*,?\s*)?"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})\s*(?:-\s*\d{1,2}:\d{2}\s*)?(?P<zone>[A-Za-z]{1,5}|[+-]\d{2}:?\d{2})\b"
    r"\s*(?P<status>Investigating|Identified|Monitoring|Update|Resolved|Postmortem|Scheduled|In progress|Verifying"
    r"|Completed)?",
)
_SPAN: Final = re.compile(
    r"began at\s*(?P<start>\d{4}-\d{2}-\d{2} \d{2}:\d{2}).{0,80}?ended at\s*(?P<end>\d{4}-\d{2}-\d{2} \d{2}:\d{2})"
    r"(?P<after>.{0,120})",
    re.DOTALL,
)
_TAG: Final = re.compile(r"<[^>]*>")
_OVER: Final = frozenset({"resolved", "completed", "postmortem"})
_PLANNED: Final = frozenset({"scheduled", "in progress", "verifying", "completed"})
_HOURS: Final = {"UTC": 0, "GMT": 0, "Z": 0, "BST": 1, "CET": 1, "CEST": 2, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5}
_HOURS_WEST: Final = {"MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9, "AEST": 10, "AEDT": 11}
_FEEDS: Final = ("rss", "feed", "RDF")


def _read(path: Path) -> Records:
    root = _tree(path)
    if root.tag not in _FEEDS:
        raise RecordedFileError(f"{path}: is not an RSS or Atom feed: it holds <{root.tag}>")
    channel = root.find("channel") if root.tag == "rss" else root
    page = re.sub(r"\s*(?:[-|:]\s*)?(?:Status\b.*|Incident History.*)$", "", _text(channel, "title")) or path.stem
    rows: list[Record] = []
    places: list[str] = []
    for number, entry in enumerate([*root.iter("item"), *root.iter("entry")]):
        link = _text(entry, "guid") or _text(entry, "id") or _text(entry, "link")
        name = link.rstrip("/").rpartition("/")[2]
        place = f"{path}: entry {number + 1} ({name or _text(entry, 'title')[:40]})"
        rows.append({"incident_id": name, "service": page, "title": _text(entry, "title"), **_times(entry, place)})
        places.append(place)
    if not rows:
        raise RecordedFileError(f"{path}: has no entries")
    return Records(rows, places)


def _times(entry: "Element", place: str) -> dict[str, str | None]:
    from html import unescape

    body = max((_text(entry, name) for name in ("description", "content", "summary", "encoded")), key=len)
    text = " ".join(unescape(_TAG.sub(" ", unescape(body))).split())
    dates = (_text(entry, name) for name in ("pubDate", "published", "updated", "date"))
    published = next((_moment(date) for date in dates if date), None)
    found: dict[str, str | None] = {
        "published_at": None if published is None else published.isoformat(),
        "started_at": None,
        "resolved_at": None,
        "status": "",
        "impact_level": "",
    }
    if span := _SPAN.search(text):
        zone = ZoneInfo("America/Los_Angeles") if "Pacific" in span["after"] else UTC
        try:
            start, end = (datetime.fromisoformat(span[name]).replace(tzinfo=zone) for name in ("start", "end"))
        except ValueError as error:
            raise RecordedFileError(f"{place}: {span['start']} to {span['end']} are not times: {error}") from error
        return found | {"started_at": start.isoformat(), "resolved_at": end.isoformat(), "status": "resolved"}
    updates = sorted(_updates(text, published, place), key=lambda update: update[0])
    if not updates:
        return found
    statuses = [status for _, status in updates if status]
    over = next((moment for moment, status in updates if status in _OVER), None)
    return found | {
        "started_at": updates[0][0].isoformat(),
        "resolved_at": None if over is None else over.isoformat(),
        "status": "resolved" if over is not None else (statuses[-1] if statuses else ""),
        "impact_level": "maintenance" if _PLANNED & set(statuses) else "",
    }


def _updates(text: str, published: datetime | None, place: str) -> Iterator[tuple[datetime, str]]:
    """When each update was written, in UTC, and what it calls the incident."""
    for update in _UPDATE.finditer(text):
        if update["year"]:
            years = [int(update["year"])]
        elif published is not None:
            years = [published.year + step for step in (0, -1, 1)]
        else:
            continue
        try:
            offset = _offset(update["zone"])
            moments = [moment - offset for year in years if (moment := _in_year(update, year)) is not None]
        except (ValueError, OverflowError) as error:
            raise RecordedFileError(f"{place}: {error}") from error
        if not moments:
            raise RecordedFileError(f"{place}: {update.group()!r} is not a time")
        near = published or moments[0]
        yield min(moments, key=lambda moment: abs(moment - near)), (update["status"] or "").lower()


def _in_year(update: re.Match[str], year: int) -> datetime | None:
    written = f"{update['day']} {update['month']} {year} {update['hour']}:{update['minute']}"
    try:
        return datetime.strptime(written, "%d %b %Y %H:%M").replace(tzinfo=UTC)
    except ValueError:
        return None


def _offset(zone: str) -> timedelta:
    if zone[0] in "+-":
        hours, minutes = zone[1:3], zone[-2:]
        return (-1 if zone[0] == "-" else 1) * timedelta(hours=int(hours), minutes=int(minutes))
    hours_east = (_HOURS | _HOURS_WEST).get(zone.upper())
    if hours_east is None:
        raise ValueError(f"unknown time zone {zone!r}")
    return timedelta(hours=hours_east)


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text) if "," in text else datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _text(element: "Element | None", name: str) -> str:
    found = None if element is None else element.find(name)
    if found is None:
        return ""
    return "".join(found.itertext()).strip() or found.get("href", "")


def _tree(path: Path) -> "Element":
    """The document without its namespaces."""
    from xml.etree.ElementTree import TreeBuilder
    from xml.parsers import expat

    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator=" ")

    def refuse(name: str, *_: object) -> None:
        raise RecordedFileError(f"{path}:{parser.CurrentLineNumber}: declares the entity {name!r}, which no feed needs")

    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = lambda tag, attributes: builder.start(_local(tag), attributes)
    parser.EndElementHandler = lambda tag: builder.end(_local(tag))
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(path.read_bytes(), True)
    except expat.ExpatError as error:
        what = expat.ErrorString(error.code)
        raise RecordedFileError(f"{path}:{error.lineno}:{error.offset + 1}: is not XML: {what}") from error
    except LookupError as error:
        raise RecordedFileError(f"{path}:1: is not readable XML: {error}") from error
    return builder.close()


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


FEED: Final = records_format("feed", (".rss", ".atom", ".xml"), _read, lambda opening: True)
