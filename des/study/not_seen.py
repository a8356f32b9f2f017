"""What no simulated request of an answer met, and how much of the unavailability can come from it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from des.estimate.estimate import Estimate
from des.estimate.unseen import FEWEST, Unseen, expected_count
from des.estimate.windows import Unseen as UnseenByWindows
from des.scenario.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Incidents of a class that simulated requests did not meet, or too seldom; or breaks of a leg that rots.

    `open_share` is the share of the time in which one is open, in the long run, None where it depends on the requests.
    It is the most that they can cost, and `of_unavailability` the largest share of the unavailability that can come
    from them, None where that is not known.
    """

    component: str
    words: str
    open_share: float | None
    of_unavailability: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSeen:
    """What no simulated request met, and the legs that none called.

    `between` says that the availability leaves out these incidents, since it rests on the simulated requests alone.
    `few_losses` says what rests on very few lost requests, and on how many; empty where they are enough, or none.
    """

    incidents: tuple[Missed, ...] = ()
    uncalled: tuple[str, ...] = ()
    between: bool = False
    few_losses: str = ""


def missed_by_runs(of: Unseen, lost: Estimate | None) -> Missed:
    return Missed(
        component=of.component,
        words=f"{of.words} met",
        open_share=of.unavailability,
        of_unavailability=_part_of(of.unavailability, lost) if of.outages else None,
    )


def missed_rot(plan: Plan, broken: Mapping[str, int], replications: int) -> Iterator[Missed]:
    """Legs that broke unnoticed too seldom. `broken` counts in all replications how often each did.

    A leg stays broken until a request or a probe finds it so, so that more breaks than this cannot be expected.
    """
    for leg in plan.chain:
        if leg.silent_rot is None:
            continue
        cycle_s = leg.silent_rot.time_to_rot.mean + leg.silent_rot.repair.mean
        expected, met = replications * plan.horizon_s / cycle_s, broken.get(leg.name, 0)
        if met > 0 and max(expected, float(met)) >= FEWEST:
            continue
        words = f"{met} of at most {expected_count(expected)} expected breaks of {leg.name} (silent rot) met"
        yield Missed(component=leg.name, words=words, open_share=None, of_unavailability=None)


def missed_by_windows(of: UnseenByWindows, lost: Estimate) -> Missed:
    often = f"{of.per_year:.3g} a year" if of.per_year >= 1.0 else f"one in {1.0 / of.per_year:.3g} years"
    return Missed(
        component=of.component,
        words=f"no incident of one class of {of.component} met ({often})",
        open_share=of.share,
        of_unavailability=_part_of(of.share, lost),
    )


def _part_of(open_share: float, lost: Estimate | None) -> float | None:
    """The largest share of the unavailability that incidents open for that share of the time can cause."""
    if lost is None or lost.mean is None:
        return None
    whole = max(lost.mean, open_share) if lost.high is None else max(lost.high, open_share)
    return open_share / whole if whole > 0.0 else None
