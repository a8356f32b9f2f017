"""What `des results` prints and removes, what is asked before long work, and what an answer does."""

import json
import os
import pty
import select
import signal
import subprocess
from pathlib import Path

import pytest
from study.small_scenario import ENDLESS, write_small

from tests.command import DES, ENVIRONMENT, Done, des, is_a_clear_error, left_in
from tests.patience import PATIENCE_S, wait_until
from tests.signals import heed_signals


def test_the_table_has_every_run_with_its_scenario_and_size(ran: tuple[Path, Done]) -> None:
    folder, _ = ran
    done = des("results", folder=folder)
    assert done.returncode == 0
    assert done.stderr == ""
    (directory,) = (path for path in (folder / "results").iterdir() if not path.name.startswith("."))
    assert f"{directory.name}  run, whole" in done.stdout
    assert "2 arms, 1 replication: Two small peers" in done.stdout
    assert "1 whole" in done.stdout
    listed = json.loads(des("results", "--json", folder=folder).stdout)["results"]
    assert [(one["name"], one["state"], one["kind"]) for one in listed] == [(directory.name, "whole", "run")]
    assert des("results", directory, "--verify", folder=folder).returncode == 0


def test_nothing_there_is_said(tmp_path: Path) -> None:
    done = des("results", folder=tmp_path)
    assert done.returncode == 0
    assert "results: no runs, sweeps or answers" in done.stdout
    is_a_clear_error(des("results", "--in", "nowhere", folder=tmp_path), 2)


def test_what_is_named_is_removed(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="1h")
    for seed in (1, 2):
        des("run", "small.yaml", "--no-traces", "--seed", seed, folder=tmp_path)
    first, second = sorted(path.name for path in (tmp_path / "results").iterdir())
    is_a_clear_error(des("results", "--remove", folder=tmp_path), 2)
    is_a_clear_error(des("results", "--remove", first, "nonsense", folder=tmp_path), 2)
    assert len(list((tmp_path / "results").iterdir())) == 2
    done = des("results", "--remove", first, folder=tmp_path)
    assert done.returncode == 0
    assert f"removed {first}" in done.stdout
    assert [path.name for path in (tmp_path / "results").iterdir()] == [second]
    assert "nothing to remove" in des("results", "--remove-unfinished", folder=tmp_path).stdout
    assert [path.name for path in (tmp_path / "results").iterdir()] == [second]


def test_a_killed_run_is_listed_and_the_same_command_goes_on(tmp_path: Path) -> None:
    write_small(tmp_path)
    arguments = ("run", "small.yaml", "--no-traces", "--replications", "200")
    process = subprocess.Popen(
        [DES, *arguments], cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True, preexec_fn=heed_signals
    )
    wait_until(lambda: len(list((tmp_path / "results").glob(".partial/*/finished/*"))) > 2, process)
    process.kill()
    process.communicate(timeout=PATIENCE_S)
    (one,) = json.loads(des("results", "--json", folder=tmp_path).stdout)["results"]
    assert one["state"] == "unfinished"
    assert 2 < one["done"] < one["parts"] == 400
    assert f"unfinished: {one['done']} of 400" in des("results", folder=tmp_path).stdout
    process = subprocess.Popen(
        [DES, *arguments], cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True, preexec_fn=heed_signals
    )
    wait_until(lambda: len(list((tmp_path / "results").glob(".partial/*/finished/*"))) > one["done"] + 2, process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert f"continuing: {one['done']} of 400 replications are finished already" in said
    assert "of 400 replications are kept; run the same command again to continue" in said
    assert "removed" in des("results", "--remove-unfinished", folder=tmp_path).stdout
    assert not list((tmp_path / "results").iterdir())


def _answered(folder: Path, answer: str, *arguments: str) -> tuple[int, str]:
    """Exit code and what stands on a terminal whose user gives that answer."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [DES, *arguments], cwd=folder, env=ENVIRONMENT | {"TERM": "dumb"}, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    seen, is_answered = b"", False
    try:
        while select.select([ours], [], [], PATIENCE_S)[0] and (chunk := os.read(ours, 65_536)):
            seen += chunk
            if b"[y/N]" in seen and not is_answered:
                os.write(ours, f"{answer}\n".encode())
                is_answered = True
    except OSError:  # the terminal's other end is closed
        pass
    finally:
        os.close(ours)
        process.kill() if process.poll() is None and not is_answered else None
    return process.wait(timeout=PATIENCE_S), seen.decode()


@pytest.mark.parametrize("command", [["run"], ["sweep", "--estimator", "request-level", "--over", "policy.rounds=1,2"]])
def test_a_long_run_asks_on_a_terminal_and_no_runs_nothing(tmp_path: Path, command: list[str]) -> None:
    write_small(tmp_path, **ENDLESS)
    code, seen = _answered(tmp_path, "n", command[0], "small.yaml", *command[1:])
    assert code == 4
    assert f"des {command[0]} will take about" in seen
    assert ("des answer small.yaml" if command == ["run"] else "--estimator best") in seen
    assert "nothing was run" in seen
    assert [path.name for path in tmp_path.iterdir()] == ["small.yaml"]


def test_removing_asks_on_a_terminal(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="1h")
    des("run", "small.yaml", "--no-traces", folder=tmp_path)
    (name,) = (path.name for path in (tmp_path / "results").iterdir())
    code, seen = _answered(tmp_path, "", "results", "--remove", name)
    assert code == 4
    assert "nothing was removed" in seen
    assert (tmp_path / "results" / name).exists()
    code, _ = _answered(tmp_path, "y", "results", "--remove", name)
    assert code == 0
    assert not (tmp_path / "results" / name).exists()


def test_where_nobody_can_answer_the_time_is_told_and_work_goes_on(tmp_path: Path) -> None:
    write_small(tmp_path, **ENDLESS)
    process = subprocess.Popen(
        [DES, "run", "small.yaml"],
        cwd=tmp_path,
        env=ENVIRONMENT | {"PYTHONFAULTHANDLER": "1"},  # so that a crash says where
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_signals,
    )
    wait_until(lambda: list((tmp_path / "results").glob(".partial/small-*/*/requests/*.parquet")), process)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 143, said
    assert "des run will take about" in said
    assert "[y/N]" not in said
    assert "nothing was kept" in said.splitlines()[-1]
    assert left_in(tmp_path) == []


def test_a_short_run_says_nothing_of_its_time(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="1h")
    assert des("run", "small.yaml", "--no-traces", folder=tmp_path).stderr == ""
