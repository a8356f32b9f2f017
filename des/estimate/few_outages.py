"""Intervals of shares of time or requests where the drawn years had few total outages.

Where the share of time in them is known, each total outage is taken to lose every request, less what was seen to
survive it by waiting: retries and rounds that outlast it. What survives is seen in few outages, or in none, and
Student's t over blocks of years then claims far too much: most blocks have no outage and agree with each other. So what
survives has an interval over the outages.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from des.estimate.estimate import TIMELINE, Estimate
from des.estimate.intervals import FEW_EVENTS, compound_bounds, poisson_bounds, share_up
from des.estimate.summary import MOSTLY

ENOUGH: Final = FEW_EVENTS
"""Total outages from which on Student's t over blocks covers."""


def with_few_outages(
    served: Estimate, lost: Sequence[float], all_down: Sequence[float], at_most: float, from_one: float
) -> Estimate:
    """`served` with an interval that is at least as wide as few total outages make it.

    `lost` and `all_down` are the shares of each block. At most the share `at_most` of the requests is spared by
    outlasting an outage in the long run, and `from_one` of those drawn by outlasting one of the outages drawn.
    """
    survived = [down - of for down, of in zip(all_down, lost, strict=True) if down > of]
    if survived:
        mean = math.fsum(survived) / len(lost)
        least, most = (end / len(lost) for end in compound_bounds(np.array(survived)))
    else:  # no outage was seen of which anything survived
        mean, least, most = 0.0, 0.0, poisson_bounds(0)[1] * from_one
    whole = 1.0 - served.known + mean
    low, high = 1.0 - (whole - least), 1.0 - (whole - min(most, at_most))
    low = low if served.low is None else min(served.low, low)
    high = high if served.high is None else max(served.high, high)
    return replace(served, low=max(0.0, low), high=min(1.0, high), interval=None)


def share_down(shares: Sequence[float], episodes_s: Sequence[Sequence[float]]) -> Estimate:
    """The share of time down, over episodes if they are few, else over blocks."""
    up = share_up([1.0 - share for share in shares], episodes_s, estimator=TIMELINE)
    return replace(up.complement(), mean=math.fsum(shares) / len(shares))


def by_total_outages(plain: Estimate, down: Estimate) -> Estimate:
    """The wider of the interval over blocks and, where few total outages caused most of the loss, one over these.

    `plain` is the availability, `down` the share of time that all are down.
    """
    lost, share = 1.0 - plain.known, down.known
    if plain.low is None or plain.high is None or down.low is None or down.high is None or share < MOSTLY * lost:
        return plain
    low, high = (min(1.0, lost * end / share) for end in (down.low, down.high))
    return replace(plain, low=min(plain.low, 1.0 - high), high=max(plain.high, 1.0 - low))
