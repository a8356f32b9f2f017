"""An ejection counts failures in a row, or their share of a window, and comes back at a check."""

from collections.abc import Callable, Sequence
from math import nan
from typing import Any

import pytest

from des.engine.codes import Kinds
from des.engine.guards import Ejection, Pool
from des.scenario import plan
from des.vocabulary import CANCELLED, OK, RATE_LIMITED, SERVER_ERROR
from engine.serving import one_endpoint


class Ejected:
    """The guard of one of ten legs, and a clock that tells it of the times it asked for."""

    def __init__(self, most: float = 0.1, **settings: Any) -> None:
        self.pool = Pool(10)
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.turns: list[str] = []
        self.guard = Ejection(
            plan.Ejection(counts=("server_error",), most=most, **settings),
            self.pool,
            Kinds(one_endpoint()),
            changed=lambda before, after: self.turns.append(after),
            timer=lambda time_s, act: self.timers.append((time_s, act)),
        )

    def at(self, now_s: float, *outcomes: int, retry_after_s: float = nan) -> bool:
        """Whether it admits at a time, when these have ended there."""
        due = sorted((each for each in self.timers if each[0] <= now_s), key=lambda each: each[0])
        self.timers = [each for each in self.timers if each[0] > now_s]
        for _, act in due:
            act()
        for outcome in outcomes:
            self.guard.learn(0, outcome, retry_after_s, now_s)
        return self.guard.admits()


@pytest.mark.parametrize(
    ("outcomes", "admits"),
    [
        ([SERVER_ERROR] * 3, False),
        ([SERVER_ERROR] * 2, True),
        ([OK, SERVER_ERROR, SERVER_ERROR], True),
        ([SERVER_ERROR, SERVER_ERROR, OK, SERVER_ERROR, SERVER_ERROR], True),
        ([SERVER_ERROR, SERVER_ERROR, CANCELLED, SERVER_ERROR], False),
    ],
)
def test_only_failures_in_a_row_eject_and_what_was_cancelled_breaks_no_row(
    outcomes: Sequence[int], admits: bool
) -> None:
    assert Ejected(consecutive=3, for_s=5.0, every_s=0.0).at(1.0, *outcomes) == admits


def test_a_row_begins_anew_when_it_comes_back() -> None:
    of = Ejected(consecutive=2, for_s=5.0, longest_s=60.0, every_s=0.0)
    assert not of.at(1.0, SERVER_ERROR, SERVER_ERROR, SERVER_ERROR)
    assert not of.at(5.9)
    assert of.pool.ejected == 1
    assert of.at(6.0, SERVER_ERROR)
    assert of.pool.ejected == 0
    assert not of.at(7.0, SERVER_ERROR)
    assert not of.at(16.9)  # the second time is twice as long
    assert of.at(17.0)
    assert of.turns == ["ejected", "closed"] * 2


def test_healthy_checks_in_between_forgive_earlier_ejections() -> None:
    of = Ejected(consecutive=1, for_s=10.0, longest_s=60.0, every_s=10.0)
    assert not of.at(5.0, SERVER_ERROR)  # until the check at 20 s
    assert not of.at(19.9)
    assert of.at(20.0)
    assert not of.at(21.0, SERVER_ERROR)  # no check came since: 20 s, to the check at 50 s
    assert not of.at(49.9)
    assert of.at(50.0)
    assert not of.at(75.0, SERVER_ERROR)  # the checks at 60 s and 70 s have forgiven both
    assert of.at(90.0)


def test_a_share_of_enough_failures_in_the_window_ejects_at_the_next_check() -> None:
    of = Ejected(failure_share=0.5, minimum=4, window_s=30.0, for_s=10.0, every_s=10.0)
    assert of.at(2.0, OK, SERVER_ERROR, SERVER_ERROR)
    assert of.at(10.0)  # too few
    assert of.at(11.0, SERVER_ERROR)
    assert not of.at(20.0)
    assert not of.at(29.9)
    assert of.at(30.0)
    assert of.at(50.0)


def test_checks_come_as_often_as_is_set() -> None:
    of = Ejected(failure_share=0.5, minimum=2, window_s=30.0, for_s=2.0, longest_s=60.0, every_s=1.0)
    assert of.at(0.25, SERVER_ERROR, SERVER_ERROR)
    assert not of.at(1.0)
    assert of.at(3.0)


def test_without_checks_a_share_ejects_at_once() -> None:
    of = Ejected(failure_share=0.5, minimum=3, window_s=30.0, for_s=10.0, every_s=0.0)
    assert of.at(2.0, SERVER_ERROR, OK)
    assert not of.at(3.0, SERVER_ERROR)


def test_one_check_is_awaited_at_a_time_and_never_at_the_moment_of_a_failure() -> None:
    of = Ejected(failure_share=0.5, minimum=9, window_s=30.0, for_s=10.0, every_s=10.0)
    assert of.at(2.0, SERVER_ERROR, SERVER_ERROR)
    assert [time_s for time_s, _ in of.timers] == [10.0]
    assert of.at(10.0)
    assert [time_s for time_s, _ in of.timers] == [20.0]
    late = Ejected(failure_share=0.5, minimum=9, window_s=30.0, for_s=10.0, every_s=10.0)
    assert late.at(10.0, SERVER_ERROR)
    assert [time_s for time_s, _ in late.timers] == [20.0]


def test_failures_that_the_window_has_left_eject_nobody() -> None:
    of = Ejected(failure_share=0.5, minimum=3, window_s=8.0, for_s=10.0, every_s=10.0)
    assert of.at(1.0, SERVER_ERROR, SERVER_ERROR)
    assert of.at(9.0, SERVER_ERROR)
    assert of.at(10.0)
    assert not of.timers or min(time_s for time_s, _ in of.timers) == 20.0


def test_a_refusal_ejects_for_what_it_asks_and_what_is_set() -> None:
    of = Ejected(rate_limited_s=4.0, for_s=10.0, every_s=0.0)
    assert not of.at(1.0, RATE_LIMITED)
    assert not of.at(8.9)  # without asking, what is set counts twice
    assert of.at(9.0)
    assert not of.at(10.0, RATE_LIMITED, retry_after_s=7.0)
    assert not of.at(20.9)
    assert of.at(21.0)


def test_nobody_leaves_where_too_many_have_left() -> None:
    of = Ejected(consecutive=1, for_s=5.0, every_s=0.0)
    of.pool.ejected = 1
    assert of.at(1.0, SERVER_ERROR)
    assert of.pool.ejected == 1
    assert of.turns == []


def test_what_ends_just_at_a_check_is_looked_at_in_the_next() -> None:
    of = Ejected(failure_share=0.5, minimum=2, window_s=30.0, for_s=10.0, every_s=10.0)
    assert of.at(10.0, SERVER_ERROR, SERVER_ERROR)
    assert of.at(19.9)
    assert not of.at(20.0)


def test_failures_that_have_left_the_window_by_the_check_count_no_more() -> None:
    of = Ejected(failure_share=0.5, minimum=3, window_s=8.0, for_s=10.0, every_s=10.0)
    assert of.at(1.0, SERVER_ERROR, SERVER_ERROR, SERVER_ERROR)
    assert of.at(10.0)
    within = Ejected(failure_share=0.5, minimum=3, window_s=9.5, for_s=10.0, every_s=10.0)
    assert within.at(1.0, SERVER_ERROR, SERVER_ERROR, SERVER_ERROR)
    assert not within.at(10.0)
