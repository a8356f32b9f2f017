"""Renewal starts with durations of their own: stationary from time 0, past included."""

import numpy as np
import pytest
from fault_plans import assert_agrees, one_endpoint, start_to_start, timelines
from scipy import special, stats

from des.distributions import TAIL, Constant, Distribution, Empirical, Exponential, Gamma, Lognormal, Uniform, Weibull
from des.faults import draw_timeline

DISTRIBUTIONS: list[tuple[Distribution, Distribution]] = [
    (Weibull(0.7, 100.0), Lognormal(4.0, 1.4)),
    (Weibull(0.7, 100.0), Exponential(500.0)),
    (Lognormal(4.0, 1.0), Weibull(0.6, 200.0)),
    (Constant(100.0), Uniform(0.0, 450.0)),
    (Gamma(0.4, 200.0), Gamma(0.4, 300.0)),
    (Empirical((5.0, 300.0)), Constant(320.0)),
]


@pytest.mark.parametrize(("between", "duration"), DISTRIBUTIONS)
def test_starts_and_open_incidents_are_stationary(between: Distribution, duration: Distribution) -> None:
    horizon_s = 250.0
    drawn = list(timelines(one_endpoint(start_to_start(between, duration)), 400, horizon_s))
    assert_agrees([float((one.start_s >= 0).sum()) for one in drawn], horizon_s / between.mean)
    for at_s in (0.0, 100.0, 249.0):
        still_open = [float(((one.start_s <= at_s) & (one.end_s > at_s)).sum()) for one in drawn]
        assert_agrees(still_open, duration.mean / between.mean)


def test_first_start_is_the_residual_of_the_gap_that_covers_the_start() -> None:
    shape, scale = 0.7, 100.0
    drawn = list(timelines(one_endpoint(start_to_start(Weibull(shape, scale), Constant(60.0))), 800, 60.0))
    beyond = float(special.gammaincc(1 / shape, (60.0 / scale) ** shape))
    assert_agrees([float(not (one.start_s >= 0).any()) for one in drawn], beyond)
    assert_agrees([float(not (one.start_s < 0).any()) for one in drawn], beyond)  # by symmetry in time
    both = float(special.gammaincc(1 / shape, (120.0 / scale) ** shape))
    assert_agrees([float(len(one) == 0) for one in drawn], both)  # age and residual belong to one gap


def test_an_up_start_draws_the_first_gap_afresh() -> None:
    plan = one_endpoint(start_to_start(Constant(100.0), Constant(250.0)), start_up=True)
    timeline = draw_timeline(plan, 0, 350.0)
    assert timeline.start_s.tolist() == [100.0, 200.0, 300.0]
    assert timeline.end_s.tolist() == [350.0, 450.0, 550.0]


@pytest.mark.parametrize(
    ("distribution", "beyond"),
    [
        (Exponential(3.0), stats.expon(scale=3.0).sf),
        (Lognormal(1.0, 1.4), stats.lognorm(1.4, scale=np.e).sf),
        (Weibull(0.6, 2.0), stats.weibull_min(0.6, scale=2.0).sf),
        (Gamma(0.4, 2.0), stats.gamma(0.4, scale=2.0).sf),
        (Gamma(30.0, 2.0), stats.gamma(30.0, scale=2.0).sf),
        (Uniform(1.0, 2.0), stats.uniform(1.0, 1.0).sf),
    ],
)
def test_the_past_is_drawn_as_far_back_as_a_duration_may_reach(distribution: Distribution, beyond) -> None:
    assert beyond(distribution.tail_bound()) <= TAIL * (1 + 1e-6)
