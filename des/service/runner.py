"""Takes runs off the queue: each in a process of its own, watched for time and disk, its progress told to followers."""

import asyncio
import contextlib
import json
import logging
import os
import shutil
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from des.errors import DesError
from des.service.addresses import address
from des.service.bounds import Bounds
from des.service.problems import ProblemError, busy
from des.service.runs import CANCELLED, DONE, ENDS, FAILED, QUEUED, RUNNING, Event, Run, RunStore, size_of

_LOOKED_EVERY_S: Final = 2.0
_TIDIED_EVERY_S: Final = 600.0
_LONGEST_LINE: Final = 1_000_000
_BEATS_EVERY_S: Final = 15.0
_LOG: Final = logging.getLogger("des.service")


class Runner:
    """The queue of runs. All methods belong to the event loop's thread."""

    def __init__(self, store: RunStore, bounds: Bounds) -> None:
        self.store = store
        self.bounds = bounds
        self._queue: deque[Run] = deque(run for run in store.runs.values() if run.status == QUEUED)
        self._more = asyncio.Event()
        self._changed: dict[str, asyncio.Event] = {}
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.streams = 0
        self.merging = asyncio.Lock()

    def start(self) -> None:
        """Go on with what is unfinished."""
        self._more.set()
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self.bounds.runs)]
        self._tasks.append(asyncio.create_task(self._tidy_now_and_then()))

    async def stop(self) -> None:
        """End the processes. What is finished of their runs is kept for the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def queued(self) -> int:
        return len(self._queue)

    @property
    def running(self) -> int:
        return len(self._processes)

    def ask(self, asked: Mapping[str, Any], title: str) -> tuple[Run, bool]:
        """The run of what is asked, and whether it is new. Raises ProblemError where the queue or the disk is full."""
        key = address("run", asked)
        known = self.store.runs.get(key)
        if known is not None and known.status not in (FAILED, CANCELLED):
            return known, False
        if len(self._queue) >= self.bounds.queued_runs:
            most = self.bounds.queued_runs
            raise busy("queued_runs", most, f"{most} runs are waiting already", 30)
        self.make_room()
        if self.store.bytes() >= self.bounds.disk_bytes:
            detail = f"unfinished runs take all of the {self.bounds.disk_bytes:,} bytes that there are for runs"
            raise busy("disk_bytes", self.bounds.disk_bytes, detail, 60)
        try:
            run = self.store.add(key, asked, title)
        except (DesError, OSError) as error:
            raise ProblemError(503, f"the run cannot be kept: {error}", retry_after_s=60) from None
        self._tell(run, "status", {"status": QUEUED})
        self._queue.append(run)
        self._more.set()
        return run, True

    async def remove(self, run: Run) -> None:
        """End its process, if there is one, and forget it. Whoever follows its events is told."""
        if run in self._queue:
            self._queue.remove(run)
        process = self._processes.get(run.key)
        run.status, run.finished_s = CANCELLED, time.time()
        self._tell(run, CANCELLED, self._data(run))
        left = self.store.forget(run)  # before anything is waited for: the same run may be asked for meanwhile
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        self.store.clear(left)

    async def follow(self, run: Run, after: int) -> AsyncIterator[Event | None]:
        """Events after a number, to the last one; None now and then, where nothing happens.

        A number that there is not yet is one of an earlier run of the same request: all events follow.
        """
        seen = after if run.events and after <= run.events[-1].number else 0
        while True:
            changed = self._changed.setdefault(run.key, asyncio.Event())
            for event in [event for event in run.events if event.number > seen]:
                seen = event.number
                yield event
            if run.status in ENDS and (not run.events or seen >= run.events[-1].number):
                return
            try:
                async with asyncio.timeout(_BEATS_EVERY_S):
                    await changed.wait()
            except TimeoutError:
                yield None

    def make_room(self) -> None:
        """Remove what is older than it is kept, and the oldest while all runs take too much."""
        now_s = time.time()
        for run in list(self.store.runs.values()):
            if run.finished_s is not None and now_s - run.finished_s > self.bounds.kept_s:
                self.store.remove(run)
        while self.store.bytes() > self.bounds.disk_bytes and (oldest := self.store.oldest_finished()) is not None:
            self.store.remove(oldest)

    async def _work(self) -> None:
        while True:
            while not self._queue:
                self._more.clear()
                await self._more.wait()
            run = self._queue.popleft()
            try:
                await self._simulate(run)
            except (OSError, DesError) as error:
                self._finish(run, FAILED, f"it cannot be kept: {error}")
            except Exception:  # the runs that wait must not wait for ever
                _LOG.exception("run failed", extra={"path": f"/runs/{run.key}"})
                self._finish(run, FAILED, "the service failed; its log says why")

    async def _simulate(self, run: Run) -> None:
        run.status = RUNNING
        run.save()
        self._tell(run, "status", {"status": RUNNING})
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "des.service.run_job",
            str(run.directory),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            cwd=run.directory,
        )
        self._processes[run.key] = process
        if run.status == CANCELLED:  # while it was started
            process.kill()
        watch = asyncio.create_task(self._watch(run, process))
        try:
            error = await self._hear(run, process)
            code = await process.wait()
        finally:
            watch.cancel()
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            if self._processes.get(run.key) is process:
                del self._processes[run.key]
        if run.status == CANCELLED:
            return
        if run.status == RUNNING and code == 0:
            self._finish(run, DONE, "")
        elif run.status == RUNNING:
            self._finish(run, FAILED, error or f"its process ended with code {code}")

    async def _hear(self, run: Run, process: asyncio.subprocess.Process) -> str:
        """Pass on what the process says; the error that it tells, if any."""
        assert process.stdout is not None
        error = ""
        async for line in process.stdout:
            with contextlib.suppress(ValueError):
                said = json.loads(line)
                if not isinstance(said, dict):
                    continue
                error = said.get("error", error)
                if "progress" in said and run.status == RUNNING:
                    run.progress, run.step = float(said["progress"]), str(said["step"])
                    self._tell(run, "progress", {"progress": run.progress, "step": run.step})
        return error

    async def _watch(self, run: Run, process: asyncio.subprocess.Process) -> None:
        """End a process that takes too long or writes too much."""
        started_s = time.monotonic()
        while True:
            await asyncio.sleep(_LOOKED_EVERY_S)
            if time.monotonic() - started_s > self.bounds.run_s:
                return self._stop(run, process, f"limit run_s: it takes longer than {self.bounds.run_s:g} s")
            if size_of(run.directory) > self.bounds.run_bytes:
                return self._stop(run, process, f"limit run_bytes: it writes more than {self.bounds.run_bytes:,} bytes")

    def _stop(self, run: Run, process: asyncio.subprocess.Process, why: str) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        for leftover in run.directory.glob(".*"):
            shutil.rmtree(leftover, ignore_errors=True)
        self._finish(run, FAILED, why)

    def _finish(self, run: Run, status: str, error: str) -> None:
        if run.status == CANCELLED:
            return
        run.status, run.error, run.finished_s = status, error, time.time()
        if status == DONE:
            run.progress, run.step = 1.0, ""
        with contextlib.suppress(OSError, DesError):
            run.save()
        self._tell(run, status, self._data(run))
        if status == DONE:
            self.make_room()

    def _data(self, run: Run) -> dict[str, Any]:
        return run.state(self.bounds.kept_s).model_dump(mode="json")

    def _tell(self, run: Run, name: str, data: Mapping[str, Any]) -> None:
        run.tell(name, data)
        changed = self._changed.pop(run.key, None)
        if changed is not None:
            changed.set()

    async def _tidy_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_TIDIED_EVERY_S)
            self.make_room()
