"""Work spread over processes, with results in the order of the tasks, whatever the number of processes.

Each worker is a fresh interpreter that imports the package and nothing of the caller's program, so scripts need no
`if __name__ == "__main__"` and notebooks work. Tasks and results pass through its standard streams. A worker never
outlives its caller: it leaves when its input ends.
"""

import math
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Generic, TypeVar

from des.errors import RunError
from des.study.signals import signals_held

Task = TypeVar("Task")
Result = TypeVar("Result")

Told = Callable[[float], None]
"""Told how far a task has come, in the task's own measure."""
Watch = Callable[[int, float], None]
"""Told a task's number in its sequence and how far it has come."""

PATIENCE_S: Final = 10.0
"""What a worker gets for cleaning up."""

_START: Final = "import sys; sys.path[:] = sys.argv[1:]; from des.study.worker import main; main()"


class Workers(Generic[Task, Result]):
    """Runs a job on tasks in up to `count` processes; with one, in this very process.

    Job, tasks and results must be picklable. Use it as a context: leaving it ends every process, at once where an error
    or a signal is the reason.
    """

    def __init__(self, job: Callable[[Task, Told | None], Result], count: int) -> None:
        self._job = job
        self._count = count
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Workers[Task, Result]":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with signals_held("SIGINT"):
            for process in self._processes:
                with suppress(OSError):
                    process.terminate()  # a task that writes a directory of its own removes it
            for process in self._processes:
                try:
                    process.wait(timeout=PATIENCE_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                for stream in (process.stdin, process.stdout):
                    if stream is not None:
                        with suppress(OSError):
                            stream.close()
            self._processes.clear()

    def map(self, tasks: Sequence[Task], watch: Watch | None = None) -> Iterator[Result]:
        """The results in the order of the tasks, to be taken to the last before the next sequence.

        What a task raises is raised here; RunError for a process that is lost.
        """
        if self._count == 1 or (len(tasks) == 1 and not self._processes):
            for number, task in enumerate(tasks):
                yield self._job(task, _told(watch, number))
            return
        while len(self._processes) < min(self._count, len(tasks)):
            self._processes.append(_started(self._job))
        yield from _Round(tasks, self._processes, watch).results()


def _told(watch: Watch | None, number: int) -> Told | None:
    return None if watch is None else lambda reached: watch(number, reached)


def _started(job: Any) -> "subprocess.Popen[bytes]":
    with signals_held("SIGINT"):  # which the process inherits: Ctrl-C is for us, who then end it
        process = subprocess.Popen(
            [sys.executable, "-c", _START, *sys.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # whoever waits for its first result learns that it is gone
        pickle.dump(job, process.stdin)
        process.stdin.flush()
    return process


class _Round(Generic[Task, Result]):
    """One sequence of tasks: a thread for each process hands it the next one and listens."""

    def __init__(
        self, tasks: Sequence[Task], processes: Sequence["subprocess.Popen[bytes]"], watch: Watch | None
    ) -> None:
        self._tasks = tasks
        self._watch = watch
        self._waiting = deque(range(len(tasks)))
        self._news: queue.SimpleQueue[tuple[str, int, Any]] = queue.SimpleQueue()
        for process in processes:
            threading.Thread(target=self._serve, args=(process,), daemon=True).start()

    def results(self) -> Iterator[Result]:
        found: dict[int, Result] = {}
        for next_one in range(len(self._tasks)):
            while next_one not in found:
                what, number, content = self._news.get()
                if what == "error":
                    self._waiting.clear()
                    raise content
                if what == "done":
                    found[number], content = content, math.inf
                if self._watch is not None:
                    self._watch(number, content)
            yield found.pop(next_one)

    def _serve(self, process: "subprocess.Popen[bytes]") -> None:
        to, out_of = process.stdin, process.stdout
        assert to is not None
        assert out_of is not None
        number = -1
        try:
            while True:
                try:
                    number = self._waiting.popleft()
                except IndexError:
                    return
                pickle.dump(self._tasks[number], to)
                to.flush()
                while True:
                    what, content = pickle.load(out_of)
                    self._news.put((what, number, content))
                    if what == "error":
                        return
                    if what == "done":
                        break
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5.0)
            self._news.put(("error", number, RunError(_how_lost(process.returncode))))
        except BaseException as error:
            self._news.put(("error", number, error))


def _how_lost(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            name = signal.Signals(-code).name
            short = " (too little memory, perhaps)" if name == "SIGKILL" else ""
            return f"a worker process was ended by {name}{short}; nothing was kept"
    return f"a worker process ended by itself (exit code {code}); nothing was kept"


def available() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1
