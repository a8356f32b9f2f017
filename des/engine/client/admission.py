"""Whether a client's own limits let a call go: ramps and throttling at once, shapers and bulkheads after a wait."""

from collections.abc import Generator
from typing import TYPE_CHECKING

from simpy.events import Event

from des.engine.client.bounds import Bound, BoundStruck, NeverEnds

if TYPE_CHECKING:
    from des.engine.client.leg import ClientLeg
    from des.engine.client.walk import Walk


def lets_through(walk: "Walk", leg: "ClientLeg") -> bool:
    """Whether the leg's ramp and its throttling let a call through; a request has one luck with a ramp."""
    now_s, luck = walk.clock.now, walk.client.luck
    if leg.ramp is not None:
        u = luck.stream("leg", leg.name, "ramp").at(walk.request.luck)
        if not leg.ramp.admits(now_s, u):
            return False
    if leg.throttling is not None:
        u = luck.stream("leg", leg.name, "throttle", walk.decisions).at(walk.request.luck)
        walk.decisions += 1
        return leg.throttling.admits(now_s, u)
    return True


def queued(walk: "Walk", leg: "ClientLeg", bound: Bound) -> Generator[Event, None, bool]:
    """Wait for the shaper's turn and a place in the bulkhead; False where either refuses."""
    clock, request = walk.clock, walk.request
    if leg.shaper is not None:
        go_s = leg.shaper.join(clock.now, bound.until_s)
        if go_s is None:
            return False
        if go_s > clock.now:
            yield from walk.wait("queue", go_s, bound)
    if leg.bulkhead is None or leg.bulkhead.take():
        return True
    waiter = leg.bulkhead.join(bound.until_s)
    if waiter is None:
        return False
    request.waits, request.waiting_since_s = "queue", clock.now
    yield waiter.came
    if waiter.strands:
        request.waits = ""  # for ever: there is no length to it
        raise NeverEnds
    request.over_wait(clock.now)
    if clock.now >= bound.until_s:
        if waiter.let_in:
            leg.bulkhead.leave()
        raise BoundStruck(bound)
    return waiter.let_in
