"""The simulation clock: SimPy's environment with events at absolute times and integer priorities."""

from collections.abc import Callable, Generator
from heapq import heappop, heappush
from itertools import count
from typing import Any

import simpy
from simpy.events import Event

# What happens first at one instant. SimPy's own events (successes) have priorities 0 and 1 and so take effect at
# once, before anything else that is due.
INCIDENT_END, INCIDENT_START, ATTEMPT_END, TIMER, ARRIVAL, HORIZON, CUT = range(10, 17)

FIRST_ORDER = -(1 << 62)
"""Timers of nobody's own come before those of requests at one instant, in the order in which they were set."""

_EVENTS_BETWEEN = 4096

Process = Generator[Event, None, None]


class Moment(Event):
    """A point in time that is certain to come: triggered when made, like `simpy.Timeout`, but at an absolute time.

    SimPy's `Timeout` takes a delay, and now + (t - now) is not always t. Among simultaneous moments the place is
    given by (priority, order) and not by creation; (time, priority, order) must be the moment's own.
    """

    _ok = True
    _value: Any = None

    def __init__(self, clock: "Clock", time_s: float, priority: int, order: int) -> None:
        self.env = clock
        self.callbacks: list[Callable[[Event], None]] = []
        heappush(clock._queue, (time_s, priority, order, self))  # type: ignore[misc]


class WalkingProcess(simpy.Process):
    """A process that nobody waits for or interrupts and whose events never fail: every one of this model.

    It starts within the event that makes it and ends without an event of its own; that, and a resumption without
    the checks for failures, is a quarter of a run's time.
    """

    def __init__(self, clock: "Clock", generator: Process) -> None:
        self.env = clock
        self.callbacks = []
        self._generator = generator
        self._send = generator.send
        self(None)

    def __call__(self, _: Event | None) -> None:
        """Walk on to the next event; the process is its own callback, a bound method stored would be a cycle."""
        try:
            awaited = self._send(None)
        except StopIteration:
            self._ok, self._value = True, None
        else:
            awaited.callbacks.append(self)


class Clock(simpy.Environment):
    """Time is float64 seconds since the scenario's start."""

    def __init__(self) -> None:
        super().__init__()
        self._orders = count(FIRST_ORDER)

    def walk(self, generator: Process) -> WalkingProcess:
        """Start a process now."""
        return WalkingProcess(self, generator)

    def next_order(self) -> int:
        """The place of a timer among those of one instant."""
        return next(self._orders)

    def at(self, time_s: float, act: Callable[[], None]) -> None:
        """Do something at a time to come."""
        moment = Moment(self, time_s, TIMER, self.next_order())
        moment.callbacks.append(lambda _: act())

    def play(self, done: Event, between: Callable[[], None]) -> None:
        """`run(until=done)` with the step written out, as a call an event is a tenth of the run.

        `between` is called every few thousand events.
        """
        queue = self._queue
        while done.callbacks is not None:
            for _ in range(_EVENTS_BETWEEN):
                self._now, _, _, event = heappop(queue)
                callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
                for callback in callbacks:
                    callback(event)
                if not event._ok and not hasattr(event, "_defused"):
                    raise event._value
                if done.callbacks is None:
                    return
            between()
