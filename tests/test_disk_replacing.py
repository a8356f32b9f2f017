"""A run that replaces another is in its place in one step, and a reader finds one of the two."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from des import disk
from des.disk import written_whole
from des.traces import load
from tests.patience import PATIENCE_S
from tests.runs_on_disk import write_run


def test_a_pattern_over_all_runs_finds_one_run_where_one_replaces_another(tmp_path: Path) -> None:
    write_run(tmp_path / "run", "old")
    with written_whole(tmp_path / "run", replace=True) as directory:
        (directory / "requests").mkdir()
        (directory / "requests" / "a.parquet").write_text("new")
        assert [path.read_text() for path in tmp_path.glob("*/requests/*.parquet")] == ["old"]


def test_replacing_puts_the_new_run_in_the_old_ones_place(tmp_path: Path) -> None:
    write_run(tmp_path / "run", "old")
    write_run(tmp_path / "run", "new", replace=True)
    assert (tmp_path / "run" / "requests" / "a.parquet").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_replacement_that_fails_leaves_the_old_run(tmp_path: Path) -> None:
    write_run(tmp_path / "run", "old")
    with pytest.raises(ValueError, match="broke"), written_whole(tmp_path / "run", replace=True):
        raise ValueError("broke")
    assert (tmp_path / "run" / "requests" / "a.parquet").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_replacing_a_link_leaves_what_it_leads_to(tmp_path: Path) -> None:
    write_run(tmp_path / "elsewhere", "old")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "run").symlink_to(Path("..") / "elsewhere")
    write_run(tmp_path / "runs" / "run", "new", replace=True)
    assert (tmp_path / "elsewhere" / "requests" / "a.parquet").read_text() == "old"
    assert (tmp_path / "runs" / "run" / "requests" / "a.parquet").read_text() == "new"
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["run"]


def test_a_replaced_run_that_lost_its_successor_returns(tmp_path: Path) -> None:
    former = tmp_path / ".partial" / "run-replaced-abcdef"
    former.mkdir(parents=True)
    (former / "manifest.json").write_text("{}")
    with pytest.raises(ValueError, match="broke"), written_whole(tmp_path / "run"):
        raise ValueError("broke")
    assert (tmp_path / "run" / "manifest.json").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_one_step_puts_a_new_run_in_the_place_of_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not _exchanges(tmp_path):
        pytest.skip("two paths cannot change places here")

    def refuse(path: Path, target: object) -> None:
        raise AssertionError(f"between renames, {path} would be gone")

    write_run(tmp_path / "run", "old")
    monkeypatch.setattr(Path, "rename", refuse)
    write_run(tmp_path / "run", "new", replace=True)
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
    write_run(target, replace=True)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
