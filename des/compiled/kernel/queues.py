"""The client's own limits: a shaper that spaces calls, a bulkhead that bounds them, throttling, and a ramp."""

from math import inf, isnan, nan

from des.compiled.kernel.lists import address_of, drop_first, first_of, heap_pop, heap_push, put_last
from des.compiled.kernel.memory import Record, at, float_at
from des.compiled.kernel.queue import next_order, push, succeed
from des.compiled.kernel.world import WAIT_ENDS, WAITER_GIVES_UP, World
from des.engine.priorities import TIMER
from des.rules.guards import admitted_share, begins_anew, rejection_probability
from des.rules.limits import after_release, release_s

# Shapers


def join_shaper(w: World, shaper: Record, now_s: float, until_s: float) -> float:
    """When a call that comes now may go; NaN where it is refused.

    A call that would go after `until_s`, when its client abandons it, leaves the queue then and takes no token.
    """
    go_s = release_s(shaper.tat_s, now_s, shaper.rate_per_s, shaper.burst)
    if go_s > now_s:
        leave = at(w.lists, shaper.leave)
        while leave.count > 0 and first_of(leave) <= now_s:
            heap_pop(leave)
        if shaper.queue >= 0 and leave.count >= shaper.queue:
            return nan
        if not isnan(shaper.max_wait_s) and go_s - now_s > shaper.max_wait_s:
            return nan
        heap_push(w, shaper.leave, min(go_s, until_s))
    if go_s < until_s:
        shaper.tat_s = after_release(shaper.tat_s, go_s, shaper.rate_per_s)
    return go_s


def take_from_shaper(shaper: Record, now_s: float) -> bool:
    """Take a token without waiting, if there is one."""
    if release_s(shaper.tat_s, now_s, shaper.rate_per_s, shaper.burst) > now_s:
        return False
    shaper.tat_s = after_release(shaper.tat_s, now_s, shaper.rate_per_s)
    return True


# Bulkheads. A waiter is a request's slot and the number of its wait, by which those that are over are known.


def take_place(leg: Record) -> bool:
    """Take a place of the leg's bulkhead, if one is free."""
    if leg.free_places == 0:
        return False
    leg.free_places -= 1
    return True


def join_bulkhead(w: World, request: Record, leg: Record, until_s: float) -> bool:
    """Wait for a place until the longest wait or `until_s`; False where the queue is full."""
    g = at(w.run, 0)
    if leg.queued >= leg.queue:
        return False
    longest_s = inf if isnan(leg.max_wait_s) else g.now_s + leg.max_wait_s
    g.waiters += 1
    request.waiter = g.waiters
    request.waits_at = leg.index
    request.give_up_s = min(until_s, longest_s)
    request.let_in = False
    request.strands = False
    put_last(w, leg.waiting, float(request.slot))
    put_last(w, leg.waiting, float(request.waiter))
    leg.queued += 1
    if request.give_up_s < inf:
        push(w, request.give_up_s, TIMER, next_order(w), WAITER_GIVES_UP, request.slot, request.waiter)
    elif leg.lost == leg.places:
        request.strands = True
        _end_wait(w, request)
    return True


def leave_bulkhead(w: World, leg: Record) -> None:
    """A call has ended: the first in the queue takes its place."""
    waiting = at(w.lists, leg.waiting)
    while waiting.count > 0:
        slot = int(first_of(waiting))
        drop_first(waiting, 1)
        number = int(first_of(waiting))
        drop_first(waiting, 1)
        request = at(w.requests, slot)
        if request.waiter == number:
            leg.queued -= 1
            request.let_in = True
            _end_wait(w, request)
            return
    leg.free_places += 1


def lose_place(w: World, leg: Record) -> None:
    """A call in a place never ends. Once all places are lost, calls that wait without a bound wait for ever."""
    leg.lost += 1
    if leg.lost != leg.places:
        return
    waiting = at(w.lists, leg.waiting)
    for nth in range(0, waiting.count, 2):
        request = at(w.requests, int(_entry(waiting, nth)))
        if request.waiter == int(_entry(waiting, nth + 1)) and request.give_up_s == inf:
            request.strands = True
            _end_wait(w, request)


def give_up(w: World, slot: int, number: int) -> None:
    """The longest wait is over."""
    request = at(w.requests, slot)
    if request.waiter == number:
        at(w.legs, request.waits_at).queued -= 1
        _end_wait(w, request)


def _end_wait(w: World, request: Record) -> None:
    request.waiter = 0
    succeed(w, WAIT_ENDS, request.slot)


def _entry(several: Record, nth: int) -> float:
    return float_at(address_of(several) + 8 * nth)


# Throttling and ramps


def throttling_admits(w: World, leg: Record, now_s: float, u: float) -> bool:
    """Whether a call that comes now is sent. It counts as a request either way."""
    for number in (leg.throttle_requests, leg.throttle_accepts):
        times = at(w.lists, number)
        while times.count > 0 and first_of(times) <= now_s - leg.throttle_window_s:
            drop_first(times, 1)
    requests, accepts = at(w.lists, leg.throttle_requests).count, at(w.lists, leg.throttle_accepts).count
    refused = rejection_probability(requests, accepts, leg.throttle_k)
    put_last(w, leg.throttle_requests, now_s)
    return u >= refused


def ramp_admits(leg: Record, now_s: float, u: float) -> bool:
    """Whether a call that comes now is within the admitted share."""
    if begins_anew(leg.asked_s, now_s, leg.ramp_reset_s):
        leg.begun_s = now_s
    leg.asked_s = now_s
    return u < admitted_share(leg.begun_s, now_s, leg.ramp_start, leg.ramp_over_s)
