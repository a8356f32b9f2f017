"""Sums, differences and quotients of figures, with what is known of their errors."""

import math

import numpy as np
import pytest

from des.estimate.estimate import Estimate
from des.study.uncertain import (
    NO_LIMIT,
    added,
    apart,
    is_exact,
    is_resolved,
    less,
    narrower,
    quotient,
    why_unknown,
)

EXACT = Estimate(4.0)
MEASURED = Estimate(10.0, 7.0, 13.0, 4)
UNKNOWN = Estimate(10.0, n=1)
ALIKE = Estimate(10.0, n=3)


def test_half_widths_add_as_squares_if_independent_and_in_full_if_not() -> None:
    other = Estimate(4.0, 0.0, 8.0, 4)
    assert (added(MEASURED, other).low, added(MEASURED, other).high) == pytest.approx((9.0, 19.0))
    assert (less(MEASURED, other).low, less(MEASURED, other).high) == pytest.approx((1.0, 11.0))
    assert (apart(MEASURED, other).low, apart(MEASURED, other).high) == pytest.approx((-1.0, 13.0))


def test_an_exact_figure_adds_no_error_and_an_unknown_one_leaves_none_known() -> None:
    assert (less(MEASURED, EXACT).low, less(MEASURED, EXACT).high) == pytest.approx((3.0, 9.0))
    for found in (less(MEASURED, UNKNOWN), added(UNKNOWN, EXACT), apart(EXACT, UNKNOWN)):
        assert found.low is None
        assert not is_exact(found)
        assert why_unknown(found) == "too few replications"
        assert not is_resolved(found)
    assert is_exact(less(EXACT, EXACT))
    assert is_exact(added(ALIKE, EXACT))
    assert why_unknown(MEASURED) == why_unknown(EXACT) == ""


def test_an_unknown_error_keeps_its_reason() -> None:
    unseen = Estimate(1.0, n=5, interval="none: 0 of 0.002 expected outages of cdn met")
    assert why_unknown(less(added(unseen, EXACT), MEASURED)) == "0 of 0.002 expected outages of cdn met"


def test_a_difference_is_resolved_if_its_interval_has_no_zero() -> None:
    assert is_resolved(Estimate(2.0, 1.0, 3.0, 4))
    assert is_resolved(Estimate(-2.0, -3.0, -1.0, 4))
    assert not is_resolved(Estimate(2.0, -1.0, 5.0, 4))
    assert is_resolved(EXACT)
    assert not is_resolved(Estimate(0.0))


def test_the_narrower_of_two_is_never_one_of_unknown_error() -> None:
    assert narrower(UNKNOWN, MEASURED) is MEASURED
    assert narrower(MEASURED, UNKNOWN) is MEASURED
    assert narrower(EXACT, MEASURED) is EXACT


def test_a_quotient_of_exact_figures_is_exact_and_of_one_unknown_is_unknown() -> None:
    assert quotient(Estimate(2.0), EXACT, independent=True) == Estimate(0.5)
    assert why_unknown(quotient(UNKNOWN, EXACT, independent=True))
    assert quotient(Estimate(-2.0), EXACT, independent=True) == Estimate(0.0)


@pytest.mark.parametrize("independent", [True, False])
def test_with_one_exact_part_the_ends_of_a_quotient_are_those_of_the_other(independent: bool) -> None:
    over = quotient(MEASURED, EXACT, independent=independent)
    assert (over.low, over.high) == pytest.approx((7.0 / 4.0, 13.0 / 4.0))
    under = quotient(EXACT, MEASURED, independent=independent)
    assert (under.low, under.high) == pytest.approx((4.0 / 13.0, 4.0 / 7.0))


def test_symmetric_intervals_give_the_quotient_of_fieller() -> None:
    """Fieller 1954, without covariance: the roots of (whole^2 - b^2) r^2 - 2 part whole r + part^2 - a^2."""
    part, whole, a, b = 10.0, 20.0, 3.0, 4.0
    found = quotient(Estimate(part, part - a, part + a, 9), Estimate(whole, whole - b, whole + b, 9), independent=True)
    roots = sorted(np.roots([whole**2 - b**2, -2.0 * part * whole, part**2 - a**2]).real.tolist())
    assert [found.low, found.high] == pytest.approx(roots)


def test_the_interval_of_a_quotient_covers_it_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    n, half = 2_000, 1.959963984540054
    parts, wholes = rng.normal(10.0, 2.0, n), rng.normal(20.0, 4.0, n)
    covered = 0
    for part, whole in zip(parts.tolist(), wholes.tolist(), strict=True):
        of_part = Estimate(part, part - 2.0 * half, part + 2.0 * half, 9)
        of_whole = Estimate(whole, whole - 4.0 * half, whole + 4.0 * half, 9)
        found = quotient(of_part, of_whole, independent=True)
        assert found.low is not None
        covered += found.low <= 0.5 <= (math.inf if found.high is None else found.high)
    assert abs(covered / n - 0.95) < 4.0 * math.sqrt(0.95 * 0.05 / n)


@pytest.mark.parametrize("independent", [True, False])
def test_without_a_sure_whole_a_quotient_has_no_high_end(independent: bool) -> None:
    found = quotient(Estimate(10.0, 8.0, 12.0, 9), Estimate(4.0, -1.0, 9.0, 9), independent=independent)
    assert found.high is None
    assert found.interval == NO_LIMIT
    assert found.low is not None
    assert 0.0 < found.low < 2.5
