"""Standard streams that are closed, full, plain or a terminal."""

import json
import os
import pty
import shlex
import subprocess
from pathlib import Path

import pytest
from study.small_scenario import write_small

from tests.command import DES, ENVIRONMENT, Done, des, des_process
from tests.patience import PATIENCE_S


@pytest.mark.parametrize("arguments", [["schema"], ["--help"], ["results"], ["run", "small.yaml"]])
def test_a_reader_that_leaves_is_no_error(ran: tuple[Path, Done], arguments: list[str]) -> None:
    process = subprocess.Popen(
        [DES, *arguments], cwd=ran[0], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=PATIENCE_S) == 141


FULL = "cannot write to standard output: No space left on device"
ANY_SHELL = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
"""For completion of a shell that is named, whichever one the tests are run from."""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["--show-completion", "bash"],
        ["run", "-h"],
        ["import", "--help"],
        ["catalogue"],
        ["catalogue", "--json"],
        ["catalogue", "--presets"],
        ["check", "--list"],
        ["examples"],
        ["explain", "small.yaml"],
        ["explain", "small.yaml", "--json"],
        ["fit", "history.csv"],
        ["fit", "history.csv", "--json"],
        ["new"],
        ["results"],
        ["schema"],
        ["validate", "small.yaml"],
    ],
    ids=" ".join,
)
def test_printing_to_a_full_disk_is_said_in_one_line(tmp_path: Path, arguments: list[str]) -> None:
    write_small(tmp_path)
    (tmp_path / "history.csv").write_text(
        "start,end,service\n"
        + "".join(f"2024-0{month}-03T10:00:00Z,2024-0{month}-03T11:00:00Z,a\n" for month in range(1, 9))
    )
    is_printed_by_a_process = arguments in (["schema"], ["run", "-h"])
    with Path("/dev/full").open("w") as full:
        if is_printed_by_a_process:
            done = subprocess.run(
                [DES, *arguments], cwd=tmp_path, env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, text=True
            )
        else:
            done = des(*arguments, folder=tmp_path, out=full, env=ANY_SHELL)
    assert done.stderr.splitlines() == [FULL]
    assert done.returncode == 1


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_run_that_cannot_be_printed_is_kept_and_its_place_said(tmp_path: Path, options: list[str]) -> None:
    write_small(tmp_path, horizon="1h")
    for command, what in (("run", "run"), ("sweep", "sweep")):
        over = ["--over", "seed=1,2", "--estimator", "request-level"] if command == "sweep" else []
        with Path("/dev/full").open("w") as full:
            done = des(command, "small.yaml", *over, *options, folder=tmp_path, out=full)
        said, where = done.stderr.strip().splitlines()[-1].rsplit(" ", 1)
        assert said == f"{FULL}; the {what} is in"
        assert (tmp_path / where).is_dir()
        assert done.returncode == 1


def test_what_a_shell_completes_to_a_full_disk_is_said_in_one_line_too() -> None:
    asked = {"_DES_COMPLETE": "complete_bash", "COMP_WORDS": "des an", "COMP_CWORD": "1"}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([DES], env=ENVIRONMENT | asked, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.stderr.splitlines() == [FULL]
    assert done.returncode == 1


def test_another_file_that_fails_is_not_taken_for_standard_output() -> None:
    done = des("--install-completion", "bash", env={"HOME": "/dev/null"} | ANY_SHELL)
    assert done.returncode == 1
    assert done.stderr.startswith("/dev/null: ")
    assert "standard output" not in done.stderr


def test_complaining_to_a_full_disk_is_no_traceback(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        for arguments in (["fly"], ["run", "nobody.yaml"]):
            done = subprocess.run([DES, *arguments], cwd=tmp_path, env=ENVIRONMENT, stdout=full, stderr=full)
            assert done.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "closed", "code"),
    [
        ("run small.yaml", ">&-", 0),
        ("run nobody.yaml", "2>&-", 2),
        ("run small.yaml", "<&- >&- 2>&-", 0),
        ("run nobody.yaml", "<&- >&- 2>&-", 2),
    ],
)
def test_a_closed_stream_is_nobody_to_tell_and_no_error(tmp_path: Path, arguments: str, closed: str, code: int) -> None:
    write_small(tmp_path, horizon="1h")
    command = f"{shlex.quote(DES)} {arguments} {closed}"
    done = subprocess.run(command, shell=True, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == code
    assert "unexpected" not in done.stderr
    if code == 0:
        (directory,) = (tmp_path / "results").iterdir()
        assert json.loads((directory / "summary.json").read_text())["arms"]


def test_an_ascii_terminal_gets_its_table_too(ran: tuple[Path, Done]) -> None:
    folder, _ = ran
    done = des_process("run", "small.yaml", folder=folder, env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert done.returncode == 0
    assert "availability" in done.stdout


def test_a_terminal_sees_a_progress_bar_on_standard_error_alone(tmp_path: Path) -> None:
    write_small(tmp_path)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [DES, "run", "small.yaml"],
        cwd=tmp_path,
        env=ENVIRONMENT | {"TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 65_536):
            seen += chunk
    except OSError:  # the terminal's other end is closed
        pass
    finally:
        os.close(ours)
    assert process.stdout is not None
    out = process.stdout.read()
    assert process.wait(timeout=PATIENCE_S) == 0
    assert b"%" in seen
    assert b"\x1b" not in out
