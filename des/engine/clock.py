"""The simulation clock: SimPy's environment with events at absolute times and integer priorities."""

from collections.abc import Callable, Generator
from heapq import heappush
from itertools import count
from typing import Any

import simpy
from simpy.events import NORMAL, Event, EventPriority

from des.engine.priorities import FIRST_ORDER, TIMER

_EVENTS_BETWEEN = 4096

Process = Generator[Event, None, None]


class Moment(Event):
    """An event at an absolute time, triggered when made like `simpy.Timeout`.

    SimPy's `Timeout` takes a delay, and now + (t - now) is not always t. Simultaneous moments are ordered by (priority,
    order) and not by creation, so each needs a unique (time, priority, order).
    """

    _ok = True
    _value: Any = None

    def __init__(self, clock: "Clock", time_s: float, priority: int, order: int) -> None:
        self.env = clock
        self.callbacks: list[Callable[[Event], None]] = []
        heappush(clock._queue, (time_s, priority, order, self))  # type: ignore[misc]


class Clock(simpy.Environment):
    """Time is float64 seconds since the scenario's start."""

    def __init__(self, begin_s: float = 0) -> None:
        super().__init__(begin_s)
        self._orders = count(FIRST_ORDER)

    def schedule(self, event: Event, priority: EventPriority = NORMAL, delay: float = 0) -> None:
        """As SimPy's, but a process that fails ends the run at once, by its own exception.

        SimPy would raise a copy at the failure's turn, which never comes behind the event that ends the run.
        """
        if not event._ok:
            raise event._value
        super().schedule(event, priority, delay)

    def next_order(self) -> int:
        """The order of a new timer among those at one instant."""
        return next(self._orders)

    def at(self, time_s: float, act: Callable[[], None]) -> None:
        """Call `act` at a future time."""
        moment = Moment(self, time_s, TIMER, self.next_order())
        moment.callbacks.append(lambda _: act())

    def play(self, done: Event, between: Callable[[], None]) -> None:
        """`run(until=done)`, with a call of `between` every few thousand events."""
        step = self.step
        while done.callbacks is not None:
            for _ in range(_EVENTS_BETWEEN):
                step()
                if done.callbacks is None:
                    return
            between()
