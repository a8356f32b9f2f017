"""Control variates: what a replication's luck with incidents did to its figures, taken off by regression.

A replication with more downtime than is due has lost more, cost more and waited longer. Its endpoints' shares of time
down have known means (the exact estimator's), so the part of a metric that follows them linearly is known noise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from des.estimate.summary import CONFIDENCE, REQUEST_LEVEL, entry

CONTROLLED: Final = "request level, controlled"


@dataclass(frozen=True, slots=True)
class Controlled:
    """A figure `{mean, low, high, n, estimator}`, and the variance of the plain mean over the controlled one's."""

    entry: dict[str, Any]
    variance_reduction: float


def with_controls(
    values: Sequence[float],
    controls: Sequence[Sequence[float]],
    known: Sequence[float],
    *,
    share: bool = False,
    estimator: str = CONTROLLED,
) -> Controlled:
    """The mean of `values` by linear regression on `controls`, each given value by value and with its `known` mean.

    Student's t with n - 1 - k degrees of freedom (Lavenberg, Moeller and Welch 1982); exact for normal values, biased
    by O(1/n) otherwise. Controls that do not vary are left out. The plain mean stands where there are fewer than k + 5
    values or the regression would widen the interval.
    """
    plain = entry(values, share=share, estimator=REQUEST_LEVEL if estimator == CONTROLLED else estimator)
    y = np.asarray(values, dtype=np.float64)
    columns = [np.asarray(control, dtype=np.float64) - mean for control, mean in zip(controls, known, strict=True)]
    columns = [column for column in columns if np.ptp(column) > 0.0]
    n, k = len(y), len(columns)
    if k == 0 or n < k + 5 or np.ptp(y) == 0.0:
        return Controlled(plain, 1.0)
    from scipy.special import stdtrit

    scale = [float(np.abs(column).max()) for column in columns]
    design = np.column_stack([np.ones(n), *(column / by for column, by in zip(columns, scale, strict=True))])
    solution, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    if rank < k + 1:
        return Controlled(plain, 1.0)
    residual = y - design @ solution
    inverse = float(np.linalg.inv(design.T @ design)[0, 0])
    variance = float(residual @ residual) / (n - 1 - k) * inverse
    plain_variance = float(y.var(ddof=1)) / n
    if not variance < plain_variance:
        return Controlled(plain, 1.0)
    mean = float(solution[0])
    half = float(stdtrit(n - 1 - k, (1.0 + CONFIDENCE) / 2.0)) * math.sqrt(variance)
    figure = {
        "mean": mean,
        "low": max(0.0, mean - half),
        "high": min(1.0, mean + half) if share else mean + half,
        "n": n,
        "estimator": estimator,
    }
    return Controlled(figure, plain_variance / variance if variance > 0.0 else math.inf)
