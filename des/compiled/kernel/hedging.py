"""A call of a leg with hedges: copies sent after a delay, of which the first success counts."""

from math import inf, nan

from des.compiled.kernel.budgets import allows_hedge, past_of
from des.compiled.kernel.call import dispatch
from des.compiled.kernel.ending import ended
from des.compiled.kernel.guards import enter_guards
from des.compiled.kernel.layers import NEVER_ENDS, innermost, set_result
from des.compiled.kernel.legs import learn_of, leave
from des.compiled.kernel.memory import Record, at, beginning_at
from des.compiled.kernel.queue import next_order, push
from des.compiled.kernel.queues import lose_place, take_from_shaper, take_place
from des.compiled.kernel.routing import peer, statistics_begin
from des.compiled.kernel.rows import attempt_row
from des.compiled.kernel.way import (
    attempt_bound_cause,
    attempt_bound_outcome,
    chain_of,
    entry_at,
    is_let_through,
    remember,
)
from des.compiled.kernel.world import ORPHAN_ENDS, REQUEST_RESUMES, STAGE_COPY, STAGE_FLIGHT, World
from des.engine.priorities import ATTEMPT_END, TIMER
from des.rules.retry import sends_copy
from des.vocabulary import BY_HEDGE, CALL, CANCELLED, HEDGE, OK


def begin_hedged(w: World, request: Record, leg: Record) -> bool:
    """Make a call that may be hedged. Returns whether its result is there: it never ends."""
    request.flights = 0
    request.hedges_sent = 0
    own = _launch(w, request, leg, CALL)
    request.own_place = own.place
    request.hedge_s = request.now_s + leg.hedge_after_s
    return _await(w, request, leg)


def _flight(w: World, request: Record, nth: int) -> Record:
    return at(w.flights, request.slot * at(w.run, 0).most_flights + nth)


def _launch(w: World, request: Record, leg: Record, kind: int) -> Record:
    """Send a call or a copy."""
    g = at(w.run, 0)
    g.free_calls -= 1
    call = at(w.calls, at(w.free_calls, g.free_calls).value)
    made = at(w.calls_made, request.slot * g.legs + leg.index)
    nth = made.value
    made.value = nth + 1
    call.kind = kind
    call.has_tickets = False
    dispatch(w, request, leg, nth, call)
    layer = innermost(w, request)
    outcome, cause = attempt_bound_outcome(layer), attempt_bound_cause(layer)
    ended(w, request, leg, call, layer.attempt_until_s, outcome, cause)
    request.attempts += 1
    request.unrecorded += 1
    if leg.has_statistics:
        statistics_begin(leg, request.now_s)
    _flight(w, request, request.flights).value = call.place
    request.flights += 1
    return call


def _first(w: World, request: Record) -> int:
    """The place among the flights of the one that ends first."""
    best = 0
    for nth in range(1, request.flights):
        call, first = at(w.calls, _flight(w, request, nth).value), at(w.calls, _flight(w, request, best).value)
        if call.end_s < first.end_s or (call.end_s == first.end_s and call.attempt < first.attempt):
            best = nth
    return best


def _await(w: World, request: Record, leg: Record) -> bool:
    """Wait for the next copy or the first end. Returns whether the result is there: the call never ends."""
    end_s = at(w.calls, _flight(w, request, _first(w, request)).value).end_s
    if sends_copy(request.hedges_sent, leg.hedges, end_s, request.hedge_s):
        request.stage = STAGE_COPY
        push(w, request.hedge_s, TIMER, request.id, REQUEST_RESUMES, request.slot, 0)
        return False
    if end_s == inf:
        _lose_all(w, request)
        return True
    request.stage = STAGE_FLIGHT
    push(w, end_s, ATTEMPT_END, request.id, REQUEST_RESUMES, request.slot, 0)
    return False


def send_copy(w: World, request: Record, leg: Record) -> bool:
    """It is time for a copy. Returns as `begin_hedged`."""
    request.now_s = request.hedge_s
    request.hedges_sent = request.hedges_sent + 1 if _copy(w, request, leg) else leg.hedges
    request.hedge_s += leg.hedge_after_s
    return _await(w, request, leg)


def _copy(w: World, request: Record, leg: Record) -> bool:
    """Send a copy to the same leg or the next one, unless the retry budget or the next leg's guards forbid it."""
    if leg.budget >= 0 and not allows_hedge(at(w.budgets, leg.budget)):
        return False
    to = leg.index
    if leg.hedges_next:
        to = _peer(w, request)
        if to < 0:
            return False
    other = at(w.legs, to)
    if to == leg.index:
        _launch(w, request, other, HEDGE)
        return True
    g = at(w.run, 0)
    coming = at(w.free_calls, g.free_calls - 1).value
    enter_copy(w, other, coming)
    _launch(w, request, other, HEDGE).has_tickets = True
    return True


def enter_copy(w: World, leg: Record, call: int) -> None:
    """A copy on another leg has tickets of its own."""
    enter_guards(w, leg, beginning_at(w.call_tickets, call * at(w.run, 0).most_guards))


def _peer(w: World, request: Record) -> int:
    """The leg for a hedge, admitted without waiting: another of the current entry, else one of those after it."""
    used = 0
    for nth in range(request.flights):
        used |= 1 << at(w.calls, _flight(w, request, nth).value).leg
    chain = chain_of(w, request)
    for place in range(chain.place, chain.entries):
        number = peer(w, at(w.entries, entry_at(w, request, chain, place)), used)
        if number >= 0:
            other = at(w.legs, number)
            free = is_let_through(w, request, other)
            if free and other.shaper >= 0:
                free = take_from_shaper(at(w.shapers, other.shaper), request.now_s)
            if free and other.has_bulkhead:
                free = take_place(other)
            return number if free else -1
    return -1


def first_ends(w: World, request: Record, leg: Record) -> bool:
    """The call or a copy has ended. Returns whether the result is there."""
    nth = _first(w, request)
    first = at(w.calls, _flight(w, request, nth).value)
    request.now_s = first.end_s
    _remove(w, request, nth)
    outcome, retry_after_s, number, made = first.outcome, first.retry_after_s, first.leg, first.nth
    end_s = first.end_s
    _land(w, request, first)
    if outcome == OK:
        while request.flights > 0:
            _lose(w, request, leg, end_s)
    elif request.flights > 0:
        return _await(w, request, leg)
    remember(request, first)
    request.has_own = True
    layer = innermost(w, request)
    set_result(request, outcome, retry_after_s, number, made)
    if end_s == layer.attempt_until_s and outcome == attempt_bound_outcome(layer):
        request.struck = layer.attempt_owner
        request.struck_is_whole = layer.attempt_is_whole
    return True


def _remove(w: World, request: Record, nth: int) -> None:
    request.flights -= 1
    for later in range(nth, request.flights):
        _flight(w, request, later).value = _flight(w, request, later + 1).value


def _taken(w: World, request: Record, leg: Record) -> float:
    """The cost of the last retry in the leg's budget, NaN without one."""
    return past_of(w, request, leg.budget).taken if leg.budget >= 0 else nan


def _land(w: World, request: Record, call: Record) -> None:
    """A copy has ended now: record and bill it, and let its leg learn."""
    attempt_row(w, request, call)
    request.unrecorded -= 1
    request.cost += call.cost
    _reach_ground(w, call, _taken(w, request, at(w.legs, call.leg)))
    _forget(w, request, call)


def _reach_ground(w: World, call: Record, taken: float) -> None:
    """The call has ended now: its leg learns, and its place is free."""
    learn_of(w, call, taken)
    if call.has_tickets:
        tickets = beginning_at(w.call_tickets, call.place * at(w.run, 0).most_guards)
        leave(w, at(w.legs, call.leg), tickets, call.outcome, call.retry_after_s, call.end_s)


def _forget(w: World, request: Record, call: Record) -> None:
    """The call's record may be used again."""
    note_own(request, call)
    if request.own_place == call.place:
        request.own_place = -1
    free_call(w, call)


def note_own(request: Record, call: Record) -> None:
    """Keep how the call that was hedged ends."""
    if request.own_place == call.place:
        request.own_end_s = call.end_s
        request.own_outcome = call.outcome


def free_call(w: World, call: Record) -> None:
    g = at(w.run, 0)
    at(w.free_calls, g.free_calls).value = call.place
    g.free_calls += 1


def _lose(w: World, request: Record, leg: Record, now_s: float) -> None:
    """Cancel the copy that would end first, or let it run, at most until the run is cut."""
    nth = _first(w, request)
    call = at(w.calls, _flight(w, request, nth).value)
    _remove(w, request, nth)
    runs = leg.hedge_runs
    until_s = at(w.run, 0).cut_s if runs else now_s
    if call.end_s > until_s:
        ended(w, request, at(w.legs, call.leg), call, until_s, CANCELLED, BY_HEDGE)
        if not runs and not leg.hedge_is_billed:
            call.cost = 0
    if call.end_s <= now_s:
        _land(w, request, call)
        return
    request.unrecorded -= 1
    request.cost += call.cost
    attempt_row(w, request, call)
    note_own(request, call)
    if call.end_s < inf:
        g = at(w.run, 0)
        g.orphans += 1
        push(w, call.end_s, TIMER, next_order(w), ORPHAN_ENDS, call.place, 0)
        return
    if call.has_tickets and at(w.legs, call.leg).has_bulkhead:
        lose_place(w, at(w.legs, call.leg))
    free_call(w, call)


def end_orphan(w: World, place: int) -> None:
    """A call in flight without a request that waits for it has ended."""
    call = at(w.calls, place)
    at(w.run, 0).orphans -= 1
    _reach_ground(w, call, nan)
    free_call(w, call)


def _lose_all(w: World, request: Record) -> None:
    """No copy ever ends. The first call in flight is recorded when the request is abandoned."""
    for nth in range(request.flights):
        call = at(w.calls, _flight(w, request, nth).value)
        request.cost += call.cost
        if nth == 0:
            remember(request, call)
            request.last_call = call.place
        else:
            attempt_row(w, request, call)
            if call.has_tickets and at(w.legs, call.leg).has_bulkhead:
                lose_place(w, at(w.legs, call.leg))
        free_call(w, call)
    request.flights = 0
    set_result(request, NEVER_ENDS, nan, -1, 0)
