import hashlib
import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from des.errors import DesError
from des.traces import load

sys.path.insert(0, str(Path(__file__).parent))
import rows


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "two_stage-0123"
    traces = {}
    for arm in rows.ARMS:
        blocks = {
            "requests": rows.requests(20, served=arm == "as_modelled"),
            "attempts": rows.attempts(20),
            "incidents": rows.incidents(),
            "transitions": rows.transitions(),
        }
        for table, block in blocks.items():
            trace = rows.writer(path, table, arm)
            trace.append(block)
            written = trace.close()
            traces[written.name] = {"sha256": written.sha256, "rows": written.rows, "bytes": written.bytes}
    manifest = {"arms": list(rows.ARMS), "replications": 1, "traces": traces}
    (path / "manifest.json").write_text(json.dumps(manifest))
    (path / "summary.json").write_text(json.dumps({"arms": {"as_modelled": {}}}))
    return path


def test_a_run_gives_frames_with_categories_and_exact_ids(run: Path) -> None:
    loaded = load(str(run))
    assert len(loaded.requests) == 40
    assert loaded.requests is loaded.requests
    assert list(loaded.requests["arm"].cat.categories) == list(rows.ARMS)
    assert loaded.requests["request_id"].dtype == "int64"
    assert loaded.attempts["request_id"].dtype == "Int64"
    assert loaded.attempts["request_id"].isna().sum() == 10
    assert loaded.attempts.query("kind == 'call' and arm == 'primary_only'")["request_id"].min() == 1
    assert loaded.incidents["endpoints"].map(list).tolist()[1] == []
    assert loaded.transitions["to"].tolist() == ["down", "up"] * 2
    assert loaded.summary == {"arms": {"as_modelled": {}}}
    assert list(loaded.requests.columns) == list(pd.read_parquet(run / "requests").columns)


def test_a_run_describes_itself(run: Path) -> None:
    text = repr(load(run))
    assert "arms as_modelled, primary_only" in text
    assert "40 requests" in text
    assert "4 incidents" in text


def test_verifying_compares_every_file_with_the_manifest(run: Path) -> None:
    load(run).verify()
    changed = run / "requests" / "as_modelled-0000.parquet"
    content = bytearray(changed.read_bytes())
    content[100] ^= 1
    changed.write_bytes(content)
    (run / "attempts" / "primary_only-0000.parquet").unlink()
    (run / "incidents" / "other-0000.parquet").write_bytes(b"")
    with pytest.raises(DesError) as problem:
        load(run).verify()
    text = str(problem.value)
    assert "requests/as_modelled-0000.parquet has been changed" in text
    assert "attempts/primary_only-0000.parquet is missing" in text
    assert "incidents/other-0000.parquet is in no manifest" in text
    assert len(text.splitlines()) == 3


def test_the_digest_of_a_trace_is_that_of_its_file(run: Path) -> None:
    facts = load(run).manifest["traces"]["requests/as_modelled-0000.parquet"]
    content = (run / "requests" / "as_modelled-0000.parquet").read_bytes()
    assert facts["sha256"] == hashlib.sha256(content).hexdigest()
    assert facts["bytes"] == len(content)


def test_what_is_no_run_is_refused_with_its_reason(tmp_path: Path, run: Path) -> None:
    with pytest.raises(DesError, match="no such run"):
        load(tmp_path / "nowhere")
    with pytest.raises(DesError, match=r"not a run, as it holds no manifest\.json"):
        load(tmp_path)
    (run / "summary.json").write_text("{")
    with pytest.raises(DesError, match="not valid JSON"):
        load(run)


def test_a_run_without_traces_says_so(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"arms": ["as_modelled"], "replications": 1}')
    (tmp_path / "summary.json").write_text("{}")
    loaded = load(tmp_path)
    assert "no traces" in repr(loaded)
    loaded.verify()
    with pytest.raises(DesError, match="kept no attempts"):
        _ = loaded.attempts
