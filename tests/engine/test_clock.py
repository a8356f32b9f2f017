"""How the clock ends a run, by the event it plays to or by the failure of a process."""

from typing import Any

import pytest
from simpy.events import Event

from des.engine.clock import Clock, Moment, Process
from des.engine.priorities import TIMER


class OddError(Exception):
    """Cannot be made again of its `args`."""

    def __init__(self, number: int, word: str) -> None:
        super().__init__(f"{number} {word}")


def raised_by(process: Any, done: Event, clock: Clock) -> BaseException:
    clock.process(process)
    with pytest.raises(OddError) as caught:
        clock.play(done, lambda: None)
    return caught.value


def test_a_process_that_fails_ends_the_run_by_its_own_exception() -> None:
    clock, error = Clock(), OddError(1, "time")
    done = Event(clock)

    def failing() -> Process:
        yield Moment(clock, 1.0, TIMER, 0)
        raise error

    def after() -> Process:
        yield Moment(clock, 1.0, TIMER, 1)
        done.succeed()

    clock.process(after())
    assert raised_by(failing(), done, clock) is error
    assert not done.triggered


def test_a_failure_in_the_process_that_ends_the_run_is_not_lost() -> None:
    """As that of a signal which comes there."""
    clock, error = Clock(), OddError(2, "times")
    done = Event(clock)

    def last() -> Process:
        yield Moment(clock, 1.0, TIMER, 0)
        done.succeed()
        raise error

    assert raised_by(last(), done, clock) is error


def test_a_run_ends_with_the_event_it_plays_to_whatever_is_still_to_come() -> None:
    clock = Clock()
    done = Event(clock)
    met = []

    def walking() -> Process:
        for time_s in (1.0, 2.0, 3.0):
            yield Moment(clock, time_s, TIMER, 0)
            met.append(clock.now)
            if time_s == 2.0:
                done.succeed()

    clock.process(walking())
    clock.play(done, lambda: None)
    assert met == [1.0, 2.0]
