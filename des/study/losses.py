"""What simulated requests say of losses: to which causes, that they met few or none, and how rare that makes them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from des.estimate.estimate import Estimate
from des.estimate.intervals import NO_SPREAD, poisson_bounds
from des.estimate.totals import Losses
from des.estimate.unseen import FEWEST
from des.study.uncertain import scaled

NONE_LOST: Final = "Poisson, none lost"


def bounded(lost: Estimate, requests: int) -> Estimate:
    """The share lost, with the upper bound of a Poisson count of none where none of the simulated requests was lost.

    It holds where requests are lost independently of each other. Incidents that were not met are told apart from it.
    """
    if lost.mean != 0.0 or lost.interval != NO_SPREAD or not requests:
        return lost
    return replace(lost, low=0.0, high=min(1.0, poisson_bounds(0.0)[1] / requests), interval=NONE_LOST)


def of_all_requests(counts: Mapping[str, Estimate], requests: float) -> dict[str, Estimate]:
    """Requests lost by cause in a replication, as shares of its requests; without causes that lost none."""
    return {cause: scaled(each, 1.0 / (requests or 1.0)) for cause, each in counts.items() if each.mean}


def why_no_causes(lost: Estimate | None, causes: object, simulated: int) -> str:
    """Why it is not known what requests are lost to, though some are; empty where it is known, or none is lost."""
    if lost is None or not lost.mean or causes:
        return ""
    return f"none of the {simulated:,} simulated requests was lost"


def few_of_runs(losses: Sequence[Losses], requests: int) -> str:
    """The lost requests in words where fewer than eight incidents, or requests by themselves, account for them.

    Empty where there are more, or none.
    """
    incidents = sum(len(each.in_outages) for each in losses)
    within, apart = sum(sum(each.in_outages) for each in losses), sum(each.apart for each in losses)
    if not 0 < incidents + apart < FEWEST:
        return ""
    where = ""
    if incidents:
        of_them = f"{within} of them " if apart else ""
        where = f", {of_them}in {incidents} incident{'' if incidents == 1 else 's'}"
    return f"{_some(within + apart, requests)}{where}"


def few_of_windows(lost: int, losing: int, windows: int, requests: int) -> str:
    """The lost requests in words where fewer than eight of the windows lost any; empty where more did, or none."""
    return f"{_some(lost, requests)}, in {losing} of {windows:,} windows" if 0 < losing < FEWEST else ""


def few_losses(few: str, *, availability: bool) -> str:
    """What rests on these few lost requests: the availability too, or only what requests are lost to."""
    if not few:
        return ""
    what = "the availability and what requests are lost to rest" if availability else "what requests are lost to rests"
    return f"{what} on few losses: {few}"


def _some(lost: int, requests: int) -> str:
    return f"{lost:,} of {requests:,} simulated requests {'was' if lost == 1 else 'were'} lost"
