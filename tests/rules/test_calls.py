"""When a client gives a call up, and which cause one uniform names."""

import itertools
import math

import pytest

from des.rules.calls import gives_up_after_s, kind_of, struck_by

# When a client gives up, bound by bound.


INF = math.inf


def gives_up(
    *,
    connect: float = INF,
    first: float = INF,
    idle: float = INF,
    total: float = INF,
    response: tuple[float, float, float, float] = (0.5, 2.0, 0.25, 6.0),
) -> float:
    """`response` is (connected, first token, gap, end)."""
    return gives_up_after_s((connect, first, idle, total), *response)


def test_without_bounds_a_client_waits_for_ever() -> None:
    assert gives_up() == INF
    assert gives_up(response=(0.0, INF, 0.0, INF)) == INF


@pytest.mark.parametrize(
    ("bound", "kept", "broken"),
    [("connect", 0.5, 0.4), ("first", 2.0, 1.5), ("total", 6.0, 5.5)],
)
def test_a_response_on_its_bound_is_in_time_and_one_beyond_it_is_given_up_there(
    bound: str, kept: float, broken: float
) -> None:
    assert gives_up(**{bound: kept}) == INF
    assert gives_up(**{bound: broken}) == broken


def test_the_idle_bound_holds_for_the_wait_for_the_first_token() -> None:
    assert gives_up(idle=2.0) == INF
    assert gives_up(idle=1.5) == 1.5


def test_the_idle_bound_holds_for_the_first_gap_between_tokens() -> None:
    slow = (0.5, 1.0, 2.0, 9.0)
    assert gives_up(idle=2.0, response=slow) == INF
    assert gives_up(idle=1.5, response=slow) == 2.5  # the first token at 1.0, then 1.5 of silence


def test_the_first_bound_to_break_counts() -> None:
    assert gives_up(connect=0.4, first=1.0, idle=0.75, total=3.0) == 0.4
    assert gives_up(first=1.0, idle=0.75, total=3.0) == 0.75
    assert gives_up(first=1.0, total=0.9) == 0.9
    assert gives_up(first=1.0, total=1.0) == 1.0


def test_a_call_that_hangs_breaks_every_bound_but_the_one_on_connecting() -> None:
    hanging = (0.0, INF, 0.0, INF)
    assert gives_up(connect=1.0, response=hanging) == INF
    assert gives_up(first=3.0, response=hanging) == 3.0
    assert gives_up(idle=2.0, response=hanging) == 2.0
    assert gives_up(total=5.0, response=hanging) == 5.0


# Which cause one uniform names.


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
