"""Moments and transforms of the scenario language's probability laws."""

import math

from des.distributions import Constant, Distribution, Empirical, Exponential, Gamma, Lognormal, Uniform, Weibull


def survival(law: Distribution, time: float) -> float:
    """P(X > time) of a positive law, in the law's own unit."""
    if time < 0.0:
        return 1.0
    match law:
        case Constant(value):
            return float(time < value)
        case Uniform(low, high):
            if high == low:
                return float(time < high)
            return min(1.0, max(0.0, (high - time) / (high - low)))
        case Exponential(mean):
            return math.exp(-time / mean)
        case Lognormal(mu, sigma):
            if time == 0.0:
                return 1.0
            return normal_cdf((mu - math.log(time)) / sigma) if sigma > 0.0 else float(math.log(time) < mu)
        case Gamma(shape, scale):
            from scipy.special import gammaincc

            return float(gammaincc(shape, time / scale))
        case Weibull(shape, scale):
            return math.exp(-((time / scale) ** shape))
        case Empirical(values):
            return sum(value > time for value in values) / len(values)


def limited_mean(law: Distribution, limit: float) -> float:
    """E[min(X, limit)], the mean of a law cut at a limit: for a lognormal one

    exp(mu + sigma^2/2) Phi((ln t - mu - sigma^2)/sigma) + t Phi(-(ln t - mu)/sigma).
    """
    if limit <= 0.0:
        return 0.0
    if math.isinf(limit):
        return law.mean
    match law:
        case Constant(value):
            return min(value, limit)
        case Uniform(low, high):
            if limit <= low:
                return limit
            if limit >= high:
                return law.mean
            return (limit * limit - low * low) / (2.0 * (high - low)) + limit * (high - limit) / (high - low)
        case Exponential(mean):
            return -mean * math.expm1(-limit / mean)
        case Lognormal(mu, sigma):
            if sigma == 0.0:
                return min(law.mean, limit)
            depth = (math.log(limit) - mu) / sigma
            return law.mean * normal_cdf(depth - sigma) + limit * normal_cdf(-depth)
        case Gamma(shape, scale):
            from scipy.special import gammainc, gammaincc

            return float(law.mean * gammainc(shape + 1.0, limit / scale) + limit * gammaincc(shape, limit / scale))
        case Weibull(shape, scale):
            from scipy.special import gammainc

            depth = (limit / scale) ** shape
            return float(law.mean * gammainc(1.0 + 1.0 / shape, depth) + limit * math.exp(-depth))
        case Empirical(values):
            return math.fsum(min(value, limit) for value in values) / len(values)


def second_moment(law: Distribution) -> float:
    """E[X^2], in the square of the law's unit."""
    match law:
        case Constant(value):
            return value * value
        case Uniform(low, high):
            return (low * low + low * high + high * high) / 3.0
        case Exponential(mean):
            return 2.0 * mean * mean
        case Lognormal(mu, sigma):
            return math.exp(2.0 * mu + 2.0 * sigma * sigma)
        case Gamma(shape, scale):
            return shape * (shape + 1.0) * scale * scale
        case Weibull(shape, scale):
            return scale * scale * math.gamma(1.0 + 2.0 / shape)
        case Empirical(values):
            return math.fsum(value * value for value in values) / len(values)


def laplace(law: Distribution, rate: float) -> float:
    """E[exp(-rate X)]: the chance that no point of a Poisson process of this rate falls within X.

    `rate` is per unit of the law. Lognormal and Weibull laws are integrated numerically, to about 1e-10.
    """
    match law:
        case Constant(value):
            return math.exp(-rate * value)
        case Uniform(low, high):
            width = rate * (high - low)
            return math.exp(-rate * low) * (-math.expm1(-width) / width if width > 0.0 else 1.0)
        case Exponential(mean):
            return 1.0 / (1.0 + rate * mean)
        case Gamma(shape, scale):
            return float((1.0 + rate * scale) ** -shape)
        case Lognormal(mu, sigma):
            return _expectation_over_normal(mu, sigma, rate)
        case Weibull(shape, scale):
            from scipy.integrate import quad

            return float(quad(lambda u: math.exp(-u - rate * scale * u ** (1.0 / shape)), 0.0, math.inf, limit=200)[0])
        case Empirical(values):
            return math.fsum(math.exp(-rate * value) for value in values) / len(values)


def normal_cdf(z: float) -> float:
    """Phi(z), accurate in both tails."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def _expectation_over_normal(mu: float, sigma: float, rate: float) -> float:
    from scipy.integrate import quad

    def integrand(z: float) -> float:
        return math.exp(-0.5 * z * z - rate * math.exp(mu + sigma * z))

    return float(quad(integrand, -12.0, 12.0, limit=400, epsabs=1e-13)[0]) / math.sqrt(2.0 * math.pi)
