"""What the client itself refused: no attempts, so they are counted by minute, leg and reason."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

MINUTE_S = 60.0


class Refusals:
    """Counts of calls that were not made.

    Each refusal by a queue, a ramp or throttling counts at its leg, even if another of its group is called then; that a
    group had no leg to call counts once, at its first leg.
    """

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: Counter[tuple[int, int, str]] = Counter()

    def count(self, now_s: float, leg: int, reason: str) -> None:
        """`reason` is an error type: circuit_open or client_limit."""
        self.counts[int(now_s / MINUTE_S), leg, reason] += 1

    def columns(self, reasons: tuple[str, ...]) -> dict[str, NDArray[np.int64]]:
        """Minute, leg, reason (its position in `reasons`) and count, each int64[n], sorted by the first three."""
        rows = sorted((minute, leg, reasons.index(reason), n) for (minute, leg, reason), n in self.counts.items())
        table = np.array(rows, dtype=np.int64).reshape(-1, 4)
        return {name: table[:, place] for place, name in enumerate(("minute", "leg", "reason", "count"))}
