import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from des.distributions import Constant, Distribution, Empirical, Exponential, Gamma, Lognormal, Uniform, Weibull
from des.scenario.resolution.intent import DEFAULT_SIGMA, default_duration, private_class
from des.scenario.text.units import YEAR_S

HOUR_S = 3600.0


def availability_and_episodes(classes: list[tuple[float, float]]) -> tuple[float, float]:
    """Closed forms of superposed Poisson classes of (rate, mean): exp(-sum), and rate x availability a year."""
    availability = math.exp(-math.fsum(rate * mean for rate, mean in classes))
    return availability, math.fsum(rate for rate, _ in classes) * YEAR_S * availability


@given(availability=st.floats(0.5, 0.999999), episodes=st.floats(0.1, 1000.0))
def test_a_lone_component_gets_the_availability_and_the_episodes_asked_for(
    availability: float, episodes: float
) -> None:
    reached = availability_and_episodes([private_class(availability, episodes)])
    assert reached == (pytest.approx(availability, rel=1e-12), pytest.approx(episodes, rel=1e-12))


def test_shared_classes_come_off_both_rate_and_downtime() -> None:
    shared = [(1.2 / YEAR_S, 1.0, 1.5 * HOUR_S), (5.0 / YEAR_S, 0.4, 0.5 * HOUR_S)]
    rate, mean = private_class(0.999, 12.0, shared)
    assert rate * YEAR_S == pytest.approx(12.0 / 0.999 - 1.2 - 2.0)
    classes = [(rate, mean), *((shared_rate * share, duration) for shared_rate, share, duration in shared)]
    assert availability_and_episodes(classes) == (pytest.approx(0.999), pytest.approx(12.0))


def test_simulated_episodes_and_downtime_are_those_asked_for() -> None:
    rate, mean = private_class(0.9, 500.0)
    generator = np.random.default_rng(5)
    years = 200
    starts = np.sort(generator.uniform(0.0, years * YEAR_S, generator.poisson(rate * years * YEAR_S)))
    ends = starts + generator.exponential(mean, len(starts))
    covered_until = np.concatenate([[-1.0], np.maximum.accumulate(ends)[:-1]])
    episodes = int((starts > covered_until).sum())
    down_s = np.maximum(ends - np.maximum(starts, covered_until), 0.0).sum()
    # Episodes alternate with exponential gaps, so their count varies by no more than a Poisson one.
    assert abs(episodes - 500.0 * years) < 4 * math.sqrt(500.0 * years)
    assert down_s / (years * YEAR_S) == pytest.approx(0.1, abs=0.002)


def test_shared_classes_that_account_for_everything_leave_nothing() -> None:
    rate, mean = private_class(0.999, 12.0)
    assert private_class(0.999, 12.0, [(rate, 1.0, mean)]) == (0.0, 0.0)
    assert private_class(0.999, 12.0, [(rate * 2, 0.5, mean)]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("shared", "expected"),
    [
        # 24 incidents of a minute: too many, though they last no time.
        ([(24.0 / YEAR_S, 1.0, 60.0)], ["12.01 incidents", "24 incidents and 0.4 h", "-11.99 incidents", "raise"]),
        # One incident of 20 h: more than 0.1 % of a year.
        ([(1.0 / YEAR_S, 1.0, 20 * HOUR_S)], ["8.764 h", "1 incidents and 20 h", "-11.24 h", "lower availability"]),
        # As many as asked for, but shorter: nothing is left to fill the downtime with.
        ([(12.0 / 0.999 / YEAR_S, 1.0, 60.0)], ["leaves 0 incidents and 8.564 h"]),
    ],
)
def test_more_than_asked_for_is_refused_with_the_numbers(
    shared: list[tuple[float, float, float]], expected: list[str]
) -> None:
    with pytest.raises(ValueError, match="availability") as refused:
        private_class(0.999, 12.0, shared)
    for words in expected:
        assert words in str(refused.value)


def test_the_remedy_named_in_a_refusal_works() -> None:
    shared = [(1.0 / YEAR_S, 1.0, 20 * HOUR_S)]
    with pytest.raises(ValueError, match=r"lower availability below 0\.9977195") as refused:
        private_class(0.999, 12.0, shared)
    bound = float(str(refused.value).rsplit("below ", 1)[1])
    rate, mean = private_class(bound - 1e-6, 12.0, shared)
    assert rate > 0
    assert mean > 0


@pytest.mark.parametrize("availability", [0.0, 1.0, -0.1, 1.5, math.nan])
def test_an_availability_outside_of_0_and_1_is_refused(availability: float) -> None:
    with pytest.raises(ValueError, match="availability must lie between"):
        private_class(availability, 12.0)


@pytest.mark.parametrize("episodes", [0.0, -1.0, math.inf, math.nan])
def test_episodes_must_be_positive_and_finite(episodes: float) -> None:
    with pytest.raises(ValueError, match="episodes_per_year must be positive"):
        private_class(0.99, episodes)


DISTRIBUTIONS: list[Distribution] = [
    Constant(3.0),
    Uniform(1.0, 4.0),
    Exponential(2.0),
    Lognormal(0.4, 1.3),
    Gamma(0.7, 5.0),
    Weibull(0.67, 3.9),
    Empirical((1.0, 2.0, 9.0)),
]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=lambda distribution: type(distribution).__name__)
def test_a_rescaled_distribution_has_the_mean_asked_for_and_its_shape(distribution: Distribution) -> None:
    stretched = distribution.with_mean(7200.0)
    assert type(stretched) is type(distribution)
    assert stretched.mean == pytest.approx(7200.0, rel=1e-12)
    factor = 7200.0 / distribution.mean
    match distribution, stretched:
        case Uniform(), Uniform():
            assert (stretched.low, stretched.high) == (
                pytest.approx(distribution.low * factor),
                pytest.approx(4.0 * factor),
            )
        case Lognormal(), Lognormal():
            assert stretched.sigma == distribution.sigma
            assert stretched.mu == pytest.approx(distribution.mu + math.log(factor))
        case (Gamma(), Gamma()) | (Weibull(), Weibull()):
            assert stretched.shape == distribution.shape
            assert stretched.scale == pytest.approx(distribution.scale * factor)
        case Empirical(), Empirical():
            assert stretched.values == pytest.approx([value * factor for value in distribution.values])


@pytest.mark.parametrize("mean", [0.0, -1.0, math.nan, math.inf])
def test_a_mean_must_be_positive_and_finite(mean: float) -> None:
    with pytest.raises(ValueError, match="mean must be positive"):
        Exponential(1.0).with_mean(mean)


@pytest.mark.parametrize("distribution", [Uniform(0.0, 0.0), Empirical((0.0, 0.0))])
def test_a_distribution_of_mean_zero_cannot_be_stretched(distribution: Distribution) -> None:
    with pytest.raises(ValueError, match="mean 0 cannot be scaled"):
        distribution.with_mean(5.0)


def test_the_default_duration_is_lognormal_of_the_stated_shape() -> None:
    distribution = default_duration(3600.0)
    assert distribution.sigma == DEFAULT_SIGMA == 1.3
    assert distribution.mean == pytest.approx(3600.0, rel=1e-12)
