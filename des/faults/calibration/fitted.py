"""Distributions of positive times by maximum likelihood, with location 0. Times may be right-censored."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from des.distributions import Constant, Distribution, Exponential, Gamma, Lognormal, Weibull
from des.faults.intervals import BoolArray, FloatArray

KINDS: Final = ("lognormal", "weibull", "gamma", "exponential")
_PARAMETERS: Final = {
    "lognormal": ("mu", "sigma"),
    "weibull": ("shape", "scale"),
    "gamma": ("shape", "scale"),
    "exponential": ("mean",),
}
_LEAST_SPREAD: Final = 1e-6
"""Least spread of the logarithms. Below it the times count as equal, and shapes have no maximum likelihood."""
_LARGEST_SHAPE: Final = 1e7
LEAST_TIMES: Final = 10
"""Least number of uncensored times. With fewer, shapes are noise: a lognormal's mean may be ten times too large."""


@dataclass(frozen=True, slots=True)
class FittedDistribution:
    """For times in units of `unit_s` seconds. `aic` compares only distributions of the same times."""

    kind: str
    parameters: tuple[float, ...]
    standard_errors: tuple[float, ...]
    aic: float
    unit_s: float

    @property
    def named(self) -> dict[str, float]:
        return dict(zip(_PARAMETERS[self.kind], self.parameters, strict=True))

    @property
    def distribution_s(self) -> Distribution:
        """The distribution of the same times in seconds."""
        first, *rest = self.parameters
        match self.kind:
            case "lognormal":
                return Lognormal(first + math.log(self.unit_s), rest[0])
            case "weibull":
                return Weibull(first, rest[0] * self.unit_s)
            case "gamma":
                return Gamma(first, rest[0] * self.unit_s)
            case _:
                return Exponential(first * self.unit_s)


@dataclass(frozen=True, slots=True)
class FittedTimes:
    """Times of one kind and the distributions fitted to them, lowest AIC first."""

    count: int
    """Times above zero, censored ones included."""
    censored: int
    dropped: int
    """Times of zero."""
    mean_s: float
    median_s: float
    unit_s: float
    distributions: tuple[FittedDistribution, ...]

    @property
    def ended(self) -> int:
        return self.count - self.censored

    @property
    def few(self) -> bool:
        """Whether the times are too few to choose between distributions.

        Then only their mean is used, as that of an exponential.
        """
        return 0 < self.ended < LEAST_TIMES

    @property
    def spread(self) -> bool:
        return len(self.distributions) > 1

    @property
    def mean_interval_s(self) -> tuple[float, float]:
        """95 % interval of an exponential's mean.

        Total time / mean has a gamma distribution whose shape is the number of uncensored times.
        """
        from scipy import special

        total_s = self.count * self.mean_s
        low, high = (total_s / float(special.gammaincinv(self.ended, share)) for share in (0.975, 0.025))
        return low, high

    def distribution(self, kind: str | None) -> Distribution | None:
        """The distribution of `fitted`, in seconds. A constant where all times are equal; None without times."""
        fitted = self.fitted(kind)
        if fitted is not None:
            return fitted.distribution_s
        return Constant(self.mean_s) if self.ended else None

    def fitted(self, kind: str | None) -> FittedDistribution | None:
        """The fit of that kind, else the best, or the exponential where times are few.

        None where all times are equal.
        """
        wanted = "exponential" if kind is None and self.few else kind
        some = [fitted for fitted in self.distributions if wanted in (None, fitted.kind)]
        return next(iter(some or self.distributions), None)


def rate_interval(count: int, length: float) -> tuple[float, float]:
    """95 % interval of a Poisson rate with that count over that length, exact (Garwood 1936)."""
    from scipy import special

    low = float(special.gammaincinv(count, 0.025)) if count else 0.0
    return low / length, float(special.gammaincinv(count + 1, 0.975)) / length


def fit_times(times_s: FloatArray, censored: BoolArray | None, unit_s: float) -> FittedTimes:
    """Fits every distribution to the times above zero. `censored` marks times known only to be longer."""
    above = times_s > 0.0
    times = times_s[above] / unit_s
    ended = np.ones(len(times), dtype=np.bool_) if censored is None else ~censored[above]
    fits: list[FittedDistribution] = []
    if ended.sum() > 1 and np.std(np.log(times)) > _LEAST_SPREAD:
        fits = [_fit(kind, times, ended, unit_s) for kind in KINDS]
    elif 0 < ended.sum() < LEAST_TIMES:
        fits = [_fit("exponential", times, ended, unit_s)]
    return FittedTimes(
        count=len(times),
        censored=int((~ended).sum()),
        dropped=int((~above).sum()),
        mean_s=float(times.mean()) * unit_s if len(times) else math.nan,
        median_s=float(np.median(times)) * unit_s if len(times) else math.nan,
        unit_s=unit_s,
        distributions=tuple(sorted(fits, key=lambda fitted: fitted.aic)),
    )


def _fit(kind: str, times: FloatArray, ended: BoolArray, unit_s: float) -> FittedDistribution:
    parameters = _ESTIMATES[kind](times, ended)
    likelihood = _LOG_LIKELIHOODS[kind]

    def at(point: FloatArray) -> float:
        return float(likelihood(times, ended, point))

    return FittedDistribution(
        kind=kind,
        parameters=tuple(float(value) for value in parameters),
        standard_errors=_standard_errors(at, np.asarray(parameters, dtype=np.float64), kind),
        aic=2.0 * len(parameters) - 2.0 * at(np.asarray(parameters)),
        unit_s=unit_s,
    )


def _exponential(times: FloatArray, ended: BoolArray) -> tuple[float, ...]:
    return (float(times.sum() / ended.sum()),)


def _weibull(times: FloatArray, ended: BoolArray) -> tuple[float, ...]:
    """The likelihood equation of the shape has one root (Lawless 2003, eq. 5.2.8); the scale follows from it."""
    from scipy import optimize

    logs = np.log(times)
    centre = logs.max()
    mean_log = float(logs[ended].mean())

    def equation(shape: float) -> float:
        weights = np.exp(shape * (logs - centre))
        return float((weights * logs).sum() / weights.sum()) - 1.0 / shape - mean_log

    shape = _root(optimize, equation)
    scale = math.exp(centre + math.log(np.exp(shape * (logs - centre)).sum() / ended.sum()) / shape)
    return shape, scale


def _gamma(times: FloatArray, ended: BoolArray) -> tuple[float, ...]:
    from scipy import optimize, special

    gap = math.log(times.mean()) - float(np.log(times).mean())
    shape = _root(optimize, lambda value: -(math.log(value) - float(special.digamma(value)) - gap))
    start = (shape, float(times.mean()) / shape)
    return start if ended.all() else _climb(_gamma_likelihood, times, ended, np.log(start), np.exp)


def _lognormal(times: FloatArray, ended: BoolArray) -> tuple[float, ...]:
    logs = np.log(times)
    start = (float(logs.mean()), float(logs.std()))
    if ended.all():
        return start
    return _climb(
        _lognormal_likelihood,
        times,
        ended,
        np.array([start[0], math.log(start[1])]),
        lambda point: np.array([point[0], math.exp(point[1])]),
    )


def _root(optimize: Any, equation: Callable[[float], float]) -> float:
    """The root of an increasing function of a positive shape, or the bound on its side where it has none."""
    low, high = 1.0, 1.0
    while equation(low) > 0.0 and low > 1.0 / _LARGEST_SHAPE:
        low /= 4.0
    while equation(high) < 0.0 and high < _LARGEST_SHAPE:
        high *= 4.0
    if equation(high) < 0.0:
        return high
    return float(optimize.brentq(equation, low, high, xtol=1e-12, rtol=1e-12))


def _climb(
    likelihood: Callable[[FloatArray, BoolArray, FloatArray], float],
    times: FloatArray,
    ended: BoolArray,
    start: FloatArray,
    parameters: Callable[[FloatArray], FloatArray],
) -> tuple[float, ...]:
    """The maximum of a smooth likelihood of two parameters, in unbounded coordinates."""
    from scipy import optimize

    def fall(point: FloatArray) -> float:
        value = float(likelihood(times, ended, parameters(point)))
        return -value if math.isfinite(value) else math.inf

    options = {"xatol": 1e-9, "fatol": 1e-9, "maxiter": 4000, "maxfev": 8000}
    best = optimize.minimize(fall, start, method="Nelder-Mead", options=options).x
    return tuple(float(value) for value in parameters(best))


def _lognormal_likelihood(times: FloatArray, ended: BoolArray, point: FloatArray) -> float:
    from scipy import special

    mu, sigma = point
    score = (np.log(times) - mu) / sigma
    density = -0.5 * score**2 - np.log(times) - math.log(sigma) - 0.5 * math.log(2.0 * math.pi)
    return float(density[ended].sum() + special.log_ndtr(-score[~ended]).sum())


def _weibull_likelihood(times: FloatArray, ended: BoolArray, point: FloatArray) -> float:
    shape, scale = point
    logs = np.log(times / scale)
    density = math.log(shape / scale) + (shape - 1.0) * logs
    return float(density[ended].sum() - np.exp(shape * logs).sum())


def _gamma_likelihood(times: FloatArray, ended: BoolArray, point: FloatArray) -> float:
    from scipy import special

    shape, scale = point
    ratio = times / scale
    density = (shape - 1.0) * np.log(ratio) - ratio - special.gammaln(shape) - math.log(scale)
    beyond = np.log(np.maximum(special.gammaincc(shape, ratio[~ended]), 1e-300))
    return float(density[ended].sum() + beyond.sum())


def _exponential_likelihood(times: FloatArray, ended: BoolArray, point: FloatArray) -> float:
    return float(-math.log(point[0]) * ended.sum() - times.sum() / point[0])


def _standard_errors(at: Callable[[FloatArray], float], point: FloatArray, kind: str) -> tuple[float, ...]:
    """From the observed information, by central differences; nan where it is not positive definite."""
    size = len(point)
    scale = point.copy()
    if kind == "lognormal":
        scale[0] = point[1]  # mu may be zero, so its step is relative to sigma
    steps = 1e-4 * scale
    information = np.empty((size, size))
    for row in range(size):
        for column in range(size):
            total = 0.0
            for sign_row in (1.0, -1.0):
                for sign_column in (1.0, -1.0):
                    moved = point.copy()
                    moved[row] += sign_row * steps[row]
                    moved[column] += sign_column * steps[column]
                    total += sign_row * sign_column * at(moved)
            information[row, column] = -total / (4.0 * steps[row] * steps[column])
    try:
        variances = np.diag(np.linalg.inv(information))
    except np.linalg.LinAlgError:
        return (math.nan,) * size
    return tuple(math.sqrt(value) if value > 0.0 else math.nan for value in variances.tolist())


_ESTIMATES: Final = {"lognormal": _lognormal, "weibull": _weibull, "gamma": _gamma, "exponential": _exponential}
_LOG_LIKELIHOODS: Final = {
    "lognormal": _lognormal_likelihood,
    "weibull": _weibull_likelihood,
    "gamma": _gamma_likelihood,
    "exponential": _exponential_likelihood,
}
