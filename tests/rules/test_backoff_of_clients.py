"""Back-off of named clients, by their sources' own numbers."""

import math

import pytest

from des.rules.retry import backoff_s, jittered_s

INF = math.inf


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
