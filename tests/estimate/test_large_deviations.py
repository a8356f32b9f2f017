"""Bounds of overflow: never below the truth, close to it where it is known, and 1 where they say nothing."""

import math

import numpy as np
import pytest
from scipy.stats import poisson

from des.distributions import Constant, Empirical, Exponential, Gamma, Lognormal, Uniform
from des.estimate.large_deviations import (
    NOTHING,
    ONE,
    Curve,
    Load,
    Part,
    Size,
    bucket_overflow,
    places_overflow,
    size_of,
    window_overflow,
)


def load(rate: float, *, burst: float = 0.0, most: int = 1, gap_s: float = 0.0, size: Size = ONE) -> Load:
    return Load((Part(1.0, Curve(rate, burst), size),), most, gap_s)


@pytest.mark.parametrize("mean", [0.5, 5.0, 80.0])
@pytest.mark.parametrize("deviations", [2.0, 4.0, 8.0, 16.0])
def test_a_window_of_poisson_calls_overflows_as_seldom_as_the_distribution_says(mean: float, deviations: float) -> None:
    room = math.ceil(mean + deviations * math.sqrt(mean))
    truth = float(poisson.sf(room - 1, mean))  # the call asked about is one of those that may be too many
    found = window_overflow(load(mean / 10.0), float(room), 10.0)
    assert truth <= found <= 60.0 * truth + 1e-300


def test_requests_of_several_calls_count_as_so_many_at_once() -> None:
    truth = float(poisson.sf(40 // 4 - 1, 2.0))
    assert truth <= window_overflow(load(8.0, most=4), 40.0, 1.0) <= 60.0 * truth


@pytest.mark.parametrize("rate", [2.0, 5.0, 8.0, 9.5])
def test_a_bucket_is_empty_less_often_than_bounded(rate: float) -> None:
    """Calls of a Poisson process, a token each, against 10 tokens a second and a burst of 12."""
    rng = np.random.default_rng(3)
    gaps = rng.exponential(1.0 / rate, 200_000)
    tokens, refused = 12.0, 0
    for gap in gaps.tolist():
        tokens = min(12.0, tokens + 10.0 * gap)
        if tokens < 1.0:
            refused += 1
        else:
            tokens -= 1.0
    found = bucket_overflow(load(rate), 12.0, 10.0)
    assert refused / len(gaps) <= found
    assert found < 1.0 or rate > 5.0


def test_a_bucket_and_a_steady_overload_have_no_bound() -> None:
    assert bucket_overflow(load(10.0), 1e6, 10.0) == 1.0
    assert bucket_overflow(load(11.0), 1e6, 10.0) == 1.0


def test_a_bound_falls_with_the_room_and_rises_with_load_burst_and_calls_of_a_request() -> None:
    usual = bucket_overflow(load(3.0), 30.0, 10.0)
    assert usual < 1e-6
    assert bucket_overflow(load(3.0), 40.0, 10.0) < usual
    assert bucket_overflow(load(4.0), 30.0, 10.0) > usual
    assert bucket_overflow(load(3.0, burst=5.0), 30.0, 10.0) > usual
    assert bucket_overflow(load(3.0, most=3), 30.0, 10.0) > usual
    assert bucket_overflow(load(3.0, most=3, gap_s=0.5), 30.0, 10.0) < bucket_overflow(load(3.0, most=3), 30.0, 10.0)


def test_one_call_more_than_fits_is_never_in_doubt() -> None:
    assert places_overflow(0.0, 1, 0.5) == 1.0
    assert places_overflow(0.0, 1, 1.5) < 1e-100
    assert places_overflow(1e9, 1, 10.0) == 1.0


@pytest.mark.parametrize(
    "tokens",
    [Lognormal(5.0, 0.8), Gamma(2.0, 300.0), Exponential(500.0), Uniform(10.0, 900.0), Empirical((1.0, 5.0, 700.0))],
)
def test_the_size_of_a_call_is_never_understated(tokens: Lognormal) -> None:
    size = size_of(tokens, 1e-12)
    drawn = np.rint(np.maximum(1.0, tokens.sample(np.random.default_rng(5), 200_000)))
    assert size.beyond <= 1e-12
    assert size.mean >= drawn.mean() - 4.0 * drawn.std() / math.sqrt(len(drawn))
    assert size.mean <= 1.1 * drawn.mean() + 3.0
    exponent = 0.5 / drawn.mean()
    assert size.excess(np.array([exponent]), {})[0] >= 0.99 * np.expm1(exponent * drawn).mean()


def test_parts_of_a_size_add_up() -> None:
    both = size_of(Constant(100.0), 1e-12).plus(20.0)
    assert both.mean == pytest.approx(120.5)
    assert both.excess(np.array([0.01]), {})[0] == pytest.approx(math.expm1(1.205))
    assert size_of(Constant(0.0), 1e-12) is NOTHING


def test_a_window_of_tokens_overflows_less_often_than_bounded() -> None:
    rng = np.random.default_rng(11)
    tokens = Lognormal(5.0, 0.8)
    room = 4_500.0
    counts = rng.poisson(10.0, 20_000)
    over = sum(float(tokens.sample(rng, count + 1).sum()) > room for count in counts.tolist())
    found = window_overflow(load(1.0, size=size_of(tokens, 1e-12)), room, 10.0)
    assert 0 < over / len(counts) <= found < 60.0 * over / len(counts)
