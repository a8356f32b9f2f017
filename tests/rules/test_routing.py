"""Which deployment a call is routed to."""

import math

import pytest

from des.rules.routing import (
    best_of_choices,
    cost_per_success,
    least,
    lowest_latency,
    next_in_turn,
    usage_based,
    weighted,
)

GRID = [(i + 0.5) / 6000 for i in range(6000)]
LARGEST_UNIFORM = math.nextafter(1.0, 0.0)
INF = math.inf


def shares(picks: list[int], count: int) -> list[float]:
    return [picks.count(index) / len(picks) for index in range(count)]


def test_weights_are_shares_of_the_calls() -> None:
    assert shares([weighted([3.0, 0.0, 1.0], u) for u in GRID], 3) == pytest.approx([0.75, 0.0, 0.25])
    assert shares([weighted([0.0, 0.0, 0.0], u) for u in GRID], 3) == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize("weights", [[0.1, 0.2, 0.7], [0.1] * 10, [5.0, 0.0], [0.0, 1e-9], [1e9, 1e-9, 0.0]])
def test_the_largest_uniform_picks_one_with_a_weight(weights: list[float]) -> None:
    assert weights[weighted(weights, LARGEST_UNIFORM)] > 0.0
    assert weights[weighted(weights, 0.0)] > 0.0


def test_the_least_busy_takes_the_call_and_equals_share() -> None:
    assert {least([3, 1, 2], u) for u in GRID} == {1}
    assert shares([least([1, 3, 1], u) for u in GRID], 3) == pytest.approx([0.5, 0.0, 0.5])


def test_at_no_buffer_the_fastest_takes_every_call() -> None:
    assert {lowest_latency([0.02, 0.019, 0.5], 0.0, u) for u in GRID} == {1}
    picked = [lowest_latency([0.02, 0.019, 0.5], 0.1, u) for u in GRID]
    assert shares(picked, 3) == pytest.approx([0.5, 0.5, 0.0])


def test_a_deployment_without_samples_is_tried_first() -> None:
    assert {lowest_latency([0.02, 0.0, 0.5], 0.5, u) for u in GRID} == {1}


def test_the_fewest_tokens_of_the_minute_take_the_call() -> None:
    none = [INF] * 3
    assert {usage_based([500, 300, 400], [1, 1, 1], 10, none, none, u) for u in GRID} == {1}
    picked = [usage_based([0, 0, 400], [7, 9, 1], 10, none, none, u) for u in GRID]
    assert shares(picked, 3) == pytest.approx([0.5, 0.5, 0.0])


@pytest.mark.parametrize(("requests", "pick"), [(8, 0), (9, 0), (10, 1)])
def test_a_deployment_is_left_out_once_it_has_its_rpm(requests: int, pick: int) -> None:
    assert usage_based([0, 500], [requests, 0], 10, [INF, INF], [10, 10], 0.5) == pick


def test_a_deployment_is_left_out_where_the_input_would_pass_its_tpm() -> None:
    assert usage_based([900, 950], [0, 0], 100, [1000, 2000], [INF, INF], 0.5) == 0
    assert usage_based([900, 950], [0, 0], 101, [1000, 2000], [INF, INF], 0.5) == 1
    assert usage_based([900, 950], [0, 0], 1500, [1000, 2000], [INF, INF], 0.5) == -1


def test_the_cheapest_success_counts_the_failures_on_the_way() -> None:
    assert cost_per_success(0.5, 0.04, 0.04) == pytest.approx(0.08)  # c/p where every attempt is paid
    assert cost_per_success(0.5, 0.04, 0.0) == 0.04
    assert cost_per_success(0.0, 0.04, 0.0) == INF


def test_two_choices_take_the_less_busy_of_two_different_ones() -> None:
    picked = [best_of_choices([0, 1, 2], 2, u) for u in GRID]
    assert shares(picked, 3) == pytest.approx([2 / 3, 1 / 3, 0.0], abs=1e-3)
    assert shares([best_of_choices([5, 5, 5], 2, u) for u in GRID], 3) == pytest.approx([1 / 3] * 3, abs=1e-3)
    assert {best_of_choices([4, 3, 2], 3, u) for u in GRID} == {2}
    assert best_of_choices([4], 2, LARGEST_UNIFORM) == 0
    assert shares([best_of_choices([4, 3], 1, u) for u in GRID], 2) == pytest.approx([0.5, 0.5])


def test_turns_go_round_past_those_that_are_out() -> None:
    assert next_in_turn([0, 1, 2], -1) == 0
    assert next_in_turn([0, 1, 2], 0) == 1
    assert next_in_turn([0, 1, 2], 2) == 0
    assert next_in_turn([3, 7], 4) == 1
    assert next_in_turn([3, 7], 9) == 0
