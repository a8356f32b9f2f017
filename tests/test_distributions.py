"""Samples and figures of each distribution against its density, equilibrium against its length bias."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import brentq

from des import distributions
from des.distributions import (
    TAIL,
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    Lognormal,
    Pareto,
    Uniform,
    Weibull,
    sample,
    sample_residual,
)
from des.draws import generator
from des.mixture import Mixture

SIZE = 200_000
MIXTURE = Mixture((Exponential(2.0), Gamma(2.0, 3.0)), (3.0, 1.0))


class Mixed:
    """The mixture by SciPy's distributions of its parts."""

    parts = (stats.expon(scale=2.0), stats.gamma(2.0, scale=3.0))

    def _mean_of(self, figures: list[Any]) -> Any:
        return 0.75 * figures[0] + 0.25 * figures[1]

    def sf(self, value: Any) -> Any:
        return self._mean_of([part.sf(value) for part in self.parts])

    def cdf(self, value: Any) -> Any:
        return self._mean_of([part.cdf(value) for part in self.parts])

    def mean(self) -> float:
        return float(self._mean_of([part.mean() for part in self.parts]))

    def var(self) -> float:
        return float(self._mean_of([part.var() + part.mean() ** 2 for part in self.parts])) - self.mean() ** 2

    def ppf(self, share: float) -> float:
        return float(brentq(lambda value: self.cdf(value) - share, 0.0, 1e3, xtol=1e-12))


MOMENTS: list[tuple[Distribution, float, float]] = [  # distribution, mean, second moment
    (Constant(2.5), 2.5, 6.25),
    (Uniform(1.0, 3.0), 2.0, 4.0 + 4.0 / 12.0),
    (Exponential(2.0), 2.0, 8.0),
    (Lognormal(0.25, 0.5), math.exp(0.25 + 0.125), math.exp(0.5 + 0.5)),
    (Gamma(2.0, 1.5), 3.0, 2.0 * 3.0 * 2.25),
    (Weibull(0.7, 3.0), 3.0 * math.gamma(1.0 + 1.0 / 0.7), 9.0 * math.gamma(1.0 + 2.0 / 0.7)),
    (Empirical((1.0, 2.0, 6.0)), 3.0, 41.0 / 3.0),
    (Pareto(6.0, 2.0), 2.4, 6.0),
    (MIXTURE, 0.75 * 2.0 + 0.25 * 6.0, 0.75 * 8.0 + 0.25 * 54.0),
    (Mixture((Constant(0.0), Constant(3.0)), (1.0, 2.0)), 2.0, 6.0),
]
DENSITIES: dict[Distribution, Any] = {
    Exponential(2.0): stats.expon(scale=2.0),
    Uniform(1.0, 4.0): stats.uniform(1.0, 3.0),
    Lognormal(0.3, 0.8): stats.lognorm(0.8, scale=math.exp(0.3)),
    Gamma(0.7, 3.0): stats.gamma(0.7, scale=3.0),
    Pareto(3.5, 0.5): stats.pareto(3.5, scale=0.5),
    MIXTURE: Mixed(),
    Weibull(0.75, 2.5): stats.weibull_min(0.75, scale=2.5),
}
CONTINUOUS = sorted(DENSITIES, key=repr)
EVERY = [row[0] for row in MOMENTS]


def assert_mean(values: np.ndarray, mean: float) -> None:
    error = values.std() / math.sqrt(len(values))
    assert abs(values.mean() - mean) <= 4.5 * error + 1e-12


def test_every_distribution_is_tested_here() -> None:
    classes = {
        each for each in vars(distributions).values() if isinstance(each, type) and issubclass(each, Distribution)
    }
    assert {type(each) for each in EVERY} == classes - {Distribution} | {Mixture}


@pytest.mark.parametrize(("distribution", "mean", "second"), MOMENTS)
def test_a_sample_has_the_moments_of_its_distribution(distribution: Distribution, mean: float, second: float) -> None:
    values = distribution.sample(generator(1, 0, "sample"), SIZE)
    assert values.shape == (SIZE,)
    assert distribution.mean == pytest.approx(mean)
    assert distribution.second_moment == pytest.approx(second)
    assert_mean(values, mean)
    assert_mean(values**2, second)


@pytest.mark.parametrize(("distribution", "mean", "second"), MOMENTS)
def test_the_interval_in_progress_is_longer_by_its_length_bias(
    distribution: Distribution, mean: float, second: float
) -> None:
    """E[length] = E[X^2] / E[X]."""
    assert_mean(distribution.sample_length_biased(generator(1, 0, "biased"), SIZE), second / mean)


@pytest.mark.parametrize(("distribution", "mean", "second"), MOMENTS)
def test_age_and_residual_share_the_interval_evenly(distribution: Distribution, mean: float, second: float) -> None:
    age, residual = distribution.sample_residual(generator(1, 0, "residual"), SIZE)
    assert (age >= 0.0).all()
    assert (residual >= 0.0).all()
    assert_mean(age, second / mean / 2.0)
    assert_mean(residual, second / mean / 2.0)


def test_values_of_an_empirical_distribution_are_those_recorded_each_as_likely() -> None:
    values = Empirical((4.0, 1.0, 4.0, 9.0)).sample(generator(2, 0, "empirical"), SIZE)
    assert set(values.tolist()) == {1.0, 4.0, 9.0}
    assert (values == 4.0).mean() == pytest.approx(0.5, abs=0.01)


def test_a_mixture_takes_each_part_with_its_share_and_keeps_its_shape_at_another_mean() -> None:
    values = Mixture((Constant(1.0), Constant(5.0)), (97.0, 3.0)).sample(generator(3, 0, "mixture"), SIZE)
    assert (values == 5.0).mean() == pytest.approx(0.03, abs=4.5 * math.sqrt(0.03 * 0.97 / SIZE))
    longer = MIXTURE.with_mean(6.0)
    assert longer.mean == pytest.approx(6.0)
    assert longer.survival(4.0) == pytest.approx(MIXTURE.survival(2.0))
    assert Mixture((Constant(0.0), Constant(3.0)), (1.0, 2.0)).with_mean(4.0).mean == pytest.approx(4.0)
    assert (
        Mixture((Constant(0.0), Constant(0.0)), (1.0, 2.0)).sample_length_biased(generator(3, 0, "a"), 2).max() == 0.0
    )


def test_a_heavy_pareto_has_a_mean_and_no_variance() -> None:
    assert Pareto(1.5, 2.0).mean == 6.0
    assert Pareto(1.5, 2.0).second_moment == math.inf
    assert Pareto(1.5, 2.0).with_mean(3.0) == Pareto(1.5, 1.0)


def test_functions_of_the_same_names_draw_the_same() -> None:
    gamma = Gamma(0.7, 3.0)
    assert (sample(gamma, generator(1, 0, "a"), 9) == gamma.sample(generator(1, 0, "a"), 9)).all()
    pairs = sample_residual(gamma, generator(1, 0, "a"), 9), gamma.sample_residual(generator(1, 0, "a"), 9)
    assert np.array_equal(*pairs)


@pytest.mark.parametrize("distribution", CONTINUOUS, ids=repr)
def test_survival_is_that_of_the_density(distribution: Distribution) -> None:
    for value in (0.0, 0.3, 1.5, 6.0):
        assert float(distribution.survival(value)) == pytest.approx(DENSITIES[distribution].sf(value), rel=1e-10)
        assert float(distribution.cdf(value)) == pytest.approx(DENSITIES[distribution].cdf(value), abs=1e-12)
    assert distribution.survival(np.array([-1.0, 0.0])).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("distribution", CONTINUOUS, ids=repr)
def test_quantiles_invert_the_survival(distribution: Distribution) -> None:
    shares = np.array([1e-6, 0.05, 0.5, 0.95, 1.0 - 1e-9])
    assert distribution.survival(distribution.quantile(shares)) == pytest.approx(1.0 - shares, rel=1e-6)
    assert float(distribution.quantile(0.95)) == pytest.approx(DENSITIES[distribution].ppf(0.95))


@pytest.mark.parametrize("distribution", CONTINUOUS, ids=repr)
def test_limited_mean_is_the_integral_of_the_survival(distribution: Distribution) -> None:
    density = DENSITIES[distribution]
    for limit in (0.2, 1.0, 2.0, 7.0):
        assert distribution.limited_mean(limit) == pytest.approx(quad(density.sf, 0.0, limit, limit=200)[0], rel=1e-7)
    assert distribution.limited_mean(math.inf) == pytest.approx(density.mean())
    assert distribution.limited_mean(-1.0) == 0.0


@pytest.mark.parametrize("distribution", CONTINUOUS, ids=repr)
def test_second_moment_and_laplace_transform_are_those_of_the_density(distribution: Distribution) -> None:
    density = DENSITIES[distribution]
    assert distribution.second_moment == pytest.approx(density.var() + density.mean() ** 2)
    # E[e^{-sX}] = 1 - s int e^{-st} S(t) dt
    for rate in (0.05, 1.3):
        tail = quad(lambda t, s=rate: math.exp(-s * t) * density.sf(t), 0.0, np.inf, limit=400)[0]
        assert distribution.laplace(rate) == pytest.approx(1.0 - rate * tail, rel=1e-7)


def test_recorded_and_constant_values_have_the_figures_of_their_points() -> None:
    recorded = Empirical((1.0, 2.0, 6.0))
    assert recorded.survival(2.0) == pytest.approx(1.0 / 3.0)
    assert recorded.quantile(np.array([0.0, 0.5, 1.0])).tolist() == [1.0, 2.0, 6.0]
    assert recorded.limited_mean(4.0) == pytest.approx(7.0 / 3.0)
    assert recorded.laplace(0.5) == pytest.approx((math.exp(-0.5) + math.exp(-1.0) + math.exp(-3.0)) / 3.0)
    assert Constant(3.0).limited_mean(2.0) == 2.0
    assert Constant(3.0).survival(np.array([2.9, 3.0])).tolist() == [1.0, 0.0]
    assert Constant(3.0).quantile(0.99) == 3.0
    assert Constant(3.0).laplace(0.1) == pytest.approx(math.exp(-0.3))


def test_sums_have_closed_forms_where_the_distribution_is_constant_or_gamma() -> None:
    assert [Constant(2.0).sum_cdf(count, 5.0) for count in (0, 2, 3)] == [1.0, 1.0, 0.0]
    assert Exponential(2.0).sum_cdf(3, 5.0) == pytest.approx(stats.gamma(3, scale=2.0).cdf(5.0))
    assert Gamma(0.7, 3.0).sum_cdf(3, 5.0) == pytest.approx(stats.gamma(2.1, scale=3.0).cdf(5.0))
    assert Exponential(2.0).sum_cdf(0, 0.0) == Gamma(0.7, 3.0).sum_cdf(0, 0.0) == 1.0
    assert Weibull(0.7, 3.0).sum_cdf(1, 5.0) is None


@pytest.mark.parametrize("distribution", CONTINUOUS, ids=repr)
def test_a_billionth_of_the_draws_lies_beyond_the_tail(distribution: Distribution) -> None:
    assert float(distribution.survival(distribution.tail_bound())) <= TAIL * (1.0 + 1e-6)
    assert float(distribution.survival(distribution.tail_quantile())) == pytest.approx(TAIL, rel=1e-4)
    assert 0.0 <= float(distribution.survival(distribution.rough_maximum())) < 2.0 * TAIL


@pytest.mark.parametrize("distribution", [Constant(3.0), Uniform(1.0, 3.0), Empirical((1.0, 3.0))], ids=repr)
def test_bounded_distributions_end_where_they_end(distribution: Distribution) -> None:
    assert distribution.tail_bound() == distribution.rough_maximum() == 3.0
    assert distribution.tail_quantile() == pytest.approx(3.0, rel=1e-8)


def test_the_tail_of_what_no_float_holds_is_still_finite() -> None:
    assert math.isfinite(Lognormal(600.0, 40.0).rough_maximum())
    assert math.isfinite(Lognormal(695.0, 3.0).tail_quantile())
