"""Runs and sweeps at an address: the bytes of a run on disk, and what is finished is kept, taken and never repeated."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fsspec", reason="needs the extra cluster")
pytest.importorskip("upath", reason="needs the extra cluster")

import fsspec

import des
from des.errors import DesError, OutputError, what_is_left
from des.storage import is_url
from des.study import replication, sweep_point
from des.study.recorded import Run
from des.study.sweep_record import Sweep
from study.small_scenario import small, write_small
from tests.command import des as command

ADDRESS = "memory://bucket/run"
VOLATILE = {"created_at", "wall_s"}
ASKED: dict[str, Any] = {"replications": 3}


@pytest.fixture(autouse=True)
def _empty_store() -> Iterator[None]:
    store = fsspec.filesystem("memory").store
    store.clear()
    yield
    store.clear()


def objects(at: str = ADDRESS) -> dict[str, Any]:
    """Every object, and manifests without what may differ between two executions."""
    files, root = fsspec.core.url_to_fs(at, use_listings_cache=False)
    return _comparable({path[len(root) + 1 :]: files.cat_file(path) for path in files.find(root)})


def on_disk(directory: Path) -> dict[str, Any]:
    paths = [path for path in directory.rglob("*") if path.is_file()]
    return _comparable({path.relative_to(directory).as_posix(): path.read_bytes() for path in paths})


def _comparable(found: dict[str, bytes]) -> dict[str, Any]:
    comparable: dict[str, Any] = dict(found)
    for name in [name for name in found if name.endswith("manifest.json")]:
        comparable[name] = {key: value for key, value in json.loads(found[name]).items() if key not in VOLATILE}
    return comparable


def _run(**options: Any) -> Run:
    return des.run(small(horizon="1h"), **{"out": ADDRESS, **ASKED, **options})


def _stop_at(monkeypatch: pytest.MonkeyPatch, at: int) -> list[int]:
    """Replications made, one of which is interrupted."""
    made: list[int] = []
    simulate = replication.simulate

    def counted(plan: Any, number: int, *rest: Any) -> int:
        if len(made) == at:
            raise KeyboardInterrupt
        made.append(number)
        return simulate(plan, number, *rest)

    monkeypatch.setattr(replication, "simulate", counted)
    return made


def test_a_run_at_an_address_has_the_bytes_of_one_on_disk(tmp_path: Path) -> None:
    found = _run()
    _run(out=tmp_path / "run")
    assert objects() == on_disk(tmp_path / "run")
    again = des.load(ADDRESS)
    assert len(again.requests) == len(found.requests) > 0
    assert list(again.availability().columns) == list(found.availability().columns)
    assert des.verify(ADDRESS).holds


def test_an_interrupted_run_goes_on_from_its_finished_replications(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        _stop_at(patch, 4)
        with pytest.raises(KeyboardInterrupt) as caught:
            _run()
    assert what_is_left(caught.value) == (
        f"what is finished is kept in {ADDRESS}; run the same command again to continue"
    )
    assert "manifest.json" not in objects()
    with monkeypatch.context() as patch:
        made = _stop_at(patch, 99)
        _run()
    assert made == [1, 2]
    _run(out=tmp_path / "run")
    assert objects() == on_disk(tmp_path / "run")


def test_a_replication_whose_trace_is_lost_is_simulated_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        _stop_at(patch, 4)
        with pytest.raises(KeyboardInterrupt):
            _run()
    fsspec.filesystem("memory").rm_file("/bucket/run/requests/as_modelled-0001.parquet")
    with monkeypatch.context() as patch:
        made = _stop_at(patch, 99)
        _run()
    assert made == [1, 1, 2]
    assert des.verify(ADDRESS).holds


def test_the_same_run_is_there_and_another_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _run()
    made = _stop_at(monkeypatch, 99)
    _run()
    assert made == []
    with pytest.raises(OutputError, match="another run is here"):
        _run(seed=8)
    _run(seed=8, replications=1, force=True)
    assert made == [0, 0]
    assert des.verify(ADDRESS).holds


def test_a_run_that_was_damaged_there_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    _run()
    fsspec.filesystem("memory").rm_file("/bucket/run/attempts/primary_only-0002.parquet")
    with pytest.raises(OutputError, match=r"attempts/primary_only-0002\.parquet is missing"):
        _run()


@pytest.mark.parametrize("estimator", ["best", "request level"])
def test_an_interrupted_sweep_goes_on_from_its_finished_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, estimator: str
) -> None:
    def swept(out: Path | str) -> Sweep:
        return des.sweep(small(horizon="1h"), ["policy.rounds=1,2,3"], estimator=estimator, out=out, seed=3)

    with monkeypatch.context() as patch:
        if estimator == "best":
            answered, calls = sweep_point.answered, []

            def counted(*given: Any, **more: Any) -> Any:
                calls.append(1)
                if len(calls) == 3:
                    raise KeyboardInterrupt
                return answered(*given, **more)

            patch.setattr(sweep_point, "answered", counted)
        else:
            _stop_at(patch, 4)
        with pytest.raises(KeyboardInterrupt) as caught:
            swept(ADDRESS)
    assert what_is_left(caught.value) is not None
    assert "sweep.json" not in objects()
    assert not swept(ADDRESS).reused
    assert swept(ADDRESS).reused
    swept(tmp_path / "out")
    assert objects() == on_disk(tmp_path / "out")


def test_an_address_is_text() -> None:
    assert is_url("s3://bucket/prefix")
    assert not is_url("results/s3")
    with pytest.raises(DesError, match="give the address as text"):
        is_url(Path("s3://bucket/prefix"))


def test_the_commands_take_an_address(tmp_path: Path) -> None:
    write_small(tmp_path, horizon="1h")
    ran = command("run", "small.yaml", "--out", ADDRESS, folder=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ADDRESS in ran.stdout
    assert "everything holds" in command("verify", ADDRESS, folder=tmp_path).stdout
    refused = command("answer", "small.yaml", "--rounds", "1", "--out", ADDRESS, folder=tmp_path)
    assert refused.returncode == 2
    assert "only runs and sweeps can be kept at an address" in refused.stderr


def test_a_store_that_refuses_is_told_with_its_address() -> None:
    with pytest.raises(DesError, match="nothing://bucket"):
        _run(out="nothing://bucket")


def test_an_address_of_this_machine_has_its_folders_made_and_none_left(tmp_path: Path) -> None:
    _run(out=f"file://{tmp_path}/new/run")
    _run(out=str(tmp_path / "other"))
    assert on_disk(tmp_path / "new" / "run") == on_disk(tmp_path / "other")
    assert not list((tmp_path / "new" / "run").glob(".*"))
