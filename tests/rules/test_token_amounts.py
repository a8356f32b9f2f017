"""Buckets of tokens in amounts, and the same bucket kept as one time (GCRA)."""

import math
import random

import pytest

from des.rules.limits import (
    after_release,
    bucket_corrected,
    bucket_holds,
    bucket_holds_again_after_s,
    bucket_refilled,
    bucket_without,
    release_s,
)

PER_MINUTE = 1.0 / 60.0


def test_a_call_takes_its_amount_where_the_bucket_holds_it() -> None:
    rate = 30_000 * PER_MINUTE
    assert bucket_holds(3000.0, 2999.0, rate)
    assert bucket_holds(3000.0, 3000.0, rate)
    assert not bucket_holds(3000.0, 3001.0, rate)
    assert bucket_without(3000.0, 2999.0) == 1.0
    assert bucket_without(3000.0 - 1e-7, 3000.0) == 0.0


def test_a_bucket_short_of_an_amount_says_when_it_holds_it() -> None:
    # 30,000 a minute are 500 a second: 2000 more take four seconds
    assert bucket_holds_again_after_s(1000.0, 3000.0, 500.0, 30_000.0) == 4.0


def test_a_request_larger_than_the_burst_never_finds_its_tokens() -> None:
    assert bucket_holds_again_after_s(30_000.0, 40_000.0, 500.0, 30_000.0) == math.inf
    assert not bucket_holds(30_000.0, 40_000.0, 500.0)


def test_a_bucket_whose_rate_times_its_window_rounded_down_serves_its_whole_burst() -> None:
    burst = math.nextafter(50.0, 0.0)
    assert bucket_holds_again_after_s(0.0, 50.0, 0.8, burst) == pytest.approx(62.5)
    assert bucket_holds(burst, 50.0, 0.8)


@pytest.mark.parametrize("now", [0.3, 1e4 + 0.1, 86_400.0 * 365 + 0.7])
@pytest.mark.parametrize("rate", [1.0 / 3.0, 7.0, 6666.7])
def test_who_waits_just_as_long_as_told_is_admitted(now: float, rate: float) -> None:
    draw = random.Random(5)
    for _ in range(200):
        tokens, amount = draw.random() * 1000.0, 1000.0 + draw.random() * 1000.0
        again_s = now + bucket_holds_again_after_s(tokens, amount, rate, 5000.0)
        assert bucket_holds(bucket_refilled(tokens, now, again_s, rate, 5000.0), amount, rate)


def test_an_estimate_is_corrected_to_what_was_used() -> None:
    assert bucket_corrected(100.0, 1024.0, 300.0, 5000.0) == 824.0
    assert bucket_corrected(100.0, 1024.0, 2000.0, 5000.0) == -876.0  # a debt that refills before anybody is served
    assert bucket_corrected(4900.0, 1024.0, 0.0, 5000.0) == 5000.0
    assert bucket_holds_again_after_s(-876.0, 124.0, 500.0, 5000.0) == 2.0


@pytest.mark.parametrize("burst", [1, 2, 7])
@pytest.mark.parametrize("load", [0.6, 1.0, 1.7])
def test_a_token_bucket_is_the_generic_cell_rate_algorithm(load: float, burst: int) -> None:
    draw = random.Random(burst)
    rate, tokens, refilled_at_s, tat_s, now = 2.0, float(burst), 0.0, 0.0, 0.0
    admitted = 0
    for _ in range(5000):
        now += draw.expovariate(load * rate)
        tokens, refilled_at_s = bucket_refilled(tokens, refilled_at_s, now, rate, burst), now
        admits = bucket_holds(tokens, 1.0, rate)
        assert admits == (release_s(tat_s, now, rate, burst) <= now + 1e-6)
        if admits:
            admitted += 1
            tokens, tat_s = bucket_without(tokens, 1.0), after_release(tat_s, now, rate)
        else:
            wait_s = bucket_holds_again_after_s(tokens, 1.0, rate, burst)
            assert wait_s == pytest.approx(release_s(tat_s, now, rate, burst) - now)
    assert 1000 < admitted < 5000


def test_a_shaper_releases_a_burst_and_then_one_an_interval() -> None:
    tat_s, released = 0.0, []
    for now in (5.0, 5.0, 5.0, 5.0, 9.0):
        at_s = release_s(tat_s, now, 2.0, 2.0)
        tat_s = after_release(tat_s, at_s, 2.0)
        released.append(at_s)
    assert released == [5.0, 5.0, 5.5, 6.0, 9.0]
