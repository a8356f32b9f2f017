"""Lost requests by the outage they were lost in: few outages lose many requests each, so requests are no sample."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.estimate.laws import is_lost
from des.faults import Intervals

Block = Mapping[str, NDArray[Any]]


MOST_APART: Final = 200
"""Requests lost apart from outages of which the times are kept; of more it takes no telling apart."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Of one replication: how many requests each outage lost, those that lost some, and how many were lost apart.

    Of these, `on_record` were lost in incidents on record, of which every replication has the same.
    """

    in_outages: tuple[int, ...] = ()
    apart: int = 0
    spans_s: tuple[tuple[float, float], ...] = ()  # from when to when those outages lasted
    apart_s: tuple[float, ...] = ()  # when those lost apart arrived, the first 200 of them
    on_record: int = 0

    @property
    def clusters(self) -> list[tuple[float, float, int]]:
        """(start, end, lost) of whatever lost requests, in seconds: outages, and requests that met none."""
        outages = [(*span, lost) for span, lost in zip(self.spans_s, self.in_outages, strict=True)]
        return [*outages, *((at_s, at_s, 1) for at_s in self.apart_s)]


class LossCounter:
    """Takes blocks of requests; outages are disjoint, sorted intervals, those that chance may make more or fewer of.

    So are those on record, in which requests are lost apart from them.
    """

    def __init__(self, outages: Intervals, on_record: Intervals | None = None) -> None:
        self._outages = outages
        self._record = on_record
        self._lost = np.zeros(len(outages.start_s), np.int64)
        self._apart = 0
        self._on_record = 0
        self._apart_s: list[float] = []

    def requests(self, block: Block) -> None:
        """A request counts for the last outage that was open at some time between its arrival and its end."""
        lost = is_lost(block["outcome"])
        if not lost.any():
            return
        arrival_s, end_s = block["arrival_s"][lost], block["end_s"][lost]
        last_s = np.where(np.isnan(end_s), arrival_s, end_s)
        place, within = _last_open(self._outages, arrival_s, last_s)
        self._lost += np.bincount(place[within], minlength=len(self._lost))
        self._apart += int(np.count_nonzero(~within))
        if self._record is not None:
            _, on_record = _last_open(self._record, arrival_s, last_s)
            self._on_record += int(np.count_nonzero(on_record & ~within))
        if len(self._apart_s) < MOST_APART:
            self._apart_s.extend(arrival_s[~within][: MOST_APART - len(self._apart_s)].tolist())

    def losses(self) -> Losses:
        some = np.flatnonzero(self._lost)
        spans_s = zip(self._outages.start_s[some].tolist(), self._outages.end_s[some].tolist(), strict=True)
        in_outages = tuple(self._lost[some].tolist())
        return Losses(in_outages, self._apart, tuple(spans_s), tuple(self._apart_s), self._on_record)


def _last_open(
    intervals: Intervals, first_s: NDArray[np.float64], last_s: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(position, whether there is one) of the last interval open at some time of [first, last], each."""
    place = np.searchsorted(intervals.start_s, last_s, side="right") - 1
    within = place >= 0
    within[within] = intervals.end_s[place[within]] >= first_s[within]
    return place, within
