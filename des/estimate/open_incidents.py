"""How many incidents of a marked renewal class are open: E[w^N] from the renewal equation, solved numerically.

Seen from an instant backwards, starts lie a residual gap away and then ordinary gaps, and a start of age a is still
open with probability S(a), the duration's survival. With h(a) = (1 - (1 - w) S(a)) psi(a), psi(a) is the mean of
h(a + g) over the law of gaps g, and E[w^N] is the mean of h over the residual law of the first gap.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from des.distributions import Distribution

STEPS = 700
FloatArray = NDArray[np.float64]


@lru_cache(maxsize=4096)
def open_factor(between: Distribution, duration: Distribution, w: float, *, at_start: bool) -> float:
    """E[w^N], N the open incidents at an instant of the equilibrium, or (`at_start`) just before one starts.

    Right to about a part in ten thousand of 1 - E[w^N].
    """
    ages, gaps, residual = _grid(between, duration)
    closing = 1.0 - (1.0 - w) * duration.survival(ages)
    psi = np.ones(len(ages))
    h = np.ones(len(ages))
    for i in range(len(ages) - 2, -1, -1):
        mass = gaps[i, i:]  # P(gap ends in each cell above age i)
        known = 0.5 * float(mass[0] * h[i + 1]) + 0.5 * float(mass[1:] @ (h[i + 1 : -1] + h[i + 2 :]))
        beyond = 1.0 - float(mass.sum())
        psi[i] = (known + beyond) / (1.0 - 0.5 * mass[0] * closing[i])
        h[i] = closing[i] * psi[i]
    if at_start:
        return float(psi[0])
    return float(0.5 * residual @ (h[:-1] + h[1:])) + 1.0 - float(residual.sum())


@lru_cache(maxsize=16)
def _grid(between: Distribution, duration: Distribution) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Ages from 0 to the longest duration, the chance of a gap from each to each cell, and of the residual's."""
    longest_s = duration.tail_quantile()
    least_s = 1e-7 * min(duration.mean, between.mean)
    ages = np.concatenate(([0.0], np.geomspace(least_s, longest_s, STEPS)))
    reach = between.cdf(np.maximum(ages[None, :] - ages[:, None], 0.0))
    residual = np.diff([between.limited_mean(age) / between.mean for age in ages.tolist()])
    return ages, np.diff(reach, axis=1), residual
