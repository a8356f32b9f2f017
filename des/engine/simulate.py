"""One replication of one arm: its processes, from the first arrival to the end of the last request.

A window is a piece of a long run, simulated by itself.
"""

import math
from collections.abc import Callable, Iterator

from des.draws import Stream
from des.engine.arrivals import ArrivalBlock, open_arrivals, think_time
from des.engine.clock import Moment, Process
from des.engine.columns import Sink
from des.engine.incidents import component_process, incident_rows
from des.engine.priorities import ARRIVAL, CUT, HORIZON, TIMER
from des.engine.probes import health_probes, rot_probes
from des.engine.records import Request, RunWindow
from des.engine.rot import rot_process
from des.engine.walk import walk
from des.engine.world import World
from des.scenario.plan import ClosedArrivals, Plan

Progress = Callable[[float], None]

_PROGRESS_EVERY = 4096  # requests


def simulate(plan: Plan, replication: int, sink: Sink, on_progress: Progress | None = None) -> int:
    """Run one replication to its end and return the number of requests that arrived.

    Blocks of columns go to `sink` as the clock advances, so memory does not grow with the number of requests.
    `on_progress` is called with the simulated time now and then.
    """
    world = World(plan, replication, sink)
    _start_failing(world)
    world.clock.process(_horizon(world))
    arrivals = plan.workload.arrivals
    if isinstance(arrivals, ClosedArrivals):
        thinks = think_time(plan, replication)
        for user in range(arrivals.users):
            world.clock.process(_user(world, user, arrivals.users, thinks, on_progress))
    else:
        world.clock.process(_arrivals(world, open_arrivals(plan, replication), on_progress))
    world.clock.play(world.done, world.recorder.hand_over)
    world.recorder.close(world.clock.now)
    sink.incidents(incident_rows(plan, world.ledger, world.clock.now))
    return world.arrived


def simulate_window(plan: Plan, replication: int, sink: Sink, window: RunWindow) -> range:
    """Run a window of a long run and return the ids of the requests that count.

    The sink also gets the rows of requests that do not count.
    """
    world = _Window(plan, replication, sink, window)
    _start_failing(world)
    world.clock.process(_counting(world, window))
    blocks = open_arrivals(plan, replication, window.begin_s, window.cut_s)
    world.clock.process(_arrivals(world, blocks, None))
    world.clock.play(world.done, world.recorder.hand_over)
    world.recorder.close(math.inf)  # calls whose end is known get their rows, even if it is yet to come
    return range(world.first, world.past)


class _Window(World):
    """Ends with the last request that counts."""

    def __init__(self, plan: Plan, replication: int, sink: Sink, window: RunWindow) -> None:
        super().__init__(plan, replication, sink, window.timeline, window.begin_s)
        self.horizon_s = self.cut_s = window.cut_s
        self.first = self.past = 0
        self._left = -1  # requests that count and are open; unknown before all have arrived

    def count_from_now(self) -> None:
        self.first = self.arrived

    def count_no_more(self) -> None:
        self.past = self.arrived
        self._left = sum(number >= self.first for number in self._open)
        if self._left == 0:
            self.done.succeed()

    def _close(self, request: Request) -> None:
        super()._close(request)
        if self._left > 0 and self.first <= request.id < self.past:
            self._left -= 1
            if self._left == 0 and not self.done.triggered:
                self.done.succeed()


def _counting(world: _Window, window: RunWindow) -> Process:
    """Count the requests that do, and cut what lasts too long."""
    clock = world.clock
    yield Moment(clock, window.from_s, TIMER, clock.next_order())
    world.count_from_now()
    yield Moment(clock, window.until_s, TIMER, clock.next_order())
    world.count_no_more()
    yield Moment(clock, window.cut_s, CUT, 0)
    world.cut()


def _start_failing(world: World) -> None:
    """Start the processes of components, of legs that rot, and of probes."""
    plan, clock, recorder = world.plan, world.clock, world.recorder
    for component in plan.components:
        if component.incidents:
            clock.process(component_process(clock, recorder, world.ledger, world.providers.endpoints, component))
    for leg in world.client.legs:
        if leg.calls.rot is not None and leg.of.silent_rot is not None:
            changed = recorder.changes_of(leg.name, "leg")
            clock.process(rot_process(clock, plan, world.replication, leg.of, leg.calls.rot, changed))
            if leg.of.silent_rot.probe_every_s is not None:
                clock.process(rot_probes(world, leg))
    for leg in world.client.legs:
        if leg.health is not None:
            clock.process(health_probes(world, leg))


def _arrivals(world: World, blocks: Iterator[ArrivalBlock], on_progress: Progress | None) -> Process:
    """Open workload: start a request's process at each arrival."""
    clock, deadline_s = world.clock, world.deadline_s
    for block in blocks:
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
            request = Request(
                number, number, arrival_s, arrival_s + deadline_s, input_tokens, output_tokens, units, requirement
            )
            world.open(request)
            clock.process(walk(world, request))
        if on_progress is not None:
            on_progress(clock.now)


def _user(world: World, user: int, users: int, thinks: Stream, on_progress: Progress | None) -> Process:
    """Closed workload: think, send a request, wait for its end, until the horizon."""
    clock, nth = world.clock, 0
    while True:
        draw = nth * users + user
        arrival_s = clock.now + thinks.at(draw)
        if arrival_s >= world.plan.horizon_s:
            return
        yield Moment(clock, arrival_s, ARRIVAL, user)
        request = Request(world.arrived, draw, arrival_s, arrival_s + world.deadline_s, *world.marks(draw))
        world.open(request)
        yield from walk(world, request)
        if request.hangs:
            return
        nth += 1
        if on_progress is not None and request.id % _PROGRESS_EVERY == 0:
            on_progress(clock.now)


def _horizon(world: World) -> Process:
    """Arrivals end at the horizon. With a drain, the run is cut after it."""
    yield Moment(world.clock, world.plan.horizon_s, HORIZON, 0)
    world.end_arrivals()
    if world.plan.drain_s is not None:
        yield Moment(world.clock, world.cut_s, CUT, 0)
        world.cut()
