"""A limit that counts by an estimate is corrected by the actual usage when a call ends."""

import pytest

from des.engine.limiters import Limiter, make_limiter
from engine.serving import limit

ALGORITHMS = ("token_bucket", "fixed_window", "sliding_log", "acceleration")


def of_100_tokens(algorithm: str) -> Limiter:
    """A limit of 100 tokens a minute, or in a bucket that is hardly refilled."""
    rate_per_s = 1e-9 if algorithm == "token_bucket" else 100.0 / 60.0
    growth = 1.0 if algorithm == "acceleration" else None
    return make_limiter(
        limit("tokens", algorithm=algorithm, rate_per_s=rate_per_s, burst=100.0, window_s=60.0, growth=growth)
    )


def admitted(limiter: Limiter, amount: float, now_s: float) -> int:
    """Take an amount that is admitted; the entry of it."""
    assert limiter.admits(amount, now_s)
    return limiter.take(amount, now_s, now_s)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_a_call_used_less_than_estimated_is_given_back_at_its_end(algorithm: str) -> None:
    limiter = of_100_tokens(algorithm)
    entry = admitted(limiter, 80.0, 1.0)
    limiter.correct_at(10.0, 80.0, 20.0, entry)
    assert not limiter.admits(70.0, 9.0)
    assert limiter.admits(70.0, 10.0)
    assert not limiter.admits(81.0, 10.0)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_a_call_used_beyond_its_estimate_counts_at_its_end(algorithm: str) -> None:
    limiter = of_100_tokens(algorithm)
    entry = admitted(limiter, 20.0, 1.0)
    limiter.correct_at(10.0, 20.0, 90.0, entry)
    assert limiter.admits(80.0, 9.0)
    assert not limiter.admits(11.0, 10.0)
    assert limiter.admits(10.0, 10.0)


@pytest.mark.parametrize("algorithm", ["fixed_window", "acceleration"])
def test_a_window_that_has_closed_gets_nothing_back(algorithm: str) -> None:
    limiter = of_100_tokens(algorithm)
    entry = admitted(limiter, 80.0, 1.0)
    limiter.correct_at(70.0, 80.0, 20.0, entry)
    admitted(limiter, 100.0, 65.0)
    assert not limiter.admits(1.0, 71.0)


@pytest.mark.parametrize("algorithm", ["fixed_window", "acceleration"])
def test_what_was_used_beyond_the_estimate_counts_in_the_window_of_the_end(algorithm: str) -> None:
    limiter = of_100_tokens(algorithm)
    entry = admitted(limiter, 20.0, 1.0)
    limiter.correct_at(70.0, 20.0, 90.0, entry)
    assert limiter.admits(80.0, 2.0)
    assert limiter.admits(100.0, 69.0)
    assert not limiter.admits(31.0, 71.0)
    assert limiter.admits(30.0, 71.0)


def test_a_bucket_of_requests_is_refilled_while_a_correction_is_to_come() -> None:
    limiter = make_limiter(limit(algorithm="token_bucket", rate_per_s=1.0, burst=2.0, counts_failed=False))
    admitted(limiter, 1.0, 0.0)
    admitted(limiter, 1.0, 0.0)
    limiter.correct_at(1.5, 1.0, 0.0)
    assert not limiter.admits(1.0, 0.5)
    admitted(limiter, 1.0, 1.0)
    assert not limiter.admits(1.0, 1.4)
    assert limiter.admits(1.0, 1.5)
