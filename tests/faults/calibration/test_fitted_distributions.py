"""Maximum likelihood with location 0, censored times included."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from des.distributions import Constant, Exponential, Gamma, Lognormal, Weibull
from des.faults.calibration import KINDS, FittedTimes, fit_times

HOUR = 3600.0
SCIPY = {
    "lognormal": (stats.lognorm, lambda p: (p[1], 0.0, np.exp(p[0]))),
    "weibull": (stats.weibull_min, lambda p: (p[0], 0.0, p[1])),
    "gamma": (stats.gamma, lambda p: (p[0], 0.0, p[1])),
    "exponential": (stats.expon, lambda p: (0.0, p[0])),
}
DRAWN = np.random.default_rng(5).lognormal(0.3, 1.3, 300)


def _fitted(times: NDArray[np.float64], censored: NDArray[np.bool_] | None = None) -> FittedTimes:
    return fit_times(times * HOUR, censored, HOUR)


@pytest.mark.parametrize("kind", KINDS)
def test_every_distribution_is_the_one_scipy_finds(kind: str) -> None:
    fitted = _fitted(DRAWN).fitted(kind)
    assert fitted is not None
    distribution, arguments = SCIPY[kind]
    expected = distribution.fit(DRAWN, floc=0)
    assert arguments(fitted.parameters) == pytest.approx(expected, rel=1e-3)
    loglik = distribution.logpdf(DRAWN, *arguments(fitted.parameters)).sum()
    assert loglik >= distribution.logpdf(DRAWN, *expected).sum() - 1e-6
    assert fitted.aic == pytest.approx(2 * len(fitted.parameters) - 2 * loglik)


@pytest.mark.parametrize("kind", KINDS)
def test_censored_times_count_as_at_least_so_long(kind: str) -> None:
    """No parameters do better by scipy's own censored likelihood."""
    censored = DRAWN > 3.0
    times = np.minimum(DRAWN, 3.0)
    fitted = _fitted(times, censored).fitted(kind)
    assert fitted is not None
    distribution, arguments = SCIPY[kind]

    def likelihood(point: NDArray[np.float64]) -> float:
        own = arguments(point)
        return float(
            distribution.logpdf(times[~censored], *own).sum() + distribution.logsf(times[censored], *own).sum()
        )

    best = np.array(fitted.parameters)
    assert fitted.aic == pytest.approx(2 * len(best) - 2 * likelihood(best))
    for place in range(len(best)):
        for step in (-1e-3, 1e-3):
            moved = best.copy()
            moved[place] += step
            assert likelihood(moved) < likelihood(best)


def test_censoring_does_not_bias_what_plain_fits_would() -> None:
    rng = np.random.default_rng(11)
    times = rng.lognormal(0.3, 1.3, 4000)
    limits = rng.exponential(6.0, 4000)
    fitted = _fitted(np.minimum(times, limits), times > limits).fitted("lognormal")
    assert fitted is not None
    for value, error, exact in zip(fitted.parameters, fitted.standard_errors, (0.3, 1.3), strict=True):
        assert abs(value - exact) < 4 * error
    naive = _fitted(np.minimum(times, limits)).fitted("lognormal")
    assert naive is not None
    assert abs(naive.parameters[0] - 0.3) > 10 * naive.standard_errors[0]


def test_standard_errors_are_those_of_the_closed_forms() -> None:
    fitted = _fitted(DRAWN)
    lognormal, exponential = fitted.fitted("lognormal"), fitted.fitted("exponential")
    assert lognormal is not None
    assert exponential is not None
    sigma = lognormal.parameters[1]
    assert lognormal.standard_errors == pytest.approx((sigma / np.sqrt(300), sigma / np.sqrt(600)), rel=1e-4)
    assert exponential.standard_errors == pytest.approx((exponential.parameters[0] / np.sqrt(300),), rel=1e-4)


def test_the_lowest_aic_comes_first() -> None:
    rng = np.random.default_rng(3)
    for kind, times in (
        ("lognormal", rng.lognormal(0.0, 1.4, 3000)),
        ("weibull", rng.weibull(0.5, 3000)),
        ("gamma", rng.gamma(3.0, 1.0, 3000)),
        ("exponential", np.random.default_rng(1).exponential(2.0, 3000)),
    ):
        fitted = _fitted(times)
        assert fitted.distributions[0].kind == kind
        assert [distribution.aic for distribution in fitted.distributions] == sorted(
            distribution.aic for distribution in fitted.distributions
        )


def test_distributions_are_given_in_seconds() -> None:
    fitted = _fitted(DRAWN)
    distributions = {kind: fitted.distribution(kind) for kind in KINDS}
    assert isinstance(distributions["lognormal"], Lognormal)
    assert isinstance(distributions["weibull"], Weibull)
    assert isinstance(distributions["gamma"], Gamma)
    assert isinstance(distributions["exponential"], Exponential)
    seconds = fit_times(DRAWN * HOUR, None, 1.0)
    for kind in KINDS:
        distribution, other = distributions[kind], seconds.distribution(kind)
        assert distribution is not None
        assert other is not None
        assert distribution.mean == pytest.approx(other.mean, rel=1e-6)
    assert distributions["gamma"].mean == pytest.approx(DRAWN.mean() * HOUR)


def test_zeroes_are_dropped_and_counted() -> None:
    with_zeroes = _fitted(np.concatenate((DRAWN, np.zeros(7))))
    assert (with_zeroes.count, with_zeroes.dropped) == (300, 7)
    assert with_zeroes.distributions == _fitted(DRAWN).distributions


def test_without_spread_there_is_a_constant_and_no_distribution() -> None:
    same = _fitted(np.full(12, 2.0))
    assert not same.distributions
    assert same.distribution(None) == Constant(2.0 * HOUR)


@pytest.mark.parametrize("times", [[], [0.0, 0.0]], ids=str)
def test_no_time_gives_nothing(times: list[float]) -> None:
    fitted = _fitted(np.array(times))
    assert not fitted.distributions
    assert fitted.distribution(None) is None


@pytest.mark.parametrize("times", [[3.0], [2.0, 2.0], [0.1, 0.2, 900.0]], ids=str)
def test_few_times_give_an_exponential_of_their_mean(times: list[float]) -> None:
    fitted = _fitted(np.array(times))
    assert fitted.few
    assert fitted.distribution(None) == Exponential(np.mean(times) * HOUR)
    low, high = fitted.mean_interval_s
    assert stats.chi2.cdf(2 * sum(times) * HOUR / low, 2 * len(times)) == pytest.approx(0.975)
    assert stats.chi2.cdf(2 * sum(times) * HOUR / high, 2 * len(times)) == pytest.approx(0.025)


def test_a_distribution_that_was_asked_for_is_given_of_few_times_too() -> None:
    fitted = _fitted(DRAWN[:9])
    chosen = fitted.fitted("lognormal")
    assert chosen is not None
    assert chosen.kind == "lognormal"
    assert not _fitted(DRAWN[:10]).few


def test_times_that_have_all_not_ended_give_nothing() -> None:
    fitted = _fitted(DRAWN, np.ones(300, dtype=np.bool_))
    assert not fitted.distributions
    assert fitted.distribution(None) is None


def test_times_of_any_size_are_fitted() -> None:
    for size in (1e-9, 1e9):
        fitted = _fitted(DRAWN * size)
        assert [distribution.kind for distribution in fitted.distributions] == [
            distribution.kind for distribution in _fitted(DRAWN).distributions
        ]
        assert all(
            np.isfinite(distribution.parameters).all() and np.isfinite(distribution.standard_errors).all()
            for distribution in fitted.distributions
        )
