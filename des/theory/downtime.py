"""How downtime within one window varies: an objective is met or missed month by month, not on average.

Any unit of time will do, as long as it is the same throughout.
"""

import math
from collections.abc import Callable

import numpy as np

from des.distributions import Distribution


def share_variance(mttf: float, mttr: float, window: float) -> float:
    """Variance of the share of a window spent down: exponential up and down times, in equilibrium.

    The state's autocovariance is A U e^{-s t} with s = 1/MTTF + 1/MTTR, which integrates to
    2 A U / T^2 x (T/s - (1 - e^{-s T})/s^2).
    """
    s = 1.0 / mttf + 1.0 / mttr
    u = mttr / (mttf + mttr)
    return 2.0 * u * (1.0 - u) / window**2 * (window / s + math.expm1(-s * window) / s**2)


def no_downtime(mttf: float, mttr: float, window: float) -> float:
    """P(no downtime at all in a window): exponential times, in equilibrium: A e^{-T/MTTF}."""
    return mttf / (mttf + mttr) * math.exp(-window / mttf)


def downtime_cdf(mttf: float, down: Distribution, window: float, downtime: float, *, grid: int = 1 << 14) -> float:
    """P(downtime within the window <= `downtime`), starting up, exponential up times, any distribution of down times.

    Takacs 1957: sum over n of Poisson(n; (T - x)/MTTF) G^{*n}(x), G^{*n} the n-fold convolution of the down law. Exact
    for constant, exponential and gamma down times; others are laid on a grid of `grid` points over [0, x] and convolved
    as a compound Poisson distribution, with an error of about the down law's probability within x/grid.
    """
    if downtime < 0.0:
        return 0.0
    if downtime >= window:
        return 1.0
    failures = (window - downtime) / mttf  # mean number within the uptime that is left
    if down.sum_cdf(1, downtime) is None:
        return _compound_poisson_cdf(failures, down, downtime, grid)
    return _poisson_mixture(failures, lambda count: down.sum_cdf(count, downtime) or 0.0)


def _poisson_mixture(mean: float, conditional: Callable[[int], float]) -> float:
    most = int(mean + 12.0 * math.sqrt(mean) + 30.0)
    log_mean = math.log(mean) if mean > 0.0 else -math.inf
    weights = (math.exp(n * log_mean - mean - math.lgamma(n + 1.0)) if n else math.exp(-mean) for n in range(most + 1))
    return math.fsum(weight * conditional(n) for n, weight in enumerate(weights))


def _compound_poisson_cdf(mean: float, down: Distribution, limit: float, grid: int) -> float:
    step = limit / grid
    # each down time is rounded to the nearest grid point; what exceeds the limit drops out, and the upper half of
    # the transform stays empty so that sums past the limit do not wrap round
    edges = np.asarray((np.arange(grid + 2) - 0.5) * step, np.float64)
    cdf = np.where(edges > 0.0, down.cdf(edges), 0.0)
    mass = np.zeros(2 * (grid + 1))
    mass[: grid + 1] = np.diff(cdf)
    # G^{*n}(x) needs only mass up to x: the alias of the n-th power beyond the doubled grid is damped by tilting
    tilt = np.exp(-np.arange(mass.size) * (8.0 / grid))
    transform = np.fft.rfft(mass * tilt)
    total = np.fft.irfft(np.exp(mean * (transform - 1.0)), mass.size) / tilt
    weights = np.ones(grid + 1)
    weights[-1] = 0.5  # the last point's mass is spread half a step to either side of the limit
    return float(np.dot(total[: grid + 1], weights))
