"""Synthetic calls at fixed times that test whether a leg works: for legs that rot, and for the client's health."""

from collections.abc import Generator
from itertools import count
from math import inf

from simpy.events import Event

from des.engine.clock import Moment, Process
from des.engine.draws import PROBE
from des.engine.leg import Leg
from des.engine.priorities import ATTEMPT_END, TIMER
from des.engine.records import UNBOUNDED, Call, Request, timeout
from des.engine.world import World
from des.vocabulary import BY_ROT, OK


def rot_probes(world: World, leg: Leg) -> Process:
    """Call a leg that may rot, until the horizon."""
    settings = leg.of.silent_rot
    assert settings is not None
    assert settings.probe_every_s is not None
    legs = len(world.client.legs)
    for nth, due_s in _due(world, settings.probe_every_s):
        call = yield from _probe(world, leg, nth, due_s, None, -(nth * legs + leg.index) - 1)
        world.recorder.attempt(call)
        _notice(leg, call)


def health_probes(world: World, leg: Leg) -> Process:
    """Call a leg until the horizon, and update its health. A call that would never end is ignored."""
    health = leg.health
    assert health is not None
    for nth, due_s in _due(world, health.settings.every_s):
        call = yield from _probe(world, leg, nth, due_s, health.settings.timeout_s, world.clock.next_order())
        if call.end_s != inf:
            health.learn(passed=call.outcome == OK)
        world.recorder.attempt(call)
        _notice(leg, call)


def _due(world: World, every_s: float) -> Generator[tuple[int, float], None, None]:
    """(number, time) of the probes up to the horizon. A probe due while another is in flight is left out."""
    for nth in count(max(1, int(world.clock.now / every_s))):
        due_s = nth * every_s
        if due_s >= world.horizon_s:
            return
        if due_s >= world.clock.now:
            yield nth, due_s


def _probe(
    world: World, leg: Leg, nth: int, due_s: float, timeout_s: float | None, order: int
) -> Generator[Event, None, Call]:
    """The call of a probe, by a request like the workload's. It is billed, takes tokens from limits and is traced."""
    clock = world.clock
    yield Moment(clock, due_s, TIMER, order)
    request = Request.probe(nth, clock.now, world.marks(nth))
    fate = leg.dispatch(request, PROBE, clock.now)
    bound = UNBOUNDED if timeout_s is None else timeout(clock.now + timeout_s)
    call = leg.ended(fate, bound)
    if call.end_s != inf:
        yield Moment(clock, call.end_s, ATTEMPT_END, order)
    return call


def _notice(leg: Leg, call: Call) -> None:
    if call.cause == BY_ROT and leg.calls.rot is not None:
        leg.calls.rot.notice()
