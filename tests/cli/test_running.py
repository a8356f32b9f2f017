"""What `run`, `compare` and `sweep` print, where, and their exit codes."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from study.small_scenario import write_small

from tests.command import Done, des, des_process, is_a_clear_error


def test_traces_are_kept_at_the_level_asked_for(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="1h")
    done = des("run", "small.yaml", "--traces", "sampled:50%", "--out", "sampled", folder=tmp_path)
    assert done.returncode == 0
    assert "traces (sampled: 50%), manifest and summary: sampled" in done.stdout
    assert json.loads((tmp_path / "sampled/manifest.json").read_text())["sampled_share"] == 0.5
    wrong = des("run", "small.yaml", "--traces", "request", folder=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "did you mean 'requests'" in wrong.stderr
    both = des("run", "small.yaml", "--traces", "full", "--no-traces", folder=tmp_path)
    assert both.returncode == 2
    assert "--no-traces and --traces full: give one of them" in both.stderr


def test_a_run_prints_its_figures_and_leaves_its_directory(ran: tuple[Path, Done]) -> None:
    folder, done = ran
    assert done.returncode == 0
    assert done.stderr == ""
    for words in ("Two small peers", "availability", "as_modelled", "primary_only", "p99"):
        assert words in done.stdout
    assert "one replication: no interval" in done.stdout
    assert "\x1b" not in done.stdout
    assert "…" not in done.stdout
    (directory,) = (folder / "results").iterdir()
    assert f"results/{directory.name}" in done.stdout
    assert sorted(path.name for path in directory.iterdir()) == [
        "attempts",
        "incidents",
        "manifest.json",
        "minutes",
        "requests",
        "summary.json",
        "transitions",
    ]


def test_the_same_command_again_verifies_and_says_so(ran: tuple[Path, Done]) -> None:
    folder, first = ran
    again = des("run", "small.yaml", folder=folder)
    assert again.returncode == 0
    assert "not simulated again" in again.stdout
    figures = [line for line in first.stdout.splitlines() if "availability" in line]
    assert [line for line in again.stdout.splitlines() if "availability" in line] == figures
    assert len(list((folder / "results").iterdir())) == 1


def test_json_is_the_summary_file(ran: tuple[Path, Done]) -> None:
    folder, _ = ran
    done = des("run", "small.yaml", "--json", folder=folder)
    (directory,) = (folder / "results").iterdir()
    assert done.stdout == (directory / "summary.json").read_text()
    assert json.loads(done.stdout)["arms"]["as_modelled"]["requests"]["mean"] > 0


def test_traces_of_a_replay_in_another_process_are_the_same_bytes(ran: tuple[Path, Done], tmp_path: Path) -> None:
    folder, _ = ran
    write_small(tmp_path)
    again = des_process("run", "small.yaml", "--out", "here", folder=tmp_path, env={"PYTHONHASHSEED": "99"})
    assert again.returncode == 0
    (directory,) = (folder / "results").iterdir()
    names = [path.relative_to(directory) for path in directory.rglob("*.parquet")]
    assert len(names) == 10
    for name in [*names, Path("summary.json")]:
        assert (directory / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


def test_options_reach_the_run(tmp_path: Path) -> None:
    write_small(tmp_path)
    done = des(
        *("run", "small.yaml", "--out", "out", "--seed", 11, "--replications", 2, "--set", "horizon=1h"),
        *("--set", "policy.rounds=2", "--no-traces"),
        folder=tmp_path,
    )
    assert done.returncode == 0
    assert "intervals: 95 %, over 2 replications" in done.stdout
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["seed"], manifest["replications"]) == (11, 2)
    assert manifest["scenario"]["horizon"] == "1h"
    assert manifest["scenario"]["policy"]["rounds"] == 2
    assert not (tmp_path / "results").exists()
    assert not (tmp_path / "out" / "requests").exists()


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_width_it_is_given(ran: tuple[Path, Done], width: int) -> None:
    folder, _ = ran
    done = des("run", "small.yaml", folder=folder, env={"COLUMNS": str(width)})
    assert max(map(len, done.stdout.splitlines())) <= width


@pytest.mark.parametrize(
    ("expect", "code", "word"),
    [({"availability": "> 50%"}, 0, "yes"), ({"primary_only.availability": ["> 50%", ">= 99.99%"]}, 1, "no")],
)
def test_expectations_decide_the_exit_code(tmp_path: Path, expect: dict[str, Any], code: int, word: str) -> None:
    write_small(tmp_path, horizon="2h", expect=expect)
    done = des("run", "small.yaml", "--no-traces", folder=tmp_path)
    assert done.returncode == code
    assert done.stdout.split("expectation")[1].split("one replication")[0].split()[-1] == word
    again = des("run", "small.yaml", "--no-traces", "--json", folder=tmp_path)
    assert again.returncode == code
    assert ("missed" in again.stderr) == (code == 1)
    json.loads(again.stdout)


def test_an_inconclusive_expectation_has_an_exit_code_of_its_own(tmp_path: Path) -> None:
    first = des("run", write_small(tmp_path), "--replications", 3, "--no-traces", "--json", folder=tmp_path)
    mean = json.loads(first.stdout)["arms"]["as_modelled"]["latency_s_mean"]["mean"]
    write_small(tmp_path, expect={"latency_s_mean": f"< {mean + 1e-9:.12f}s"})
    done = des("run", "small.yaml", "--replications", 3, "--no-traces", folder=tmp_path)
    assert done.returncode == 3
    assert "inconclusive" in done.stdout


def test_a_precision_that_is_not_reached_is_said_and_has_the_code_of_the_inconclusive(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="1h")
    arguments = ("run", "small.yaml", "--no-traces", "--precision", "cost_usd=0.1%", "--max-replications", 3)
    done = des(*arguments, folder=tmp_path)
    assert done.returncode == 3
    assert "NOT reached after 3 replications" in done.stdout
    again = des(*arguments, "--json", folder=tmp_path)
    assert again.returncode == 3
    assert "NOT reached" in again.stderr
    assert json.loads(again.stdout)["precision"]["reached"] is False


def test_compare_shows_marginals_then_what_failing_together_changes(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="2h")
    arguments = ("compare", "small.yaml", "--arms", "as_modelled,independent", "--replications", 2, "--no-traces")
    done = des(*arguments, "--workers", 2, folder=tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""
    in_order = ("Each endpoint by itself", "all down, share of the time", "Against as_modelled")
    places = [done.stdout.index(words) for words in in_order]
    assert places == sorted(places)
    (directory,) = (tmp_path / "results").iterdir()
    again = des(*arguments, "--json", folder=tmp_path)
    assert again.stdout == (directory / "summary.json").read_text()
    assert list(json.loads(again.stdout)["comparison"]["joint"]) == ["as_modelled", "independent"]


def test_compare_says_what_it_does_not_judge_of_arms_that_were_not_chosen(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="1h", expect={"primary_only.availability": ">= 99%", "availability": ">= 1%"})
    arguments = ("compare", "small.yaml", "--arms", "as_modelled,independent", "--replications", 2, "--no-traces")
    done = des(*arguments, "--workers", 1, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "primary_only.availability" in done.stdout
    assert "the arm is not among those chosen" in " ".join(done.stdout.split())
    again = des(*arguments, "--json", "--junit", "verdicts.xml", folder=tmp_path)
    assert "primary_only.availability" in again.stderr
    assert "<skipped" in (tmp_path / "verdicts.xml").read_text()


def test_sweep_prints_a_row_a_point(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="1h", expect={"availability": "> 1%"})
    done = des("sweep", "small.yaml", "--over", "policy.rounds=1,2", "--arms", folder=tmp_path)
    is_a_clear_error(done, 2)
    done = des("sweep", "small.yaml", "--over", "policy.rounds=1,2", folder=tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""
    rows = [line.split() for line in done.stdout.splitlines() if "as_modelled" in line]
    assert [row[0] for row in rows] == ["1", "2"]
    assert [row[-1] for row in rows] == ["met", "met"]
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 120
    again = des("sweep", "small.yaml", "--over", "policy.rounds=1,2", "--json", folder=tmp_path)
    assert json.loads(again.stdout)["over"] == ["policy.rounds"]


BEHIND_A_CDN = {
    "components": {"cdn": {"incidents": [{"kind": "poisson", "rate": "2/y", "duration": "3h"}]}},
    "providers": {"first": {"depends_on": ["cdn"], "models": {"a": {"latency": "1s", "price": {"per_request": 0}}}}},
    "chain": [{"provider": "first"}],
    "arms": {},
}


def test_a_run_without_its_outages_says_so_beside_the_figure_and_decides_nothing(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="2h", expect={"availability": ">= 99.99%"}, **BEHIND_A_CDN)
    done = des("run", "small.yaml", "--no-traces", "--replications", 3, folder=tmp_path)
    assert done.returncode == 3
    rows = done.stdout.splitlines()
    place = next(number for number, row in enumerate(rows) if row.startswith("availability"))
    assert rows[place + 2].split() == ["incidents", "met", "0", "of", "0.0034", "expected"]
    assert rows[place + 3].split()[-2:] == ["99.9315", "%"]
    words = "0 of 0.0034 expected outages of cdn met: this is availability between outages"
    assert words in " ".join(done.stdout.split())
    compared = des("compare", "small.yaml", "--no-traces", "--replications", 2, folder=tmp_path)
    assert compared.returncode == 3
    assert "0 of 0.0023 expected outages of cdn met: this is availability" in " ".join(compared.stdout.split())


def test_a_sweep_says_which_points_met_too_few_outages(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="2h", **BEHIND_A_CDN)
    arguments = ("sweep", "small.yaml", "--estimator", "request-level", "--replications", 2, "--over")
    done = des(*arguments, "horizon=2h,10y", "--set", "workload.arrivals.rate=1/d", folder=tmp_path)
    assert done.returncode == 0
    words = "0 of 0.0023 expected outages of cdn met: this is availability between outages"
    assert f"horizon=2h: {words}" in " ".join(done.stdout.split())
    rows = [row.split() for row in done.stdout.splitlines() if row.startswith(("2h ", "10y "))]
    assert " ".join(rows[0]).count("0 of 0.0023 99.9315 %") == 1
    found = json.loads(
        des(*arguments, "horizon=2h,10y", "--set", "workload.arrivals.rate=1/d", "--json", folder=tmp_path).stdout
    )
    assert ["unseen" in point for point in found["points"]] == [True, False]
    assert found["points"][0]["unseen"]["as_modelled"]["incidents"][0]["component"] == "cdn"


def test_verdicts_become_a_junit_file_in_every_command_that_judges(tmp_path: Path) -> None:
    expect = {"availability": ">= 99%", "latency_s_mean": "< 1ms"}
    write_small(tmp_path, horizon="2h", expect=expect, **BEHIND_A_CDN)
    run = des("run", "small.yaml", "--no-traces", "--junit", "run.xml", folder=tmp_path)
    assert run.returncode == 1
    availability = des("availability", "small.yaml", "--junit", "availability.xml", folder=tmp_path)
    assert availability.returncode == 0
    compare = des("compare", "small.yaml", "--no-traces", "--junit", "compare.xml", folder=tmp_path)
    assert compare.returncode == 1
    sweep = des("sweep", "small.yaml", "--over", "policy.rounds=1,2", "--junit", "sweep.xml", folder=tmp_path)
    assert sweep.returncode == 1
    counts = {}
    for path in tmp_path.glob("*.xml"):
        root = ET.parse(path).getroot()
        counts[path.stem] = [root.get(key) for key in ("tests", "failures", "skipped")]
        names = [suite.get("name") for suite in root]
        assert names == (["small [policy.rounds=1]", "small [policy.rounds=2]"] if path.stem == "sweep" else ["small"])
    assert counts == {
        "run": ["2", "1", "0"],
        "compare": ["2", "1", "0"],
        "availability": ["2", "0", "1"],
        "sweep": ["4", "2", "0"],
    }


def test_a_sweep_says_which_point_misses_what(tmp_path: Path) -> None:
    write_small(tmp_path, expect={"latency_s_mean": "< 1ms"})
    done = des("sweep", "small.yaml", "--over", "policy.rounds=1,2", folder=tmp_path)
    assert done.returncode == 1
    assert "policy.rounds=1: as_modelled.latency_s_mean: expected < 1ms, found" in done.stderr
    found = json.loads(des("sweep", "small.yaml", "--over", "policy.rounds=1,2", "--json", folder=tmp_path).stdout)
    assert [point["expectations"][0]["result"] for point in found["points"]] == ["missed", "missed"]


def test_availability_misses_what_its_figure_misses(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="2h", expect={"availability": ">= 99.99%"}, **BEHIND_A_CDN)
    done = des("availability", "small.yaml", folder=tmp_path)
    assert done.returncode == 1
    assert "99.99%" in done.stdout
    again = des("availability", "small.yaml", "--json", folder=tmp_path)
    assert again.returncode == 1
    assert json.loads(again.stdout)["expectations"][0]["result"] == "missed"
    assert "missed" in again.stderr


def test_a_junit_file_that_cannot_be_written_is_refused_before_the_run(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="1h")
    done = des("run", "small.yaml", "--junit", "missing/verdicts.xml", folder=tmp_path)
    is_a_clear_error(done, 2)
    assert not (tmp_path / "results").exists()
