"""Lost requests by the outage they were lost in: few outages lose many requests each, so requests are no sample."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from des.estimate.laws import is_lost

Block = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Losses:
    """Of one replication: how many requests each outage lost, those that lost some, and how many were lost apart."""

    in_outages: tuple[int, ...] = ()
    apart: int = 0


class LossCounter:
    """Takes blocks of requests; outages are disjoint, sorted intervals."""

    def __init__(self, start_s: NDArray[np.float64], end_s: NDArray[np.float64]) -> None:
        self._start_s = start_s
        self._end_s = end_s
        self._lost = np.zeros(len(start_s), np.int64)
        self._apart = 0

    def requests(self, block: Block) -> None:
        """A request counts for the last outage that was open at some time between its arrival and its end."""
        lost = is_lost(block["outcome"])
        if not lost.any():
            return
        arrival_s, end_s = block["arrival_s"][lost], block["end_s"][lost]
        last_s = np.where(np.isnan(end_s), arrival_s, end_s)
        place = np.searchsorted(self._start_s, last_s, side="right") - 1
        within = place >= 0
        within[within] = self._end_s[place[within]] >= arrival_s[within]
        self._lost += np.bincount(place[within], minlength=len(self._lost))
        self._apart += int(np.count_nonzero(~within))

    def losses(self) -> Losses:
        return Losses(tuple(int(count) for count in self._lost if count), self._apart)
