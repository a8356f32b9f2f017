"""Recorded incidents and arrivals as seconds of a run; every bad row is told with its place."""

import json
import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from des.files import RecordedFileError, read_arrivals, read_incidents
from des.files.formats import read_columns

ORIGIN = datetime(2024, 1, 1, tzinfo=UTC)
NAMES = {"start": "from", "end": "to"}


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


# Incidents


def test_incident_windows_are_seconds_after_the_origin_sorted_by_start(write: Any) -> None:
    path = write(
        "a.csv",
        "from,to,level\n"
        "2024-01-02T00:00:00Z,2024-01-02T01:00:00Z,2\n"
        "2024-01-01 00:00:10,2024-01-01 00:00:20.5,1\n"
        "2023-12-31T23:00:00+00:00,2024-01-01T02:30:00+02:00,3\n",
    )
    rows = read_incidents(path, **NAMES, severity="level", origin=ORIGIN)
    assert rows.start_s.tolist() == [-3600.0, 10.0, 86400.0]
    assert rows.end_s.tolist() == [1800.0, 20.5, 90000.0]
    assert rows.severity == ("3", "1", "2")
    assert rows.start_s.dtype == rows.end_s.dtype == np.float64


def test_an_origin_may_be_naive_or_of_another_zone(write: Any) -> None:
    path = write("a.csv", "from,to\n2024-01-01T00:00:00Z,2024-01-01T00:01:00Z\n")
    naive = read_incidents(path, **NAMES, origin=datetime(2024, 1, 1))
    east = read_incidents(path, **NAMES, origin=datetime(2024, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))))
    assert naive.start_s[0] == east.start_s[0] == 0.0
    assert naive.severity == ("",)


def test_numbers_are_seconds_as_they_are(write: Any) -> None:
    path = write("a.csv", "from,to\n0.25,10\n-5,3\n")
    for origin in (None, ORIGIN):
        rows = read_incidents(path, **NAMES, origin=origin)
        assert rows.start_s.tolist() == [-5.0, 0.25]
        assert rows.end_s.tolist() == [3.0, 10.0]


def test_where_keeps_matching_rows_and_bad_rows_outside_of_it_do_no_harm(write: Any) -> None:
    path = write("a.csv", "from,to,who,what\n0,1,a,x\nnonsense,2,b,x\n3,4,a,y\n5,6,a,z\n")
    rows = read_incidents(path, **NAMES, where={"who": ["a"], "what": ["x", "z"]})
    assert rows.start_s.tolist() == [0.0, 5.0]


def test_windows_of_no_length_are_dropped(write: Any) -> None:
    rows = read_incidents(write("a.csv", "from,to\n5,5\n1,2\n"), **NAMES)
    assert rows.start_s.tolist() == [1.0]
    with pytest.raises(RecordedFileError, match="all incidents have zero length"):
        read_incidents(write("b.csv", "from,to\n5,5\n"), **NAMES)


@pytest.mark.parametrize("suffix", ["jsonl", "ndjson", "json", "parquet"])
def test_every_format_gives_the_same_windows(write: Any, tmp_path: Path, suffix: str) -> None:
    rows = [
        {"from": "2024-01-02T00:00:00.123456Z", "to": "2024-01-02T01:00:00Z", "level": 2, "open": True},
        {"from": "2024-01-01T00:00:10Z", "to": "2024-01-01T00:00:20Z", "level": 1, "open": True},
        {"from": "2024-01-01T00:00:11Z", "to": "2024-01-01T00:00:20Z", "level": 1, "open": False},
    ]
    path = tmp_path / f"a.{suffix}"
    if suffix == "parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("\n\n".join(json.dumps(row) for row in rows) + "\n")
    read = read_incidents(path, **NAMES, severity="level", where={"open": ["true"], "level": ["1", "2"]}, origin=ORIGIN)
    assert read.start_s.tolist() == [10.0, 86400.123456]
    assert read.severity == ("1", "2")


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_parquet_timestamps_of_every_unit_and_zone_are_the_same_instant(
    tmp_path: Path, unit: str, zone: str | None
) -> None:
    per_s = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    epoch = int(ORIGIN.timestamp())
    kind = pa.timestamp(unit, zone)
    table = pa.table(
        {"from": pa.array([(epoch + 60) * per_s], kind), "to": pa.array([(epoch + 120) * per_s], kind)},
    )
    parquet.write_table(table, tmp_path / "a.parquet")
    rows = read_incidents(tmp_path / "a.parquet", **NAMES, origin=ORIGIN)
    assert (rows.start_s[0], rows.end_s[0]) == (60.0, 120.0)


# Arrivals


def test_timestamps_are_exact_to_the_hundredth_of_a_microsecond(write: Any) -> None:
    path = write(
        "a.csv",
        "t,in,out\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,396,109\n"
        "2023-11-16 18:15:46.6805901,1,2\n",
    )
    rows = read_arrivals(path, time="t", input_tokens="in", output_tokens="out")
    assert rows.arrival_s.tolist() == [0.0, 1e-7, 4.314579]
    assert rows.input_tokens is not None
    assert rows.output_tokens is not None
    assert rows.input_tokens.tolist() == [374, 1, 396]
    assert rows.output_tokens.tolist() == [44, 2, 109]
    assert rows.input_tokens.dtype == np.int64


def test_whole_seconds_and_fractions_a_century_apart_keep_their_microseconds(write: Any) -> None:
    path = write("a.csv", "t\n1901-01-01T00:00:00Z\n2001-01-01T00:00:00.000001Z\n")
    whole = (datetime(2001, 1, 1) - datetime(1901, 1, 1)).total_seconds()
    assert read_arrivals(path, time="t").arrival_s[1] == whole + 1e-6


def test_rows_of_the_same_time_keep_the_order_of_the_file(write: Any) -> None:
    path = write("a.csv", "t,n\n5,1\n3,2\n5,3\n3,4\n5,5\n")
    rows = read_arrivals(path, time="t", input_tokens="n")
    assert rows.arrival_s.tolist() == [0.0, 0.0, 2.0, 2.0, 2.0]
    assert rows.input_tokens is not None
    assert rows.input_tokens.tolist() == [2, 4, 1, 3, 5]
    assert rows.output_tokens is None


@pytest.mark.parametrize(
    ("unit", "seconds"),
    [(None, 1.0), ("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9), ("min", 60.0), ("h", 3600.0), ("d", 86400.0)],
)
def test_numbers_are_in_the_unit_given(write: Any, unit: str | None, seconds: float) -> None:
    path = write("a.csv", "t\n1000\n1007\n")
    assert read_arrivals(path, time="t", unit=unit).arrival_s.tolist() == [
        0.0,
        pytest.approx(7 * seconds, rel=1e-15, abs=0),
    ]
    path = write("b.csv", "t\n0.5\n2\n")
    assert read_arrivals(path, time="t", unit=unit).arrival_s.tolist() == [
        0.0,
        pytest.approx(1.5 * seconds, rel=1e-15, abs=0),
    ]


def test_epoch_nanoseconds_lose_nothing(write: Any) -> None:
    path = write("a.csv", "t\n1700000000000000001\n1700000000000000002\n")
    assert read_arrivals(path, time="t", unit="ns").arrival_s.tolist() == [0.0, 1e-9]


def test_quotes_byte_order_marks_and_blank_lines_are_csv_too(write: Any) -> None:
    path = write("a.csv", '\ufefft,text,n\r\n1,"a, ""b""\nc",7\r\n\r\n2,d,8\r\n')
    rows = read_arrivals(path, time="t", input_tokens="n")
    assert rows.input_tokens is not None
    assert rows.input_tokens.tolist() == [7, 8]


def test_the_format_can_be_named_where_the_suffix_says_nothing(write: Any) -> None:
    path = write("a.log", "t\n1\n2\n")
    assert len(read_arrivals(path, time="t", format="csv").arrival_s) == 2


def test_dictionaries_and_small_types_of_parquet_are_read(tmp_path: Path) -> None:
    table = pa.table(
        {
            "t": pa.array([1.5, 2.5], pa.float32()),
            "n": pa.array([3, 4], pa.uint16()),
            "m": pa.array([3.0, 4.0]),
            "who": pa.array(["a", "b"]).dictionary_encode(),
            "tags": pa.array([["x"], ["y"]]),
        }
    )
    parquet.write_table(table, tmp_path / "a.parquet")
    rows = read_arrivals(tmp_path / "a.parquet", time="t", input_tokens="n", output_tokens="m", where={"who": ["b"]})
    assert rows.input_tokens is not None
    assert rows.output_tokens is not None
    assert (rows.input_tokens.tolist(), rows.output_tokens.tolist()) == ([4], [4])
    with pytest.raises(RecordedFileError, match="'tags' has list"):
        read_arrivals(tmp_path / "a.parquet", time="t", input_tokens="tags")


# What cannot be read


ARRIVALS = {"time": "t", "input_tokens": "n"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("t,n\n", "has no rows"),
        ("when,n\n1,2\n", "no column 't'; there are: when, n"),
        ("t,t,n\n1,1,2\n", "column 't' is 2 times"),
        ("t,n\n1,2\n2,3,4\n3\n", r"a.csv:3: has 3 cells, the header 2 \(and 1 more bad row\)"),
        ("t,n\n3\n1,2,4\n", r"a.csv:2: has 1 cell, the header 2 \(and 1 more bad row\)$"),
        (
            "t,n\n1,2\n2,3,4\n5,x\n\n3\nsoon,1\n6,y\n",
            r"^\S*a.csv:3: has 3 cells, the header 2 \(and 1 more bad row\); "
            r"\S*a.csv:4: n 'x' is not a number \(and 1 more bad row\); "
            r"\S*a.csv:7: t 'soon' is not a timestamp or a number$",
        ),
        ("t,m\n1,2\n2,3,4\n", r"^\S*a.csv: no column 'n'"),
        ("t,n\n1,2\n,3\n", "a.csv:3: t is missing"),
        ("t,n\n1,2\nsoon,3\n", "a.csv:3: t 'soon' is not a timestamp or a number"),
        ("t,n\n1,2\nnan,3\n", "a.csv:3: t 'nan' is not a finite number"),
        ("t,n\n-1,2\n2,3\n", "a.csv:2: t '-1' is negative"),
        ("t,n\n1,2\n2,\n3,\n4,5\n", r"a.csv:3: n is missing \(and 1 more bad row\)"),
        ("t,n\n1,NaN\n", "a.csv:2: n 'NaN' is not a finite number"),
        ("t,n\n1,2.5\n", "a.csv:2: n '2.5' is not a whole number"),
        ("t,n\n1,-2\n", "a.csv:2: n '-2' is negative"),
        ("t,n\n1,many\n", "a.csv:2: n 'many' is not a number"),
        ("t,n\n1,3000000000\n", "a.csv:2: n '3000000000' is over 2147483647"),
        ("t,n\n2024-01-01,2\n2024-02-30,3\n", "a.csv:3: t '2024-02-30' is not a timestamp"),
        ("t,n\n2024-01-01,2\n5,3\n", "a.csv:3: t '5' is not a timestamp"),
        ("t,n\n2024-01-01T25:00:00Z,2\n2024-01-01,2\n", "a.csv:2: t '2024-01-01T25:00:00Z' is not a timestamp"),
        ('t,n\n1,2\n\n"2\n",x\n', "a.csv:4: n 'x' is not a number"),  # a quoted line break and a blank line
        (b"t,n\n1,\xff\n", "not UTF-8|no csv"),
        (b"PAR1\x00\xff\xfe", "not UTF-8"),
    ],
)
def test_a_bad_csv_is_refused_with_its_line(write: Any, content: str | bytes, message: str) -> None:
    with pytest.raises(RecordedFileError, match=message) as refused:
        read_arrivals(write("a.csv", content), **ARRIVALS)
    assert "\n" not in str(refused.value)


def test_the_first_row_of_each_fault_is_named_and_the_others_counted(write: Any) -> None:
    path = write("a.csv", "t,n\n1,2\n2,x\nsoon,y\n4,5\nlater,6\n8,z\n9,\n7,zz\n")
    with pytest.raises(RecordedFileError) as refused:
        read_arrivals(path, **ARRIVALS)
    assert str(refused.value) == "; ".join(
        [
            f"{path}:3: n 'x' is not a number (and 2 more bad rows)",
            f"{path}:4: t 'soon' is not a timestamp or a number (and 1 more bad row)",
            f"{path}:8: n is missing",
        ]
    )


def test_short_rows_hide_nothing_else_that_is_wrong_with_a_file(write: Any) -> None:
    path = write("a.csv", "from,to,who\n1,2,a\n3\n9,8,a\n")
    with pytest.raises(RecordedFileError, match=r"a.csv:3: has 1 cell, the header 3; \S*a.csv:4: to '8' is before"):
        read_incidents(path, **NAMES)
    with pytest.raises(RecordedFileError, match=r"a.csv:3: has 1 cell, the header 3; \S*: no row left where 'who'"):
        read_incidents(path, **NAMES, where={"who": ["b"]})
    with pytest.raises(RecordedFileError, match=r"a.csv:3: has 1 cell, the header 3$"):
        read_incidents(write("a.csv", "from,to,who\n1,2,a\n3\n"), **NAMES, where={"who": ["a"]})


def test_many_short_rows_of_a_long_file_are_counted_and_the_others_placed(write: Any) -> None:
    rows = [f"{number},{'x' if number == 199_990 else 1}" if number % 1000 else "7" for number in range(200_000)]
    path = write("a.csv", "t,n\n" + "\n".join(rows) + "\n")
    with pytest.raises(RecordedFileError) as refused:
        read_arrivals(path, **ARRIVALS)
    assert str(refused.value) == (
        f"{path}:2: has 1 cell, the header 2 (and 199 more bad rows); {path}:199992: n 'x' is not a number"
    )


def test_whoever_reads_columns_alone_is_given_no_file_with_broken_rows(write: Any) -> None:
    with pytest.raises(RecordedFileError, match=r"a.csv:3: has 1 cell, the header 2$"):
        read_columns(write("a.csv", "t,n\n1,2\n3\n"), ["t"], None)
    with pytest.raises(RecordedFileError, match=r"a.jsonl:2: is not a JSON object"):
        read_columns(write("a.jsonl", '{"t": 1}\n3\n'), ["t"], None)


def test_rows_are_named_by_their_line_in_the_file_when_where_leaves_some_out(write: Any) -> None:
    path = write("a.csv", "t,n,who\n1,2,a\n2,3,b\n3,x,b\n")
    with pytest.raises(RecordedFileError, match=r"a\.csv:4"):
        read_arrivals(path, **ARRIVALS, where={"who": ["b"]})


def test_no_row_left_says_what_the_column_holds(write: Any) -> None:
    path = write("a.csv", "t,n,who\n1,2,openai\n2,3,anthropic\n")
    with pytest.raises(RecordedFileError, match="no row left where 'who' is 'opnai'; it has 'anthropic', 'openai'"):
        read_arrivals(path, **ARRIVALS, where={"who": ["opnai"]})
    with pytest.raises(RecordedFileError, match="no column 'Who'; did you mean 'who'"):
        read_arrivals(path, **ARRIVALS, where={"Who": ["openai"]})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[\n", "a.jsonl:1: is not a JSON object"),
        ('{"t": 1}\n{"t": ' + "[" * 200_000, "a.jsonl:2: is not a JSON object"),
        ('{"t": 1}\n{"t": "\\ud800"}\n', "a.jsonl:2: contains a lone surrogate"),
        ('{"t": 1, "n": 2}\n{"t": 2, "n"\n[1]\n', r"a.jsonl:2: is not a JSON object.*\(and 1 more bad row\)"),
        (
            '{"t": 1, "n": 2}\n7\n{"t": 2, "n": "x"}\n{"t": 3}\n',
            r"a.*:2: is not a JSON object; expected .*; \S*a.*:3: n 'x' is not a number; \S*a.*:4: n is missing$",
        ),
        ('{"t": 1}\n7\n', r"a.jsonl:2: is not a JSON object; expected .*; \S*: no column 'n'"),
        ("7\n", r"a.jsonl:1: is not a JSON object"),
        ('{"t": 1, "n": 2}\n\n{"t": 2}\n', "a.jsonl:3: n is missing"),
        ('{"t": 1, "n": 2}\n{"t": 2, "n": null}\n', "a.jsonl:2: n is missing"),
        ('{"t": 1, "n": NaN}\n', "a.jsonl:1: n 'nan' is not a finite number"),
        ('{"t": true, "n": 2}\n', "a.jsonl:1: t 'true' is not a timestamp or a number"),
        ('{"t": 1, "n": [2]}\n', "a.jsonl:1: n '\\[2\\]' is not a number"),
        ('{"t": 1, "m": 2}\n', "no column 'n'; there are: t, m"),
        ("\n", "has no rows"),
    ],
)
def test_bad_json_lines_are_refused_with_their_line(write: Any, content: str, message: str) -> None:
    with pytest.raises(RecordedFileError, match=message):
        read_arrivals(write("a.jsonl", content), **ARRIVALS)


def test_a_bad_parquet_file_is_refused_with_its_row(write: Any, tmp_path: Path) -> None:
    with pytest.raises(RecordedFileError, match="is not a parquet file"):
        read_arrivals(write("a.parquet", "t,n\n1,2\n"), **ARRIVALS)
    table = pa.table({"t": [1.0, 2.0, None], "n": pa.array([1.0, float("nan"), 3.0])})
    parquet.write_table(table, tmp_path / "b.parquet")
    with pytest.raises(RecordedFileError, match=r"b.parquet: row 2: n 'nan' is not a finite.*row 3: t is missing"):
        read_arrivals(tmp_path / "b.parquet", **ARRIVALS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("from,to\n1,2\n5,4\n7,6\n", r"a.csv:3: to '4' is before from '5' \(and 1 more bad row\)"),
        ("from,to\n2024-01-01,2024-01-02\n2024-01-02,\n", "a.csv:3: to is missing"),
        ("from,to\n2024-01-01,5\n", "one of 'from' and 'to' has timestamps, the other numbers"),
        ("start,to\n1,2\n", "no column 'from'"),
    ],
)
def test_bad_incidents_are_refused_with_their_line(write: Any, content: str, message: str) -> None:
    with pytest.raises(RecordedFileError, match=message):
        read_incidents(write("a.csv", content), **NAMES, origin=ORIGIN)


def test_timestamps_need_an_origin(write: Any) -> None:
    path = write("a.csv", "from,to\n2024-01-01,2024-01-02\n")
    with pytest.raises(RecordedFileError, match="give the scenario a `start:`"):
        read_incidents(path, **NAMES)


def test_what_is_no_file_or_format_is_refused(write: Any, tmp_path: Path) -> None:
    with pytest.raises(RecordedFileError, match="no such file"):
        read_arrivals(tmp_path / "none.csv", time="t")
    with pytest.raises(RecordedFileError, match="is a folder"):
        read_arrivals(tmp_path, time="t", format="csv")
    with pytest.raises(RecordedFileError, match="unknown format"):
        read_arrivals(write("a.xlsx", "t\n1\n"), time="t")
    with pytest.raises(RecordedFileError, match="unknown format 'excel'"):
        read_arrivals(write("a.csv", "t\n1\n"), time="t", format="excel")
    with pytest.raises(RecordedFileError, match="unknown unit 'sec'"):
        read_arrivals(write("a.csv", "t\n1\n"), time="t", unit="sec")


def test_a_status_page_is_replayed_by_the_columns_of_its_incidents(write: Any) -> None:
    page = {
        "page": {"name": "Acme"},
        "incidents": [
            {"id": "x1", "started_at": "2024-01-01T01:00:00Z", "resolved_at": "2024-01-01T02:00:00Z", "impact": "major"}
            | {"components": [{"name": "API"}, {"name": "Chat"}]},
        ],
    }
    path = write("incidents.json", json.dumps(page, indent=1))
    columns = {"start": "started_at", "end": "resolved_at", "severity": "impact_level"}
    rows = read_incidents(path, **columns, where={"service": ["API"]}, origin=ORIGIN)
    assert (rows.start_s.tolist(), rows.end_s.tolist(), rows.severity) == ([3600.0], [7200.0], ("major",))


# Real input


@pytest.fixture
def data() -> Path:
    folder = os.environ.get("DES_DATA")
    if not folder:
        pytest.skip("DES_DATA is unset: the recorded incidents and workloads are not here")
    return Path(folder)


def test_the_status_page_history_is_read_whole(data: Path) -> None:
    path = data / "incidents" / "status_page_incidents.csv"
    columns = {"start": "started_at", "end": "resolved_at", "severity": "impact_level"}
    every = read_incidents(path, **columns, origin=datetime(2021, 1, 1))
    assert 900 < len(every.start_s) <= 1009
    assert set(every.severity) == {"0", "1", "2", "3", "4"}
    openai = read_incidents(path, **columns, where={"provider": ["openai"], "service": ["api"]}, origin=ORIGIN)
    assert np.all(np.diff(openai.start_s) >= 0)
    # The published fit of its time to repair, in ln hours.
    log_hours = np.log((openai.end_s - openai.start_s) / 3600)
    assert log_hours.mean() == pytest.approx(0.248, abs=5e-4)
    assert log_hours.std() == pytest.approx(1.226, abs=5e-4)


def test_the_azure_conversations_are_read_whole(data: Path) -> None:
    path = data / "workloads" / "AzureLLMInferenceTrace_conv.csv"
    rows = read_arrivals(path, time="TIMESTAMP", input_tokens="ContextTokens", output_tokens="GeneratedTokens")
    assert len(rows.arrival_s) == 19366
    assert rows.arrival_s[:3].tolist() == [0.0, 4.314579, 4.541877]
    assert rows.arrival_s[-1] == pytest.approx(3501.7, abs=0.1)
    assert rows.input_tokens is not None
    assert np.median(rows.input_tokens) == 1020


def test_rows_are_placed_by_reading_the_file_once_more(write: Any) -> None:
    path = write("a.csv", 't,n\n1,2\n\n"3\n",4\n5,6\n')
    read = read_columns(path, ["t"], None)
    assert read.place(2) == f"{path}:6"
    path.unlink()
    assert [read.place(row) for row in (0, 1)] == [f"{path}:2", f"{path}:4"]
