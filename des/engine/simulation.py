"""One replication of one arm: the processes and what they share."""

from collections.abc import Callable, Generator
from math import inf, nan
from typing import Any

from simpy.events import Event

from des import vocabulary
from des.draws import Stream
from des.engine.arrivals import RequestMarks, open_arrivals, think_time
from des.engine.caches import ResponseCache
from des.engine.capacity import Capacity
from des.engine.client.client import Client
from des.engine.client.request import ClientRequest
from des.engine.client.walk import client_request
from des.engine.clock import ARRIVAL, CUT, HORIZON, Clock, Moment
from des.engine.conditions import EndpointState, Ledger, component
from des.engine.incident_rows import incident_rows
from des.engine.kinds import Kinds
from des.engine.leg import Leg
from des.engine.limit_algorithms import at_work
from des.engine.limits import are_plain
from des.engine.losses import Losses
from des.engine.luck import uniform
from des.engine.names import Names
from des.engine.recorder import Recorder, Sink
from des.engine.request import Request, request
from des.engine.silent_rot import probes, rot
from des.engine.surge import Surge
from des.engine.turns import Turns
from des.engine.waits import Waits
from des.scenario.plan import ClosedArrivals, Plan, Requirement
from des.vocabulary import REQUEST_FAILED, REQUEST_IN_FLIGHT, REQUEST_OK

Process = Generator[Event, None, None]
Progress = Callable[[float], None]

HANG = vocabulary.ERROR_TYPES.index("hang")


def simulate(plan: Plan, replication: int, sink: Sink, on_progress: Progress | None = None) -> int:
    """Run one replication to its end and return the number of requests that arrived.

    Blocks of columns go to `sink` as the clock moves on, so memory does not grow with the number of requests;
    `on_progress` is told the simulated time now and then.
    """
    return Simulation(plan, replication, sink, on_progress).run()


class Simulation:
    """The state that processes share."""

    def __init__(self, plan: Plan, replication: int, sink: Sink, on_progress: Progress | None = None) -> None:
        self.plan = plan
        self.policy = plan.policy
        self.replication = replication
        self.clock = Clock()
        self.ledger = Ledger(plan, replication)
        self.names = Names.of(plan)
        self.kinds = Kinds(plan)
        self.recorder = Recorder(plan, self.names, self.clock, sink)
        self._losses = Losses(self.names, self.kinds, self.ledger)
        self.endpoints = [EndpointState(endpoint.index) for endpoint in plan.endpoints]
        self.limits = [at_work(limit) for limit in plan.limits]
        self.has_plain_limits = are_plain(plan)
        self.limit_turns = [Turns(self.recorder, "limit", limit.name) for limit in plan.limits]
        self.capacities = [
            (Capacity(capacity), Turns(self.recorder, "capacity", capacity.name)) for capacity in plan.capacities
        ]
        self.surges = [Surge(surge, self.endpoints) for surge in plan.surges]
        self.legs = [Leg(self, leg) for leg in plan.chain]
        self.marks = RequestMarks(plan, replication)
        self.response_cache = ResponseCache(plan, replication) if plan.policy.response_cache is not None else None
        self._sink = sink
        self._on_progress = on_progress
        self.eligible_legs = [*(self._meeting(required) for required in plan.workload.requirements), self.legs]
        self.cut_s = inf if plan.drain_s is None else plan.horizon_s + plan.drain_s
        self.client = None if plan.client.plain else Client(self, plan.client)
        self._round_luck: list[Stream] = []
        self._round_waits = Waits(plan.policy.round_backoff)
        self._arrived = 0
        self._open: dict[int, Request] = {}
        self.strays = 0  # calls under way that no request waits for
        self._arrivals_over = False
        self._done = Event(self.clock)

    def run(self) -> int:
        """Start every process, play the clock until all requests have ended, hand over the rest."""
        clock = self.clock
        for part in self.plan.components:
            if part.incidents:
                clock.walk(component(self, part))
        for leg in self.legs:
            if leg.plan.silent_rot is not None:
                clock.walk(rot(self, leg))
                if leg.plan.silent_rot.probe_every_s is not None:
                    clock.walk(probes(self, leg))
        if self.client is not None:
            self.client.start()
        clock.walk(self._horizon())
        if isinstance(self.plan.workload.arrivals, ClosedArrivals):
            thinks = think_time(self.plan, self.replication)
            for user in range(self.plan.workload.arrivals.users):
                clock.walk(self._user(user, self.plan.workload.arrivals.users, thinks))
        else:
            clock.walk(self._arrivals())
        clock.play(self._done)
        self.recorder.close(clock.now)
        self._sink.incidents(incident_rows(self.plan, self.ledger, clock.now))
        if self.client is not None:
            self._sink.refusals(self.client.refusals.columns(vocabulary.ERROR_TYPES))
        return self._arrived

    # Arrivals

    def _arrivals(self) -> Process:
        """Open workload: start a request's process at each arrival."""
        clock, deadline_s = self.clock, self._deadline_s()
        walk = clock.walk
        make, serve = self._way_of_requests()
        for block in open_arrivals(self.plan, self.replication):
            rows = zip(
                range(block.first_id, block.first_id + len(block.arrival_s)),
                block.arrival_s,
                block.input_tokens,
                block.output_tokens,
                block.units,
                block.requirement,
                strict=True,
            )
            for number, arrival_s, input_tokens, output_tokens, units, requirement in rows:
                yield Moment(clock, arrival_s, ARRIVAL, 0)
                arrived = make(
                    number, number, arrival_s, arrival_s + deadline_s, input_tokens, output_tokens, units, requirement
                )
                self._open[number] = arrived
                self._arrived += 1
                walk(serve(self, arrived))
            if self._on_progress is not None:
                self._on_progress(clock.now)

    def _user(self, user: int, users: int, thinks: Stream) -> Process:
        """Closed workload: think, send a request, wait for its end, until the horizon."""
        clock, deadline_s, nth = self.clock, self._deadline_s(), 0
        make, serve = self._way_of_requests()
        while True:
            luck = nth * users + user
            arrival_s = clock.now + thinks.at(luck)
            if arrival_s >= self.plan.horizon_s:
                return
            yield Moment(clock, arrival_s, ARRIVAL, user)
            arrived = make(self._arrived, luck, arrival_s, arrival_s + deadline_s, *self.marks(luck))
            self._open[arrived.id] = arrived
            self._arrived += 1
            yield from serve(self, arrived)
            if arrived.hangs:
                return
            nth += 1
            if self._on_progress is not None and arrived.id % 4096 == 0:
                self._on_progress(clock.now)

    def _way_of_requests(self) -> tuple[type[Request], Callable[["Simulation", Any], Process]]:
        """What requests are, and the walk that serves them: the plain one for a plan that asks for no more."""
        return (Request, request) if self.client is None else (ClientRequest, client_request)

    def _deadline_s(self) -> float:
        return inf if self.policy.deadline_s is None else self.policy.deadline_s

    def _horizon(self) -> Process:
        """Arrivals are over at the horizon; with a drain, the run is cut a while after it."""
        horizon_s, drain_s = self.plan.horizon_s, self.plan.drain_s
        yield Moment(self.clock, horizon_s, HORIZON, 0)
        self._arrivals_over = True
        self.end_if_over()
        if drain_s is not None:
            yield Moment(self.clock, self.cut_s, CUT, 0)
            if not self._done.triggered:
                self._cut()

    def _cut(self) -> None:
        """End the run here: requests still open are in flight, and calls still under way leave no row."""
        for left in self._open.values():
            left.cut(self.clock.now)
            self.recorder.request(left, nan, REQUEST_IN_FLIGHT, -1, -1)
        self._done.succeed()

    def end_if_over(self) -> None:
        """End the run where nobody will come, and nothing is under way any more."""
        if self._arrivals_over and not self._open and not self._done.triggered and not self.strays:
            self._done.succeed()

    # What requests ask of it

    def _meeting(self, required: Requirement) -> list[Leg]:
        return [leg for leg in self.legs if required.tags.items() <= leg.plan.tags.items()]

    def eligible(self, request: Request) -> list[Leg]:
        """The legs whose tags meet the request's requirement, in chain order."""
        return self.eligible_legs[request.requirement]

    def round_wait_s(self, request: Request, rounds_done: int, previous_s: float, nth: int | None = None) -> float:
        """The wait after a round; `rounds_done` counts from 0, `previous_s` is the wait before it.

        `nth` counts the request's waits between rounds, where it walks the chain more than once.
        """
        if nth is None:
            nth = rounds_done
        while nth >= len(self._round_luck):
            name = f"round_backoff/{len(self._round_luck)}"
            self._round_luck.append(Stream(self.plan.seed, self.replication, name, uniform))
        return self._round_waits.wait_s(rounds_done, self._round_luck[nth], request.luck, previous_s)

    # How requests end

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
        """A request hangs in a call that can never end, or waits for ever for the place of such calls."""
        if request.last is not None and request.last.end_s == inf:
            self.recorder.attempt(request.last)
        self.recorder.request(request, nan, REQUEST_FAILED, HANG, self._losses.of_hang(request))
        request.hangs = True
        self._close(request)

    def _close(self, request: Request) -> None:
        del self._open[request.id]
        if self._arrivals_over:
            self.end_if_over()
