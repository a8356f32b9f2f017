"""How long something is down within a window of time, and the chance that a window meets an objective.

Any consistent unit of time is allowed.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from des.distributions import Distribution

_Array = NDArray[np.float64]
_POINTS = 4096
_NODES = 400
_NEGLIGIBLE = 1e-10
_MANY = 10_000.0
"""Lost requests from which their number counts as normal; the chance is then off by less than 0.001."""
_DAMPING = 8.0
"""Exponent by which masses are damped over the grid, so that sums beyond twice its length do not wrap round."""


@dataclass(frozen=True, slots=True)
class Outages:
    """Down times after exponential up times, in equilibrium, on a grid of `step` from 0 on.

    `down` has the masses of one down time, `first` those of the time until the first up time begins, which is 0 where
    the window begins up. What lies beyond the grid is left out of both.
    """

    rate: float
    step: float
    down: _Array
    first: _Array

    def cdf(self, downtime: float, window: float) -> float:
        """P(time down within the window <= `downtime`), for a `downtime` within the grid.

        Takacs 1957: within the window's up time, window - downtime, come a Poisson number of failures.
        """
        if downtime >= window:
            return 1.0
        size = 2 * len(self.down)
        damped = np.exp(-np.arange(len(self.down)) * (_DAMPING / len(self.down)))
        one = np.fft.rfft(self.down * damped, size)
        first = np.fft.rfft(self.first * damped, size)
        total = np.fft.irfft(first * np.exp(self.rate * (window - downtime) * (one - 1.0)), size)[: len(damped)]
        reached = np.cumsum(total / damped)
        halved = reached - 0.5 * total / damped  # a point's mass lies half to either side of it
        halved[0] = reached[0]
        return float(np.clip(np.interp(downtime, np.arange(len(halved)) * self.step, halved), 0.0, 1.0))


def ledger_outages(classes: Sequence[tuple[float, Distribution]], longest: float, points: int = _POINTS) -> Outages:
    """Outages of several Poisson classes (rate, duration), which may overlap: down while any incident is open.

    The busy periods of M/G/infinity. From the instant that an up time begins, the chance of being up at t is
    q(t) = exp(-sum of rate x E[min(duration, t)]), that of none being open among those that started since. With h the
    density of a down time and G the distribution of an incident, h * q = G q (Takacs 1962, chapter 3.2), which is
    solved step by step. From any instant in equilibrium, the time until the next up time, convolved with q, is the
    constant chance of being up.
    """
    rate = math.fsum(rate for rate, _ in classes)
    step = longest / points
    spent = [each_rate * _limited_means(duration, step, points) for each_rate, duration in classes]
    clear = np.exp(-np.sum([_middles(each) for each in spent], axis=0))
    started = 1.0 - np.sum([np.diff(each) for each in spent], axis=0) / (rate * step)
    empty = math.exp(-math.fsum(each_rate * duration.mean for each_rate, duration in classes))
    return Outages(rate, step, _solved(clear, started * clear), _solved(clear, np.full(points, empty)))


def renewal_outages(mttf: float, down: Distribution, longest: float, points: int = _POINTS) -> Outages:
    """Outages of alternating exponential up times, of mean `mttf`, and down times of any distribution."""
    step = longest / points
    up = mttf / (mttf + down.mean)
    limited = _limited_means(down, step, points)
    over = up + (1.0 - up) * _middles(limited) / down.mean  # the time until the first up time, by its residual
    ended = 1.0 - np.diff(limited) / step
    return Outages(1.0 / mttf, step, np.diff(ended, prepend=0.0), np.diff(over, prepend=0.0))


def met(outages: Outages, window: float, chance_at: Callable[[float], float], most: float) -> float:
    """P(a window meets its objective), where a window down for x does with probability `chance_at(x)`.

    `chance_at` must not increase, and be next to 0 from `most` on.
    """
    least = _last_certain(chance_at, most)
    nodes = np.linspace(least, most, _NODES + 1)
    chances = np.array([chance_at(float(x)) for x in nodes])
    middles = (nodes[1:] + nodes[:-1]) / 2.0
    steps = chances[:-1] - chances[1:]
    some = np.flatnonzero(steps > _NEGLIGIBLE)
    reached = np.array([outages.cdf(down, window) for down in middles[some].tolist()])
    return min(1.0, float(np.dot(steps[some], reached)) + float(chances[-1]) * outages.cdf(most, window))


def served_enough(share: float, answered: float, lost: float) -> float:
    """P(answered requests are at least a `share` of all), for Poisson numbers of these means.

    A window without requests has lost none, and counts as enough.
    """
    from scipy.special import gammainc, gammaln, ndtr, xlogy  # importing scipy.stats takes a second

    if share >= 1.0:
        return math.exp(-lost)
    if lost > _MANY:
        spare = (1.0 - share) * answered - share * lost
        return float(ndtr(spare / math.sqrt((1.0 - share) ** 2 * answered + share**2 * lost)))
    spread = 10.0 * math.sqrt(lost) + 40.0
    low = max(0, int(lost - spread))
    counts = np.arange(low, int(lost + spread) + 1, dtype=np.float64)
    mass = np.exp(xlogy(counts, lost) - lost - gammaln(counts + 1.0))
    needed = np.ceil(counts * share / (1.0 - share) - 1e-9)
    enough = np.where(needed > 0.0, gammainc(np.maximum(needed, 1.0), answered), 1.0)
    return float(min(1.0, np.dot(mass, enough)))


def _last_certain(chance_at: Callable[[float], float], most: float) -> float:
    """The largest x, about, up to which the chance is that of 0."""
    low, high, whole = 0.0, most, chance_at(0.0)
    for _ in range(50):
        middle = (low + high) / 2.0
        low, high = (middle, high) if chance_at(middle) >= whole - _NEGLIGIBLE else (low, middle)
    return low


def _limited_means(duration: Distribution, step: float, points: int) -> _Array:
    """E[min(duration, t)] at the points of the grid; its differences are averages of the survival over a step."""
    return np.array([duration.limited_mean(point * step) for point in range(points + 1)])


def _middles(values: _Array) -> _Array:
    averages: _Array = (values[1:] + values[:-1]) / 2.0
    return averages


def _solved(kernel: _Array, right: _Array) -> _Array:
    """m with sum over j <= i of m[j] kernel[i - j] = right[i]."""
    found = np.zeros(len(right))
    for i, value in enumerate(right.tolist()):
        found[i] = (value - float(np.dot(found[:i], kernel[i:0:-1]))) / kernel[0]
    return np.maximum(found, 0.0)
