"""What is written is whole or absent, whatever ends the writing; what is read is a regular file."""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from des import disk
from des.disk import written_whole
from des.errors import OutputError, WriteError
from des.single_files import check_regular, write_new
from des.traces import load
from tests.patience import PATIENCE_S
from tests.signals import heed_signals


def _write(target: Path, text: str = "x", *, replace: bool = False) -> None:
    with written_whole(target, replace=replace) as directory:
        (directory / "requests").mkdir()
        (directory / "requests" / "a.parquet").write_text(text)


def _break_off(target: Path, error: BaseException) -> None:
    with written_whole(target) as directory:
        (directory / "half").write_text("x")
        raise error


def test_a_finished_run_stands_under_its_name_alone(tmp_path: Path) -> None:
    _write(tmp_path / "deep" / "run", "finished")
    assert (tmp_path / "deep" / "run" / "requests" / "a.parquet").read_text() == "finished"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["run"]


def test_nothing_has_the_final_name_while_the_run_is_under_way(tmp_path: Path) -> None:
    with written_whole(tmp_path / "run") as directory:
        assert not (tmp_path / "run").exists()
        assert directory.parent == tmp_path / ".partial"


def test_a_pattern_over_all_runs_finds_nothing_of_one_under_way(tmp_path: Path) -> None:
    with written_whole(tmp_path / "run") as directory:
        (directory / "requests").mkdir()
        (directory / "requests" / "a.parquet").write_text("half")
        assert list(tmp_path.glob("*/requests/*.parquet")) == []  # the * of pathlib stands for hidden names too
    assert len(list(tmp_path.glob("*/requests/*.parquet"))) == 1


def test_a_pattern_over_all_runs_finds_one_run_where_one_replaces_another(tmp_path: Path) -> None:
    _write(tmp_path / "run", "old")
    with written_whole(tmp_path / "run", replace=True) as directory:
        (directory / "requests").mkdir()
        (directory / "requests" / "a.parquet").write_text("new")
        assert [path.read_text() for path in tmp_path.glob("*/requests/*.parquet")] == ["old"]


def test_runs_side_by_side_leave_each_other_s_directory_alone(tmp_path: Path) -> None:
    with written_whole(tmp_path / "one") as one:
        _write(tmp_path / "two")
        with written_whole(tmp_path / "three") as three:
            assert one.parent == three.parent
        assert one.is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "three", "two"]


def test_many_runs_at_once_in_one_place_all_come_out_whole(tmp_path: Path) -> None:
    def many(worker: int) -> None:
        for number in range(20):
            _write(tmp_path / f"run-{worker}-{number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(many, range(4)))
    assert len(list(tmp_path.glob("run-*/requests/a.parquet"))) == 80
    assert not (tmp_path / ".partial").exists()


def test_many_runs_at_once_where_nothing_can_be_locked_come_out_whole_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("des.disk.fcntl", None)
    test_many_runs_at_once_in_one_place_all_come_out_whole(tmp_path)


def test_a_directory_that_another_run_removes_at_that_moment_is_no_file_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be locked: `.partial` is there when it is to be made, and gone when it is looked at."""
    make = Path.mkdir
    calls = []

    def mkdir(path: Path, *args: object, **kwargs: object) -> None:
        if path.name == ".partial":
            calls.append(path)
            if len(calls) == 1:
                raise FileExistsError(17, "File exists", str(path))
        make(path, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr("des.disk.fcntl", None)
    monkeypatch.setattr(Path, "mkdir", mkdir)
    _write(tmp_path / "run")
    assert len(calls) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a file system in which nothing can be created")
@pytest.mark.parametrize("name", ["run", "deep/er/run"])
def test_a_place_where_no_directory_can_be_created_is_refused(name: str) -> None:
    with pytest.raises(OutputError, match="cannot write to /proc/"), written_whole(Path("/proc") / name):
        pass


def test_whoever_may_write_to_the_folder_may_run_there_at_the_same_time(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    with written_whole(tmp_path / "run") as directory:
        assert directory.parent.stat().st_mode & 0o7777 == 0o1777


def test_a_file_named_as_the_partial_directory_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".partial").write_text("mine")
    with pytest.raises(OutputError, match=r"\.partial is not a directory"):
        _write(tmp_path / "run")
    assert (tmp_path / ".partial").read_text() == "mine"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_whatever_ends_a_run_early_removes_it(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error):
        _break_off(tmp_path / "run", error())
    assert list(tmp_path.iterdir()) == []


def test_an_existing_directory_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        _write(tmp_path / "run")
    assert list((tmp_path / "run").iterdir()) == []


def test_a_file_in_the_way_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    for replace in (False, True):
        with pytest.raises(OutputError, match="not a directory"):
            _write(tmp_path / "run", replace=replace)
    assert (tmp_path / "run").read_text() == "mine"


def test_a_dangling_link_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="exists already"):
        _write(tmp_path / "run")


def test_a_file_where_a_parent_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="is not a directory") as caught:
        _write(tmp_path / "file" / "run")
    assert not isinstance(caught.value, WriteError)
    assert str(tmp_path / "file") in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_directory_without_permission_is_wrong_input(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="permission denied") as caught:
            _write(tmp_path / "run")
    finally:
        tmp_path.chmod(0o700)
    assert not isinstance(caught.value, WriteError)


def test_a_directory_made_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="exists already"), written_whole(tmp_path / "run"):
        (tmp_path / "run").mkdir()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_replacing_puts_the_new_run_in_the_old_ones_place(tmp_path: Path) -> None:
    _write(tmp_path / "run", "old")
    _write(tmp_path / "run", "new", replace=True)
    assert (tmp_path / "run" / "requests" / "a.parquet").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_replacement_that_fails_leaves_the_old_run(tmp_path: Path) -> None:
    _write(tmp_path / "run", "old")
    with pytest.raises(ValueError, match="broke"), written_whole(tmp_path / "run", replace=True):
        raise ValueError("broke")
    assert (tmp_path / "run" / "requests" / "a.parquet").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "no space left on the disk"), (errno.EIO, "input/output error")]
)
def test_a_disk_that_fails_is_said_and_nothing_is_kept(tmp_path: Path, number: int, words: str) -> None:
    with pytest.raises(WriteError, match=words):
        _break_off(tmp_path / "run", OSError(number, os.strerror(number)))
    assert list(tmp_path.iterdir()) == []


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
    _write(tmp_path / "run")
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


def test_a_run_that_fails_takes_the_folders_made_for_it_along(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(ValueError, match="broke"):
        _break_off(tmp_path / "there" / "made" / "deep" / "run", ValueError("broke"))
    assert list((tmp_path / "there").iterdir()) == []


def test_a_folder_that_others_use_meanwhile_stays(tmp_path: Path) -> None:
    with suppress(ValueError), written_whole(tmp_path / "made" / "run"):
        _write(tmp_path / "made" / "other")
        raise ValueError
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["other"]


def test_runs_that_fail_beside_each_other_do_not_take_each_other_s_folder(tmp_path: Path) -> None:
    def many(worker: int) -> None:
        for number in range(50):
            with suppress(ValueError):
                _break_off(tmp_path / "made" / f"run-{worker}-{number}", ValueError())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(many, range(4)))
    _write(tmp_path / "made" / "run")


def test_replacing_a_link_leaves_what_it_leads_to(tmp_path: Path) -> None:
    _write(tmp_path / "elsewhere", "old")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "run").symlink_to(Path("..") / "elsewhere")
    _write(tmp_path / "runs" / "run", "new", replace=True)
    assert (tmp_path / "elsewhere" / "requests" / "a.parquet").read_text() == "old"
    assert (tmp_path / "runs" / "run" / "requests" / "a.parquet").read_text() == "new"
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["run"]


@pytest.mark.parametrize("other", ["other-1-abcdef", "run-2-1-abcdef", "run-replaced-1-abcdef", "prune-1-abcdef"])
def test_another_place_s_leftovers_are_left_alone(tmp_path: Path, other: str) -> None:
    (tmp_path / ".partial" / other).mkdir(parents=True)
    _write(tmp_path / "run")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".partial", "run"]
    assert [path.name for path in (tmp_path / ".partial").iterdir()] == [other]


def test_a_replaced_run_that_lost_its_successor_returns(tmp_path: Path) -> None:
    former = tmp_path / ".partial" / "run-replaced-abcdef"
    former.mkdir(parents=True)
    (former / "manifest.json").write_text("{}")
    with pytest.raises(ValueError, match="broke"), written_whole(tmp_path / "run"):
        raise ValueError("broke")
    assert (tmp_path / "run" / "manifest.json").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_permission_denied_is_wrong_input_and_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *args: object, **kwargs: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OutputError, match="permission denied") as caught:
        _write(tmp_path / "run")
    assert not isinstance(caught.value, WriteError)


def test_one_step_puts_a_new_run_in_the_place_of_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not _exchanges(tmp_path):
        pytest.skip("two paths cannot change places here")

    def refuse(path: Path, target: object) -> None:
        raise AssertionError(f"between renames, {path} would be gone")

    _write(tmp_path / "run", "old")
    monkeypatch.setattr(Path, "rename", refuse)
    _write(tmp_path / "run", "new", replace=True)
    assert (tmp_path / "run" / "requests" / "a.parquet").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def _exchanges(folder: Path) -> bool:
    one, other = folder / "one", folder / "other"
    one.mkdir()
    other.mkdir()
    found = disk._exchange(one, other)
    one.rmdir()
    other.rmdir()
    return found


@pytest.fixture
def _without_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_exchange", lambda one, other: False)


@pytest.mark.usefixtures("_without_exchange")
def test_where_nothing_changes_places_two_renames_replace_a_run(tmp_path: Path) -> None:
    test_replacing_puts_the_new_run_in_the_old_ones_place(tmp_path)
    test_replacing_a_link_leaves_what_it_leads_to(tmp_path / "links")


_KILLED_WHILE_REPLACING = """
import os, signal, sys
from pathlib import Path
from des import disk

def last(*paths):
    done = rename(*paths)
    if sys.argv[2] == "exchange" or "replaced-" in str(paths[-1]):
        os.kill(os.getpid(), signal.SIGKILL)
    return done

if sys.argv[2] == "exchange":
    rename, disk._exchange = disk._exchange, last
else:
    rename, Path.rename, disk._exchange = Path.rename, last, lambda one, other: False
with disk.written_whole(Path(sys.argv[1]), replace=True) as directory:
    (directory / "manifest.json").write_text('{"name": "new"}')
    (directory / "summary.json").write_text("{}")
"""


@pytest.mark.parametrize("way", ["exchange", "renames"])
def test_a_reader_finds_the_old_run_or_the_new_one_whenever_replacing_is_killed(tmp_path: Path, way: str) -> None:
    if way == "exchange" and not _exchanges(tmp_path):
        pytest.skip("two paths cannot change places here")
    target = tmp_path / "run"
    target.mkdir()
    (target / "manifest.json").write_text('{"name": "old"}')
    (target / "summary.json").write_text("{}")
    done = subprocess.run([sys.executable, "-c", _KILLED_WHILE_REPLACING, target, way], timeout=PATIENCE_S)
    assert done.returncode == -signal.SIGKILL
    assert load(target).manifest["name"] == ("new" if way == "exchange" else "old")
    _write(target, replace=True)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_new_file_is_whole_and_alone(tmp_path: Path) -> None:
    write_new(tmp_path / "out.yaml", "a: ½\n")
    assert (tmp_path / "out.yaml").read_text(encoding="utf-8") == "a: ½\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out.yaml"]


def test_a_new_file_replaces_none_that_was_made_meanwhile(tmp_path: Path) -> None:
    (tmp_path / "out.yaml").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        write_new(tmp_path / "out.yaml", "a: 1\n")
    assert (tmp_path / "out.yaml").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["out.yaml"]


def test_a_new_file_is_whole_too_where_files_have_one_name_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*paths: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    test_a_new_file_is_whole_and_alone(tmp_path)
    (tmp_path / "out.yaml").unlink()
    test_a_new_file_replaces_none_that_was_made_meanwhile(tmp_path)


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "no space left on the disk"), (errno.EIO, "input/output error")]
)
def test_a_disk_that_fails_leaves_nothing_of_a_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(WriteError, match=words):
        write_new(tmp_path / "out.yaml", "a: 1\n")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="no such file"):
        write_new(tmp_path / "nowhere" / "out.yaml", "a: 1\n")


def test_regular_files_alone_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    check_regular(tmp_path / "file")
    check_regular(tmp_path / "link")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
    for path, why in (
        (tmp_path, "is a folder"),
        (tmp_path / "pipe", "is a pipe"),
        (tmp_path / "socket", "is a socket"),
        (Path("/dev/zero"), "is a device"),
        (tmp_path / "nowhere", "No such file"),
        (tmp_path / ("x" * 5_000), "too long"),
        (tmp_path / "a\0b", "null"),
    ):
        with pytest.raises(OSError, match=why):
            check_regular(path)


def test_the_file_that_went_missing_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(WriteError, match=r"failed: requests/a\.parquet: no such file"),
        written_whole(tmp_path / "run") as directory,
    ):
        (directory / "requests" / "a.parquet").read_text()
