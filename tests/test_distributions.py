"""Samples have the mean and the spread of their law, intervals in equilibrium those of the length-biased one."""

import math

import numpy as np
import pytest

from des.distributions import (
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    Lognormal,
    Uniform,
    Weibull,
    sample,
    sample_length_biased,
    sample_residual,
)
from des.draws import generator

SIZE = 200_000
LAWS: list[tuple[Distribution, float, float]] = [  # law, mean, second moment
    (Constant(2.5), 2.5, 6.25),
    (Uniform(1.0, 3.0), 2.0, 4.0 + 4.0 / 12.0),
    (Exponential(2.0), 2.0, 8.0),
    (Lognormal(0.25, 0.5), math.exp(0.25 + 0.125), math.exp(0.5 + 0.5)),
    (Gamma(2.0, 1.5), 3.0, 2.0 * 3.0 * 2.25),
    (Weibull(0.7, 3.0), 3.0 * math.gamma(1.0 + 1.0 / 0.7), 9.0 * math.gamma(1.0 + 2.0 / 0.7)),
    (Empirical((1.0, 2.0, 6.0)), 3.0, 41.0 / 3.0),
]


def assert_mean(values: np.ndarray, mean: float) -> None:
    error = values.std() / math.sqrt(len(values))
    assert abs(values.mean() - mean) <= 4.5 * error + 1e-12


@pytest.mark.parametrize(("law", "mean", "second"), LAWS)
def test_a_sample_has_the_moments_of_its_law(law: Distribution, mean: float, second: float) -> None:
    values = sample(law, generator(1, 0, "sample"), SIZE)
    assert values.shape == (SIZE,)
    assert law.mean == pytest.approx(mean)
    assert_mean(values, mean)
    assert_mean(values**2, second)


@pytest.mark.parametrize(("law", "mean", "second"), LAWS)
def test_the_interval_in_progress_is_longer_by_its_length_bias(law: Distribution, mean: float, second: float) -> None:
    """E[length] = E[X^2] / E[X]."""
    assert_mean(sample_length_biased(law, generator(1, 0, "biased"), SIZE), second / mean)


@pytest.mark.parametrize(("law", "mean", "second"), LAWS)
def test_age_and_residual_share_the_interval_evenly(law: Distribution, mean: float, second: float) -> None:
    age, residual = sample_residual(law, generator(1, 0, "residual"), SIZE)
    assert (age >= 0.0).all()
    assert (residual >= 0.0).all()
    assert_mean(age, second / mean / 2.0)
    assert_mean(residual, second / mean / 2.0)


def test_values_of_an_empirical_law_are_those_recorded_each_as_likely() -> None:
    values = sample(Empirical((4.0, 1.0, 4.0, 9.0)), generator(2, 0, "empirical"), SIZE)
    assert set(values.tolist()) == {1.0, 4.0, 9.0}
    assert (values == 4.0).mean() == pytest.approx(0.5, abs=0.01)
