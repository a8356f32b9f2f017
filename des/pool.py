"""Where tasks run: in this process, in a pool of processes, or elsewhere, such as on the workers of a cluster.

Results have the order of the tasks, wherever they run.

Each worker is a fresh interpreter that imports the package and nothing of the caller's program. Scripts therefore need
no `if __name__ == "__main__"`, and notebooks work. Job, tasks and results pass through the worker's standard streams.

Why not a library: `concurrent.futures` imports the caller's script again (spawn, forkserver) or forks beside Arrow's
threads (fork). loky 3.7 does neither. But if its parent is killed, its workers run until their task ends; it ends a
task without letting it clean up; and it does not report progress. Each of the three needs code on both ends, which is
most of this module. Here a worker ends at the end of its standard input, which a killed parent closes too.
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
from typing import Any, BinaryIO, Final, Generic, Protocol, TypeVar

from des.errors import DesError, RunError
from des.signals import signals_held

Task = TypeVar("Task")
Result = TypeVar("Result")

Report = Callable[[float], None]
"""A job calls it with the progress of its task, in the task's own unit."""
Watch = Callable[[int, float], None]
"""Called with a task's number and its progress; infinity when it is done."""


class Elsewhere(Protocol):
    """Other machines that run tasks (`des.study.cluster.Cluster`)."""

    def processors(self) -> int:
        """Tasks that run at once."""
        ...

    def map(self, job: Any, tasks: Sequence[Any], watch: Watch | None) -> Iterator[Any]:
        """The results in the order of the tasks. Jobs get no `Report` there."""
        ...


Where = int | Elsewhere
"""The number of processes here, or elsewhere."""

_OF_THE_PROGRAM: Final = b"\x8c\x08__main__"
"""What a pickle calls the module of a class that the running program defines."""
_CLEAN_UP_S: Final = 10.0
_REPORT_EVERY_S: Final = 0.1
_STARTS_IN_S: Final = 2.0
"""Processor time that a worker takes to import the package and to load the compiled engine."""
_START: Final = "import sys; sys.path[:] = sys.argv[1:]; from des.pool import _work; _work()"

_Process = subprocess.Popen[bytes]
_News = queue.SimpleQueue[tuple[int, str, Any]]


class Workers(Generic[Task, Result]):
    """Runs `job(task, report)` on tasks: in at most this number of processes, with 1 in this one; or elsewhere.

    A job with a class of the running program itself runs in this process too, as no other one can import it.

    Job, tasks and results must be picklable. Use it as a context manager: leaving it ends every process. After an error
    or a signal it does so in the middle of a task.

    With `eager` false, tasks run in this process until starting others pays. That is for short work, of which nobody
    knows beforehand how short; the first task, however long, then runs alone.
    """

    def __init__(self, job: Callable[[Task, Report | None], Result], where: Where, *, eager: bool = True) -> None:
        self._job = job
        self._eager = eager
        self._spent_s, self._done_here = 0.0, 0
        self._count = where if isinstance(where, int) else 0
        self._elsewhere = None if isinstance(where, int) else where
        self._processes: list[_Process] = []

    def __enter__(self) -> "Workers[Task, Result]":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with signals_held("SIGINT"):
            for process in self._processes:
                with suppress(OSError):
                    process.terminate()  # a task that writes a directory removes it
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
        """The results in the order of the tasks. Take all of them before the next call.

        Raises the error of a task, and RunError if a process is lost.
        """
        if self._elsewhere is not None:
            yield from self._elsewhere.map(self._job, tasks, watch)
            return
        if self._count == 1 or (len(tasks) == 1 and not self._processes) or self._needs_this_process(tasks):
            for number, task in enumerate(tasks):
                yield self._job(task, None if watch is None else _numbered(watch, number))
            return
        waiting, news = deque(enumerate(tasks)), _News()
        while waiting and not self._pays(len(waiting)):
            number, task = waiting.popleft()
            began_s = time.process_time()
            result = self._job(task, None if watch is None else _numbered(watch, number))
            self._spent_s, self._done_here = self._spent_s + time.process_time() - began_s, self._done_here + 1
            yield result
        here = len(tasks) - len(waiting)
        while len(self._processes) < min(self._count, len(waiting)):
            self._processes.append(_started(self._job))
        for process in self._processes:
            threading.Thread(target=_feed, args=(process, waiting, news), daemon=True).start()
        results: dict[int, Result] = {}
        for number in range(here, len(tasks)):
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

    def _pays(self, left: int) -> bool:
        """Whether to have processes for the tasks that are left; decided by processor time, as others may be at work.

        They pay where these tasks save their start, or where as much as that has been spent here already.
        """
        if self._eager or self._processes:
            return True
        if not self._done_here:
            return False
        saved_s = self._spent_s / self._done_here * left * (1.0 - 1.0 / self._count)
        return max(saved_s, self._spent_s) > _STARTS_IN_S

    def _needs_this_process(self, tasks: Sequence[Task]) -> bool:
        """Whether the job has a class that the caller's program defines itself, as in a notebook: nobody imports it."""
        return not self._processes and len(tasks) > 0 and _OF_THE_PROGRAM in pickle.dumps((self._job, tasks[0]))


def processors(where: Where) -> int:
    """How many tasks run at once, which is no more than this machine's processors here."""
    return min(where, available()) if isinstance(where, int) else where.processors()


def available() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not available on this system
        return os.cpu_count() or 1


def _numbered(watch: Watch, number: int) -> Report:
    return lambda reached: watch(number, reached)


def _started(job: Any) -> _Process:
    with signals_held("SIGINT"):  # the worker inherits this: the parent handles Ctrl-C and then ends the worker
        process = subprocess.Popen(
            [sys.executable, "-c", _START, *sys.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # whoever waits for its first result then sees that it is gone
        _send(process.stdin, job)
    return process


def _feed(process: _Process, waiting: "deque[tuple[int, Any]]", news: _News) -> None:
    """Give a process one task after the other and pass on its answers. Runs in a separate thread."""
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
            short = " (perhaps out of memory)" if name == "SIGKILL" else ""
            return f"a worker process was ended by {name}{short}"
    return f"a worker process exited unexpectedly (exit code {code})"


def _send(stream: Any, content: Any) -> None:
    pickle.dump(content, stream)
    stream.flush()


def _work() -> None:
    """In the worker: read the job and then tasks from standard input; answer each on the former standard output."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # printed text must not get between the answers
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, tasks), daemon=True).start()
    try:
        job = tasks.get()
        while True:
            task = tasks.get()
            try:
                answer = ("done", job(task, _Reporter(answers)))
            except Exception as error:
                answer = ("error", portable(error))
            _answer(answers, answer)
    except SystemExit as stop:  # the task has cleaned up; a normal exit of the interpreter would wait for the listener
        os._exit(stop.code if isinstance(stop.code, int) else 1)


def _listen(stream: BinaryIO, tasks: "queue.SimpleQueue[Any]") -> None:
    """The end of the input means that the caller has ended: exit, even in the middle of a task."""
    try:
        while True:
            tasks.put(pickle.load(stream))
    except EOFError:
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


class _Reporter:
    """Reports the progress of a task, at most ten times a second."""

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


def portable(error: Exception, where: str = "in a worker process") -> Exception:
    """The error with its traceback as a note, or its message alone if it cannot be sent."""
    error.add_note(f"{where}:\n" + "".join(traceback.format_exception(error)).rstrip())
    try:
        copy = pickle.loads(pickle.dumps(error))
        if str(copy) == str(error) and isinstance(copy, Exception):
            return error
    except Exception:
        pass
    if isinstance(error, DesError):
        return DesError(str(error))
    return RuntimeError(f"{type(error).__name__}: {error}")
