"""How cost grows: with worker processes, and with requests, replications, arms, legs and components.

    python -m benchmarks.scaling workers [--engine ENGINE] [--traces] [--pairs N] [--requests N]
    python -m benchmarks.scaling size [--engine ENGINE]
    python -m benchmarks.scaling cluster [--tasks N]

`workers`: 32 replications on one process and on two, by the clock on the wall. With traces, a process of the compiled
engine has two threads. Beside them, a loop without memory or files says what two processes are worth on this machine.
`size`: processor time on one process, by each size. `cluster`: a run of N replications on a
Dask cluster.

What takes twice as long on twice the input has the same cost a unit in each row of a size. The cluster's workers are
processes of this machine. A task returns its figures, and writes its traces to the disk by itself: both are counted in
bytes, as the scheduler carries the former alone.
"""

import argparse
import logging
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from unittest import mock

import des

REFERENCE: Final = Path(__file__).with_name("reference.yaml")
REPLICATIONS: Final = 32
REQUESTS: Final = {"simpy": 20_000, "compiled": 500_000}
"""A replication's, for about half a minute on one process."""
RATE_PER_S: Final = 50
REPEATS: Final = 3
LEGS: Final = {"simpy": (3, 10, 30, 100), "compiled": (3, 10, 30, 60)}
"""The compiled engine has up to 60."""
_CALLS: Final = {"simpy": 30_000, "compiled": 1_000_000}
"""Of a measurement by size, about."""


def main() -> None:
    parser = argparse.ArgumentParser(description="how cost grows with workers and with the size of the input")
    parser.add_argument("what", choices=("workers", "size", "cluster"))
    parser.add_argument("--engine", choices=("simpy", "compiled"), default="compiled")
    parser.add_argument(
        "--traces", action="store_true", help="with them, a worker of the compiled engine has two threads"
    )
    parser.add_argument("--pairs", type=int, default=3, help="turns of one process and of two")
    parser.add_argument("--requests", type=int, help="a replication's; by itself, for about half a minute")
    parser.add_argument("--tasks", type=int, default=10_000)
    asked = parser.parse_args()
    if asked.what == "workers":
        by_workers(asked.engine, asked.pairs, asked.requests or REQUESTS[asked.engine], traces=asked.traces)
    elif asked.what == "size":
        by_size(asked.engine)
    else:
        on_a_cluster(asked.tasks)


def by_workers(engine: str, pairs: int, requests: int, *, traces: bool) -> None:
    """Wall clock of the same run on one process and on two, in turn."""
    gains, most = [], []
    for number in range(pairs):
        one_s, two_s = (_run_s(engine, workers, number + 1, requests, traces=traces) for workers in (1, 2))
        gains.append(one_s / two_s)
        most.append(_of_a_loop())
        said = f"one worker {one_s:.1f} s, two {two_s:.1f} s: {gains[-1]:.2f}; a loop {most[-1]:.2f}"
        print(f"{REPLICATIONS} replications: {said}", flush=True)
    print(f"two workers, {engine}: {statistics.median(gains):.2f} times one, {min(gains):.2f} to {max(gains):.2f}")
    print(f"two processes of a loop: {statistics.median(most):.2f} times one")


_LOOP: Final = "for number in range(60_000_000): pass"


def _of_a_loop() -> float:
    """How much more two processes do than one in the same time, of work that shares nothing but the machine."""
    begun_s = time.perf_counter()
    subprocess.run([sys.executable, "-c", _LOOP], check=True)
    one_s = time.perf_counter() - begun_s
    begun_s = time.perf_counter()
    for each in [subprocess.Popen([sys.executable, "-c", _LOOP]) for _ in range(2)]:
        each.wait()
    return 2.0 * one_s / (time.perf_counter() - begun_s)


def _run_s(engine: str, workers: int, seed: int, requests: int, *, traces: bool) -> float:
    with tempfile.TemporaryDirectory() as folder:
        started_s = time.perf_counter()
        des.run(
            REFERENCE,
            out=Path(folder) / "run",
            seed=seed,
            overrides=[f"horizon={requests // RATE_PER_S}s"],
            replications=REPLICATIONS,
            workers=workers,
            engine=engine,
            traces=traces,
        )
        return time.perf_counter() - started_s


def by_size(engine: str) -> None:
    """Processor time a unit, by each size."""
    calls = _CALLS[engine]
    _processor_s(_chain(3, calls // 30), engine)  # imports, and loads the engine
    for name, unit, sizes, scenario in (
        ("requests", "request", (1, 4, 16), lambda n: (_chain(3, calls // 30 * n), calls // 30 * n)),
        ("legs that all fail", "call", LEGS[engine], lambda n: (_chain(n, calls // n), calls // n * n)),
        ("legs of which the first serves", "request", LEGS[engine], lambda n: (_serving(n, calls), calls)),
        ("replications", "request", (1, 4, 16), lambda n: (_chain(3, calls // 30, replications=n), calls // 30 * n)),
        ("arms", "request", (1, 4, 16), lambda n: (_chain(3, calls // 30, arms=n), calls // 30 * n)),
        ("components", "incident", (3, 10, 30, 100), lambda n: (_failing(n, calls // n // 30), calls // 30)),
    ):
        _show(name, unit, sizes, scenario, engine)


def _show(
    name: str,
    unit: str,
    sizes: Sequence[int],
    scenario: Callable[[int], tuple[Mapping[str, Any], int]],
    engine: str,
) -> None:
    print(f"\n{name}, {engine} engine", flush=True)
    for size in sizes:
        given, units = scenario(size)
        taken_s = min(_processor_s(given, engine) for _ in range(REPEATS))
        print(f"{size:6} {taken_s:8.3f} s {1e6 * taken_s / units:8.2f} us / {unit}", flush=True)


def _processor_s(scenario: Mapping[str, Any], engine: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        started_s = time.process_time()
        des.run(scenario, out=Path(folder) / "run", workers=1, engine=engine, traces=False)
        return time.process_time() - started_s


def _chain(legs: int, requests: int, replications: int = 1, arms: int = 1, error: str = "100%") -> dict[str, Any]:
    """A chain of so many legs, with about so many requests a replication and arm. All of its calls fail."""
    model = {"latency": "1s", "errors": {"server_error": error}, "price": {"per_request": 0.01}}
    names = [f"p{number:03d}" for number in range(legs)]
    scenario = {
        "title": f"{legs} legs",
        "horizon": f"{requests}s",
        "seed": 1,
        "replications": replications,
        "workload": {"arrivals": {"kind": "poisson", "rate": "1/s"}},
        "providers": {name: {"models": {"m": model}} for name in names},
        "chain": [{"provider": name, "model": "m"} for name in names],
    }
    if arms > 1:
        scenario["arms"] = {f"arm{number:02d}": {"policy": {"deadline": f"{1000 + number}s"}} for number in range(arms)}
    return scenario


def _serving(legs: int, requests: int) -> dict[str, Any]:
    return _chain(legs, requests, error="0%")


def _failing(components: int, incidents: int) -> dict[str, Any]:
    """So many components with about so many incidents each, and hardly a request."""
    kind = {"kind": "poisson", "rate": "1/min", "duration": "10s"}
    scenario = _chain(1, 60 * incidents, error="0%")
    names = [f"c{number:03d}" for number in range(components)]
    scenario["components"] = {name: {"incidents": [kind]} for name in names}
    scenario["workload"] = {"arrivals": {"kind": "poisson", "rate": "1/h"}}
    scenario["providers"]["p000"]["depends_on"] = names
    return scenario


def on_a_cluster(tasks: int) -> None:
    """Seconds of a run of so many replications, and the bytes that its tasks return and write."""
    import distributed

    from des.study import cluster as module

    with (
        tempfile.TemporaryDirectory() as folder,
        distributed.LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=logging.CRITICAL
        ) as cluster,
    ):
        returned, batches = 0, 0
        results = distributed.Future.result

        def counted(future: Any, *given: Any, **more: Any) -> Any:
            nonlocal returned, batches
            found = results(future, *given, **more)
            returned, batches = returned + len(pickle.dumps(found)), batches + 1
            return found

        scenario = _chain(3, 200, replications=tasks, error="5%")
        started_s = time.perf_counter()
        with mock.patch.object(distributed.Future, "result", counted):
            run = des.run(scenario, out=Path(folder) / "run", cluster=cluster.scheduler_address)
        took_s = time.perf_counter() - started_s
        written = sum(path.stat().st_size for path in _traces(run.path))
        for client in module._clients.values():
            client.close()
    print(f"{tasks:,} tasks in {batches:,} batches: {took_s:.0f} s, {1e3 * took_s / tasks:.1f} ms each")
    print(f"returned by way of the scheduler: {returned / tasks:,.0f} bytes a task; written: {written / tasks:,.0f}")


def _traces(run: Path) -> Iterator[Path]:
    return run.rglob("*.parquet")


if __name__ == "__main__":
    main()
