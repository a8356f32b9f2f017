"""What simulated requests say of losses: to which causes, or that they met none, and how rare that makes them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from des.estimate.estimate import Estimate
from des.estimate.intervals import NO_SPREAD, poisson_bounds
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
