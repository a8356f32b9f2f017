"""The token bucket against worked numbers."""

import pytest

from des.rules.limits import WHOLE, bucket_holds, bucket_refilled, bucket_without_one, token_after_s


def test_a_bucket_gains_its_rate_times_the_time_passed() -> None:
    assert bucket_refilled(1.0, 10.0, 14.0, 0.5, 10.0) == 3.0


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    assert bucket_refilled(9.5, 0.0, 2.0, 1.0, 10.0) == 10.0
    assert bucket_refilled(10.0, 0.0, 1e9, 1.0, 10.0) == 10.0


def test_no_time_passed_adds_nothing() -> None:
    assert bucket_refilled(0.25, 7.0, 7.0, 100.0, 10.0) == 0.25


def test_refilling_in_two_steps_is_refilling_in_one() -> None:
    halfway = bucket_refilled(0.0, 0.0, 2.0, 0.25, 5.0)
    assert bucket_refilled(halfway, 2.0, 8.0, 0.25, 5.0) == bucket_refilled(0.0, 0.0, 8.0, 0.25, 5.0) == 2.0


@pytest.mark.parametrize(("tokens", "rate", "wait"), [(0.0, 2.0, 0.5), (0.5, 0.25, 2.0), (0.75, 1.0, 0.25)])
def test_a_refused_call_learns_when_a_whole_token_is_there(tokens: float, rate: float, wait: float) -> None:
    assert token_after_s(tokens, rate) == wait
    assert bucket_refilled(tokens, 100.0, 100.0 + wait, rate, 5.0) == 1.0


@pytest.mark.parametrize(("tokens", "left"), [(10.0, 9.0), (1.5, 0.5), (1.0, 0.0), (1.0 - 1e-16, 0.0), (WHOLE, 0.0)])
def test_a_bucket_is_never_short_of_tokens_however_its_last_one_rounded(tokens: float, left: float) -> None:
    assert bucket_without_one(tokens) == left


def test_a_call_that_takes_all_there_is_is_admitted() -> None:
    assert bucket_holds(3.0, 3.0, 0.0)
    assert not bucket_holds(3.0, 3.0 + 1e-15, 0.0)
