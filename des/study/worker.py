"""The other end of `des.study.workers`: a process that does one task after the other until its input ends."""

import os
import pickle
import queue
import sys
import threading
import time
import traceback
from typing import Any, BinaryIO, Final

from des.errors import DesError

REPORT_EVERY_S: Final = 0.1


def main() -> None:
    """Read the job, then its tasks, from standard input; answer each on what was standard output."""
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
            _send(answers, answer)
    except SystemExit as stop:  # the task has cleaned up; the interpreter's own way out would wait for the listener
        os._exit(stop.code if isinstance(stop.code, int) else 1)


def _listen(stream: BinaryIO, tasks: "queue.SimpleQueue[Any]") -> None:
    """Whoever started us has ended, well or not, when the input ends: leave in the middle of whatever it is."""
    try:
        while True:
            tasks.put(pickle.load(stream))
    except EOFError:
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


class _Reporter:
    """Passes on how far a task has come, now and then."""

    def __init__(self, answers: BinaryIO) -> None:
        self._answers = answers
        self._last_s = 0.0

    def __call__(self, reached: float) -> None:
        now_s = time.monotonic()
        if now_s - self._last_s >= REPORT_EVERY_S:
            self._last_s = now_s
            _send(self._answers, ("progress", reached))


def _send(answers: BinaryIO, content: Any) -> None:
    try:
        pickle.dump(content, answers)
        answers.flush()
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
