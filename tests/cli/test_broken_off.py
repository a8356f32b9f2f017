"""Runs that somebody or something ends leave nothing that looks whole."""

import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from study.small_scenario import ENDLESS, write_small

from tests.command import DES, ENVIRONMENT, des, des_process, is_a_clear_error, left_in
from tests.patience import PATIENCE_S, wait_until
from tests.signals import heed_signals


@contextmanager
def _under_way(folder: Path, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """A run of ten years that is writing its traces."""
    write_small(folder, **ENDLESS)
    process = subprocess.Popen(
        [DES, "run", "small.yaml", *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_signals,
    )
    try:
        wait_until(lambda: list((folder / "results").glob(".partial/small-*/requests/*.parquet")), process)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_removes_what_it_wrote(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with _under_way(tmp_path) as process:
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code
    assert "nothing was kept" in said
    assert len(said.splitlines()) == 1
    assert left_in(tmp_path) == []


def test_a_killed_run_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    with _under_way(tmp_path) as process:
        process.kill()
    assert [path.name for path in (tmp_path / "results").iterdir()] == [".partial"]
    (left,) = (tmp_path / "results" / ".partial").iterdir()
    assert not (left / "manifest.json").exists()


def _disk_of(bytes_: int) -> Callable[[], None]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))

    return limit


def test_a_run_that_may_write_no_more_fails_and_leaves_nothing(tmp_path: Path) -> None:
    write_small(tmp_path)
    done = des_process("run", "small.yaml", folder=tmp_path, preexec_fn=_disk_of(8_192))
    is_a_clear_error(done, 1)
    assert "nothing was kept" in done.stderr
    assert left_in(tmp_path) == []


def test_a_full_disk_fails_the_run_and_leaves_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if (
        mount is None
        or subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True).returncode
    ):
        pytest.skip("no small disk can be mounted here")
    try:
        write_small(tmp_path)
        done = des("run", "small.yaml", "--out", disk / "run", folder=tmp_path)
        left = list(disk.iterdir())
    finally:
        subprocess.run(["umount", disk], check=True)
    is_a_clear_error(done, 1)
    assert "no space left" in done.stderr
    assert left == []
