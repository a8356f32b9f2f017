"""What other programs write is read as it is: by its suffix and what it holds, the same for `fit` and for `replay`."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest

from des.faults.calibration import service_histories
from des.files import RecordedFileError, arrival_columns, incident_columns, read_arrivals, read_history, read_incidents
from des.files.formats import FORMAT_NAMES
from des.scenario.schema.incidents import FileFormat

JANUARY = datetime(2024, 1, 1, tzinfo=UTC)
JANUARY_S = JANUARY.timestamp()
HOUR_S = 3600.0

STATUS_PAGE = {
    "page": {"name": "Acme"},
    "incidents": [
        {
            "id": "a1",
            "status": "resolved",
            "impact": "major",
            "started_at": "2024-01-01T01:00:00Z",
            "resolved_at": "2024-01-01T03:00:00Z",
            "components": [{"name": "API"}],
        }
    ],
}
GOOGLE_CLOUD = [
    {
        "id": "g1",
        "number": "17",
        "begin": "2024-01-01T01:00:00+00:00",
        "end": "2024-01-01T03:00:00+00:00",
        "modified": "2024-01-04T00:00:00+00:00",
        "severity": "high",
        "status_impact": "SERVICE_OUTAGE",
        "external_desc": "errors",
        "most_recent_update": {"status": "AVAILABLE", "when": "2024-01-01T03:00:00+00:00"},
        "affected_products": [{"title": "API", "id": "p1"}],
    }
]
ISSUES = [
    {
        "number": 5,
        "title": "🛑 API is down",
        "state": "closed",
        "created_at": "2024-01-01T01:00:00Z",
        "closed_at": "2024-01-01T03:00:00Z",
        "updated_at": "2024-01-02T00:00:00Z",
        "labels": [{"name": "status"}, {"name": "api"}],
        "repository_url": "https://api.github.com/repos/acme/uptime",
    }
]
UPDATES = (
    "<p><small>Jan <var data-var='date'>1</var>, <var data-var='time'>03:00</var> UTC</small><br>"
    "<strong>Resolved</strong> - This incident has been resolved.</p>"
    "<p><small>Jan <var data-var='date'> 1</var>, <var data-var='time'>02:20</var> UTC</small><br>"
    "<strong>Monitoring</strong> - A fix is out.</p>"
    "<p><small>Jan <var data-var='date'> 1</var>, <var data-var='time'>01:00</var> UTC</small><br>"
    "<strong>Investigating</strong> - We look.</p>"
)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _rss(description: str = UPDATES, published: str = "Mon, 01 Jan 2024 03:00:00 +0000") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>API Status - Incident History</title>'
        f"<item><title>Errors</title><description>{_escaped(description)}</description><pubDate>{published}</pubDate>"
        "<link>https://status.example.com/incidents/r1</link><guid>https://status.example.com/incidents/r1</guid></item>"
        "</channel></rss>"
    )


def _atom(content: str = UPDATES) -> str:
    return (
        '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>API Status - Incident History</title>'
        "<entry><id>tag:status.example.com,2005:Incident/r1</id><published>2024-01-01T01:00:00Z</published>"
        "<updated>2024-01-01T03:00:00Z</updated><title>Errors</title>"
        f"<content type='html'>{_escaped(content)}</content></entry></feed>"
    )


TABLE = pd.DataFrame(
    {"service": ["API"], "started_at": ["2024-01-01T01:00:00Z"], "resolved_at": ["2024-01-01T03:00:00Z"]}
)
FILES: dict[str, Any] = {
    "incidents.json": json.dumps(STATUS_PAGE),
    "indented.json": json.dumps(STATUS_PAGE, indent=1),
    "list.json": json.dumps(STATUS_PAGE["incidents"]),
    "google.json": json.dumps(GOOGLE_CLOUD, indent=1),
    "issues.json": json.dumps(ISSUES),
    "issues.jsonl": "\n".join(map(json.dumps, ISSUES)),
    "history.rss": _rss(),
    "history.atom": _atom(),
    "history.xml": _rss(),
    "records.json": TABLE.to_json(orient="records", indent=1),
    "wrapped.json": json.dumps({"count": 1, "results": json.loads(TABLE.to_json(orient="records"))}),
    "table.csv": TABLE.to_csv(index=False),
    "table.jsonl": TABLE.to_json(orient="records", lines=True),
}


@pytest.mark.parametrize("name", [*FILES, "table.parquet"])
def test_every_format_is_fitted_and_replayed_without_naming_columns(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("parquet"):
        TABLE.to_parquet(path)
    else:
        path.write_text(FILES[name], encoding="utf-8")
    (incident,) = read_history(path).incidents
    assert (incident.service, incident.start_s - JANUARY_S, incident.end_s - JANUARY_S) == ("API", HOUR_S, 3 * HOUR_S)
    columns = incident_columns(path)
    rows = read_incidents(path, start=columns["start"], end=columns["end"], origin=JANUARY)
    assert (rows.start_s.tolist(), rows.end_s.tolist()) == ([HOUR_S], [3 * HOUR_S])


def test_a_scenario_may_name_every_format() -> None:
    assert get_args(FileFormat) == FORMAT_NAMES


def _written(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_a_status_pages_own_field_names_are_columns_too(tmp_path: Path) -> None:
    path = _written(tmp_path, "incidents.json", STATUS_PAGE)
    rows = read_incidents(path, start="started_at", end="resolved_at", severity="impact", origin=JANUARY)
    assert rows.severity == ("major",)


# Google Cloud


def test_google_cloud_gives_a_row_for_each_product_and_an_open_one_without_end(tmp_path: Path) -> None:
    ongoing = GOOGLE_CLOUD[0] | {"id": "g2", "end": "", "begin": "2024-01-03T00:00:00Z", "severity": "low"}
    ongoing["affected_products"] = [{"title": "API", "id": "p1"}, {"title": "Storage", "id": "p2"}]
    path = _written(tmp_path, "incidents.json", [*GOOGLE_CLOUD, ongoing])
    api, storage = service_histories(read_history(path))
    assert (api.name, storage.name) == ("Google Cloud/API", "Google Cloud/Storage")
    assert api.severity == ("SERVICE_OUTAGE", "SERVICE_OUTAGE")
    assert [end - JANUARY_S for end in api.end_s.tolist()] == [3 * HOUR_S, float("inf")]
    assert api.until_s - JANUARY_S == 3 * 24 * HOUR_S


# Issue trackers


def test_open_issues_are_open_and_closed_ones_end_when_they_were_closed(tmp_path: Path) -> None:
    still = ISSUES[0] | {"number": 6, "state": "open", "created_at": "2024-01-02T00:00:00Z", "closed_at": None}
    pull = ISSUES[0] | {"number": 7, "pull_request": {"url": "x"}}
    worse = ISSUES[0] | {"number": 8, "title": "⚠️ Chat has degraded performance"}
    history = read_history(_written(tmp_path, "issues.json", [*ISSUES, still, pull, worse]))
    api, chat = service_histories(history)
    assert (api.name, chat.name) == ("acme/uptime/API", "acme/uptime/Chat")
    assert [end - JANUARY_S for end in api.end_s.tolist()] == [3 * HOUR_S, float("inf")]
    assert (api.severity, chat.severity) == (("down", "down"), ("degraded",))
    assert history.remarks == ("1 pull request left out: only issues are incidents",)


def test_labels_name_service_severity_and_maintenance_where_titles_do_not(tmp_path: Path) -> None:
    labelled = ISSUES[0] | {"title": "Errors", "labels": ["service: Search", "severity: major"]}
    planned = labelled | {"number": 9, "labels": ["service: Search", "maintenance"]}
    plain = labelled | {"number": 10, "labels": []}
    history = read_history(_written(tmp_path, "issues.json", [labelled, planned, plain]))
    assert [(each.service, each.severity) for each in history.incidents] == [("Search", "major"), ("issues", "")]
    assert history.remarks == (
        "left out because they are not failures: 1 of severity 'maintenance'; choose severities by --severity, or all",
    )


# Feeds


def test_a_feeds_years_are_those_nearest_to_its_publication(tmp_path: Path) -> None:
    updates = UPDATES.replace("Jan <var data-var='date'>1</var>", "Jan <var data-var='date'>2</var>").replace(
        "Jan <var data-var='date'> 1</var>", "Dec <var data-var='date'>31</var>"
    )
    (incident,) = read_history(_written(tmp_path, "h.rss", _rss(updates, "Tue, 02 Jan 2024 03:00:00 GMT"))).incidents
    assert datetime.fromtimestamp(incident.start_s, UTC) == datetime(2023, 12, 31, 1, tzinfo=UTC)
    assert datetime.fromtimestamp(incident.end_s, UTC) == datetime(2024, 1, 2, 3, tzinfo=UTC)


def test_a_feeds_time_zones_are_read_and_unknown_ones_refused(tmp_path: Path) -> None:
    (incident,) = read_history(_written(tmp_path, "h.atom", _atom(UPDATES.replace("UTC", "PST")))).incidents
    assert incident.start_s - JANUARY_S == 9 * HOUR_S
    with pytest.raises(RecordedFileError, match=r"entry 1 \(r1\): unknown time zone 'XYZ'"):
        read_history(_written(tmp_path, "h.atom", _atom(UPDATES.replace("UTC", "XYZ")).replace(",2005:Incident", "")))


def test_an_unresolved_entry_is_open_and_planned_work_is_no_failure(tmp_path: Path) -> None:
    still = UPDATES.partition("<p><small>Jan <var data-var='date'> 1</var>, <var data-var='time'>02")
    (incident,) = read_history(_written(tmp_path, "h.rss", _rss(still[1] + still[2]))).incidents
    assert incident.end_s == float("inf")
    planned = UPDATES.replace("Resolved", "Completed").replace("Investigating", "Scheduled")
    with pytest.raises(RecordedFileError, match="no failures: 1 of severity 'maintenance'; choose severities"):
        read_history(_written(tmp_path, "h.rss", _rss(planned)))


def test_google_clouds_feed_says_when_an_incident_began_and_ended(tmp_path: Path) -> None:
    text = (
        "<p> Incident began at <strong>2024-01-01 01:00</strong> and ended at <strong>2024-01-01 03:00</strong> "
        "<span>(all times are <strong>{zone}</strong>).</span></p>"
    )
    for zone, hours in (("UTC", 0), ("US/Pacific", 8)):
        (incident,) = read_history(_written(tmp_path, "f.atom", _atom(text.format(zone=zone)))).incidents
        assert incident.start_s - JANUARY_S == (1 + hours) * HOUR_S
        assert incident.end_s - incident.start_s == 2 * HOUR_S


def test_a_feed_without_times_of_its_updates_tells_no_lengths(tmp_path: Path) -> None:
    with pytest.raises(RecordedFileError, match=r"entry 1 \(r1\): the start is missing"):
        read_history(_written(tmp_path, "h.rss", _rss("<p>resolved</p>")))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('<!DOCTYPE x [<!ENTITY a "aaaa">]><rss><channel/></rss>', "h.rss:1: declares the entity 'a'"),
        ('<!DOCTYPE x [<!ENTITY % a SYSTEM "file:///etc/hosts">]><rss/>', "declares the entity 'a'"),
        ("<html><body/></html>", "is not an RSS or Atom feed: it holds <html>"),
        ("<rss><channel>", "h.rss:1:15: is not XML: no element found"),
        ("<rss><channel/></rss>", "has no entries"),
        ("", "is not XML"),
    ],
)
def test_what_is_no_feed_is_refused(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(RecordedFileError) as refused:
        read_history(_written(tmp_path, "h.rss", content))
    assert said in str(refused.value)


# Logs of gateways


def _otlp(**attributes: object) -> dict[str, Any]:
    kinds = {int: "intValue", str: "stringValue"}
    return {
        "name": "chat",
        "startTimeUnixNano": "1704070800123456789",
        "endTimeUnixNano": "1704070801000000000",
        "attributes": [
            {"key": f"gen_ai.{key.replace('__', '.')}", "value": {kinds[type(value)]: str(value)}}
            for key, value in attributes.items()
        ],
    }


CALL = {"request__model": "m", "usage__input_tokens": 100, "usage__output_tokens": 20}


def _export(*spans: dict[str, Any]) -> dict[str, Any]:
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": list(spans)}]}]}


def _flat_span(start: str, **more: object) -> dict[str, Any]:
    attributes = {"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 7, "gen_ai.usage.output_tokens": 3}
    return {"name": "chat m", "start_time": start, "attributes": attributes | more}


def _arrivals(path: Path, **options: Any) -> tuple[list[float], list[int], list[int]]:
    columns = arrival_columns(path)
    rows = read_arrivals(
        path,
        time=columns["time"],
        input_tokens=columns["input_tokens"],
        output_tokens=columns["output_tokens"],
        **options,
    )
    assert rows.input_tokens is not None
    assert rows.output_tokens is not None
    return rows.arrival_s.tolist(), rows.input_tokens.tolist(), rows.output_tokens.tolist()


@pytest.mark.parametrize("name", ["spans.jsonl", "spans.json"])
def test_exported_spans_are_arrivals_with_their_tokens(tmp_path: Path, name: str) -> None:
    later = _otlp(**CALL) | {"startTimeUnixNano": "1704070802123456789"}
    tool = _otlp(operation__name="execute_tool", request__model="m")
    other = {"name": "GET /", "startTimeUnixNano": "1", "attributes": [{"key": "http.method", "value": {}}]}
    path = _written(tmp_path, name, _export(later, tool, other, _otlp(**CALL)))
    assert _arrivals(path) == ([0.0, 2.0], [100, 100], [20, 20])
    assert _arrivals(path, where={"gen_ai.request.model": ["m"]})[0] == [0.0, 2.0]


def test_flat_spans_and_older_names_of_tokens_are_read(tmp_path: Path) -> None:
    older = {
        "start_time": "2024-01-01T01:00:01Z",
        "gen_ai.request.model": "m",
        "gen_ai.usage.prompt_tokens": 9,
        "gen_ai.usage.completion_tokens": 4,
    }
    spans = [_flat_span("2024-01-01T01:00:00.5Z"), older]
    path = _written(tmp_path, "spans.jsonl", "\n".join(map(json.dumps, spans)))
    assert _arrivals(path) == ([0.0, 0.5], [7, 9], [3, 4])


def test_a_failed_call_has_no_tokens_and_any_other_without_is_a_bad_row(tmp_path: Path) -> None:
    failed = {"start_time": "2024-01-01T01:00:02Z", "attributes": {"gen_ai.request.model": "m", "error.type": "500"}}
    lines = [json.dumps(_flat_span("2024-01-01T01:00:00Z")), json.dumps(failed)]
    assert _arrivals(_written(tmp_path, "a.jsonl", "\n".join(lines))) == ([0.0, 2.0], [7, 0], [3, 0])
    lines[1] = lines[1].replace("error.type", "server.port")
    with pytest.raises(RecordedFileError, match=r"b.jsonl:2: input_tokens is missing"):
        _arrivals(_written(tmp_path, "b.jsonl", "\n".join(lines)))


@pytest.mark.parametrize("suffix", ["json", "jsonl", "csv", "parquet"])
def test_spend_logs_of_litellm_are_arrivals_with_their_tokens(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame(
        {
            "request_id": ["b", "a"],
            "startTime": ["2024-01-01T01:00:03.250Z", "2024-01-01T01:00:00.000Z"],
            "endTime": ["2024-01-01T01:00:04Z", "2024-01-01T01:00:02Z"],
            "model": ["m", "m"],
            "prompt_tokens": [30, 10],
            "completion_tokens": [3, 1],
            "spend": [0.1, 0.2],
        }
    )
    path = tmp_path / f"spend.{suffix}"
    if suffix == "parquet":
        frame.to_parquet(path)
    elif suffix == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_json(path, orient="records", lines=suffix == "jsonl")
    assert _arrivals(path) == ([0.0, 3.25], [10, 30], [1, 3])


def test_a_table_of_no_known_log_asks_for_the_column_of_times(tmp_path: Path) -> None:
    path = _written(tmp_path, "a.csv", "when,tokens\n1,2\n")
    with pytest.raises(RecordedFileError, match=r"columns: \{time: \.\.\.\} \(there are: 'when', 'tokens'\)"):
        arrival_columns(path)
    with pytest.raises(RecordedFileError, match=r"unknown format 'otel_gen'; did you mean 'otel_genai'\?"):
        arrival_columns(path, "otel_gen")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("deep.json", '[{"start": "2024-01-01", "end": "2024-01-02", "a": ' + '{"a":' * 900 + "1" + "}" * 901 + "]"),
        ("digits.jsonl", '{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "²", "attributes": '
         '[{"key": "gen_ai.request.model", "value": {"intValue": "' + "9" * 9999 + '"}}]}]}]}]}'),
        ("span.atom", _atom("began at 2024-99-99 01:00 and ended at 2024-01-01 02:00")),
        ("encoding.rss", _rss().replace("UTF-8", "UTo-8")),
        ("half.json", json.dumps(STATUS_PAGE | {"page": {"name": "\ud800"}})),
        ("day.rss", _rss("Jan 41, 01:00 UTC - Investigating")),
        ("year.rss", _rss("Jan 1, 0001, 01:00 +09:00 Investigating")),
        ("published.rss", _rss(published="Mon, 99 Foo 99999 99:99:99 +9999")),
    ],
)  # fmt: skip
def test_nonsense_is_refused_in_words_or_read(tmp_path: Path, name: str, content: str) -> None:
    path = _written(tmp_path, name, content)
    for read in (read_history, incident_columns, arrival_columns):
        with suppress(RecordedFileError):
            read(path)


def test_a_status_is_looked_at_beside_columns_that_are_named(tmp_path: Path) -> None:
    still = STATUS_PAGE["incidents"][0] | {"id": "a2", "status": "monitoring", "resolved_at": None}
    path = _written(tmp_path, "incidents.json", {"incidents": [*STATUS_PAGE["incidents"], still]})
    history = read_history(path, columns=["start=started_at,end=resolved_at,id=incident_id"])
    assert [incident.end_s == float("inf") for incident in history.incidents] == [False, True]
