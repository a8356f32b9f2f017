"""A breaker opens at what its window holds, lets a number of probes through, and heeds no call of before its change."""

from collections.abc import Callable
from math import nan
from typing import Any

import pytest

from des.engine.codes import Kinds
from des.engine.guards import Breaker
from des.rules.guards import CLOSED, HALF_OPEN, OPEN
from des.scenario import plan
from des.vocabulary import CANCELLED, OK, SERVER_ERROR
from engine.serving import one_endpoint

COUNTS = ("server_error",)


class Watched:
    """A breaker, and the timers that it has asked for."""

    def __init__(self, settings: plan.Breaker) -> None:
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.breaker = Breaker(
            settings,
            Kinds(one_endpoint()),
            changed=lambda before, after: None,
            timer=lambda time_s, act: self.timers.append((time_s, act)),
        )

    def ends(self, *outcomes: int, now_s: float = 0.0) -> int:
        """Its state after calls that started and ended now."""
        for outcome in outcomes:
            self.breaker.learn(self.breaker.enter(), outcome, nan, now_s)
        return self.breaker.state

    def wait(self) -> float:
        """Until the timer it asked for last; the time of that."""
        time_s, act = self.timers.pop()
        act()
        return time_s


def of_calls(**rest: Any) -> Watched:
    given = {"calls": 4, "failure_share": 0.5, "open_s": 10.0, "counts": COUNTS, **rest}
    return Watched(plan.CountWindowBreaker(kind="count_window", **given))


def in_a_row(**rest: Any) -> Watched:
    return Watched(plan.ConsecutiveBreaker(kind="consecutive", failures=3, open_s=10.0, counts=COUNTS, **rest))


def test_a_window_of_calls_opens_at_its_share_of_the_last() -> None:
    assert of_calls().ends(SERVER_ERROR, SERVER_ERROR, SERVER_ERROR) == CLOSED  # fewer than it holds
    assert of_calls().ends(SERVER_ERROR, OK, OK, SERVER_ERROR) == OPEN
    assert of_calls().ends(SERVER_ERROR, OK, OK, OK, SERVER_ERROR) == CLOSED  # the first has left
    assert of_calls(minimum=2).ends(OK, SERVER_ERROR) == OPEN


def test_a_window_of_time_forgets_what_ended_before_it() -> None:
    settings = plan.TimeWindowBreaker(
        kind="time_window", window_s=10.0, failure_share=0.5, minimum=2, open_s=5.0, counts=COUNTS
    )
    opened = Watched(settings)
    assert opened.ends(SERVER_ERROR, now_s=1.0) == CLOSED
    assert opened.ends(OK, now_s=10.9) == OPEN
    forgot = Watched(settings)
    assert forgot.ends(SERVER_ERROR, now_s=1.0) == CLOSED
    assert forgot.ends(OK, now_s=11.0) == CLOSED
    assert forgot.ends(SERVER_ERROR, now_s=12.0) == OPEN
    assert forgot.wait() == 17.0


def test_only_failures_in_a_row_count_and_a_success_begins_anew() -> None:
    assert in_a_row().ends(SERVER_ERROR, SERVER_ERROR, OK, SERVER_ERROR, SERVER_ERROR) == CLOSED
    assert in_a_row().ends(SERVER_ERROR, SERVER_ERROR, CANCELLED, SERVER_ERROR) == OPEN


def test_a_row_and_a_window_begin_anew_after_it_was_open() -> None:
    for watched in (in_a_row(), of_calls(minimum=3, failure_share=0.6)):
        assert watched.ends(*[SERVER_ERROR] * 3, now_s=4.0) == OPEN
        assert not watched.breaker.admits()
        assert watched.wait() == 14.0
        assert watched.breaker.state == CLOSED
        assert watched.breaker.admits()
        assert watched.ends(*[SERVER_ERROR] * 2) == CLOSED
        assert watched.ends(SERVER_ERROR) == OPEN
        watched.wait()
        assert watched.ends(OK, OK, SERVER_ERROR) == CLOSED


def test_it_lets_as_many_probes_through_as_are_to_succeed() -> None:
    watched = in_a_row(half_open=2)
    watched.ends(*[SERVER_ERROR] * 3)
    watched.wait()
    assert watched.breaker.state == HALF_OPEN
    tickets = [watched.breaker.enter() for _ in range(2) if watched.breaker.admits()]
    assert len(tickets) == 2
    assert not watched.breaker.admits()
    watched.breaker.learn(tickets[0], CANCELLED, nan, 0.0)  # which tells nothing: another may go
    assert watched.breaker.admits()
    third = watched.breaker.enter()
    watched.breaker.learn(tickets[1], OK, nan, 0.0)
    assert watched.breaker.state == HALF_OPEN
    watched.breaker.learn(third, OK, nan, 0.0)
    assert watched.breaker.state == CLOSED


def test_a_probe_that_fails_opens_it_again_and_the_next_probes_are_counted_anew() -> None:
    watched = in_a_row(half_open=2)
    watched.ends(*[SERVER_ERROR] * 3)
    watched.wait()
    assert watched.ends(OK, SERVER_ERROR) == OPEN
    watched.wait()
    assert watched.breaker.admits()
    assert watched.ends(OK) == HALF_OPEN
    assert watched.ends(OK) == CLOSED


@pytest.mark.parametrize(
    ("outcomes", "state"), [((OK, OK, SERVER_ERROR), CLOSED), ((OK, SERVER_ERROR, SERVER_ERROR), OPEN)]
)
def test_probes_of_a_window_of_calls_are_judged_by_its_share(outcomes: tuple[int, ...], state: int) -> None:
    watched = of_calls(half_open=3)
    watched.ends(*[SERVER_ERROR] * 4)
    watched.wait()
    assert watched.ends(*outcomes) == state


def test_a_call_of_before_its_last_change_counts_for_nothing() -> None:
    watched = in_a_row(half_open=1)
    early = watched.breaker.enter()
    watched.ends(*[SERVER_ERROR] * 3)
    watched.breaker.learn(early, OK, nan, 1.0)
    assert watched.breaker.state == OPEN
    watched.wait()
    watched.breaker.learn(early, OK, nan, 11.0)
    assert watched.breaker.state == HALF_OPEN
    watched.breaker.learn(early, CANCELLED, nan, 11.0)
    watched.breaker.enter()
    assert not watched.breaker.admits()


@pytest.mark.parametrize(("all_open", "bypassed"), [("bypass", True), ("refuse", False)])
def test_whether_it_may_be_bypassed_is_set(all_open: str, bypassed: bool) -> None:
    assert in_a_row(all_open=all_open).breaker.bypassed == bypassed
