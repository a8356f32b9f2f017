"""A file is written whole or not at all; what is read is a regular file."""

import errno
import os
import socket
from pathlib import Path

import pytest

from des.errors import OutputError, WriteError
from des.single_files import check_regular, write_new


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
