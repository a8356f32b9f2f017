"""What `des sweep` prints, refuses and returns."""

import json
from pathlib import Path

import pandas as pd
import pytest
from study.small_scenario import write_small

from tests.cli.test_results import _answered
from tests.command import des, is_a_clear_error

EXPECTING = {"expect": {"latency_s_mean": "< 1ms", "availability": "> 1%"}}


def test_a_missed_expectation_is_in_the_table_the_csv_and_the_exit_code(tmp_path: Path) -> None:
    write_small(tmp_path, **EXPECTING)
    for estimator in ("best", "request-level"):
        arguments = ("sweep", "small.yaml", "--over", "policy.rounds=1,2", "--estimator", estimator, "--out", estimator)
        done = des(*arguments, folder=tmp_path)
        assert done.returncode == 1
        assert done.stdout.count("missed") == 2
        assert "policy.rounds=2: as_modelled.latency_s_mean: expected < 1ms, found" in done.stderr
        table = pd.read_csv(tmp_path / estimator / "sweep.csv")
        of_model = table[table.arm == "as_modelled"]
        assert list(of_model.expected) == ["missed", "missed"]
        assert set(of_model["expect availability > 1%"]) == {"met"}


@pytest.mark.parametrize("columns", ["80", "40"])
def test_a_pipe_has_the_values_of_every_point_at_any_width(tmp_path: Path, columns: str) -> None:
    write_small(tmp_path, horizon="1h")
    arguments = ("sweep", "small.yaml", "--over", "providers.first.models.a.errors.server_error=1.25%,3.75%")
    done = des(*arguments, folder=tmp_path, env={"COLUMNS": columns})
    assert done.returncode == 0
    assert done.stdout.count("1.25%") >= 2
    assert done.stdout.count("3.75%") >= 2


def test_the_metrics_named_are_shown(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="1h")
    over = ("sweep", "small.yaml", "--over", "policy.rounds=1,2")
    done = des(*over, "--metric", "rate_limited_share", "--metric", "cost_usd_per_success", folder=tmp_path)
    assert done.returncode == 0
    titles = done.stdout.split("─")[0]
    assert titles.index("rate_") < titles.index("cost per")
    assert "availability" not in titles[titles.index("rate_") :]
    found = json.loads(des(*over, "--json", folder=tmp_path).stdout)
    assert found["estimator"] == "best"
    assert [point["values"] for point in found["points"]] == [{"policy.rounds": "1"}, {"policy.rounds": "2"}]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--over", "policy.rounds=3:1:1"], "an empty range; write 3:1:-1 or 1:3:1"),
        (["--over", "polici.rounds=1,2"], "did you mean 'policy'"),
        (["--over", "horizon=1h:2d:1h"], "differ in their units"),
        (["--over", "horizon=1:3:1"], "has no unit: write 1s"),
        (["--over", "common_cause.fraction=0:1:0.1"], "shared=0:1:0.1 sweeps the share of what it has in common"),
        (["--over", "policy.rounds=1:2:0.5"], "expected a whole number"),
        (["--over", "seed=1,2", "--metric", "latency_p95"], "did you mean 'latency_s_p95'"),
        (["--over", "seed=1,2", "--replications", "3"], "add --estimator request-level"),
        (["--over", "seed=1,2", "--estimator", "exact"], "there are: best, request level"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_write(tmp_path: Path, arguments: list[str], words: str) -> None:
    write_small(tmp_path, horizon="1h")
    done = des("sweep", "small.yaml", *arguments, folder=tmp_path)
    is_a_clear_error(done, 2)
    assert words in done.stderr
    assert not (tmp_path / "results").exists()


def test_what_is_wrong_at_every_point_is_told_once(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="1h")
    for more in ((), ("--estimator", "request-level")):
        done = des("sweep", "small.yaml", "--over", "common_cause.fraction=0:1:0.1", *more, folder=tmp_path)
        assert done.stderr.count("there is no common_cause in this scenario") == 1
        assert "(and at 10 more points)" in done.stderr


def test_a_million_points_ask_on_a_terminal_before_anything_is_read(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="1h")
    code, seen = _answered(tmp_path, "n", "sweep", "small.yaml", "--over", "seed=1:1000000:1")
    assert code == 4
    assert "des sweep will take at least about" in seen
    assert "nothing was run" in seen
    assert [path.name for path in tmp_path.iterdir()] == ["small.yaml"]


def test_the_same_sweep_again_says_so(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="1h")
    arguments = ("sweep", "small.yaml", "--over", "policy.rounds=1,2")
    first, again = des(*arguments, folder=tmp_path), des(*arguments, folder=tmp_path)
    words = "the same sweep as before: verified, not made again"
    assert words not in first.stdout
    assert words in again.stdout


def test_a_million_points_without_a_terminal_are_not_begun_and_told_how(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="1h")
    done = des("sweep", "small.yaml", "--over", "seed=1:1000000:1", folder=tmp_path)
    assert done.returncode == 4
    assert "des sweep will take at least about" in done.stderr
    assert "--yes goes on with 1,000,000 points" in done.stderr
    assert done.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["small.yaml"]
