"""The walk of a request: pick a leg, be admitted, be served, end, learn, next."""

from collections.abc import Generator

from simpy.events import Event

from des.engine.caches import ResponseCache
from des.engine.clock import Moment, Process
from des.engine.hedging import hedged_call
from des.engine.leg import Leg
from des.engine.priorities import TIMER
from des.engine.records import NEVER_ENDS, Request, Result, cut_off
from des.engine.way import Way
from des.engine.world import World
from des.vocabulary import REQUEST_DEADLINE, REQUEST_REJECTED


def walk(world: World, request: Request) -> Process:
    """Walk the chain until a leg serves the request, its deadline strikes or every layer gives up."""
    cache = world.response_cache
    if cache is not None and cache.answers(request, world.clock.now):
        yield from _answered_from_cache(world, request, cache)
        return None
    if not world.client.may_call(request):
        return world.finish(request, REQUEST_REJECTED)
    way, clock = Way(world, request), world.clock
    layers = way.layers
    result: Result | None
    while layers:
        leg = way.leg or way.open_leg
        if leg is None:
            result = yield from _let_in(way)
            leg = way.leg
        if leg is not None:
            if leg.hedge is not None:
                result = yield from hedged_call(way, leg, leg.hedge)
            else:
                result = way.call(leg)
                if leg.learns and way.due:
                    yield Moment(clock, way.now_s, way.due, request.id)
                    way.due = 0
                    way.learn(leg)
        while result is not None:
            result = way.next(result)
            if way.due:
                yield Moment(clock, way.now_s, way.due, request.id)
                way.due = 0
                if request.waits:
                    request.backoff_s += way.now_s - request.waiting_since_s
                    request.waits = ""
        if layers and layers[-1].renews:
            way.again()
    return way.finish()


def _answered_from_cache(world: World, request: Request, cache: ResponseCache) -> Process:
    """Wait for the cache's answer and end the request there, unless the deadline comes first."""
    answer_s = world.clock.now + cache.latency_s(request)
    yield Moment(world.clock, min(answer_s, request.deadline_s), TIMER, request.id)
    if answer_s > request.deadline_s:
        world.finish(request, REQUEST_DEADLINE)
    else:
        world.finish_from_cache(request)


def _let_in(way: Way) -> Generator[Event, None, Result | None]:
    """Pick a leg of the entry and be admitted to it. Returns the attempt's result if it ends before its call."""
    clock, refusals, left_out = way.world.clock, way.world.recorder.refusals, list[Leg]()
    while True:
        leg = way.pick(left_out)
        if isinstance(leg, str):
            if not left_out:
                refusals.count(clock.now, way.entry.legs[0].index, leg)
            return way.refuse(leg)
        is_let_in: bool | Result = way.is_let_through(leg)
        if is_let_in and (leg.shaper is not None or leg.bulkhead is not None):
            is_bypassed = not leg.admits()
            is_let_in = yield from _queued(way, leg)
            if isinstance(is_let_in, Result):
                return is_let_in
            if is_let_in and not is_bypassed and not leg.admits():  # a guard has excluded it meanwhile
                if leg.bulkhead is not None:
                    leg.bulkhead.leave()
                continue
        if is_let_in:
            way.enter(leg)
            return None
        refusals.count(clock.now, leg.index, "client_limit")
        if leg.refuses_as_429:
            return way.refuse_as_429(leg)
        left_out.append(leg)


def _queued(way: Way, leg: Leg) -> Generator[Event, None, bool | Result]:
    """Wait for the shaper and for a place in the bulkhead. Returns whether both admit it, or the result of the wait."""
    clock, request, bound = way.world.clock, way.request, way.bound
    if leg.shaper is not None:
        go_s = leg.shaper.join(clock.now, bound.until_s)
        if go_s is None:
            return False
        if go_s > clock.now:
            struck = way.rest("queue", go_s, bound)
            yield Moment(clock, way.now_s, way.due, request.id)
            way.due = 0
            request.end_wait(way.now_s)
            if struck is not None:
                return cut_off(struck)
    if leg.bulkhead is None or leg.bulkhead.take():
        return True
    waiter = leg.bulkhead.join(bound.until_s)
    if waiter is None:
        return False
    request.waits, request.waiting_since_s = "queue", clock.now
    yield waiter.came
    if waiter.strands:
        request.waits = ""  # it waits for ever, which has no length
        return Result(NEVER_ENDS)
    way.now_s = clock.now
    request.end_wait(clock.now)
    if clock.now >= bound.until_s:
        if waiter.let_in:
            leg.bulkhead.leave()
        return cut_off(bound)
    return waiter.let_in
