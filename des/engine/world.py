"""The state of one replication: the clock, both sides of a call, open requests, and the recorder."""

from collections.abc import Callable
from math import inf, nan

from simpy.events import Event

from des import vocabulary
from des.engine.caches import ResponseCache
from des.engine.client import Client
from des.engine.clock import Clock
from des.engine.codes import Kinds, Names
from des.engine.columns import Sink
from des.engine.incidents import Ledger
from des.engine.losses import Losses
from des.engine.marks import RequestMarks
from des.engine.providers import Providers
from des.engine.recorder import Recorder
from des.engine.records import Request
from des.faults import Timeline
from des.scenario.plan import Plan
from des.vocabulary import REQUEST_FAILED, REQUEST_IN_FLIGHT, REQUEST_OK

_HANG = vocabulary.ERROR_TYPES.index("hang")


class World:
    """What processes share."""

    def __init__(
        self, plan: Plan, replication: int, sink: Sink, timeline: Timeline | None = None, begin_s: float = 0
    ) -> None:
        self.plan = plan
        self.replication = replication
        self.clock = Clock(begin_s)
        self.horizon_s = plan.horizon_s
        self.ledger = Ledger(plan, replication, timeline)
        names, kinds = Names.of(plan), Kinds(plan)
        self.recorder = Recorder(plan, names, self.clock, sink)
        self._losses = Losses(names, kinds, self.ledger)
        self.providers = Providers(plan, replication, kinds, self.ledger, self.recorder)
        self.client = Client(plan, self.clock, kinds, self.recorder, self.providers)
        self.marks = RequestMarks(plan, replication)
        self.response_cache = None if plan.policy.response_cache is None else ResponseCache(plan, replication)
        self.deadline_s = inf if plan.policy.deadline_s is None else plan.policy.deadline_s
        self.cut_s = inf if plan.drain_s is None else plan.horizon_s + plan.drain_s
        self.arrived = 0
        self._open: dict[int, Request] = {}
        self._orphaned_calls = 0  # in flight without a request that waits for them
        self._arrivals_are_over = False
        self.done = Event(self.clock)

    def open(self, request: Request) -> None:
        """A request arrives."""
        self._open[request.id] = request
        self.arrived += 1

    def finish(self, request: Request, outcome: int) -> None:
        """A request has ended now."""
        error_type = lost_to = -1
        if outcome != REQUEST_OK:
            error_type, lost_to = self._losses.blame(request, outcome)
        elif self.response_cache is not None:
            self.response_cache.keep(request, self.clock.now)
        self.recorder.request(request, self.clock.now, outcome, error_type, lost_to)
        self._close(request)

    def finish_from_cache(self, request: Request) -> None:
        self.recorder.request(request, self.clock.now, REQUEST_OK, -1, -1, cached=True)
        self._close(request)

    def abandon(self, request: Request) -> None:
        """A request hangs in a call that never ends, or waits for ever for the place of such a call."""
        if request.last is not None and request.last.end_s == inf:
            self.recorder.attempt(request.last)
        self.recorder.request(request, nan, REQUEST_FAILED, _HANG, self._losses.of_hang(request))
        request.hangs = True
        self._close(request)

    def _close(self, request: Request) -> None:
        del self._open[request.id]
        if self._arrivals_are_over:
            self._end_if_over()

    def let_run(self, end_s: float, act: Callable[[], None]) -> None:
        """Call `act` when an orphaned call ends. The run does not end before."""
        self._orphaned_calls += 1

        def over() -> None:
            self._orphaned_calls -= 1
            act()
            self._end_if_over()

        self.clock.at(end_s, over)

    def end_arrivals(self) -> None:
        """No more requests will arrive."""
        self._arrivals_are_over = True
        self._end_if_over()

    def cut(self) -> None:
        """End the run here: open requests are recorded as in flight, and calls in flight get no row."""
        if self.done.triggered:
            return
        for left in self._open.values():
            left.cut(self.clock.now)
            self.recorder.request(left, nan, REQUEST_IN_FLIGHT, -1, -1)
        self.done.succeed()

    def _end_if_over(self) -> None:
        """End the run if no more requests arrive and none is in flight."""
        if self._arrivals_are_over and not self._open and not self._orphaned_calls and not self.done.triggered:
            self.done.succeed()
