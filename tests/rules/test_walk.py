"""Which cause one uniform names."""

import itertools
import math

import pytest

from des.rules.calls import kind_of, struck_by

LARGEST_UNIFORM = math.nextafter(1.0, 0.0)
GRID = [(i + 0.5) / 20_000 for i in range(20_000)]


def shares_of(pick: list[int], causes: int) -> list[float]:
    return [pick.count(index) / len(pick) for index in range(causes)]


def test_each_cause_strikes_what_the_ones_before_it_left_over() -> None:
    struck = [struck_by(u, [0.5, 0.2, 0.1]) for u in GRID]
    assert shares_of(struck, 3) == pytest.approx([0.5, 0.1, 0.04], abs=1e-4)
    assert struck.count(-1) / len(GRID) == pytest.approx(0.5 * 0.8 * 0.9, abs=1e-4)


def test_the_slices_of_the_walk_are_in_order_of_number() -> None:
    assert [struck_by(u, [0.5, 0.2]) for u in (0.0, 0.49, 0.5, 0.59, 0.6, 0.99)] == [0, 0, 1, 1, -1, -1]


def test_an_outage_lets_nothing_past_it() -> None:
    assert struck_by(LARGEST_UNIFORM, [1.0]) == 0
    assert struck_by(LARGEST_UNIFORM, [0.0, 1.0, 0.5]) == 1


@pytest.mark.parametrize("brownouts", [1, 2, 3])
def test_an_outage_behind_brownouts_lets_nothing_past_it(brownouts: int) -> None:
    steps = [0.01, 0.02, 0.07, 0.15, 0.29, 0.3, 0.5, 0.9, 0.99]
    for before in itertools.product(steps, repeat=brownouts):
        assert struck_by(LARGEST_UNIFORM, [*before, 1.0]) >= 0, before


def test_causes_without_a_share_never_strike() -> None:
    assert struck_by(0.0, [0.0, 0.0]) == -1
    assert struck_by(0.0, []) == -1
    assert struck_by(0.0, [0.0, 0.1]) == 1


def test_kinds_lie_end_to_end() -> None:
    picked = [kind_of(u, [0.5, 0.2, 0.1]) for u in GRID]
    assert shares_of(picked, 3) == pytest.approx([0.5, 0.2, 0.1], abs=1e-4)
    assert [kind_of(u, [0.5, 0.25]) for u in (0.0, 0.499, 0.5, 0.749, 0.75, 0.999)] == [0, 0, 1, 1, -1, -1]


def test_a_kind_without_a_rate_is_never_picked() -> None:
    assert kind_of(0.0, [0.0, 0.25]) == 1
    assert kind_of(0.0, [0.0]) == -1
