"""Outages that providers share: incidents split off from what their availability and outages a year count."""

import math
from collections.abc import Sequence
from typing import Any

from des.scenario.resolution.intent import DEFAULT_SIGMA
from des.scenario.text.units import YEAR_S


def shared_outages(members: Sequence[tuple[float, float]], fraction: float) -> dict[str, Any]:
    """The incidents of a component on which all members come to depend, as a scenario writes them.

    Members are (availability, outages a year). The shared outages are a fraction of those of the member with the
    fewest, and as long as the shortest ones, so that every member's figures, which count all causes, leave room for its
    own.
    """
    mean_s = min(-math.log(up) * up * YEAR_S / episodes for up, episodes in members)
    median_s = mean_s * math.exp(-DEFAULT_SIGMA * DEFAULT_SIGMA / 2.0)
    duration = {"kind": "lognormal", "median": f"{_rounded_down(median_s)}s", "sigma": DEFAULT_SIGMA}
    fewest = min(episodes for _, episodes in members)
    return {"kind": "poisson", "rate": f"{_rounded_down(fraction * fewest)}/y", "duration": duration}


def _rounded_down(value: float) -> str:
    """Six digits, and never more than the value: the members' own outages are what is left."""
    places = 5 - math.floor(math.log10(value))
    scale = 10.0**places
    return f"{math.floor(value * scale + 1e-6) / scale:.{max(places, 0)}f}".rstrip("0").rstrip(".")
