"""A sweep at request level runs every combination of values as a run of its own, and puts them side by side."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import des
from des.errors import DesError, ScenarioError
from des.report.sweep_table import sweep_text
from des.study.sweep_record import Sweep
from study.small_scenario import ENDLESS, small, write_small
from tests.patience import PATIENCE_S, wait_until
from tests.signals import heed_signals


@pytest.fixture(autouse=True)
def _results_land_in_a_folder_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _sweep(**options: object) -> Sweep:
    content, over = small(horizon="1h", title="s"), ["policy.rounds=1,2", "chain[0].retries=0,2"]
    return des.sweep(content, over, estimator="request level", **options)  # type: ignore[arg-type]


def test_every_combination_is_a_point_and_each_arm_of_it_a_row() -> None:
    found = _sweep()
    assert [dict(point) for point in found.points] == [
        {"policy.rounds": rounds, "chain[0].retries": retries} for rounds in "12" for retries in "02"
    ]
    assert list(found.table.index.names) == ["policy.rounds", "chain[0].retries", "arm"]
    assert len(found.table) == 4 * 2
    calls = found.table.attempts_per_request
    assert calls["1", "2", "primary_only"] > calls["1", "0", "primary_only"]
    for run, point in zip(found.runs, found.points, strict=True):
        assert run.manifest["scenario"]["policy"]["rounds"] == int(point["policy.rounds"])
    assert "4 points" in sweep_text(found)
    over = "policy.rounds, chain[0].retries"
    assert repr(found) == f"<Sweep {found.path}: 4 points over {over}; arms as_modelled, primary_only>"


def test_points_share_their_random_numbers() -> None:
    requests = [run.summary["arms"]["as_modelled"]["requests"]["mean"] for run in _sweep().runs]
    assert len(set(requests)) == 1


def test_points_are_runs_that_are_found_again(tmp_path: Path) -> None:
    first = _sweep()
    assert des.run(small(horizon="1h", title="s") | {"policy": {"rounds": 1}}, traces=False).path not in {
        run.path for run in first.runs
    }  # its first leg says nothing of retries
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "results").glob("s-*/manifest.json")}
    again = _sweep()
    assert again.path == first.path
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "results").glob("s-*/manifest.json")} == made
    table = pd.read_csv(first.path / "sweep.csv")
    assert len(table) == 8
    assert json.loads((first.path / "sweep.json").read_text())["points"][3]["values"]["policy.rounds"] == "2"


def test_the_number_of_processes_changes_nothing(tmp_path: Path) -> None:
    for workers in (1, 2):
        _sweep(out=tmp_path / str(workers), workers=workers, replications=2)
    contents = [
        {
            path.relative_to(tmp_path / workers).as_posix(): path.read_bytes()
            for path in (tmp_path / workers).rglob("*")
            if path.is_file() and path.name != "manifest.json"
        }
        for workers in ("1", "2")
    ]
    assert contents[0] == contents[1]
    assert "points/0003/summary.json" in contents[0]
    assert not (tmp_path / "results").exists()


def test_what_is_wrong_with_any_point_is_said_before_anything_runs(tmp_path: Path) -> None:
    path = write_small(tmp_path)
    with pytest.raises(ScenarioError) as caught:
        des.sweep(path, {"policy.rounds": [1, 0, -1], "polici.x": [1]})
    assert "polici.x" in str(caught.value)
    with pytest.raises(ScenarioError) as caught:
        des.sweep(path, {"policy.rounds": [1, 0, -1]})
    assert len(caught.value.problems) == 2
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ([], "nothing to sweep over"),
        (["policy.rounds"], "expected path=value,value"),
        (["policy.rounds="], "expected values"),
        (["policy.rounds=1,,2"], "expected values"),
        (["policy.rounds=1", "policy.rounds=2"], "given twice"),
        (["policy.rounds=1", "policy.rounds=2; seed=1"], "given twice"),
        (["seed=1:10000:1", "policy.rounds=1:10000:1"], "100,000,000 points"),
    ],
)
def test_what_cannot_be_swept_over_is_refused_in_words(over: list[str], words: str) -> None:
    with pytest.raises(DesError, match=words):
        des.sweep(small(), over)


def test_values_may_hold_commas_in_brackets() -> None:
    over = ["chain=[{provider: first, timeout: 5s}],[{provider: second}]"]
    found = des.sweep(small(horizon="1h", arms={}), over, estimator="request level")
    assert [list(run.summary["arms"]["as_modelled"]["served_share"]) for run in found.runs] == [
        ["first/a"],
        ["second/b"],
    ]


def test_an_interrupted_sweep_leaves_nothing_half_done(tmp_path: Path) -> None:
    write_small(tmp_path, **ENDLESS)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "des",
            *["sweep", "small.yaml", "--over", "policy.rounds=1,2", "--workers", "2", "--traces"],
            *["--estimator", "request-level"],
        ],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_signals,
    )
    wait_until(lambda: len(list(tmp_path.rglob("requests/*.parquet"))) >= 2, process)
    os.killpg(process.pid, signal.SIGINT)
    _, words = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "finished points are kept" in words.splitlines()[-1]
    assert "finished points are kept" in words
    assert list(tmp_path.glob("results/*")) == []
