"""What is written is whole or absent, whatever ends the writing."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from des.disk import written_whole
from des.errors import OutputError, WriteError
from tests.runs_on_disk import write_run


def _break_off(target: Path, error: BaseException) -> None:
    with written_whole(target) as directory:
        (directory / "half").write_text("x")
        raise error


def test_a_finished_run_stands_under_its_name_alone(tmp_path: Path) -> None:
    write_run(tmp_path / "deep" / "run", "finished")
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


def test_runs_side_by_side_leave_each_other_s_directory_alone(tmp_path: Path) -> None:
    with written_whole(tmp_path / "one") as one:
        write_run(tmp_path / "two")
        with written_whole(tmp_path / "three") as three:
            assert one.parent == three.parent
        assert one.is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "three", "two"]


def test_many_runs_at_once_in_one_place_all_come_out_whole(tmp_path: Path) -> None:
    def many(worker: int) -> None:
        for number in range(20):
            write_run(tmp_path / f"run-{worker}-{number}")

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
    write_run(tmp_path / "run")
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
        write_run(tmp_path / "run")
    assert (tmp_path / ".partial").read_text() == "mine"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_whatever_ends_a_run_early_removes_it(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error):
        _break_off(tmp_path / "run", error())
    assert list(tmp_path.iterdir()) == []


def test_an_existing_directory_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        write_run(tmp_path / "run")
    assert list((tmp_path / "run").iterdir()) == []


def test_a_file_in_the_way_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    for replace in (False, True):
        with pytest.raises(OutputError, match="not a directory"):
            write_run(tmp_path / "run", replace=replace)
    assert (tmp_path / "run").read_text() == "mine"


def test_a_dangling_link_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="exists already"):
        write_run(tmp_path / "run")


def test_a_file_where_a_parent_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="is not a directory") as caught:
        write_run(tmp_path / "file" / "run")
    assert not isinstance(caught.value, WriteError)
    assert str(tmp_path / "file") in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_directory_without_permission_is_wrong_input(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="permission denied") as caught:
            write_run(tmp_path / "run")
    finally:
        tmp_path.chmod(0o700)
    assert not isinstance(caught.value, WriteError)


def test_a_directory_made_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="exists already"), written_whole(tmp_path / "run"):
        (tmp_path / "run").mkdir()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "no space left on the disk"), (errno.EIO, "input/output error")]
)
def test_a_disk_that_fails_is_said_and_nothing_is_kept(tmp_path: Path, number: int, words: str) -> None:
    with pytest.raises(WriteError, match=words):
        _break_off(tmp_path / "run", OSError(number, os.strerror(number)))
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_takes_the_folders_made_for_it_along(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(ValueError, match="broke"):
        _break_off(tmp_path / "there" / "made" / "deep" / "run", ValueError("broke"))
    assert list((tmp_path / "there").iterdir()) == []


def test_a_folder_that_others_use_meanwhile_stays(tmp_path: Path) -> None:
    with suppress(ValueError), written_whole(tmp_path / "made" / "run"):
        write_run(tmp_path / "made" / "other")
        raise ValueError
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["other"]


def test_runs_that_fail_beside_each_other_do_not_take_each_other_s_folder(tmp_path: Path) -> None:
    def many(worker: int) -> None:
        for number in range(50):
            with suppress(ValueError):
                _break_off(tmp_path / "made" / f"run-{worker}-{number}", ValueError())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(many, range(4)))
    write_run(tmp_path / "made" / "run")


@pytest.mark.parametrize("other", ["other-1-abcdef", "run-2-1-abcdef", "run-replaced-1-abcdef", "prune-1-abcdef"])
def test_another_place_s_leftovers_are_left_alone(tmp_path: Path, other: str) -> None:
    (tmp_path / ".partial" / other).mkdir(parents=True)
    write_run(tmp_path / "run")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".partial", "run"]
    assert [path.name for path in (tmp_path / ".partial").iterdir()] == [other]


def test_permission_denied_is_wrong_input_and_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *args: object, **kwargs: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OutputError, match="permission denied") as caught:
        write_run(tmp_path / "run")
    assert not isinstance(caught.value, WriteError)


def test_the_file_that_went_missing_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(WriteError, match=r"failed: requests/a\.parquet: no such file"),
        written_whole(tmp_path / "run") as directory,
    ):
        (directory / "requests" / "a.parquet").read_text()
