"""What no simulated request of an answer met, and how much of the unavailability can come from it."""

from dataclasses import dataclass

from des.estimate.estimate import Estimate
from des.estimate.unseen import Unseen
from des.estimate.windows import Unseen as UnseenByWindows


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Incidents of a class that simulated requests did not meet, or too seldom.

    `open_share` is the share of the time in which one is open, in the long run. It is the most that they can cost, and
    `of_unavailability` the largest share of the unavailability that can come from them, None where that is not known.
    """

    component: str
    words: str
    open_share: float
    of_unavailability: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSeen:
    """What no simulated request met, and the legs that none called.

    `between` says that the availability leaves out these incidents, since it rests on the simulated requests alone.
    """

    incidents: tuple[Missed, ...] = ()
    uncalled: tuple[str, ...] = ()
    between: bool = False


def missed_by_runs(of: Unseen, lost: Estimate | None) -> Missed:
    return Missed(
        component=of.component,
        words=f"{of.words} met",
        open_share=of.unavailability,
        of_unavailability=_part_of(of.unavailability, lost) if of.outages else None,
    )


def missed_by_windows(of: UnseenByWindows, lost: Estimate) -> Missed:
    often = f"{of.per_year:.3g} a year" if of.per_year >= 1.0 else f"one in {1.0 / of.per_year:,.0f} years"
    return Missed(
        component=of.component,
        words=f"no incident of {of.component} met ({often})",
        open_share=of.share,
        of_unavailability=_part_of(of.share, lost),
    )


def _part_of(open_share: float, lost: Estimate | None) -> float | None:
    """The largest share of the unavailability that incidents open for that share of the time can cause."""
    if lost is None or lost.mean is None:
        return None
    whole = max(lost.mean, open_share) if lost.high is None else max(lost.high, open_share)
    return open_share / whole if whole > 0.0 else None
