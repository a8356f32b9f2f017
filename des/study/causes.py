"""What requests are lost to, made to add up to the share that is lost."""

import math
from collections.abc import Mapping
from typing import Final

from des.estimate.estimate import Estimate
from des.study.uncertain import scaled

_MOST: Final = 2.0
"""Times that the losses of simulated requests and the share lost may differ, and still be the same losses."""


def adding_up(causes: Mapping[str, Estimate], lost: Estimate | None) -> tuple[dict[str, Estimate], float | None]:
    """The shares by cause, scaled with their intervals so that they add up to `lost`, and the factor.

    A ratio estimate: simulated requests tell how losses divide, a better estimator may tell how many there are. Where
    the two differ by more than a factor of 2, simulated requests met other losses, and stay as they are: no factor.
    """
    met = math.fsum(each.known for each in causes.values() if each.mean is not None)
    if lost is None or not lost.mean or not met > 0.0:
        return dict(causes), None
    factor = lost.known / met
    if not 1.0 / _MOST <= factor <= _MOST:
        return dict(causes), None
    return {cause: each if each.mean is None else scaled(each, factor) for cause, each in causes.items()}, factor


def causes_words(causes: Mapping[str, Estimate], factor: float | None) -> str:
    """What the losses by cause rest on, for a table that has the availability beside them; empty without causes."""
    if not any(each.mean for each in causes.values()):
        return ""
    if factor is not None:
        return "what requests are lost to: shares of the losses of simulated requests, scaled to all that is lost"
    return (
        "what requests are lost to: of simulated requests alone, whose losses are not those of the availability above, "
        "so they do not add up to it"
    )
