import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from des.errors import RunError
from des.traces.schemas import ATTEMPTS, REQUESTS, ROWS_PER_GROUP, TABLES

sys.path.insert(0, str(Path(__file__).parent))
import rows


def parts(block: rows.Block, *cuts: int) -> list[rows.Block]:
    edges = [0, *cuts, len(next(iter(block.values())))]
    return [{name: column[low:high] for name, column in block.items()} for low, high in pairwise(edges)]


def test_every_field_has_a_description_and_every_time_and_sum_its_unit() -> None:
    for table, schema in TABLES.items():
        assert b"description" in schema.metadata, table
        for field in schema:
            assert b"description" in field.metadata, (table, field.name)
            suffix = field.name.rsplit("_", 1)[-1]
            expected = {"s": b"s", "usd": b"USD", "tokens": b"token"}.get(suffix)
            assert expected is None or field.metadata[b"unit"] == expected, (table, field.name)
    assert REQUESTS.field("input_tokens").metadata[b"otel"] == b"gen_ai.usage.input_tokens"
    assert ATTEMPTS.field("http_status").metadata[b"otel"] == b"http.response.status_code"
    assert REQUESTS.field("output_tokens").metadata[b"description"].endswith(b"0 if the request was not served")
    for table, schema in TABLES.items():
        assert b"sorted by" in schema.metadata[b"description"], table


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    block = rows.attempts(1000)
    trace = rows.writer(tmp_path, "attempts")
    trace.append(block)
    written = trace.close()
    table = pq.read_table(tmp_path / written.name)
    assert table.schema.remove_metadata().equals(ATTEMPTS.remove_metadata(), check_metadata=False)
    assert written.rows == table.num_rows == 1000
    assert table.schema.metadata[b"scenario"] == b'{"title": "two peers"}'
    assert table.schema.field("start_s").metadata[b"unit"] == b"s"
    frame = table.to_pandas()
    names = rows.NAMES["attempts"]
    for column in ("leg", "provider", "model", "kind", "outcome", "cause"):
        expected = [names[column][code] if code >= 0 else None for code in block[column]]
        assert frame[column].astype(object).where(frame[column].notna(), None).tolist() == expected, column
        assert tuple(frame[column].cat.categories) == names[column]
    for column in ("request_id", "http_status", "cause_id"):
        assert frame[column].isna().to_numpy().tolist() == (block[column] < 0).tolist()
        assert frame[column].fillna(-1).astype(int).tolist() == block[column].tolist()
    for column in ("start_s", "end_s", "retry_after_s", "cost_usd", "input_tokens", "attempt"):
        np.testing.assert_array_equal(frame[column].to_numpy(), block[column])
    assert (frame["arm"] == "as_modelled").all()
    assert (frame["replication"] == 0).all()


def test_incidents_and_transitions_come_back_as_they_were_written(tmp_path: Path) -> None:
    for table, block in (("incidents", rows.incidents()), ("transitions", rows.transitions())):
        trace = rows.writer(tmp_path, table, "primary_only", 3)
        trace.append(block)
        assert trace.close().name == f"{table}/primary_only-0003.parquet"
    incidents = pq.read_table(tmp_path / "incidents").to_pylist()
    assert [row["endpoints"] for row in incidents] == [["anthropic/claude-sonnet-4-6", "openai/gpt-5-mini"], []]
    assert incidents[0]["kills_in_flight"] is True
    assert incidents[1]["kind"] == "schedule"
    transitions = pq.read_table(tmp_path / "transitions").to_pylist()
    assert [(row["from"], row["to"]) for row in transitions] == [(None, "down"), ("down", "up")]


def test_bytes_do_not_depend_on_the_blocks_that_rows_arrive_in(tmp_path: Path) -> None:
    count = 2 * ROWS_PER_GROUP + 77
    block = rows.attempts(count)
    digests = set()
    for run, cuts in enumerate([(), (1, 2, ROWS_PER_GROUP + 5), (ROWS_PER_GROUP, 2 * ROWS_PER_GROUP)]):
        trace = rows.writer(tmp_path / str(run), "attempts")
        for part in parts(block, *cuts):
            trace.append(part)
        written = trace.close()
        digests.add((written.sha256, written.bytes, written.rows))
    assert len(digests) == 1
    metadata = pq.read_metadata(tmp_path / "0" / "attempts" / "as_modelled-0000.parquet")
    assert [metadata.row_group(group).num_rows for group in range(3)] == [ROWS_PER_GROUP, ROWS_PER_GROUP, 77]


def test_each_column_is_packed_by_what_it_holds(tmp_path: Path) -> None:
    """Names and money as codes, integers in small steps as differences, other floats split by bytes."""
    for table, some in (("requests", rows.requests(1000)), ("attempts", rows.attempts(1000))):
        trace = rows.writer(tmp_path, table)
        trace.append(some)
        group = pq.read_metadata(tmp_path / trace.close().name).row_group(0)
        for index, field in enumerate(TABLES[table]):
            column = group.column(index)
            assert column.compression == "ZSTD"
            few = pa.types.is_dictionary(field.type) or field.name.endswith("_usd")
            assert column.has_dictionary_page == few, field.name
            split = pa.types.is_floating(field.type) and not few
            assert ("BYTE_STREAM_SPLIT" in column.encodings) == split, field.name
            if field.name in {"request_id", "attempt", "attempts", "chain_position", "cause_id", "output_tokens"}:
                assert "DELTA_BINARY_PACKED" in column.encodings, field.name


def test_statistics_are_kept_of_what_rows_and_files_are_sorted_by(tmp_path: Path) -> None:
    trace = rows.writer(tmp_path, "requests")
    trace.append(rows.requests(1000))
    group = pq.read_metadata(tmp_path / trace.close().name).row_group(0)
    with_statistics = {field.name for index, field in enumerate(REQUESTS) if group.column(index).is_stats_set}
    assert with_statistics == {"arm", "replication", "request_id", "arrival_s", "end_s"}
    assert group.column(REQUESTS.get_field_index("request_id")).statistics.max == 999


def test_a_file_without_rows_holds_the_schema(tmp_path: Path) -> None:
    for table, schema in TABLES.items():
        written = rows.writer(tmp_path, table).close()
        assert written.rows == 0
        assert pq.read_schema(tmp_path / written.name).remove_metadata().types == schema.types


def test_pandas_reads_a_directory_of_two_arms_where_one_column_is_nothing_but_nulls(tmp_path: Path) -> None:
    for arm, served in (("as_modelled", True), ("primary_only", False)):
        for replication in range(2):
            trace = rows.writer(tmp_path, "requests", arm, replication)
            trace.append(rows.requests(50, served))
            trace.close()
    empty = rows.writer(tmp_path, "requests", "primary_only", 2)
    empty.close()
    frame = pd.read_parquet(tmp_path / "requests")
    assert frame["arm"].value_counts().to_dict() == {"as_modelled": 100, "primary_only": 100}
    assert frame["arm"].dtype == "category"
    assert frame.groupby("arm", observed=True)["error_type"].count().to_dict() == {
        "as_modelled": 0,
        "primary_only": 100,
    }
    assert frame.groupby("arm", observed=True)["end_s"].count().to_dict() == {"as_modelled": 100, "primary_only": 0}
    assert frame["provider"].isna().sum() == 100


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("attempts", 40_000, "attempts cannot hold 40000"),
        ("rounds", 128, "rounds cannot hold 128"),
        ("input_tokens", 2**31, "input_tokens cannot hold 2147483648"),
        ("outcome", -1, "outcome cannot hold -1"),
        ("provider", 2, "provider cannot hold 2"),
    ],
)
def test_a_value_that_would_overflow_its_column_is_refused(
    tmp_path: Path, column: str, value: int, message: str
) -> None:
    block = rows.requests(10)
    block[column] = np.array([value] * 10)
    trace = rows.writer(tmp_path, "requests")
    with pytest.raises(RunError, match=message):
        trace.append(block)
    trace.abort()


def test_an_aborted_trace_leaves_no_file(tmp_path: Path) -> None:
    trace = rows.writer(tmp_path, "requests")
    trace.append(rows.requests(ROWS_PER_GROUP + 1))
    trace.abort()
    assert list((tmp_path / "requests").iterdir()) == []


FULL_DISK = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import rows
for room_bytes in (0, 100, 20_000, 150_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (room_bytes, resource.RLIM_INFINITY))
    trace = None
    try:
        trace = rows.writer(Path(sys.argv[2]), "attempts")
        for _ in range(4):
            trace.append(rows.attempts(60_000))
        trace.close()
    except OSError as error:
        if trace:
            trace.abort()
        print("OSError", room_bytes, len(list(Path(sys.argv[2], "attempts").iterdir())))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_disk_without_room_is_an_os_error_and_leaves_no_file(tmp_path: Path) -> None:
    command = [sys.executable, "-B", "-c", FULL_DISK, str(Path(__file__).parent), str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines() == [f"OSError {room_bytes} 0" for room_bytes in (0, 100, 20_000, 150_000)]
    assert result.stderr == ""


@pytest.mark.parametrize("library", ["duckdb", "polars"])
def test_other_readers_open_a_directory_of_two_arms(tmp_path: Path, library: str) -> None:
    reader = pytest.importorskip(library)
    for arm, served in (("as_modelled", True), ("primary_only", False)):
        trace = rows.writer(tmp_path, "requests", arm)
        trace.append(rows.requests(50, served))
        trace.close()
    files = f"{tmp_path}/requests/*.parquet"
    query = "select arm, count(error_type) as failed, count(end_s) as ended from {} group by arm order by arm"
    if library == "duckdb":
        found = reader.sql(query.format(f"'{files}'")).fetchall()
    else:
        found = reader.SQLContext(trace=reader.scan_parquet(files)).execute(query.format("trace")).collect().rows()
    assert [tuple(row) for row in found] == [("as_modelled", 0, 50), ("primary_only", 50, 0)]
