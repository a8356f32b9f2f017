"""Directories for temporary files are removed with their block, or by whoever makes the next one."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from des import scratch
from des.disk import lock_on, written_whole
from des.scratch import scratch_directory
from tests.patience import PATIENCE_S
from tests.signals import heed_signals

_CHILD = """
import sys, time
from des.scratch import scratch_directory, scratch_until_exit
if sys.argv[1] == "until exit":
    print(scratch_until_exit(), flush=True)
    sys.exit()
with scratch_directory() as directory:
    (directory / "below").mkdir()
    (directory / "below" / "trace").write_text("x")
    print(directory, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def _child(folder: Path, what: str = "a block") -> "tuple[subprocess.Popen[str], Path]":
    process = subprocess.Popen(
        [sys.executable, "-c", _CHILD, what],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(folder)},
        preexec_fn=heed_signals,
    )
    assert process.stdout is not None
    made = Path(process.stdout.readline().strip())
    assert made.parent.parent == folder
    return process, made


def _left(name: str, folder: Path) -> Path:
    """What a killed process of this user leaves."""
    directory = folder / name
    directory.mkdir(mode=0o700)
    (directory / "trace").write_text("x")
    return directory


def test_it_is_removed_with_what_is_in_it_when_the_block_ends(folder: Path) -> None:
    with scratch_directory() as directory:
        (directory / "trace").write_text("x")
        assert directory.parent.parent == folder
    assert list(folder.iterdir()) == []


def test_a_result_can_be_written_there() -> None:
    with scratch_directory() as directory, written_whole(directory / "run") as result:
        (result / "trace").write_text("x")


def test_a_signal_leaves_none(folder: Path) -> None:
    process, _ = _child(folder)
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=PATIENCE_S)
    assert list(folder.iterdir()) == []


def test_one_of_the_process_is_removed_when_it_ends(folder: Path) -> None:
    process, made = _child(folder, "until exit")
    assert process.wait(timeout=PATIENCE_S) == 0
    assert not made.exists()


def test_the_next_one_removes_that_of_a_killed_process_and_none_that_is_in_use(folder: Path) -> None:
    killed, gone = _child(folder)
    working, used = _child(folder)
    killed.kill()
    killed.wait(timeout=PATIENCE_S)
    assert (gone / "below" / "trace").exists()
    try:
        with scratch_directory() as own, scratch_directory() as another:
            assert sorted(folder.iterdir()) == sorted(each.parent for each in (used, own, another))
            assert (used / "below" / "trace").read_text() == "x"
    finally:
        working.kill()
        working.wait(timeout=PATIENCE_S)


@pytest.mark.parametrize("name", ["des-scratch-", "des-scratch-abcdefgh.d", "des-abcdefgh", "my-des-scratch-abcdefgh"])
def test_what_has_another_name_stays(folder: Path, name: str) -> None:
    kept = _left(name, folder)
    with scratch_directory():
        assert (kept / "trace").exists()


def test_what_is_no_private_directory_stays(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = _left("mine", tmp_path_factory.mktemp("elsewhere"))
    (folder / "des-scratch-aaaaaaaa").symlink_to(elsewhere)
    (folder / "des-scratch-bbbbbbbb").write_text("a file")
    _left("des-scratch-cccccccc", folder).chmod(0o755)
    with scratch_directory():
        assert len(list(folder.iterdir())) == 4
    assert (elsewhere / "trace").exists()


def test_what_another_user_made_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = _left("des-scratch-abcdefgh", folder)
    monkeypatch.setattr(os, "geteuid", lambda: kept.stat().st_uid + 1)
    with scratch_directory():
        assert kept.exists()
    monkeypatch.undo()


def test_one_that_is_cleared_away_before_it_is_locked_is_made_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Path] = []

    def cleared_first(directory: Path) -> int | None:
        if not taken:
            taken.append(directory)
            directory.rmdir()
        return lock_on(directory)

    monkeypatch.setattr(scratch, "lock_on", cleared_first)
    with scratch_directory() as directory:
        assert directory.is_dir()
        assert [directory.parent] != taken


def test_where_directories_cannot_be_locked_one_is_made_and_none_is_removed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = _left("des-scratch-abcdefgh", folder)
    monkeypatch.setattr(scratch, "lock_on", lambda directory: None)
    with scratch_directory() as directory:
        assert sorted(folder.iterdir()) == sorted([kept, directory.parent])
    assert list(folder.iterdir()) == [kept]
