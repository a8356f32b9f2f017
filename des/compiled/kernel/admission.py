"""Before a call: pick a leg of the entry, and be admitted to it by the client's own guards and queues."""

from math import isnan, nan

from des.compiled.kernel.guards import leg_admits
from des.compiled.kernel.layers import (
    NEVER_ENDS,
    REFUSED,
    innermost,
    set_cut_off,
    set_result,
)
from des.compiled.kernel.memory import Record, at
from des.compiled.kernel.queue import push
from des.compiled.kernel.queues import join_bulkhead, join_shaper, leave_bulkhead, take_place
from des.compiled.kernel.routing import CIRCUIT_IS_OPEN, leg_of, pick
from des.compiled.kernel.rows import refusal_by_client
from des.compiled.kernel.way import attempt_bound_outcome, enter, is_let_through
from des.compiled.kernel.world import (
    NO_WAIT,
    REFUSED_BY_CLIENT,
    REFUSED_BY_OPEN_CIRCUIT,
    REQUEST_RESUMES,
    STAGE_PLACED,
    STAGE_SHAPED,
    WAITS_BACKOFF,
    WAITS_QUEUE,
    World,
)
from des.engine.priorities import TIMER
from des.vocabulary import ERROR_TYPES, RATE_LIMITED

WAITS, HAS_RESULT, IS_IN, IS_OUT = range(4)
"""What becomes of an attempt: it waits, it has ended before its call, a leg has let it in, or the leg has not."""

_CIRCUIT_OPEN = ERROR_TYPES.index("circuit_open")
_CLIENT_LIMIT = ERROR_TYPES.index("client_limit")


def let_in(w: World, request: Record) -> int:
    """Pick a leg of the entry and be admitted to it."""
    g = at(w.run, 0)
    while True:
        entry = at(w.entries, request.entry)
        picks = at(w.picks, request.slot * g.groups + entry.index)
        nth = picks.value
        picks.value = nth + 1
        number = pick(w, request, entry, nth, request.left_out, request.picked, request.now_s)
        if number < 0:
            _refuse(w, request, entry, number == CIRCUIT_IS_OPEN)
            return HAS_RESULT
        leg = at(w.legs, number)
        request.wanted = number
        admission = IS_OUT
        if is_let_through(w, request, leg):
            admission = IS_IN
            if leg.shaper >= 0 or leg.has_bulkhead:
                request.is_bypassed = not leg_admits(w, leg)
                admission = _join_shaper(w, request, leg)
        admission = _come_in(w, request, leg, admission)
        if admission != IS_OUT:
            return admission


def let_in_after_wait(w: World, request: Record, stage: int) -> int:
    """The wait for the shaper or the bulkhead is over."""
    leg = at(w.legs, request.wanted)
    admission = _leave_shaper(w, request, leg) if stage == STAGE_SHAPED else _leave_queue(w, request, leg)
    admission = _come_in(w, request, leg, admission)
    return let_in(w, request) if admission == IS_OUT else admission


def _refuse(w: World, request: Record, entry: Record, circuit_is_open: bool) -> None:
    """The client itself refuses the attempt: no leg of the entry takes it."""
    if request.left_out == 0:
        reason = _CIRCUIT_OPEN if circuit_is_open else _CLIENT_LIMIT
        refusal_by_client(w, at(w.run, 0).now_s, leg_of(w, entry, 0), reason)
    if request.refused_by != REFUSED_BY_CLIENT:
        request.refused_by = REFUSED_BY_OPEN_CIRCUIT if circuit_is_open else REFUSED_BY_CLIENT
    set_result(request, REFUSED, nan, -1, 0)


def _come_in(w: World, request: Record, leg: Record, admission: int) -> int:
    """Enter a leg that has admitted the attempt, or leave it out. `IS_OUT` where another leg is to be picked."""
    if admission in (WAITS, HAS_RESULT):
        return admission
    waited = leg.shaper >= 0 or leg.has_bulkhead
    if admission == IS_IN and waited and not request.is_bypassed and not leg_admits(w, leg):
        if leg.has_bulkhead:  # a guard has excluded it meanwhile
            leave_bulkhead(w, leg)
        return IS_OUT
    if admission == IS_IN:
        enter(w, request, leg)
        return IS_IN
    refusal_by_client(w, at(w.run, 0).now_s, leg.index, _CLIENT_LIMIT)
    entry = at(w.entries, request.entry)
    if leg.refuses_as_429:
        request.refused_by = REFUSED_BY_CLIENT
        picks = at(w.picks, request.slot * at(w.run, 0).groups + entry.index).value
        set_result(request, RATE_LIMITED, nan, leg.index, picks - 1)
        return HAS_RESULT
    for place in range(entry.legs):
        if leg_of(w, entry, place) == leg.index:
            request.left_out |= 1 << place
    return IS_OUT


def _join_shaper(w: World, request: Record, leg: Record) -> int:
    """Wait for the shaper, and then for a place in the bulkhead."""
    now_s, bound = at(w.run, 0).now_s, innermost(w, request)
    if leg.shaper < 0:
        return _join_bulkhead(w, request, leg)
    go_s = join_shaper(w, at(w.shapers, leg.shaper), now_s, bound.attempt_until_s)
    if isnan(go_s):
        return IS_OUT
    if go_s <= now_s:
        return _join_bulkhead(w, request, leg)
    request.waits = WAITS_QUEUE
    request.waiting_since_s = request.now_s
    request.let_in = go_s < bound.attempt_until_s
    request.now_s = min(go_s, bound.attempt_until_s)
    request.stage = STAGE_SHAPED
    push(w, request.now_s, TIMER, request.id, REQUEST_RESUMES, request.slot, 0)
    return WAITS


def _leave_shaper(w: World, request: Record, leg: Record) -> int:
    end_wait(request, request.now_s)
    if not request.let_in:
        bound = innermost(w, request)
        set_cut_off(request, bound.attempt_owner, bound.attempt_is_whole, attempt_bound_outcome(bound))
        return HAS_RESULT
    return _join_bulkhead(w, request, leg)


def _join_bulkhead(w: World, request: Record, leg: Record) -> int:
    if not leg.has_bulkhead or take_place(leg):
        return IS_IN
    if not join_bulkhead(w, request, leg, innermost(w, request).attempt_until_s):
        return IS_OUT
    request.waits = WAITS_QUEUE
    request.waiting_since_s = at(w.run, 0).now_s
    request.stage = STAGE_PLACED
    return WAITS


def _leave_queue(w: World, request: Record, leg: Record) -> int:
    """The wait for a place is over: there is one, or it was the longest, or there will never be one."""
    now_s = at(w.run, 0).now_s
    if request.strands:
        request.waits = NO_WAIT  # it waits for ever, which has no length
        set_result(request, NEVER_ENDS, nan, -1, 0)
        return HAS_RESULT
    request.now_s = now_s
    end_wait(request, now_s)
    bound = innermost(w, request)
    if now_s >= bound.attempt_until_s:
        if request.let_in:
            leave_bulkhead(w, leg)
        set_cut_off(request, bound.attempt_owner, bound.attempt_is_whole, attempt_bound_outcome(bound))
        return HAS_RESULT
    return IS_IN if request.let_in else IS_OUT


def end_wait(request: Record, now_s: float) -> None:
    """The wait is over, or the run is cut."""
    if request.waits == WAITS_BACKOFF:
        request.backoff_s += now_s - request.waiting_since_s
    elif request.waits == WAITS_QUEUE:
        request.queued_s += now_s - request.waiting_since_s
    request.waits = NO_WAIT
