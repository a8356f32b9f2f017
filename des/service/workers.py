"""The pool of worker processes: bounded in what it takes on, and each job in the time that it may take."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from des.service.bounds import Bounds
from des.service.problems import Fault, ProblemError, busy

_STARTING_S: Final = 120.0
_GIVING_UP_S: Final = 3.0
_AGAIN_S: Final = 5
"""After which a client may ask again, where too many ask."""
_LONGEST_LINE: Final = 64 * 1024 * 1024


class WorkerFailedError(Exception):
    """A fault of the service's own, with the traceback of the worker."""


class _Worker:
    """One process; it is started when it is first needed, and again after it was ended."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._process: asyncio.subprocess.Process | None = None
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        async with self._starting:
            await self._start()

    async def _start(self) -> None:
        if self._process is not None and self._process.returncode is None:
            return
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "des.service.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        async with asyncio.timeout(_STARTING_S):
            await self._send(self._bounds.as_json())
            await self._receive()

    async def work(self, asked: Mapping[str, Any], within_s: float) -> dict[str, Any]:
        """The worker's answer. The process is at rest, or gone, when this returns or raises."""
        try:
            await self.start()
        except BaseException:
            self.end()
            raise
        try:
            await self._send(asked)
            async with asyncio.timeout(within_s):
                return await self._receive()
        except TimeoutError:
            await self._give_up()
            detail = f"limit simulation_s: it takes longer than {within_s:g} s; POST /runs has more time"
            raise ProblemError(422, detail, (), "simulation_s", within_s) from None
        except asyncio.CancelledError:
            await asyncio.shield(asyncio.ensure_future(self._give_up()))
            raise
        except (OSError, EOFError, ValueError) as error:
            self.end()
            raise WorkerFailedError(f"a worker process was lost: {error}") from None

    async def _send(self, what: Mapping[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what, ensure_ascii=False).encode() + b"\n")
        await self._process.stdin.drain()

    async def _receive(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise EOFError("it has ended")
        found: dict[str, Any] = json.loads(line)
        return found

    async def _give_up(self) -> None:
        """Have the worker leave its job; one that does not is ended."""
        assert self._process is not None
        try:
            self._process.send_signal(signal.SIGUSR1)
            async with asyncio.timeout(_GIVING_UP_S):
                await self._receive()
        except (TimeoutError, OSError, EOFError, ValueError, AttributeError, asyncio.CancelledError):
            self.end()

    async def stop(self) -> None:
        process = self._process
        self.end()
        if process is not None:
            await process.wait()

    def end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()


class Workers:
    """`run` waits for a free worker, up to the bound of jobs that may wait."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._every = [_Worker(bounds) for _ in range(bounds.simulations)]
        self._free: asyncio.LifoQueue[_Worker] = asyncio.LifoQueue()
        for worker in reversed(self._every):
            self._free.put_nowait(worker)
        self.waiting = 0
        self.at_work = 0

    async def start(self) -> None:
        """Start every process, so that the first clients do not wait."""
        await asyncio.gather(*(worker.start() for worker in self._every))

    async def run(self, job: str, **asked: Any) -> dict[str, Any]:
        """What the job comes to. Raises ProblemError, also where too many wait already."""
        most = self._bounds.queued_simulations
        if self.waiting >= most:
            raise busy("queued_simulations", most, f"{most} are waiting already", _AGAIN_S, status=503)
        self.waiting += 1
        try:
            async with asyncio.timeout(self._bounds.queue_s):
                worker = await self._free.get()
        except TimeoutError:
            most_s = self._bounds.queue_s
            raise busy("queue_s", most_s, f"no worker was free within {most_s:g} s", _AGAIN_S, status=503) from None
        finally:
            self.waiting -= 1
        self.at_work += 1
        try:
            found = await worker.work({"job": job, **asked}, self._bounds.simulation_s)
        finally:
            self.at_work -= 1
            self._free.put_nowait(worker)
        if "done" in found:
            done: dict[str, Any] = found["done"]
            return done
        if "problem" in found:
            of = found["problem"]
            raise ProblemError(**{**of, "faults": tuple(Fault(**fault) for fault in of["faults"])})
        raise WorkerFailedError(str(found.get("failure", "a worker gave up its job unasked")))

    async def stop(self) -> None:
        """End every process, and wait for that."""
        await asyncio.gather(*(worker.stop() for worker in self._every))
