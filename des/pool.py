"""The one process pool: a job done on many tasks, with results in the order of the tasks for any number of processes.

Each worker is a fresh interpreter that imports the package and nothing of the caller's program. Scripts therefore need
no `if __name__ == "__main__"`, and notebooks work. Job, tasks and results pass through the worker's standard streams.

Why not a library. `concurrent.futures` imports the caller's script again (spawn, forkserver) or forks beside Arrow's
threads (fork). loky 3.7 does neither, but its workers outlive a parent that is killed until their task ends, end a
task without letting it clean up, and say nothing of how far it has come. Each of the three needs code on both ends,
which is most of this module. Here a worker ends when its standard input does, which a killed parent closes too.
"""

import math
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, BinaryIO, Final, Generic, TypeVar

from des.errors import DesError, RunError
from des.signals import signals_held

Task = TypeVar("Task")
Result = TypeVar("Result")

Report = Callable[[float], None]
"""Called by a job with how far its task has come, in the task's own measure."""
Watch = Callable[[int, float], None]
"""Called with a task's number and how far it has come; infinity when it is done."""

_CLEAN_UP_S: Final = 10.0
_REPORT_EVERY_S: Final = 0.1
_START: Final = "import sys; sys.path[:] = sys.argv[1:]; from des.pool import _work; _work()"

_Process = subprocess.Popen[bytes]
_News = queue.SimpleQueue[tuple[int, str, Any]]


class Workers(Generic[Task, Result]):
    """Runs `job(task, report)` on tasks in up to `count` processes; with one, in this very process.

    Job, tasks and results must be picklable. Use it as a context: leaving it ends every process, in the middle of its
    task where an error or a signal is the reason.
    """

    def __init__(self, job: Callable[[Task, Report | None], Result], count: int) -> None:
        self._job = job
        self._count = count
        self._processes: list[_Process] = []

    def __enter__(self) -> "Workers[Task, Result]":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with signals_held("SIGINT"):
            for process in self._processes:
                with suppress(OSError):
                    process.terminate()  # a task that writes a directory of its own removes it
            for process in self._processes:
                try:
                    process.wait(timeout=_CLEAN_UP_S)
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

        Raises what a task raises, and RunError for a process that is lost.
        """
        if self._count == 1 or (len(tasks) == 1 and not self._processes):
            for number, task in enumerate(tasks):
                yield self._job(task, None if watch is None else _numbered(watch, number))
            return
        while len(self._processes) < min(self._count, len(tasks)):
            self._processes.append(_started(self._job))
        waiting, news = deque(enumerate(tasks)), _News()
        for process in self._processes:
            threading.Thread(target=_feed, args=(process, waiting, news), daemon=True).start()
        results: dict[int, Result] = {}
        for number in range(len(tasks)):
            while number not in results:
                of, what, content = news.get()
                if what == "error":
                    waiting.clear()
                    raise content
                if what == "done":
                    results[of], content = content, math.inf
                if watch is not None:
                    watch(of, content)
            yield results.pop(number)


def available() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


def _numbered(watch: Watch, number: int) -> Report:
    return lambda reached: watch(number, reached)


def _started(job: Any) -> _Process:
    with signals_held("SIGINT"):  # which the process inherits: Ctrl-C is for us, who then end it
        process = subprocess.Popen(
            [sys.executable, "-c", _START, *sys.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # the one waiting for its first result learns that it is gone
        _send(process.stdin, job)
    return process


def _feed(process: _Process, waiting: "deque[tuple[int, Any]]", news: _News) -> None:
    """Hand a process one task after the other and pass on what it answers, in a thread of its own."""
    assert process.stdin is not None
    assert process.stdout is not None
    number, what = -1, "done"
    try:
        while what != "error":
            try:
                number, task = waiting.popleft()
            except IndexError:
                return
            _send(process.stdin, task)
            what = "progress"
            while what == "progress":
                what, content = pickle.load(process.stdout)
                news.put((number, what, content))
    except (EOFError, OSError, ValueError, pickle.UnpicklingError):
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5.0)
        news.put((number, "error", RunError(_how_lost(process.returncode))))
    except BaseException as error:
        news.put((number, "error", error))


def _how_lost(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            name = signal.Signals(-code).name
            short = " (too little memory, perhaps)" if name == "SIGKILL" else ""
            return f"a worker process was ended by {name}{short}"
    return f"a worker process ended by itself (exit code {code})"


def _send(stream: Any, content: Any) -> None:
    pickle.dump(content, stream)
    stream.flush()


def _work() -> None:
    """In the worker: read the job, then tasks, from standard input; answer each on what was standard output."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anything prints must not fall between the answers
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, tasks), daemon=True).start()
    try:
        job = tasks.get()
        while True:
            task = tasks.get()
            try:
                answer = ("done", job(task, _Reporter(answers)))
            except Exception as error:
                answer = ("error", _portable(error))
            _answer(answers, answer)
    except SystemExit as stop:  # the task has cleaned up; the interpreter's own way out would wait for the listener
        os._exit(stop.code if isinstance(stop.code, int) else 1)


def _listen(stream: BinaryIO, tasks: "queue.SimpleQueue[Any]") -> None:
    """The caller has ended, well or not, when the input ends: leave, in the middle of a task too."""
    try:
        while True:
            tasks.put(pickle.load(stream))
    except EOFError:
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


class _Reporter:
    """Passes on how far a task has come, at most ten times a second."""

    def __init__(self, answers: BinaryIO) -> None:
        self._answers = answers
        self._last_s = 0.0

    def __call__(self, reached: float) -> None:
        now_s = time.monotonic()
        if now_s - self._last_s >= _REPORT_EVERY_S:
            self._last_s = now_s
            _answer(self._answers, ("progress", reached))


def _answer(answers: BinaryIO, content: Any) -> None:
    try:
        _send(answers, content)
    except BrokenPipeError:
        os._exit(1)


def _portable(error: Exception) -> Exception:
    """The error itself with where it came from as a note, or its words where it cannot be sent."""
    error.add_note("in a worker process:\n" + "".join(traceback.format_exception(error)).rstrip())
    try:
        copy = pickle.loads(pickle.dumps(error))
        if str(copy) == str(error) and isinstance(copy, Exception):
            return error
    except Exception:
        pass
    if isinstance(error, DesError):
        return DesError(str(error))
    return RuntimeError(f"{type(error).__name__}: {error}")
