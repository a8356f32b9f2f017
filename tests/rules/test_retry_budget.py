"""Retry budgets by their sources' own numbers."""

import pytest

from des.rules.retry import (
    active_share_admits,
    quota_admits,
    quota_returned,
    ratio_admits,
    ratio_balance,
    thousandths,
    throttle_admits,
    throttle_after,
)


@pytest.mark.parametrize(("active", "most"), [(1, 3), (10, 3), (19, 3), (20, 4), (100, 20), (104, 20)])
def test_envoy_lets_a_fifth_of_the_active_requests_retry_and_never_fewer_than_three(active: int, most: int) -> None:
    assert active_share_admits(most - 1, active, 0.2, 3)
    assert not active_share_admits(most, active, 0.2, 3)


def test_finagle_lets_a_fifth_of_the_requests_of_10_s_retry_and_ten_a_second() -> None:
    assert ratio_balance(1000, 0, 0.2, 10.0, 10.0) == 300.0
    assert ratio_admits(1000, 299, 0.2, 10.0, 10.0)
    assert not ratio_admits(1000, 300, 0.2, 10.0, 10.0)
    assert ratio_admits(5, 0, 0.2, 0.0, 10.0)
    assert not ratio_admits(4, 0, 0.2, 0.0, 10.0)


def test_a_share_of_a_tenth_is_ten_requests_for_a_retry_however_it_rounds() -> None:
    retries, made = 0, []
    for requests in range(1, 101):
        if ratio_admits(requests, retries, 0.1, 0.0, 10.0):
            retries += 1
            made.append(requests)
    assert made == list(range(10, 101, 10))


@pytest.mark.parametrize(("cost", "retries", "left"), [(14.0, 35, 10.0), (5.0, 100, 0.0)])
def test_an_aws_quota_of_500_pays_so_many_retries_in_an_outage(cost: float, retries: int, left: float) -> None:
    quota, made = 500.0, 0
    while quota_admits(quota, cost):
        quota -= cost
        made += 1
    assert (made, quota) == (retries, left)


def test_an_aws_success_gives_back_what_its_retry_took_or_one() -> None:
    assert quota_returned(500.0 - 14.0, 500.0, 14.0) == 500.0
    assert quota_returned(10.0, 500.0, 1.0) == 11.0
    assert quota_returned(500.0, 500.0, 1.0) == 500.0


def test_grpc_stops_retrying_at_half_of_its_ten_tokens() -> None:
    tokens = most = thousandths(10)
    sent = []
    for _ in range(6):
        tokens = throttle_after(tokens, most, 100, success=False)
        sent.append(throttle_admits(tokens, most))
    assert sent == [True, True, True, True, False, False]
    for _ in range(10):
        tokens = throttle_after(tokens, most, 100, success=True)
    assert tokens == 5000
    assert not throttle_admits(tokens, most)
    assert throttle_admits(throttle_after(tokens, most, 100, success=True), most)


def test_grpc_tokens_stay_within_their_bucket() -> None:
    assert throttle_after(300, 10_000, 100, success=False) == 0
    assert throttle_after(9950, 10_000, 100, success=True) == 10_000


def test_one_failure_in_eleven_holds_the_grpc_bucket_where_it_is() -> None:
    """Break-even at ratio/(1 + ratio) = 9.09 % of failures."""
    tokens = 7000
    for call in range(11 * 100):
        tokens = throttle_after(tokens, 10_000, thousandths(0.1), success=call % 11 != 0)
    assert tokens == 7000
    for call in range(10 * 100):
        tokens = throttle_after(tokens, 10_000, thousandths(0.1), success=call % 10 != 0)
    assert tokens < 1000
