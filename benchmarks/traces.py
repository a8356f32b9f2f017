"""What the traces cost the engine: time a request in the engine's thread and in the thread that writes.

    python -m benchmarks.traces [REQUESTS]

Simulates the reference workload once, keeps its blocks of rows, and hands them to the trace writers again, with and
without a thread. The engine waits only for what the writers do in its own thread, as long as the other one keeps up.
"""

import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from benchmarks.engine import RATE_PER_S, SCENARIO
from des.engine import names, simulate
from des.scenario import load_scenario, plans
from des.traces.writer import TraceWriter

_DEFAULT = 250_000
_Block = Mapping[str, NDArray[Any]]
_Names = Mapping[str, Mapping[str, Any]]


class Kept:
    """A sink that keeps the blocks of requests and attempts."""

    def __init__(self) -> None:
        self.blocks: list[tuple[str, _Block]] = []

    def requests(self, block: _Block) -> None:
        self.blocks.append(("requests", block))

    def attempts(self, block: _Block) -> None:
        self.blocks.append(("attempts", block))

    def transitions(self, block: _Block) -> None: ...
    def incidents(self, block: _Block) -> None: ...
    def refusals(self, block: _Block) -> None: ...


def main() -> None:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else _DEFAULT
    plan = plans(load_scenario(SCENARIO, [f"horizon={wanted / RATE_PER_S}s"]))["as_modelled"]
    kept = Kept()
    requests = simulate(plan, 0, kept)
    attempts = sum(len(block["request_id"]) for table, block in kept.blocks if table == "attempts")
    print(f"{requests:,} requests, {attempts / requests:.2f} attempts each, in {len(kept.blocks):,} blocks")
    for name, threads in (("warming up", 0), ("without a thread", 0), ("with a thread", 1)):
        with ThreadPoolExecutor(max_workers=1) as thread, tempfile.TemporaryDirectory() as directory:
            seconds = _written(Path(directory), kept.blocks, names(plan), thread if threads else None)
        caller_us, all_us, wall_us = (1e6 * each / requests for each in seconds)
        print(
            f"{name}: {caller_us:.2f} us a request in the engine's thread, {all_us:.2f} us of processor time in all,"
            f" {wall_us:.2f} us until everything is written"
        )


def _written(
    directory: Path, blocks: list[tuple[str, _Block]], columns: _Names, thread: Executor | None
) -> tuple[float, float, float]:
    """Seconds of this thread, of all threads, and of the wall clock."""
    started = time.thread_time(), time.process_time(), time.perf_counter()
    writers = {
        table: TraceWriter(directory, table, "as_modelled", 0, columns[table], "{}", thread=thread)
        for table in ("requests", "attempts")
    }
    for table, block in blocks:
        writers[table].append(block)
    for writer in writers.values():
        writer.close()
    ended = time.thread_time(), time.process_time(), time.perf_counter()
    caller_s, all_s, wall_s = (after - before for before, after in zip(started, ended, strict=True))
    return caller_s, all_s, wall_s


if __name__ == "__main__":
    main()
