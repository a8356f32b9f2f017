"""What workers are given to do in tests."""

import os
import signal
import time
from collections.abc import Callable

from des.errors import RunError

Report = Callable[[float], None] | None


def slow_first(task: int, report: Report) -> int:
    time.sleep(0.2 if task == 0 else 0.0)
    return task * 10


def where(task: int, report: Report) -> int:
    """The process that it ran in."""
    return os.getpid()


def breaks(task: int, report: Report) -> int:
    if task == 2:
        raise RunError("task 2 is broken")
    return task


class StubbornError(Exception):
    """Cannot be made again from its words."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def stubborn(task: int, report: Report) -> int:
    raise StubbornError(1, 2)


def dies(task: int, report: Report) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return task


def talks(task: int, report: Report) -> int:
    print("talking")  # noqa: T201
    return task
