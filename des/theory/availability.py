"""Availability of one repairable component and of simple groups: in the long run, in a window, from an instant on.

Any consistent unit of time is allowed. `mttf` and `mttr` are the mean up and down times.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from des.distributions import Distribution, Lognormal, Weibull


def unavailability(mttf: float, mttr: float) -> float:
    """Long-run share of time down of alternating up and down times of any distributions: MTTR / (MTTF + MTTR)."""
    return mttr / (mttf + mttr)


def episode_rate(mttf: float, mttr: float) -> float:
    """Episodes of being down per unit of time, for any distributions: 1 / (MTTF + MTTR)."""
    return 1.0 / (mttf + mttr)


def all_down_if_independent(unavailabilities: Sequence[float]) -> float:
    """P(every one is down) = the product of the members' unavailabilities."""
    return math.prod(unavailabilities)


def all_down_episode_rate_if_independent(unavailabilities: Sequence[float], episode_rates: Sequence[float]) -> float:
    """Episodes of total outage per unit of time: each member's episodes times the chance that the rest are down."""
    return math.fsum(
        rate * math.prod(unavailabilities[:i]) * math.prod(unavailabilities[i + 1 :])
        for i, rate in enumerate(episode_rates)
    )


def mean_overlap_if_independent(mttr_1: float, mttr_2: float) -> float:
    """Mean length of an interval in which two independent components are both down: R1 R2 / (R1 + R2)."""
    return mttr_1 * mttr_2 / (mttr_1 + mttr_2)


def all_down_with_shared_component(shared: float, private: Sequence[float]) -> float:
    """P(all down) of members that need a shared component and a private one each: u0 + (1 - u0) u1 u2 ...

    The shared one is down with probability `shared`, the private ones with probabilities `private[i]`.
    """
    return shared + (1.0 - shared) * math.prod(private)


def pair_down_with_common_fraction(load: float, fraction: float) -> float:
    """P(both down) of a pair of shock ledgers, a `fraction` phi of each one's incidents common to both.

    `load` is incident rate x mean duration, the same for both: 1 - 2 e^{-rho} + e^{-(2 - phi) rho}.
    """
    # (1 - x)^2 plus the common part: no cancellation at small loads
    down = -math.expm1(-load)
    return down * down + math.exp(-2.0 * load) * math.expm1(fraction * load)


def mean_joint_share_over_circular_shifts(shares: Sequence[float]) -> float:
    """Mean share of time in which all of several recorded timelines are down, over independent cyclic shifts.

    With shifts uniform over the whole cycle it is the product of the realised shares. Whole-week shifts keep the time
    of week and have another mean.
    """
    return math.prod(shares)


def effective_redundancy(all_down: float, unavailabilities: Sequence[float]) -> float:
    """k_eff = ln P(all down) / mean ln U_i: the equivalent number of independent members."""
    mean_log = math.fsum(math.log(u) for u in unavailabilities) / len(unavailabilities)
    return math.log(all_down) / mean_log


def downtime_share_variance(mttf: float, mttr: float, window: float) -> float:
    """Variance of the share of a window spent down, for exponential up and down times in equilibrium.

    The state's autocovariance is A U e^{-s t} with s = 1/MTTF + 1/MTTR, which integrates to 2 A U / T^2 x (T/s - (1 -
    e^{-s T})/s^2).
    """
    s = 1.0 / mttf + 1.0 / mttr
    u = mttr / (mttf + mttr)
    return 2.0 * u * (1.0 - u) / window**2 * (window / s + math.expm1(-s * window) / s**2)


def no_downtime(mttf: float, mttr: float, window: float) -> float:
    """P(no downtime in a window) = A e^{-T/MTTF}, for exponential times in equilibrium."""
    return mttf / (mttf + mttr) * math.exp(-window / mttf)


def downtime_cdf(mttf: float, down: Distribution, window: float, downtime: float, *, grid: int = 1 << 14) -> float:
    """P(downtime within the window <= `downtime`), starting up, exponential up times, any distribution of down times.

    Takacs 1957: sum over n of Poisson(n; (T - x)/MTTF) G^{*n}(x), G^{*n} the distribution of a sum of n down times.
    Exact for constant, exponential and gamma down times; others are laid on a grid of `grid` points over [0, x] and
    convolved as a compound Poisson distribution, with an error of about the down time's probability within x/grid.
    """
    if downtime < 0.0:
        return 0.0
    if downtime >= window:
        return 1.0
    failures = (window - downtime) / mttf  # mean number within the remaining up time
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
    # each down time is rounded to the nearest grid point; mass beyond the limit is dropped, and the upper half of
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


def residual_cdf(interval: Distribution, time: float) -> float:
    """P(residual <= time) = E[min(X, time)] / E[X]; zero below zero."""
    return interval.limited_mean(time) / interval.mean


def residual_mean(interval: Distribution) -> float:
    """E[X^2] / (2 E[X]): longer than half the mean wherever intervals vary."""
    return interval.second_moment / (2.0 * interval.mean)


def weibull_residual(interval: Weibull, gamma_variate: float) -> float:
    """A Weibull interval's residual from a Gamma(1/shape, 1) variate g: scale x g^(1/shape)."""
    return float(interval.scale * gamma_variate ** (1.0 / interval.shape))


def lognormal_residual(interval: Lognormal, uniform_variate: float, normal_variate: float) -> float:
    """A lognormal interval's residual: a uniform share of a length-biased interval, Lognormal(mu + sigma^2, sigma)."""
    return uniform_variate * math.exp(interval.mu + interval.sigma**2 + interval.sigma * normal_variate)
