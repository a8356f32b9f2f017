"""Tasks on a Dask cluster: the results of the local pool, in order; errors in words; nothing lost when it is killed."""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed", reason="needs the extra cluster")

import distributed

import des
from des.errors import DesError, RunError
from des.pool import Workers
from des.study import cluster as module
from des.study.cluster import Cluster
from des.study.unfinished import Unfinished
from study.small_scenario import small, write_small
from study.test_stored_runs import objects, on_disk
from tests import pool_tasks
from tests.command import DES, ENVIRONMENT
from tests.patience import wait_until


@pytest.fixture(scope="module")
def here() -> Iterator[str]:
    """The address of a cluster in this very process, which takes no time to start."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0", silence_logs=logging.CRITICAL
    ) as cluster:
        yield cluster.scheduler_address
        for client in module._clients.values():
            client.close()
        module._clients.clear()


def _doubled(task: int, report: Any) -> int:
    time.sleep(0.01 * (task % 3))
    return 2 * task


def test_results_have_the_order_of_the_tasks_and_each_is_told_once(here: str) -> None:
    told: list[int] = []
    with Workers(_doubled, Cluster(here)) as pool:
        assert list(pool.map(range(40), lambda number, at: told.append(number))) == [2 * task for task in range(40)]
        assert list(pool.map([])) == []
    assert sorted(told) == list(range(40))


def test_an_error_of_a_task_is_raised_as_by_the_local_pool(here: str) -> None:
    found = []
    with Workers(pool_tasks.breaks, Cluster(here)) as pool, pytest.raises(RunError, match="task 2 is broken") as caught:
        found.extend(pool.map(range(5)))
    assert "on the worker at" in "\n".join(caught.value.__notes__)
    with Workers(pool_tasks.stubborn, Cluster(here)) as pool, pytest.raises(RuntimeError, match="StubbornError: 1 and"):
        list(pool.map([1]))


def test_short_tasks_are_given_out_in_batches(here: str, monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[int] = []
    submit = distributed.Client.submit

    def counted(self: Any, function: Any, *given: Any, **more: Any) -> Any:
        if function is module._done:
            batches.append(len(given[-1]))
        return submit(self, function, *given, **more)

    monkeypatch.setattr(distributed.Client, "submit", counted)
    with Workers(pool_tasks.slow_first, Cluster(here)) as pool:
        assert list(pool.map(range(1, 1001))) == [10 * task for task in range(1, 1001)]
    assert sum(batches) == 1000
    assert len(batches) < 100


def test_a_worker_with_another_version_is_named(here: str, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = iter(["ours", "theirs"])
    monkeypatch.setattr(module, "_version", lambda: next(versions))
    with Workers(_doubled, Cluster(here)) as pool, pytest.raises(DesError, match="another version of des"):
        list(pool.map([1]))


def test_no_scheduler_is_told_with_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CONNECT_S", 0.5)
    with (
        Workers(_doubled, Cluster("tcp://127.0.0.1:9")) as pool,
        pytest.raises(RunError, match=r"--cluster tcp://127\.0\.0\.1:9: no scheduler answers there"),
    ):
        list(pool.map([1]))


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("nonsense://x", "unknown address scheme"),
        ("foo", "missing port number"),
        ("", "missing port number"),
        ("tcp://host:99999", "a port from 1 to 65535"),
        ("tcp://:8786", "needs a host"),
    ],
)
def test_what_is_no_address_is_refused_before_anything_is_opened(
    address: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("distributed.Client")
    with Workers(_doubled, Cluster(address)) as pool, pytest.raises(DesError, match=f"is no address .*{says}"):
        list(pool.map([1]))


def test_every_command_finds_the_same_on_a_cluster(here: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scenario = small(horizon="1h")
    des.run(scenario, out="on_cluster", replications=2, cluster=here)
    des.run(scenario, out="local", replications=2)
    assert on_disk(tmp_path / "on_cluster") == on_disk(tmp_path / "local")
    for estimator in ("best", "request level"):
        name = estimator.replace(" ", "_")
        over = ["policy.rounds=1,2"]
        des.sweep(scenario, over, estimator=estimator, out=f"{name}_on_cluster", cluster=here)
        des.sweep(scenario, over, estimator=estimator, out=f"{name}_local")
        assert on_disk(tmp_path / f"{name}_on_cluster") == on_disk(tmp_path / f"{name}_local")
    found = [des.availability(scenario, years=50.0, cluster=at).table for at in (here, None)]
    assert found[0].equals(found[1])
    searches = [des.optimise(scenario, replications=10, cluster=at).as_json() for at in (here, None)]
    assert searches[0] == searches[1]
    answered = des.answer(scenario, rounds=1, cluster=here).as_json()
    assert answered == des.answer(scenario, rounds=1, workers=1).as_json()


def test_a_directory_that_a_worker_does_not_see_is_refused(tmp_path: Path) -> None:
    gone = Unfinished(tmp_path / "elsewhere", tmp_path / "elsewhere" / "writing", "0123456789ab")
    with pytest.raises(DesError, match="write to a directory that all machines share"), gone.scratch():
        pass


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a bucket that speaks the protocol of S3."""
    pytest.importorskip("moto.server", reason="needs moto")
    pytest.importorskip("s3fs", reason="needs the extra cluster")
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "nobody"),
        ("AWS_SECRET_ACCESS_KEY", "nothing"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}"),
    ):
        monkeypatch.setenv(name, value)
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem().mkdir("bucket")
    yield "s3://bucket/run"
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def _when(at: str) -> dict[str, Any]:
    """When each trace at an address was written."""
    import s3fs

    found = s3fs.S3FileSystem(use_listings_cache=False).find(at, detail=True)
    return {name: of["LastModified"] for name, of in found.items() if name.endswith(".parquet")}


def _pieces(at: str) -> list[str]:
    import s3fs

    time.sleep(0.2)  # the server runs in this process, and a look takes some of its time
    found: list[str] = s3fs.S3FileSystem(use_listings_cache=False).find(at)
    return [name for name in found if name.endswith(".jsonl")]


def test_a_worker_and_then_the_client_killed_lose_nothing(store: str, tmp_path: Path) -> None:
    scenario = write_small(tmp_path, horizon="24h", replications=7)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=logging.CRITICAL
    ) as cluster:
        address = cluster.scheduler_address
        client = subprocess.Popen(
            [DES, "run", str(scenario), "--out", store, "--cluster", address],
            env=ENVIRONMENT | {name: value for name, value in os.environ.items() if name.startswith("AWS_")},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            wait_until(lambda: _pieces(store), client)
            os.kill(next(iter(cluster.workers.values())).process.pid, signal.SIGKILL)
            killed_at = len(_pieces(store))
            wait_until(lambda: len(_pieces(store)) > killed_at, client)
        finally:
            client.kill()
            client.communicate()
        kept = {name: _when(store)[name] for name in _whole(_pieces(store), _when(store))}
        assert 0 < len(_pieces(store)) < 14, "it was not killed in the middle"
        assert "manifest.json" not in objects(store)
        des.run(scenario, out=store, cluster=address)
    found = objects(store)
    des.run(scenario, out=tmp_path / "local")
    assert found == on_disk(tmp_path / "local")
    assert {name: when for name, when in _when(store).items() if name in kept} == kept, "what was kept is not repeated"


def _whole(pieces: list[str], traces: dict[str, Any]) -> list[str]:
    """The traces of pieces."""
    stems = {Path(name).stem for name in pieces}
    return [name for name in traces if Path(name).stem in stems]
