"""Whether two services are open together more often than if they were independent.

Both are cut to the whole weeks in which both were observed, from the first midnight UTC on. The expected overlap under
independence is either the product of the two shares of open time, or the mean over all relative shifts by whole weeks.
The second keeps the effect of weekdays and hours on both. The permutation test draws from the same shifts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from des.faults.calibration.service_history import ServiceHistory
from des.faults.intervals import BoolArray, FloatArray
from des.scenario.text.units import DAY_S, WEEK_S

_MINUTES_A_WEEK = 10_080
_TOGETHER_S = 300.0
"""Starts at most this far apart are common starts."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two services compared; a figure that the data cannot give is nan.

    `p_value` is the share of whole-week shifts (zero among them) with at least the observed overlap. `p_adjusted` is
    after Holm.
    """

    first: str
    second: str
    from_s: float
    weeks: int
    share_first: float
    share_second: float
    share_both: float
    episodes: int
    """Maximal intervals during which both are open."""
    shifts: int
    shifted_share_both: float
    p_value: float
    p_adjusted: float
    starts_first: int
    starts_second: int
    common_starts: int
    """Starts of the service with fewer starts that are within five minutes of one of the other."""
    shifted_common_starts: float
    common_incidents: int
    """Incidents with the same id in both histories."""

    @property
    def ratio_to_product(self) -> float:
        return _ratio(self.share_both, self.share_first * self.share_second)

    @property
    def ratio_to_shifts(self) -> float:
        return _ratio(self.share_both, self.shifted_share_both)

    @property
    def common_start_share(self) -> float:
        return _ratio(self.common_starts, min(self.starts_first, self.starts_second))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else math.nan


def overlaps(
    histories: Sequence[ServiceHistory], permutations: int | None, rng: np.random.Generator
) -> tuple[Overlap, ...]:
    """Every pair that was observed together for a week, over all whole-week shifts or `permutations` of them."""
    found = [
        overlap(first, second, permutations, rng)
        for position, first in enumerate(histories)
        for second in histories[position + 1 :]
    ]
    pairs = [pair for pair in found if pair is not None]
    adjusted = holm([pair.p_value for pair in pairs])
    return tuple(replace(pair, p_adjusted=value) for pair, value in zip(pairs, adjusted, strict=True))


def overlap(
    first: ServiceHistory, second: ServiceHistory, permutations: int | None, rng: np.random.Generator
) -> Overlap | None:
    """None where no whole week is common to both."""
    from_s = math.ceil(max(first.from_s, second.from_s) / DAY_S) * DAY_S
    weeks = int((min(first.until_s, second.until_s) - from_s) // WEEK_S)
    if weeks < 1:
        return None
    until_s = from_s + weeks * WEEK_S
    one, other = (history.open_minutes(from_s, until_s) for history in (first, second))
    both = one & other
    shifts = _shifts(weeks, permutations, rng)
    together, *shifted = _together(one, other, weeks, [0, *shifts.tolist()])
    few, many = sorted(
        (_between(history.starts_s, from_s, until_s) for history in (first, second)), key=lambda starts: len(starts)
    )
    shifted_starts = [_common(few, many, from_s, until_s, shift) for shift in shifts.tolist()]
    ids = [set(_ids(history, from_s, until_s)) for history in (first, second)]
    return Overlap(
        first=first.name,
        second=second.name,
        from_s=from_s,
        weeks=weeks,
        share_first=float(one.mean()),
        share_second=float(other.mean()),
        share_both=float(both.mean()),
        episodes=int(both[0]) + int((both[1:] & ~both[:-1]).sum()),
        shifts=len(shifts),
        shifted_share_both=float(np.mean(shifted)) / len(both) if shifted else math.nan,
        p_value=_p_value(together, shifted) if shifted and one.any() and other.any() else math.nan,
        p_adjusted=math.nan,
        starts_first=len(_between(first.starts_s, from_s, until_s)),
        starts_second=len(_between(second.starts_s, from_s, until_s)),
        common_starts=_common(few, many, from_s, until_s, 0),
        shifted_common_starts=float(np.mean(shifted_starts)) if shifted_starts else math.nan,
        common_incidents=len((ids[0] & ids[1]) - {""}),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number, in the same order (Holm 1979). nan is not counted and stays nan."""
    known = sorted((value, place) for place, value in enumerate(p_values) if not math.isnan(value))
    adjusted = [math.nan] * len(p_values)
    largest = 0.0
    for rank, (value, place) in enumerate(known):
        largest = max(largest, min(1.0, value * (len(known) - rank)))
        adjusted[place] = largest
    return adjusted


def _shifts(weeks: int, permutations: int | None, rng: np.random.Generator) -> NDArray[np.int64]:
    every = np.arange(1, weeks)
    if permutations is None or permutations >= len(every):
        return every
    return np.sort(rng.choice(every, permutations, replace=False))


def _together(one: BoolArray, other: BoolArray, weeks: int, shifts: Sequence[int]) -> list[int]:
    """Minutes in which both are open if `other` began k weeks later, cyclically. Packs bits, eight bytes at once."""
    rows, columns = (_words(minutes.reshape(weeks, _MINUTES_A_WEEK)) for minutes in (one, other))
    twice = np.concatenate((columns, columns))  # its rows from weeks - k on are `other` shifted by k
    return [int(np.bitwise_count(rows & twice[weeks - k : 2 * weeks - k]).sum(dtype=np.int64)) for k in shifts]


def _words(minutes: BoolArray) -> NDArray[np.uint64]:
    bits = np.packbits(minutes, axis=1)
    padded = np.zeros((len(bits), -(-bits.shape[1] // 8) * 8), dtype=np.uint8)
    padded[:, : bits.shape[1]] = bits
    return padded.view(np.uint64)


def _p_value(together: int, shifted: Sequence[int]) -> float:
    """One-sided. The observed overlap is itself one of the shifts."""
    return (1 + sum(minutes >= together for minutes in shifted)) / (1 + len(shifted))


def _between(times: FloatArray, from_s: float, until_s: float) -> FloatArray:
    return times[(times >= from_s) & (times < until_s)]


def _common(few: FloatArray, many: FloatArray, from_s: float, until_s: float, shift: int) -> int:
    """How many of `few`, shifted by `shift` weeks cyclically, are close to one of `many`."""
    if not len(few) or not len(many):
        return 0
    moved = from_s + np.mod(few - from_s + shift * WEEK_S, until_s - from_s)
    after = np.clip(np.searchsorted(many, moved), 0, len(many) - 1)
    before = np.clip(after - 1, 0, len(many) - 1)
    distance = np.minimum(np.abs(many[after] - moved), np.abs(many[before] - moved))
    return int((distance <= _TOGETHER_S).sum())


def _ids(history: ServiceHistory, from_s: float, until_s: float) -> list[str]:
    inside = (history.start_s >= from_s) & (history.start_s < until_s)
    return [name for name, keep in zip(history.incident_id, inside.tolist(), strict=True) if keep]
