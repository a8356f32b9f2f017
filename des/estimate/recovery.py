"""How service recovers once what struck it is over, and when it stays collapsed instead.

A run whose service stays collapsed after its trigger has gone, under no more load than before, is metastable (Bronson
et al., HotOS 2021; Huang et al., OSDI 2022): something it does, retries for the most part, keeps it there.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from des.estimate.minutes import Bins
from des.faults import Intervals

RECOVERED: Final = 0.9
"""Share of the baseline's served share that service has to come back to."""
STEADY_S: Final = 180.0
"""For how long it has to stay there; or to the end of what is observed."""
PATIENCE_S: Final = 600.0
PATIENCE: Final = 5.0
"""Metastable is what has not recovered in this many lengths of its trigger, nor in ten minutes."""
TOLD: Final = 0.5
"""Share of a bin's requests that must have ended: where a run is cut off, the served ones end first."""
MORE_LOAD: Final = 1.1
"""Times the load before, above which there is no telling: more load may be too much by itself."""
NOISE: Final = 2.0
"""Standard deviations by which load has to be above that, or what is served below the baseline, to be no chance."""
_ROUNDING: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Recovery:
    """How service fared after one trigger that ended before the horizon."""

    end_s: float  # of the trigger
    observed_s: float  # from there to the next trigger or the horizon
    recovered_s: float | None  # from there to the start of its recovery; None if that was not observed
    metastable: bool | None  # None if it was not observed for long enough to tell
    offered: int  # requests from the trigger's end to the recovery, or as long as observed
    goodput: int  # requests served in that time

    @property
    def collapsed_s(self) -> float:
        """For how long service was observed that had not recovered."""
        return self.observed_s if self.recovered_s is None else self.recovered_s


@dataclass(slots=True)
class _Before:
    """Bins without an incident, and of steady service, so far."""

    seconds: float = 0.0
    offered: int = 0
    served: int = 0
    finished: int = 0

    def add(self, bins: Bins, some: slice) -> None:
        of = bins.of
        self.seconds += (some.stop - some.start) * bins.bin_s
        self.offered += int(of["offered"][some].sum())
        self.served += int(of["served"][some].sum())
        self.finished += int((of["served"][some] + of["failed"][some]).sum())

    @property
    def served_share(self) -> float:
        return self.served / self.finished if self.finished else 1.0


def recoveries(bins: Bins, triggers: Intervals, horizon_s: float) -> tuple[Recovery, ...]:
    """One for each of `triggers`, disjoint and sorted, that ended before the horizon.

    The baseline of each is the served share of all bins before it that have no incident in them and do not belong to an
    earlier trigger's aftermath, 1 where there is none.
    """
    return tuple(_each(bins, triggers, horizon_s))


def _each(bins: Bins, triggers: Intervals, horizon_s: float) -> Iterator[Recovery]:
    before = _Before()
    overall_per_s = bins.total("offered") / horizon_s
    horizon_bins = math.ceil(horizon_s / bins.bin_s)
    starts_s = [*triggers.start_s.tolist(), math.inf]
    steady_from: int | None = 0  # the first bin of steady service since the trigger before; None if there was none
    for number, end_s in enumerate(triggers.end_s.tolist()):
        start_s, next_s = max(0.0, starts_s[number]), starts_s[number + 1]
        if end_s >= horizon_s:
            return
        if steady_from is not None:
            before.add(bins, slice(steady_from, max(steady_from, int(start_s // bins.bin_s))))
        stop = horizon_bins if next_s >= horizon_s else int(next_s // bins.bin_s)
        after = slice(first := math.ceil(end_s / bins.bin_s), max(first, stop))
        steady_from = _steady_from(bins, after, before.served_share)
        recovered_s = None if steady_from is None else max(0.0, steady_from * bins.bin_s - end_s)
        observed_s = min(next_s, horizon_s) - end_s
        span = slice(after.start, after.stop if steady_from is None else steady_from)
        wait_s = max(PATIENCE_S, PATIENCE * (end_s - start_s))
        metastable = None
        if recovered_s is not None and recovered_s <= wait_s:
            metastable = False
        elif observed_s >= wait_s and bins.of["offered"][span].any():
            per_s = before.offered / before.seconds if before.seconds else overall_per_s
            metastable = _collapsed(bins, span, before.served_share, per_s, horizon_s)
        yield Recovery(
            end_s,
            observed_s,
            recovered_s,
            metastable,
            int(bins.of["offered"][span].sum()),
            int(bins.of["goodput"][span].sum()),
        )


def _steady_from(bins: Bins, after: slice, baseline: float) -> int | None:
    """The first bin from which service is back for long enough; bins of whose requests few ended tell nothing."""
    served = bins.of["served"][after]
    finished = served + bins.of["failed"][after]
    (asked,) = np.nonzero(finished > TOLD * bins.of["offered"][after])
    if not len(asked):
        return None
    good = served[asked] >= RECOVERED * baseline * finished[asked] * (1.0 - _ROUNDING)
    (bad,) = np.nonzero(~good)
    first = np.concatenate(([0], bad + 1))
    length = np.concatenate((bad, [len(asked)])) - first
    enough = length >= math.ceil(STEADY_S / bins.bin_s)
    enough[-1] = length[-1] > 0
    (runs,) = np.nonzero(enough)
    if not len(runs):
        return None
    run = int(first[runs[0]])
    return int(after.start) + (int(asked[run - 1]) + 1 if run else 0)


def _collapsed(bins: Bins, span: slice, baseline: float, before_per_s: float, horizon_s: float) -> bool:
    """Whether service in all of the span is short of the baseline, and that not for more load than before."""
    served, failed, offered = (int(_of(bins, name, span).sum()) for name in ("served", "failed", "offered"))
    lasts_s = min(span.stop * bins.bin_s, horizon_s) - span.start * bins.bin_s
    most = MORE_LOAD * before_per_s * lasts_s
    share = RECOVERED * baseline
    least = share * (served + failed) - NOISE * math.sqrt((served + failed) * share * (1.0 - share))
    return served < least and offered <= most + NOISE * math.sqrt(most)


def _of(bins: Bins, name: str, span: slice) -> NDArray[np.int64]:
    return bins.of[name][span]
