"""When a client gives up, bound by bound."""

import math

import pytest

from des.rules.calls import gives_up_after_s

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
