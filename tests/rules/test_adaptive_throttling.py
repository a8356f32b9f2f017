"""Adaptive throttling by the book's formula."""

import pytest

from des.rules.guards import rejection_probability


def test_300_accepted_of_1000_requests_reject_two_in_five() -> None:
    assert rejection_probability(1000, 300, 2.0) == pytest.approx(0.3996, abs=5e-5)


def test_nothing_is_rejected_while_half_are_accepted() -> None:
    assert rejection_probability(1000, 500, 2.0) == 0.0
    assert rejection_probability(0, 0, 2.0) == 0.0


def test_a_backend_that_accepts_nothing_is_spared_all_but_a_trickle() -> None:
    assert rejection_probability(1000, 0, 2.0) == pytest.approx(1000 / 1001)


@pytest.mark.parametrize("capacity", [10, 20])
def test_at_k_of_two_a_backend_sees_twice_what_it_accepts(capacity: int) -> None:
    """Steady state of 100 requests a second: attempts that pass converge to K x accepts."""
    passed = 100.0
    for _ in range(2000):
        accepts = min(capacity, passed)
        passed += 0.1 * (100.0 * (1.0 - rejection_probability(100.0 * 120, accepts * 120, 2.0)) - passed)
    assert passed == pytest.approx(2 * capacity, rel=1e-3)
