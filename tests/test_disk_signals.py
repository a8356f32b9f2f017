"""Signals and kills leave nothing that looks whole, and nothing that stays."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from des.disk import written_whole
from tests.patience import PATIENCE_S
from tests.runs_on_disk import write_run
from tests.signals import heed_signals

_CHILD = """
import sys, time
from pathlib import Path
from des import disk
from des.disk import written_whole
from des.single_files import check_regular, write_new
with written_whole(Path(sys.argv[1])) as directory:
    (directory / "half").write_text("x")
    print("writing", flush=True)
    time.sleep(600)
"""


def _child(target: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(target)], stdout=subprocess.PIPE, text=True, preexec_fn=heed_signals
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    return process


def test_a_killed_run_leaves_nothing_that_looks_whole_and_the_next_one_clears_it_away(tmp_path: Path) -> None:
    process = _child(tmp_path / "run")
    process.kill()
    process.wait()
    assert [path.name for path in tmp_path.iterdir()] == [".partial"]
    (left,) = (tmp_path / ".partial").iterdir()
    assert left.name.startswith("run-")
    write_run(tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_run_under_way_is_no_leftover(tmp_path: Path) -> None:
    process = _child(tmp_path / "run")
    try:
        with written_whole(tmp_path / "run"):
            assert len(list((tmp_path / ".partial").iterdir())) == 2
        assert sorted(path.name for path in tmp_path.iterdir()) == [".partial", "run"]
        assert len(list((tmp_path / ".partial").iterdir())) == 1
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGHUP, 129)])
def test_a_terminated_run_removes_what_it_wrote(tmp_path: Path, number: signal.Signals, code: int) -> None:
    process = _child(tmp_path / "run")
    process.send_signal(number)
    assert process.wait(timeout=PATIENCE_S) == code
    assert list(tmp_path.iterdir()) == []


def test_signals_one_after_another_leave_nothing_behind(tmp_path: Path) -> None:
    for number in range(5):
        process = _child(tmp_path / f"run-{number}")
        for signalled in (signal.SIGTERM, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            process.send_signal(signalled)
            time.sleep(0.001)
        process.wait(timeout=PATIENCE_S)
        assert list(tmp_path.iterdir()) == []


def _swallow_one_signal(target: Path) -> None:
    with written_whole(target):
        with suppress(SystemExit):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.usefixtures("_signals_as_in_a_shell")
def test_a_signal_whose_exception_was_swallowed_does_not_keep_the_next_from_ending_the_run(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        _swallow_one_signal(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def _signalled_again_while_unwinding(target: Path, cleaned: list[str]) -> None:
    with written_whole(target):
        try:
            os.kill(os.getpid(), signal.SIGINT)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
            cleaned.append("all")


@pytest.mark.usefixtures("_signals_as_in_a_shell")
def test_signals_during_the_unwinding_are_passed_over(tmp_path: Path) -> None:
    cleaned: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        _signalled_again_while_unwinding(tmp_path / "run", cleaned)
    assert cleaned == ["all"]
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def _signals_as_in_a_shell() -> Iterator[None]:
    """Not ignored, as they are in a runner started in the background."""
    former = {
        number: signal.signal(number, default)
        for number, default in ((signal.SIGTERM, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler))
    }
    yield
    for number, handler in former.items():
        signal.signal(number, handler)
