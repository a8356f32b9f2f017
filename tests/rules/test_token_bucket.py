"""The token bucket against worked numbers."""

import pytest

from des.rules.rounding import WHOLE
from des.rules.token_bucket import refilled, retry_after_s, without_one


def test_a_bucket_gains_its_rate_times_the_time_passed() -> None:
    assert refilled(1.0, 10.0, 14.0, 0.5, 10.0) == 3.0


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    assert refilled(9.5, 0.0, 2.0, 1.0, 10.0) == 10.0
    assert refilled(10.0, 0.0, 1e9, 1.0, 10.0) == 10.0


def test_no_time_passed_adds_nothing() -> None:
    assert refilled(0.25, 7.0, 7.0, 100.0, 10.0) == 0.25


def test_refilling_in_two_steps_is_refilling_in_one() -> None:
    halfway = refilled(0.0, 0.0, 2.0, 0.25, 5.0)
    assert refilled(halfway, 2.0, 8.0, 0.25, 5.0) == refilled(0.0, 0.0, 8.0, 0.25, 5.0) == 2.0


@pytest.mark.parametrize(("tokens", "rate", "wait"), [(0.0, 2.0, 0.5), (0.5, 0.25, 2.0), (0.75, 1.0, 0.25)])
def test_a_refused_call_learns_when_a_whole_token_is_there(tokens: float, rate: float, wait: float) -> None:
    assert retry_after_s(tokens, rate) == wait
    assert refilled(tokens, 100.0, 100.0 + wait, rate, 5.0) == 1.0


@pytest.mark.parametrize(("tokens", "left"), [(10.0, 9.0), (1.5, 0.5), (1.0, 0.0), (1.0 - 1e-16, 0.0), (WHOLE, 0.0)])
def test_a_bucket_is_never_short_of_tokens_however_its_last_one_rounded(tokens: float, left: float) -> None:
    assert without_one(tokens) == left
