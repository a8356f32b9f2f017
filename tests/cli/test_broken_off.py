"""Runs that somebody or something ends leave nothing that looks whole."""

import copy
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from study.small_scenario import ENDLESS, SMALL, write_small

import des as des_api
from des.errors import WriteError
from tests.command import DES, ENVIRONMENT, des, is_a_clear_error, left_in
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
        wait_until(lambda: list((folder / "results").glob(".partial/small-*/*/requests/*.parquet")), process)
        yield process
    finally:
        process.kill()
        process.wait()


def test_an_interrupted_run_removes_what_it_wrote(tmp_path: Path) -> None:
    with _under_way(tmp_path) as process:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "nothing was kept" in said.splitlines()[-1]
    assert left_in(tmp_path) == []


def test_a_killed_run_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    with _under_way(tmp_path) as process:
        process.kill()
    assert [path.name for path in (tmp_path / "results").iterdir()] == [".partial"]
    assert not list((tmp_path / "results" / ".partial").glob("*/manifest.json"))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_an_explanation_that_is_stopped_leaves_no_temporary_directory(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    providers = copy.deepcopy(SMALL["providers"])
    providers["first"]["incidents"] = [{"kind": "poisson", "rate": "2/h", "duration": "1min"}]  # long to play
    write_small(
        tmp_path, horizon="60y", providers=providers, workload={"arrivals": {"kind": "poisson", "rate": "1/30d"}}
    )
    process = subprocess.Popen(
        [DES, "explain", "small.yaml"],
        cwd=tmp_path,
        env=ENVIRONMENT | {"TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_signals,
    )
    wait_until(lambda: list(temporary.rglob("*.parquet")), process)
    process.send_signal(number)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code
    assert len(said.splitlines()) == 1
    assert list(temporary.iterdir()) == []


def test_a_file_of_a_run_under_way_that_disappears_fails_the_run_and_is_named(tmp_path: Path) -> None:
    def clean(share: float, what: str) -> None:
        if what == "writing":
            (gone,) = tmp_path.glob(".partial/*/requests/as_modelled-0000.parquet")
            gone.unlink()

    with pytest.raises(WriteError, match=r"requests/as_modelled-0000\.parquet is missing"):
        des_api.run(write_small(tmp_path, horizon="1h"), out=tmp_path / "out", progress=clean)
    assert not (tmp_path / "out").exists()
    assert des_api.run(tmp_path / "small.yaml", out=tmp_path / "out").requests.size


def test_a_file_of_a_run_under_way_that_is_cut_off_fails_the_run_and_is_named(tmp_path: Path) -> None:
    def cut(share: float, what: str) -> None:
        if what == "writing":
            (gone,) = tmp_path.glob(".partial/*/attempts/as_modelled-0000.parquet")
            gone.write_bytes(gone.read_bytes()[:-1])

    with pytest.raises(WriteError, match=r"attempts/as_modelled-0000\.parquet has been changed"):
        des_api.run(write_small(tmp_path, horizon="1h"), out=tmp_path / "out", progress=cut)
    assert not (tmp_path / "out").exists()
    des_api.run(tmp_path / "small.yaml", out=tmp_path / "out").verify()


def test_a_directory_of_a_run_under_way_that_disappears_fails_the_run(tmp_path: Path) -> None:
    def clean(share: float, what: str) -> None:
        if what == "writing":
            for gone in tmp_path.glob(".partial/out-*"):
                shutil.rmtree(gone)

    with pytest.raises(WriteError, match=r"requests/as_modelled-0000\.parquet is missing"):
        des_api.run(write_small(tmp_path, horizon="1h"), out=tmp_path / "out", progress=clean)
    assert left_in(tmp_path) == []


def test_a_sweep_misses_a_file_of_a_point_too(tmp_path: Path) -> None:
    emptied: list[Path] = []

    def clean(share: float, what: str) -> None:
        for gone in tmp_path.glob(".partial/*/points/0000/requests/as_modelled-0000.parquet"):
            gone.unlink()
            emptied.append(gone)

    with pytest.raises(WriteError, match=r"points/0000: requests/as_modelled-0000\.parquet is missing"):
        des_api.sweep(
            write_small(tmp_path, horizon="1h"),
            ["seed=1,2"],
            estimator="request level",
            out=tmp_path / "out",
            traces=True,
            progress=clean,
        )
    assert emptied
    assert not (tmp_path / "out").exists()


@contextmanager
def _files_of_at_most(bytes_: int) -> Iterator[None]:
    """No file may grow beyond this; Python writes no bytecode, which would be cut off too and fail every later run."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_run_that_may_write_no_more_fails_and_leaves_nothing(tmp_path: Path) -> None:
    write_small(tmp_path)
    with _files_of_at_most(8_192):
        done = des("run", "small.yaml", folder=tmp_path)
    is_a_clear_error(done, 1)
    assert "nothing was kept" in done.stderr
    assert left_in(tmp_path) == []


_LITELLM = "model_list:\n- model_name: a\n  litellm_params: {model: openai/gpt-4o-mini, rpm: 5}\n"


def _history(folder: Path) -> Path:
    rows = [f"2024-{month:02}-01T00:00:00Z,2024-{month:02}-01T0{month % 5 + 1}:00:00Z,api" for month in range(1, 13)]
    path = folder / "history.csv"
    path.write_text("\n".join(["start,end,service", *rows]))
    return path


def test_a_piece_of_scenario_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    _history(tmp_path)
    (tmp_path / "config.yaml").write_text(_LITELLM)
    for command in (["fit", "history.csv"], ["import", "litellm", "config.yaml"]):
        with _files_of_at_most(16):
            done = des(*command, "--out", "out.yaml", folder=tmp_path)
        is_a_clear_error(done, 1)
        assert "nothing was kept" in done.stderr
        assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml", "history.csv"]
        assert des(*command, "--out", "out.yaml", folder=tmp_path).returncode == 0
        (tmp_path / "out.yaml").unlink()


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
        fitted = _history(tmp_path)
        done = des("run", "small.yaml", "--out", disk / "run", folder=tmp_path)
        left = [path.name for path in disk.iterdir()]
        (disk / "full").write_bytes(bytes(60_000))
        with suppress(OSError), (disk / "full").open("ab", buffering=0) as full:
            while full.write(bytes(1_000)):
                pass
        piece = des("fit", fitted, "--out", disk / "out.yaml", folder=tmp_path)
        left += [path.name for path in disk.iterdir() if path.name != "full"]
    finally:
        subprocess.run(["umount", disk], check=True)
    for each in (done, piece):
        is_a_clear_error(each, 1)
        assert "no space left" in each.stderr
    assert left == []
