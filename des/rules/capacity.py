"""First come, first served: when a job starts that comes to servers whose free times are known.

`free_at_s` is a heap with one entry for each server: when it has done all that was given to it. Jobs come in order of
time, so that they start in that order too. Who takes a job puts its end in the place of the heap's first entry.
"""

from bisect import bisect_right
from collections.abc import Sequence


def start_s(free_at_s: Sequence[float], now_s: float) -> float:
    """When a job that comes now starts: at once, or when the first server is free."""
    return max(now_s, free_at_s[0])


def waiting(starts_s: Sequence[float], now_s: float) -> int:
    """How many jobs wait now; `starts_s` are the starts of the jobs taken so far (the latest of them), ascending."""
    return len(starts_s) - bisect_right(starts_s, now_s)


def is_full(waiting: int, queue: float) -> bool:
    """Whether a job that has to wait is turned away (529) since `queue` jobs wait already."""
    return waiting >= queue
