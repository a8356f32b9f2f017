"""A run that is stopped or killed goes on from its finished replications, and ends with the same bytes."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import des
from des.errors import OutputError, WriteError, what_is_left
from des.scenario import from_mapping
from des.study import replication
from des.study.identity import file_digest
from des.study.options import RunOptions
from des.study.outcome_json import outcome_text
from des.study.run import Finished, ensure
from des.study.study import Study
from des.study.unfinished import Unfinished, unfinished
from des.traces.writer import WrittenTrace
from study.small_scenario import small, write_small
from tests.patience import PATIENCE_S

ASKED: dict[str, Any] = {"replications": 3}
"""Of two arms: six pieces."""
VOLATILE = {"created_at", "wall_s", "engine"}


@pytest.fixture(autouse=True)
def _results_land_in_a_folder_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _ensure(**options: Any) -> Finished:
    return ensure(write_small(Path.cwd(), horizon="1h"), RunOptions(**{**ASKED, **options}))


def _content(directory: Path) -> dict[str, Any]:
    """Every file, and the manifest without what may differ between two executions."""
    found: dict[str, Any] = {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    for path in directory.rglob("manifest.json"):
        manifest = json.loads(path.read_text())
        found[path.relative_to(directory).as_posix()] = {
            key: value for key, value in manifest.items() if key not in VOLATILE
        }
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The run that nothing interrupts."""
    folder = tmp_path_factory.mktemp("whole")
    return _content(des.run(write_small(folder, horizon="1h"), out=folder / "run", **ASKED).path)


def _unfinished() -> Path:
    (place,) = [path for path in Path("results/.partial").iterdir() if "-unfinished-" in path.name]
    return place


def _pieces() -> list[str]:
    return sorted(path.name for path in (_unfinished() / "finished").iterdir())


class _Simulated:
    """Counts replications, and stops at one of them."""

    def __init__(self, stop_at: int | None = None, error: BaseException | None = None) -> None:
        self.made: list[tuple[str, int]] = []
        self._stop_at = stop_at
        self._error = error or KeyboardInterrupt()
        self._simulate = replication.simulate

    def __call__(self, plan: Any, number: int, *rest: Any) -> int:
        if len(self.made) == self._stop_at:
            raise self._error
        self.made.append((plan.arm, number))
        return self._simulate(plan, number, *rest)


def _stopped(
    monkeypatch: pytest.MonkeyPatch, at: int, error: BaseException | None = None, **options: Any
) -> str | None:
    """Stop a run at that replication. Returns what it says is left."""
    with monkeypatch.context() as patch:
        patch.setattr(replication, "simulate", _Simulated(at, error))
        with pytest.raises(type(error) if error is not None else KeyboardInterrupt) as caught:
            _ensure(**options)
    return what_is_left(caught.value)


def _goes_on(monkeypatch: pytest.MonkeyPatch, **options: Any) -> tuple[Finished, list[tuple[str, int]]]:
    """The run, and the replications that it simulated."""
    with monkeypatch.context() as patch:
        counted = _Simulated()
        patch.setattr(replication, "simulate", counted)
        return _ensure(**options), counted.made


@pytest.mark.parametrize("at", [1, 4, 5])
def test_an_interrupted_run_goes_on_and_ends_with_the_same_bytes(
    at: int, monkeypatch: pytest.MonkeyPatch, whole: dict[str, Any]
) -> None:
    assert _stopped(monkeypatch, at) == f"{at} of 6 replications are kept; run the same command again to continue"
    assert not list(Path("results").glob("small-*"))
    finished, made = _goes_on(monkeypatch)
    assert len(made) == 6 - at
    assert _content(finished.run.path) == whole
    assert [path.name for path in Path("results").iterdir()] == [finished.run.path.name]


def test_a_run_may_be_interrupted_again_and_again(monkeypatch: pytest.MonkeyPatch, whole: dict[str, Any]) -> None:
    for number in range(1, 6):
        _stopped(monkeypatch, 1)
        assert len(_pieces()) == number
    finished, made = _goes_on(monkeypatch)
    assert made == [("primary_only", 2)]
    assert _content(finished.run.path) == whole


def test_nothing_finished_is_nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _stopped(monkeypatch, 0) == "nothing was kept"
    assert not Path("results").exists()


def test_a_named_place_goes_on_too(monkeypatch: pytest.MonkeyPatch, whole: dict[str, Any]) -> None:
    _stopped(monkeypatch, 2, out="deep/mine")
    assert not Path("deep/mine").exists()
    finished, made = _goes_on(monkeypatch, out="deep/mine")
    assert len(made) == 4
    assert _content(finished.run.path) == whole
    assert [path.name for path in Path("deep").iterdir()] == ["mine"]


def test_a_comparison_goes_on_and_ends_with_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    content = small(horizon="1h")
    expected = _content(des.compare(content, replications=2, out="whole").run.path)
    with monkeypatch.context() as patch:
        patch.setattr(replication, "simulate", _Simulated(3))
        with pytest.raises(KeyboardInterrupt):
            des.compare(content, replications=2, out="again")
    assert _content(des.compare(content, replications=2, out="again").run.path) == expected


def test_a_precision_goes_on_and_takes_the_same_replications(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {"precision": {"latency_s_mean": 0.04}, "replications": 2, "traces": False}
    expected = _ensure(out="whole", **asked).run
    took = expected.manifest["replications"]
    assert took > 4
    _stopped(monkeypatch, 5, out="again", **asked)
    finished, made = _goes_on(monkeypatch, out="again", **asked)
    assert len(made) == 2 * took - 5
    assert _content(finished.run.path) == _content(expected.path)


def test_another_run_does_not_take_the_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    _stopped(monkeypatch, 4)
    _, made = _goes_on(monkeypatch, seed=8)
    assert len(made) == 6
    assert len(_pieces()) == 4


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("spoil", [_cut, _flip, Path.unlink, lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize("name", ["finished/as_modelled-0001.jsonl", "attempts/as_modelled-0001.parquet"])
def test_a_piece_that_does_not_fit_its_checksum_is_simulated_again(
    spoil: Callable[[Path], Any], name: str, monkeypatch: pytest.MonkeyPatch, whole: dict[str, Any]
) -> None:
    _stopped(monkeypatch, 5)
    spoil(_unfinished() / name)
    finished, made = _goes_on(monkeypatch)
    assert made == [("as_modelled", 1), ("primary_only", 2)]
    assert _content(finished.run.path) == whole


def test_a_piece_of_another_replication_or_run_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    _stopped(monkeypatch, 5)
    finished = _unfinished() / "finished"
    shutil.copy(finished / "as_modelled-0000.jsonl", finished / "as_modelled-0001.jsonl")
    head, outcome, _ = (finished / "primary_only-0000.jsonl").read_text().split("\n")
    (finished / "primary_only-0000.jsonl").write_text("\n".join((head, outcome.replace('"up":1.0', '"up":0.5'), "")))
    assert _goes_on(monkeypatch)[1] == [("as_modelled", 1), ("primary_only", 0), ("primary_only", 2)]


def test_a_piece_that_names_files_elsewhere_is_not_taken(tmp_path: Path) -> None:
    study = Study.of(from_mapping(small(horizon="1h")), traces=True)
    (tmp_path / "secret").write_text("mine")
    with unfinished(tmp_path / "run", study.identity.key()) as pieces:
        assert pieces is not None
        made = replication.Replicator(study.plans, pieces.writing, "{}")(replication.Part("as_modelled", 0), None)
        stolen = WrittenTrace("../../secret", 0, 4, file_digest(tmp_path / "secret"))
        part = replication.Part("as_modelled", 0)
        for written, taken in ((made.written, True), ((*made.written, stolen), False)):
            text = outcome_text(replication.Outcome(made.observed, made.spells, written, made.cascade))
            pieces.keep(part, text, made.written if taken else (), pieces.writing)
            assert (pieces.finished(part) is not None) == taken


def test_what_was_half_written_is_discarded(monkeypatch: pytest.MonkeyPatch, whole: dict[str, Any]) -> None:
    _stopped(monkeypatch, 3)
    half = _unfinished() / "writing-1-abcdef" / "requests"
    half.mkdir(parents=True)
    (half / "primary_only-0000.parquet").write_bytes(b"PAR1")
    finished, _ = _goes_on(monkeypatch)
    assert _content(finished.run.path) == whole


_KILLED = """
import os, signal, sys
from pathlib import Path
import des
from des.study import unfinished

def killed(*arguments):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments)

left = int(sys.argv[2])
where, _, name = sys.argv[1].rpartition(".")
owner = Path if where == "Path" else unfinished
real = getattr(owner, name)
setattr(owner, name, killed)
des.run("small.yaml", replications=3)
"""


@pytest.mark.parametrize(("at", "after"), [("Path.replace", 17), ("Path.rename", 0), ("link_file", 7)])
def test_a_run_killed_at_any_step_goes_on(at: str, after: int, tmp_path: Path, whole: dict[str, Any]) -> None:
    write_small(tmp_path, horizon="1h")
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, at, str(after)], timeout=PATIENCE_S, env=os.environ | {"PYTHONHASHSEED": "0"}
    )
    assert done.returncode == -signal.SIGKILL
    assert _content(_ensure().run.path) == whole
    assert len(list(Path("results").iterdir())) == 1


def test_an_error_says_what_is_kept(monkeypatch: pytest.MonkeyPatch, whole: dict[str, Any]) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(replication, "simulate", _Simulated(3, OSError(28, "No space left on device")))
        with pytest.raises(WriteError, match="no space left on the disk") as caught:
            _ensure()
    left = what_is_left(caught.value)
    assert left == "3 of 6 replications are kept; run the same command again to continue"
    assert _content(_ensure().run.path) == whole


def test_force_starts_anew_and_goes_on_from_its_own_pieces(
    monkeypatch: pytest.MonkeyPatch, whole: dict[str, Any]
) -> None:
    _stopped(monkeypatch, 4)
    _stopped(monkeypatch, 2, force=True)
    assert len(_pieces()) == 2
    finished, made = _goes_on(monkeypatch, force=True)
    assert len(made) == 4
    assert _content(finished.run.path) == whole


def test_two_processes_at_the_same_run_do_not_spoil_each_other(
    monkeypatch: pytest.MonkeyPatch, whole: dict[str, Any]
) -> None:
    write = Study.write
    others: list[Finished] = []

    def overtaken(study: Study, directory: Path, **options: Any) -> None:
        assert isinstance(options["pieces"], Unfinished)
        monkeypatch.setattr(Study, "write", alone)
        others.append(_ensure())
        monkeypatch.setattr(Study, "write", write)
        write(study, directory, **options)

    def alone(study: Study, directory: Path, **options: Any) -> None:
        assert options["pieces"] is None  # the first has them
        write(study, directory, **options)

    monkeypatch.setattr(Study, "write", overtaken)
    second = _ensure()
    assert (others[0].reused, second.reused) == (False, True)
    assert _content(second.run.path) == whole
    assert [path.name for path in Path("results").iterdir()] == [second.run.path.name]


def test_a_finished_run_forgets_what_a_process_killed_last_left(monkeypatch: pytest.MonkeyPatch) -> None:
    _stopped(monkeypatch, 4)
    kept = _unfinished()
    shutil.move(kept, "elsewhere")
    run = _ensure().run
    kept.parent.mkdir()
    shutil.move("elsewhere", kept)
    again, made = _goes_on(monkeypatch)
    assert again.reused
    assert made == []
    assert [path.name for path in Path("results").iterdir()] == [run.path.name]


def test_where_nothing_can_be_locked_nothing_is_kept_and_all_is_simulated(
    monkeypatch: pytest.MonkeyPatch, whole: dict[str, Any]
) -> None:
    monkeypatch.setattr("des.disk.fcntl", None)
    assert _stopped(monkeypatch, 4) == "nothing was kept"
    assert not list(Path().glob("results/.partial/*"))
    assert _content(_ensure().run.path) == whole


def test_where_files_have_one_name_each_the_run_is_whole_too(
    monkeypatch: pytest.MonkeyPatch, whole: dict[str, Any]
) -> None:
    def refuse(*paths: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    _stopped(monkeypatch, 4)
    assert _content(_ensure().run.path) == whole


def test_a_link_in_the_place_of_the_pieces_is_left_alone(tmp_path: Path) -> None:
    key = "0123456789ab"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("mine")
    (tmp_path / ".partial").mkdir()
    (tmp_path / ".partial" / f"run-unfinished-{key}").symlink_to(tmp_path / "mine")
    with unfinished(tmp_path / "run", key) as pieces:
        assert pieces is None
    assert (tmp_path / "mine" / "file").read_text() == "mine"


def test_the_number_of_processes_may_change_on_the_way(monkeypatch: pytest.MonkeyPatch, whole: dict[str, Any]) -> None:
    _stopped(monkeypatch, 2)
    assert _content(_ensure(workers=2).run.path) == whole


def test_a_sweep_goes_on_from_its_points_in_a_named_place(monkeypatch: pytest.MonkeyPatch) -> None:
    content, over = small(horizon="1h"), ["policy.rounds=1,2,3"]
    of_runs: dict[str, Any] = {"replications": 2, "estimator": "request level"}
    expected = _content(des.sweep(content, over, out="whole", **of_runs).path)
    simulated = _Simulated(7)  # in the second point
    with monkeypatch.context() as patch:
        patch.setattr(replication, "simulate", simulated)
        with pytest.raises(KeyboardInterrupt) as caught:
            des.sweep(content, over, out="again", **of_runs)
    assert what_is_left(caught.value) == "1 of 3 points are kept; run the same command again to continue"
    assert not Path("again").exists()
    counted = _Simulated()
    with monkeypatch.context() as patch:
        patch.setattr(replication, "simulate", counted)
        assert _content(des.sweep(content, over, out="again", **of_runs).path) == expected
    assert len(counted.made) == 3 * 4 - 7
    assert not Path(".partial").exists()


def test_an_existing_place_is_refused_before_anything_is_kept(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        _ensure(out="there")
    assert not (tmp_path / ".partial").exists()
