"""Back-offs, Retry-After, retry budgets and hedges: when a client calls again."""

import math

import pytest

from des.rules.retry import (
    active_share_admits,
    backoff_s,
    bucket_admits,
    cap_within_total_s,
    combined_s,
    honoured_s,
    jittered_s,
    quota_admits,
    quota_returned,
    ratio_admits,
    ratio_balance,
    sends_copy,
    spread_out_s,
    thousandths,
    throttle_admits,
    throttle_after,
)

# Back-off and jitter against worked numbers.


INF = math.inf


@pytest.mark.parametrize(
    ("kind", "base", "factor", "cap", "waits"),
    [
        ("none", 5.0, 2.0, INF, [0.0, 0.0, 0.0, 0.0]),
        ("constant", 5.0, 2.0, INF, [5.0, 5.0, 5.0, 5.0]),
        ("constant", 5.0, 2.0, 3.0, [3.0, 3.0, 3.0, 3.0]),
        ("linear", 0.5, 2.0, INF, [0.5, 1.0, 1.5, 2.0]),
        ("linear", 0.5, 2.0, 1.2, [0.5, 1.0, 1.2, 1.2]),
        ("exponential", 0.5, 2.0, INF, [0.5, 1.0, 2.0, 4.0]),
        ("exponential", 0.5, 3.0, 2.0, [0.5, 1.5, 2.0, 2.0]),
        ("exponential", 1.0, 1.0, INF, [1.0, 1.0, 1.0, 1.0]),
        ("exponential", 8.0, 0.5, INF, [8.0, 4.0, 2.0, 1.0]),
        ("exponential", 8.0, 0.5, 8.0, [8.0, 4.0, 2.0, 1.0]),
    ],
)
def test_waits_before_jitter(kind: str, base: float, factor: float, cap: float, waits: list[float]) -> None:
    assert [backoff_s(kind, base, factor, cap, k) for k in range(4)] == waits


def test_a_capped_exponential_wait_does_not_overflow() -> None:
    assert backoff_s("exponential", 0.5, 2.0, 60.0, 100_000) == 60.0


def jittered(jitter: str, u: float, **given: float) -> float:
    numbers = {"base_s": 1.0, "cap_s": 10.0, "spread_s": 0.5, "previous_s": 2.0} | given
    return jittered_s(jitter, 4.0, u, **numbers)


@pytest.mark.parametrize(
    ("jitter", "at_0", "at_half"),
    [
        ("none", 4.0, 4.0),
        ("full", 0.0, 2.0),
        ("equal", 2.0, 3.0),
        ("additive", 4.0, 4.25),
        ("decorrelated", 1.0, 3.5),  # U(1, 3 x 2)
    ],
)
def test_jitter_at_the_ends_of_its_range(jitter: str, at_0: float, at_half: float) -> None:
    assert jittered(jitter, 0.0) == at_0
    assert jittered(jitter, 0.5) == at_half


def test_decorrelated_jitter_starts_from_its_base_and_is_capped() -> None:
    assert jittered("decorrelated", 0.5, previous_s=1.0) == 2.0  # U(1, 3)
    assert jittered("decorrelated", 0.75, previous_s=8.0) == 10.0  # 1 + 0.75 x 23, above the cap


def test_decorrelated_jitter_does_not_follow_the_exponential_wait() -> None:
    given = {"base_s": 1.0, "cap_s": 10.0, "spread_s": 0.0, "previous_s": 2.0}
    assert jittered_s("decorrelated", 4.0, 0.25, **given) == jittered_s("decorrelated", 400.0, 0.25, **given)


# Back-off of named clients, by their sources' own numbers.


def range_of(jitter: str, wait_s: float, **given: float) -> tuple[float, float]:
    """Its least and largest value."""
    numbers = {"base_s": 0.0, "cap_s": INF, "spread_s": 0.0, "previous_s": 0.0} | given
    return jittered_s(jitter, wait_s, 0.0, **numbers), jittered_s(jitter, wait_s, 1.0, **numbers)


def test_openai_waits_half_a_second_doubled_up_to_8_less_a_quarter_at_most() -> None:
    waits = [backoff_s("exponential", 0.5, 2.0, 8.0, k) for k in range(6)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    ranges = [range_of("scaled", wait_s, low=0.75, high=1.0) for wait_s in waits]
    assert ranges == [(0.75 * wait_s, wait_s) for wait_s in waits]


def test_bifrost_waits_within_a_fifth_around_a_cap_of_5() -> None:
    waits = [backoff_s("exponential", 0.5, 2.0, 5.0, k) for k in range(5)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 5.0]
    assert range_of("scaled", 5.0, low=0.8, high=1.2) == (4.0, 6.0)


def test_litellm_adds_three_quarters_of_a_second_at_most_above_its_cap_too() -> None:
    assert backoff_s("exponential", 0.5, 2.0, 8.0, 9) == 8.0
    assert range_of("additive", 8.0, spread_s=0.75) == (8.0, 8.75)


def test_google_genai_waits_powers_of_two_and_a_second_at_most() -> None:
    waits = [backoff_s("exponential", 1.0, 2.0, 60.0, k) for k in range(8)]
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


def test_portkey_waits_1_to_16_seconds() -> None:
    assert [backoff_s("exponential", 1.0, 2.0, INF, k) for k in range(5)] == [1.0, 2.0, 4.0, 8.0, 16.0]


@pytest.mark.parametrize(("base", "waits"), [(0.05, [0.05, 0.1, 0.2, 0.4]), (1.0, [1.0, 2.0, 4.0, 8.0])])
def test_aws_waits_any_part_of_it(base: float, waits: list[float]) -> None:
    assert [backoff_s("exponential", base, 2.0, 20.0, k) for k in range(4)] == waits
    assert backoff_s("exponential", base, 2.0, 20.0, 9) == 20.0
    assert range_of("full", waits[3]) == (0.0, waits[3])


def test_envoy_waits_any_part_of_25_ms_times_a_power_of_two_less_one() -> None:
    waits = [backoff_s("envoy", 0.025, 2.0, 0.25, k) for k in range(6)]
    assert waits == pytest.approx([0.025, 0.075, 0.175, 0.25, 0.25, 0.25])
    assert backoff_s("envoy", 0.025, 2.0, INF, 3) == pytest.approx(0.375)
    assert backoff_s("envoy", 0.025, 2.0, 0.25, 100_000) == 0.25
    assert range_of("full", waits[1]) == pytest.approx((0.0, 0.075))


def test_decorrelated_waits_stay_between_their_base_and_their_cap() -> None:
    previous = 0.5
    for u in (0.999, 0.999, 0.999, 0.999, 0.0):
        previous = jittered_s("decorrelated", 0.0, u, base_s=0.5, cap_s=8.0, spread_s=0.0, previous_s=previous)
        assert 0.5 <= previous <= 8.0
    assert previous == 0.5


# What named clients make of a Retry-After.


INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(("asked", "wait"), [(30.0, 30.0), (120.0, 120.0), (121.0, INF), (0.0, 0.5), (NAN, 0.5)])
def test_openai_waits_just_as_told_up_to_120_s_and_gives_up_above(asked: float, wait: float) -> None:
    assert combined_s(0.5, honoured_s(asked, 120.0, "refuse"), "replace") == wait


@pytest.mark.parametrize(("asked", "wait"), [(30.0, 30.0), (3600.0, 3600.0), (0.04, 0.04), (0.0, 0.5)])
def test_anthropic_sleeps_in_full(asked: float, wait: float) -> None:
    assert combined_s(0.5, honoured_s(asked, INF, "clip"), "replace") == wait


@pytest.mark.parametrize(("asked", "wait"), [(1.0, 1.375), (60.0, 60.375), (61.0, 8.0), (0.0, 8.0), (NAN, 8.0)])
def test_litellm_goes_by_1_to_60_s_and_its_back_off_otherwise(asked: float, wait: float) -> None:
    honoured = spread_out_s(honoured_s(asked, 60.0, "ignore"), 0.5, 0.75)
    assert combined_s(8.0, honoured, "replace") == wait


def test_a_client_may_clip_what_it_is_asked() -> None:
    assert honoured_s(300.0, 60.0, "clip") == 60.0


def test_the_longer_of_both_where_they_are_combined() -> None:
    assert combined_s(2.0, 1.0, "max") == 2.0
    assert combined_s(2.0, 3.0, "max") == 3.0
    assert combined_s(2.0, 1.0, "replace") == 1.0


def test_portkey_waits_60_s_in_all() -> None:
    waited, waits = 0.0, []
    for asked in (25.0, 25.0, 25.0):
        waits.append(honoured_s(asked, cap_within_total_s(INF, waited, 60.0), "refuse"))
        waited += waits[-1]
    assert waits == [25.0, 25.0, INF]
    assert cap_within_total_s(20.0, 10.0, 60.0) == 20.0
    assert cap_within_total_s(20.0, INF, 60.0) == 0.0


# Retry budgets by their sources' own numbers.


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


# When a copy of a hedged call is sent.


def test_copies_go_while_the_call_is_open() -> None:
    assert sends_copy(0, 2, 5.0, 2.0)
    assert sends_copy(1, 2, 5.0, 4.0)
    assert not sends_copy(0, 2, 2.0, 2.0)
    assert not sends_copy(0, 2, 1.9, 2.0)


def test_no_more_copies_go_than_at_most() -> None:
    assert not sends_copy(2, 2, 5.0, 4.0)
    assert not sends_copy(0, 0, 5.0, 4.0)


def test_a_bucket_admits_a_retry_while_a_whole_token_is_left() -> None:
    assert bucket_admits(5_000)
    assert bucket_admits(1_000)
    assert not bucket_admits(999)
