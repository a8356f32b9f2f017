"""Histories in any of the forms they come in; every bad row is told."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from des.faults.calibration import ServiceHistory, service_histories
from des.files import History, RecordedFileError, read_history
from des.files.incident_rows import parse_columns

HEADER = "incident_id,provider,service,started_at,resolved_at,impact_level\n"
GOOD = "a,openai,api,2024-01-01T10:00:00Z,2024-01-01T11:30:00Z,2\n"
LATER = "b,openai,api,2024-01-03T10:00:00+02:00,2024-01-03T09:00:00Z,1\n"
JANUARY_S = 1_704_067_200.0


def _csv(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "history.csv"
    path.write_text(header + "".join(rows), encoding="utf-8")
    return path


def _services(path: Path, **options: Any) -> list[ServiceHistory]:
    return service_histories(read_history(path, **options))


def _refused(path: Path, **options: Any) -> str:
    with pytest.raises(RecordedFileError) as refused:
        read_history(path, **options)
    return str(refused.value)


def _is_the_same(history: History, other: History) -> None:
    for one, two in zip(service_histories(history), service_histories(other), strict=True):
        assert one.name == two.name
        assert one.start_s.tolist() == two.start_s.tolist()
        assert one.end_s.tolist() == two.end_s.tolist()
        assert one.severity == two.severity


def test_a_status_page_table_needs_no_naming(tmp_path: Path) -> None:
    (service,) = _services(_csv(tmp_path, LATER, GOOD))
    assert (service.provider, service.service, service.name) == ("openai", "api", "openai/api")
    assert (service.start_s - JANUARY_S).tolist() == [36_000.0, 2 * 86_400 + 28_800.0]
    assert (service.end_s - service.start_s).tolist() == [5400.0, 3600.0]
    assert service.severity == ("2", "1")
    assert service.incident_id == ("a", "b")
    assert (service.from_s, service.until_s) == (service.start_s[0], service.end_s[1])


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_any_columns_can_be_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"own.{suffix}"
    frame = pd.DataFrame(
        {
            "team": ["a", "a", "b"],
            "began": ["2024-01-01 00:00", "2024-01-02 00:00", "2024-02-01 06:00"],
            "over": ["2024-01-01 01:00", "2024-01-02 02:00", "2024-02-01 06:30"],
            "how_bad": [1, 2, 1],
        }
    )
    if suffix == "csv":
        frame.to_csv(path, index=False)
    elif suffix == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.assign(began=pd.to_datetime(frame.began), over=pd.to_datetime(frame.over, utc=True)).to_parquet(path)
    found = read_history(path, columns=["start=began, end=over", "service=team,severity=how_bad"])
    assert [service.name for service in service_histories(found)] == ["a", "b"]
    assert [len(service.start_s) for service in service_histories(found)] == [2, 1]
    assert (service_histories(found)[0].start_s - JANUARY_S).tolist() == [0.0, 86_400.0]
    assert service_histories(found)[0].severity == ("1", "2")


def test_without_a_service_column_the_file_is_the_service(tmp_path: Path) -> None:
    path = _csv(tmp_path, "2024-01-01,2024-01-02\n", header="from,to\n")
    (service,) = _services(path, columns=["start=from,end=to"])
    assert service.name == "history"


@pytest.mark.parametrize(("unit", "since"), [(1, 1_704_067_200), (1000, 1_704_067_200_000)])
def test_numbers_may_be_seconds_or_milliseconds_since_1970(tmp_path: Path, unit: int, since: int) -> None:
    path = _csv(tmp_path, f"{since},{since + 60 * unit}\n", header="start_s,end_s\n")
    found = read_history(path)
    assert not found.relative
    assert service_histories(found)[0].start_s.tolist() == [JANUARY_S]
    assert service_histories(found)[0].end_s.tolist() == [JANUARY_S + 60.0]


def test_the_incidents_of_a_run_are_placed_from_a_monday_on(tmp_path: Path) -> None:
    path = tmp_path / "as_modelled-0000.parquet"
    pd.DataFrame(
        {
            "component": pd.Categorical(["p", "p", "q"]),
            "start_s": [-30.0, 100.0, 200.0],
            "end_s": [60.0, 200.0, 300.0],
            "error_rate": [1.0, 1.0, 0.5],
        }
    ).to_parquet(path)
    found = read_history(path)
    assert found.relative
    assert [service.name for service in service_histories(found)] == ["p", "q"]
    monday = pd.Timestamp("1970-01-05", tz="UTC").timestamp()
    assert service_histories(found)[0].start_s.tolist() == [monday - 30.0, monday + 100.0]
    assert service_histories(found)[1].severity == ("0.5",)


def _page(**incident: Any) -> dict[str, Any]:
    return {
        "id": "x1",
        "name": "Errors",
        "status": "resolved",
        "created_at": "2024-01-01T10:00:00.000Z",
        "resolved_at": "2024-01-01T11:00:00.000-00:00",
        "impact": "major",
        "components": [{"name": "API"}, {"name": "Chat"}],
    } | incident


def _page_file(folder: Path, *incidents: dict[str, Any]) -> Path:
    path = folder / "incidents.json"
    path.write_text(json.dumps({"page": {"name": "Acme", "updated_at": None}, "incidents": incidents}))
    return path


def test_a_status_page_gives_a_row_for_each_component(tmp_path: Path) -> None:
    path = _page_file(
        tmp_path,
        _page(),
        _page(id="x2", started_at="2024-01-02T09:00:00Z", created_at="2024-01-02T09:30:00Z", impact="minor")
        | {"components": [{"name": "API"}], "resolved_at": "2024-01-02T10:00:00Z"},
    )
    api, chat = _services(path)
    assert (api.name, chat.name) == ("Acme/API", "Acme/Chat")
    assert (api.start_s - JANUARY_S).tolist() == [36_000.0, 86_400 + 32_400.0]
    assert api.severity == ("major", "minor")
    assert api.incident_id == ("x1", "x2")
    assert chat.incident_id == ("x1",)


def test_an_unresolved_incident_of_a_status_page_is_open_until_the_page_was_last_seen(tmp_path: Path) -> None:
    path = _page_file(
        tmp_path,
        _page(),
        _page(
            id="x2",
            status="monitoring",
            created_at="2024-01-05T00:00:00Z",
            resolved_at=None,
            updated_at="2024-01-05T06:00:00Z",
        ),
    )
    api, _ = _services(path)
    assert np.isinf(api.end_s).tolist() == [False, True]
    assert api.until_s == JANUARY_S + 4 * 86_400 + 6 * 3600
    assert api.durations_s()[0].tolist() == [3600.0, 6 * 3600.0]


def test_a_resolved_incident_without_an_end_is_a_bad_row(tmp_path: Path) -> None:
    said = _refused(_page_file(tmp_path, _page(resolved_at=None)))
    assert "incidents[0] (x1): the end is missing" in said


def test_an_incident_without_components_counts_for_the_page(tmp_path: Path) -> None:
    (service,) = _services(_page_file(tmp_path, _page(components=[])))
    assert service.name == "Acme"


BAD_ROWS = (
    "c,openai,api,,2024-01-05T11:00:00Z,2\n",
    "d,openai,api,2024-01-05T12:00:00Z,,2\n",
    "e,openai,api,2024-01-05T12:00:00Z,2024-01-05T11:00:00Z,2\n",
    "a,openai,api,2024-01-01T10:00:00Z,2024-01-01T11:30:00Z,2\n",
    "g,openai,api,yesterday,2024-01-05T11:00:00Z,2\n",
    "h,openai,api,2024-13-05T11:00:00Z,2024-01-05T11:00:00Z,2\n",
)
SAID = (
    ":3: the start is missing",
    ":4: the end is missing (if it is still open, use --open-ends)",
    ":5: the end 2024-01-05T11:00:00Z is before the start 2024-01-05T12:00:00Z",
    ":6: the same id 'a' and times of openai/api as in ",
    ":7: 'yesterday' is not a timestamp such as 2024-05-01T12:30:00Z",
    ":8: '2024-13-05T11:00:00Z' is not a timestamp such as 2024-05-01T12:30:00Z",
)


def test_every_bad_row_is_told_and_nothing_is_fitted(tmp_path: Path) -> None:
    path = _csv(tmp_path, GOOD, *BAD_ROWS, LATER)
    said = _refused(path).splitlines()
    for line, expected in zip(said, SAID, strict=False):
        assert line.startswith(f"{path}{expected}")
    assert said[-1] == "6 rows cannot be fitted; --skip-bad leaves them out"
    assert len(said) == 7


def test_bad_rows_are_skipped_when_asked_and_still_told(tmp_path: Path) -> None:
    found = read_history(_csv(tmp_path, GOOD, *BAD_ROWS, LATER), skip_bad=True)
    assert (len(found.incidents), len(found.skipped)) == (2, 6)
    _is_the_same(found, read_history(_csv(tmp_path, GOOD, LATER)))


def test_bad_rows_of_other_services_do_not_matter(tmp_path: Path) -> None:
    rows = [row.replace(",api,", ",chat,") for row in BAD_ROWS]
    assert len(read_history(_csv(tmp_path, GOOD, *rows), services=["openai/api"]).incidents) == 1


def test_missing_ends_are_open_incidents_when_asked(tmp_path: Path) -> None:
    (service,) = _services(_csv(tmp_path, GOOD, BAD_ROWS[1]), open_ends=True)
    assert np.isinf(service.end_s).tolist() == [False, True]
    assert service.until_s == service.start_s[1]


def test_many_bad_rows_are_counted_after_the_first_twenty(tmp_path: Path) -> None:
    said = _refused(
        _csv(tmp_path, *(f"x,openai,api,,2024-01-{day:02}\n,1".replace("\n,1", ",1\n") for day in range(1, 31)))
    )
    assert "(and 10 more)" in said
    assert "30 rows cannot be fitted" in said


def test_services_are_named_with_or_without_their_provider(tmp_path: Path) -> None:
    path = _csv(tmp_path, GOOD, LATER.replace("api", "chatgpt"), LATER.replace("openai", "anthropic"))
    assert [each.name for each in _services(path, services=["ChatGPT"])] == ["openai/chatgpt"]
    assert [each.name for each in _services(path, services=["api"])] == ["anthropic/api", "openai/api"]
    assert "no service 'chatgtp'; did you mean 'chatgpt'?" in _refused(path, services=["chatgtp"])


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["start"], "expected pairs such as start=started_at,end=resolved_at"),
        (["begin=a,end=b"], "unknown role 'begin'; there are: start, end"),
        (["start=a"], "needs at least start=... and end=..."),
        (["start=a,end=b,start=c"], "start is given twice"),
    ],
)
def test_columns_that_make_no_sense_are_refused(columns: list[str], said: str) -> None:
    with pytest.raises(RecordedFileError, match=re.escape(said)):
        parse_columns(columns)


def test_a_file_that_says_nowhere_when_is_refused_with_its_columns(tmp_path: Path) -> None:
    said = _refused(_csv(tmp_path, "1,2\n", header="from,to\n"))
    assert "--columns start=...,end=..." in said
    assert "'from', 'to'" in said


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("gone.csv", None, "no such file"),
        ("history.csv", "", "is empty"),
        ("history.json", "", "is empty"),
        ("history.json", '{"incidents": [\n {"id": "a", "started_at": "20', "json:2:28: the JSON is truncated"),
        ("history.json", '{"incidents": [\n {"id": "a", "resolved_at": nul', "json:2:29: the JSON is truncated"),
        ("history.json", '{"incidents": [1 2]}', "json:1:18: is not JSON: expecting ',' delimiter"),
        ("history.json", "[" * 100_000, "nested too deeply"),
        ("history.jsonl", "[1]", "jsonl:1: is not a JSON object"),
        ("history.csv", HEADER, "has no rows"),
        ("history.txt", "x", "unknown format: the name ends"),
        ("history.parquet", "x", "is not a parquet file"),
        ("history.json", "{}", "has no list of `incidents`"),
        ("history.json", '{"incidents": [3]}', "is not a valid incident"),
        ("history.json", '{"incidents": []}', "has no incidents"),
        ("history.jsonl", "x", "jsonl:1: is not a JSON object"),
    ],
)
def test_what_is_no_history_is_refused_in_words(tmp_path: Path, name: str, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    assert said in _refused(tmp_path / name)
    assert "is a folder" in _refused(tmp_path)


# Which column is which


def _records(folder: Path, name: str, *records: dict[str, Any]) -> Path:
    path = folder / name
    path.write_text(json.dumps(records))
    return path


OPENED = {"opened_at": "2024-01-01T10:00:00Z", "resolved_at": "2024-01-01T11:00:00Z"}


def test_fields_that_may_be_start_end_service_and_severity_are_recognised(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text(json.dumps({"incidents": [OPENED | {"component_name": "api", "raw_severity": "major_outage"}]}))
    (service,) = _services(path)
    assert (service.name, service.severity) == ("api", ("major_outage",))
    assert (service.end_s - service.start_s).tolist() == [3600.0]


@pytest.mark.parametrize(
    ("start", "end"), [("Start Time", "End Time"), ("startedAt", "closedAt"), ("start_timestamp", "close_timestamp")]
)
def test_names_are_read_in_any_spelling(tmp_path: Path, start: str, end: str) -> None:
    path = _csv(tmp_path, "2024-01-01,2024-01-02\n", header=f"{start},{end}\n")
    (service,) = _services(path)
    assert (service.end_s - service.start_s).tolist() == [86_400.0]


def test_the_first_field_that_holds_anything_is_the_end(tmp_path: Path) -> None:
    (service,) = _services(_records(tmp_path, "own.json", OPENED | {"resolved_at": None, "closed_at": "2024-01-02"}))
    assert (service.end_s - service.start_s).tolist() == [14 * 3600.0]


def test_a_record_without_status_and_end_is_a_bad_row_that_names_other_fields(tmp_path: Path) -> None:
    path = _records(tmp_path, "own.json", OPENED | {"resolved_at": None, "mitigated": "2024-01-01T10:30:00Z"})
    assert _refused(path).splitlines() == [
        f"{path}: [0]: the end is missing (if it is still open, use --open-ends)",
        "1 row cannot be fitted; --skip-bad leaves them out",
        "the end was read from 'resolved_at'; times are also in 'mitigated': --columns start=opened_at,end=...",
    ]
    (service,) = _services(path, columns=["start=opened_at,end=mitigated"])
    assert (service.end_s - service.start_s).tolist() == [1800.0]


@pytest.mark.parametrize(("status", "is_open"), [("open", True), ("In Progress", True), ("closed", False), ("", False)])
def test_a_status_says_whether_a_missing_end_is_an_open_one(tmp_path: Path, status: str, is_open: bool) -> None:
    path = _csv(tmp_path, f"2024-01-01,2024-01-02,closed\n2024-02-01,,{status}\n", header="start,end,state\n")
    if is_open:
        (service,) = _services(path)
        assert np.isinf(service.end_s).tolist() == [False, True]
    else:
        assert ":3: the end is missing" in _refused(path)


def test_an_unknown_end_is_asked_for_with_the_columns_that_hold_times(tmp_path: Path) -> None:
    path = _csv(tmp_path, "2024-01-01,2024-01-02,7\n", header="start,mitigated,count\n")
    said = _refused(path)
    assert "--columns start=...,end=..." in said
    assert said.endswith("(there are: 'start', 'mitigated', 'count'); times are in 'start', 'mitigated'")


def test_columns_can_be_named_in_any_list_of_records_nested_ones_too(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    record = {"at": {"from": "2024-01-01T10:00:00Z", "to": "2024-01-01T11:00:00Z"}, "team": {"name": "a"}}
    path.write_text(json.dumps({"total": 1, "data": [record]}))
    (service,) = _services(path, columns=["start=at.from,end=at.to,service=team.name"])
    assert (service.name, (service.end_s - service.start_s).tolist()) == ("a", [3600.0])


# Which rows are incidents


def test_incidents_of_equal_times_with_different_ids_are_no_bad_rows(tmp_path: Path) -> None:
    (service,) = _services(_csv(tmp_path, GOOD, GOOD.replace("a,", "z,", 1)))
    assert service.incident_id == ("a", "z")
    without_ids = _csv(tmp_path, "2024-01-01,2024-01-02\n" * 2, header="start,end\n")
    assert ":3: the same times of history as in" in _refused(without_ids)


def test_maintenance_and_notices_are_left_out_and_said_so_unless_asked_for(tmp_path: Path) -> None:
    path = _page_file(
        tmp_path,
        _page(),
        _page(id="x2", impact="none", created_at="2024-01-03T10:00:00Z", resolved_at="2024-01-03T11:00:00Z"),
        _page(id="x3", impact="maintenance", created_at="2024-01-04T10:00:00Z", resolved_at="2024-01-04T11:00:00Z"),
    )
    found = read_history(path)
    assert {incident.severity for incident in found.incidents} == {"major"}
    told = "2 of severity 'maintenance', 2 of severity 'none'"
    assert found.remarks == (
        f"left out because they are not failures: {told}; choose severities by --severity, or all",
    )
    assert len(read_history(path, severities=["all"]).incidents) == 6
    asked = read_history(path, severities=["None,major"])
    assert [incident.severity for incident in asked.incidents] == ["major", "major", "none", "none"]
    assert asked.remarks == ()
    assert "no incident of severity minor; there are: maintenance, major, none" in _refused(path, severities=["minor"])


def test_where_keeps_rows_by_any_column_its_values_being_alternatives(tmp_path: Path) -> None:
    rows = "".join(f"2024-0{month}-01,2024-0{month}-02,{region},x\n" for month, region in enumerate("aabc", 1))
    path = _csv(tmp_path, rows, header="start,end,region,what\n")
    assert len(read_history(path, where=["region=a", "region=b", "what=x"]).incidents) == 3
    assert "no row left where 'region' is 'z'" in _refused(path, where=["region=z"])
    assert "--where 'region': expected a column and its value" in _refused(path, where=["region"])


WIDE = "incident_id,start_timestamp,close_timestamp,API,Chat.app,resolved_flag\n"


def test_columns_of_flags_are_services(tmp_path: Path) -> None:
    rows = (
        "a,2024-01-01 00:00:00+00:00,2024-01-01 01:00:00+00:00,1,1,1\n",
        "b,2024-01-02,2024-01-03,0,1,1\n",
        "c,2024-01-04,2024-01-05,0,0,1\n",
    )
    path = _csv(tmp_path, *rows, header=WIDE)
    found = read_history(path, flags=["API,Chat.app"])
    assert [(incident.service, incident.id) for incident in found.incidents] == [
        ("API", "a"),
        ("Chat.app", "a"),
        ("Chat.app", "b"),
    ]
    assert found.remarks == ("1 row left out, in which none of API, Chat.app is 1",)
    assert read_history(path).remarks == (
        "all rows count as one service; columns of 0 and 1 may be services: --flags API,Chat.app",
    )
    assert "no column 'Api'; did you mean 'API'?" in _refused(path, flags=["Api"])
    broken = _csv(tmp_path, "a,2024-01-01,2024-01-02,7,1,1\n", header=WIDE)
    assert ":2: API '7' is not a flag (0 or 1)" in _refused(broken, flags=["API"])


STAGES = "Identified At,started_at,investigating_at,resolved_at,monitoring_at\n"


def test_stages_out_of_order_make_a_bad_row(tmp_path: Path) -> None:
    sound = "2024-01-01 00:10,2024-01-01,2024-01-01 00:05,2024-01-01 01:00,\n"
    before = "2024-02-01,2024-02-01,2024-02-01 00:05,2024-02-01 01:00,\n"
    after = "2024-03-01 00:10,2024-03-01,2024-03-01 00:05,2024-03-01 01:00,2024-03-01 02:00\n"
    path = _csv(tmp_path, sound, before, after, header=STAGES)
    said = _refused(path)
    assert ":3: Identified At 2024-02-01 is before investigating_at 2024-02-01 00:05" in said
    assert ":4: resolved_at 2024-03-01 01:00 is before monitoring_at 2024-03-01 02:00" in said
    assert len(read_history(path, skip_bad=True).incidents) == 1
    assert len(read_history(path, columns=["start=started_at,end=resolved_at"]).incidents) == 3


def test_a_share_of_failing_calls_may_stand_in_each_row(tmp_path: Path) -> None:
    header = "start,end,failing\n"
    path = _csv(tmp_path, "2024-01-01,2024-01-02,10%\n", "2024-02-01,2024-02-04,0.3\n", header=header)
    (service,) = _services(path, columns=["start=start,end=end,error_rate=failing"])
    assert service.mean_error_rate() == pytest.approx((0.1 + 3 * 0.3) / 4)
    bad = _csv(tmp_path, "2024-01-01,2024-01-02,35\n", header=header)
    said = _refused(bad, columns=["start=start,end=end,error_rate=failing"])
    assert ":2: failing '35' is not a share from 0 to 1 (35 % is 0.35 or 35%)" in said
