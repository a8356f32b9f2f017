"""Distributions come out in base units, however they are parametrised."""

import math
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError
from scipy import stats

from des import distributions
from des.errors import ScenarioError
from des.mixture import Mixture
from des.scenario import from_mapping
from des.scenario.schema.distributions import (
    CountDistribution,
    DurationDistribution,
    ShareDistribution,
    SpeedDistribution,
)

DURATION: TypeAdapter[Any] = TypeAdapter(DurationDistribution)
COUNT: TypeAdapter[Any] = TypeAdapter(CountDistribution)


def duration(**spec: object) -> distributions.Distribution:
    distribution: distributions.Distribution = DURATION.validate_python(spec)
    return distribution


def test_a_bare_scalar_is_a_constant() -> None:
    assert DURATION.validate_python("90s") == distributions.Constant(90.0)
    assert COUNT.validate_python(120) == distributions.Constant(120.0)
    assert TypeAdapter(ShareDistribution).validate_python("40%") == distributions.Constant(0.4)
    assert TypeAdapter(SpeedDistribution).validate_python("60/s") == distributions.Constant(60.0)


def test_values_of_a_duration_carry_units() -> None:
    assert duration(kind="uniform", low="1s", high="1min") == distributions.Uniform(1.0, 60.0)
    assert duration(kind="exponential", mean="2h") == distributions.Exponential(7200.0)
    assert duration(kind="gamma", shape=2, scale="3s") == distributions.Gamma(2.0, 3.0)
    assert duration(kind="weibull", shape=0.671, scale="3.919d") == distributions.Weibull(0.671, 3.919 * 86400)
    assert duration(kind="pareto", shape=1.5, scale="10s") == distributions.Pareto(1.5, 10.0)
    parts = [{"weight": 97, "of": "2s"}, {"weight": 3, "of": {"kind": "exponential", "mean": "1min"}}]
    of = (distributions.Constant(2.0), distributions.Exponential(60.0))
    assert duration(kind="mixture", parts=parts) == Mixture(of, (97.0, 3.0))
    assert duration(kind="empirical", values=["1s", "2s"]) == distributions.Empirical((1.0, 2.0))


def test_a_lognormal_has_the_median_and_the_percentile_that_were_given() -> None:
    for name, probability in (("p95", 0.95), ("p99", 0.99)):
        distribution = duration(kind="lognormal", median="1.4s", **{name: "9s"})
        assert isinstance(distribution, distributions.Lognormal)
        fitted = stats.lognorm(distribution.sigma, scale=math.exp(distribution.mu))
        assert fitted.median() == pytest.approx(1.4)
        assert fitted.ppf(probability) == pytest.approx(9.0)


@pytest.mark.parametrize("kind", ["lognormal", "gamma"])
def test_mean_and_coefficient_of_variation_are_those_given(kind: str) -> None:
    distribution = duration(kind=kind, mean="40min", cv=1.7)
    if isinstance(distribution, distributions.Lognormal):
        fitted = stats.lognorm(distribution.sigma, scale=math.exp(distribution.mu))
    else:
        assert isinstance(distribution, distributions.Gamma)
        fitted = stats.gamma(distribution.shape, scale=distribution.scale)
    assert fitted.mean() == pytest.approx(2400.0)
    assert fitted.std() / fitted.mean() == pytest.approx(1.7)
    assert distribution.mean == pytest.approx(2400.0)


def test_a_pareto_and_a_mixture_are_written_as_they_are_read() -> None:
    parts = [{"weight": 0.1, "of": {"kind": "pareto", "shape": 2.5, "scale": "3s"}}, {"weight": 0.2, "of": "2s"}]
    read = duration(kind="mixture", parts=parts)
    assert DURATION.validate_python(DURATION.dump_python(read)) == read


def test_a_mistake_in_a_part_is_told_with_its_path() -> None:
    parts = [{"weight": 1, "of": "1s"}, {"weight": 1, "of": {"kind": "paretto", "shape": 2, "scale": "1s"}}]
    model = {"latency": {"kind": "mixture", "parts": parts}, "price": {"per_request": 0}}
    content = {
        "horizon": "1h",
        "workload": {"arrivals": {"kind": "poisson", "rate": "1/min"}},
        "providers": {"one": {"models": {"m": model}}},
        "chain": [{"provider": "one"}],
    }
    with pytest.raises(ScenarioError) as caught:
        from_mapping(content)
    (problem,) = caught.value.problems
    assert problem.path == "providers.one.models.m.latency.parts[1].of.kind"
    assert "did you mean 'pareto'" in problem.message


def test_mu_of_a_duration_is_of_seconds_unless_its_unit_is_given() -> None:
    in_hours = duration(kind="lognormal", mu=0.248, sigma=1.226, unit="h")
    assert isinstance(in_hours, distributions.Lognormal)
    assert math.exp(in_hours.mu) == pytest.approx(3600.0 * math.exp(0.248))
    assert duration(kind="lognormal", mu=0.248, sigma=1.226) == distributions.Lognormal(0.248, 1.226)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"kind": "lognormal", "median": "1s"}, "median and p95"),
        ({"kind": "lognormal", "median": "1s", "p95": "2s", "p99": "3s"}, "here: median, p95, p99"),
        ({"kind": "lognormal", "median": "2s", "p95": "1s"}, "not above the median"),
        ({"kind": "lognormal", "median": "2s", "sigma": 1, "unit": "h"}, "unit belongs to mu"),
        ({"kind": "lognormal", "mu": 0, "sigma": 100}, "beyond the range"),
        ({"kind": "uniform", "low": "2s", "high": "1s"}, "high is below low"),
        ({"kind": "exponential", "mean": "0s"}, "above zero"),
        ({"kind": "gamma", "mean": "1s", "cv": 0}, "above zero"),
        ({"kind": "gamma", "shape": 1}, "shape and scale, or mean and cv"),
        ({"kind": "empirical", "values": []}, "at least 1"),
        ({"kind": "pareto", "shape": 1, "scale": "1s"}, "1.05"),
        ({"kind": "mixture", "parts": [{"weight": 1, "of": "1s"}]}, "at least 2"),
        ({"kind": "mixture", "parts": [{"weight": 0, "of": "1s"}, {"weight": 1, "of": "2s"}]}, "above zero"),
        ({"kind": "weibull", "shape": math.nan, "scale": "1s"}, "finite"),
    ],
)
def test_a_distribution_that_cannot_be_is_refused(spec: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        DURATION.validate_python(spec)


@pytest.mark.parametrize(
    ("distribution", "fitted"),
    [
        (distributions.Exponential(3.0), stats.expon(scale=3.0)),
        (distributions.Lognormal(1.0, 0.7), stats.lognorm(0.7, scale=math.e)),
        (distributions.Weibull(0.7, 2.0), stats.weibull_min(0.7, scale=2.0)),
        (distributions.Gamma(0.3, 2.0), stats.gamma(0.3, scale=2.0)),
        (distributions.Gamma(30.0, 2.0), stats.gamma(30.0, scale=2.0)),
    ],
)
def test_the_rough_maximum_is_passed_about_once_in_a_billion_draws(
    distribution: distributions.Distribution, fitted: Any
) -> None:
    assert 1e-16 < fitted.sf(distribution.rough_maximum()) < 2e-9
    assert np.isfinite(distribution.rough_maximum())
