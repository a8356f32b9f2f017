"""Where one request is on its way: the layers around its next call, and its time.

A request's `now_s` may be ahead of the clock: a call whose end changes no shared state, and the wait after it, become
one event. The clock reaches it before shared state is read or changed. `due` is the priority of the event that the
request waits for, or 0.
"""

from math import inf, nan

from des.compiled.kernel.call import dispatch
from des.compiled.kernel.ending import ended
from des.compiled.kernel.layers import (
    NEVER_ENDS,
    NO_ENTRY,
    after_attempt,
    after_entry,
    bound_attempt,
    innermost,
    layer_at,
    open_chain,
    open_retries,
    set_cut_off,
    set_result,
)
from des.compiled.kernel.memory import Record, at
from des.compiled.kernel.rows import attempt_row
from des.compiled.kernel.world import DEADLINE_STRUCK, NONE_STRUCK, WAITS_BACKOFF, World
from des.engine.priorities import ATTEMPT_END, TIMER
from des.vocabulary import (
    BY_DEADLINE,
    CALL,
    CANCELLED,
    OK,
    REQUEST_DEADLINE,
    REQUEST_FAILED,
    TIMEOUT,
)

# Layers


def begin(w: World, request: Record) -> None:
    """The request's first layers."""
    g = at(w.run, 0)
    if g.keeps_memory:
        forget_past(w, request)
    request.depth = 0
    until_s, owner, is_whole = request.deadline_s, DEADLINE_STRUCK, False
    if g.application >= 0:
        layer = open_retries(w, request, g.application, until_s, owner, is_whole, NO_ENTRY)
        until_s, owner, is_whole = layer.attempt_until_s, layer.attempt_owner, layer.attempt_is_whole
    open_chain(w, request, until_s, owner, is_whole)
    visit(w, request, innermost(w, request))


def forget_past(w: World, request: Record) -> None:
    """A request comes to a client that keeps its past."""


def visit(w: World, request: Record, chain: Record) -> None:
    """Go to the chain's current entry; after the last one of a round, to the first of another round."""
    if chain.place == chain.entries:
        eligible = at(w.requirements, request.requirement)
        chain.first_entry = eligible.first
        chain.entries = eligible.count
        chain.place = 0
        request.rounds += 1
    number = chain.first_entry + chain.place
    entry = at(w.entries, number)
    request.entry = number
    request.open_leg = entry.open_leg
    open_retries(w, request, entry.rule, chain.until_s, chain.owner, chain.is_whole, number)


def open_inside(w: World, request: Record, first: int, count: int) -> None:
    """Add the layers inside a call: `count` rules from `first` on."""
    for place in range(count):
        outer = innermost(w, request)
        layer = open_retries(
            w, request, first + place, outer.attempt_until_s, outer.attempt_owner, outer.attempt_is_whole, NO_ENTRY
        )
        layer.first_inside = first + place + 1
        layer.inside = count - place - 1
        if layer.inside > 0:
            layer.renews = True


def again(w: World, request: Record) -> None:
    """The innermost layer makes another attempt."""
    layer = innermost(w, request)
    if layer.is_chain:
        visit(w, request, layer)
        return
    rule = at(w.rules, layer.rule)
    if rule.is_bounded:
        bound_attempt(request, rule, layer, request.depth - 1)
    if rule.is_application:
        open_chain(w, request, layer.attempt_until_s, layer.attempt_owner, layer.attempt_is_whole)
        visit(w, request, innermost(w, request))
    elif layer.inside > 0:
        open_inside(w, request, layer.first_inside, layer.inside)


def close(w: World, request: Record) -> None:
    """The innermost layer is over."""
    request.depth -= 1


def unwind(w: World, request: Record) -> None:
    """A bound has struck: end everything inside the layer that set it, with that layer's result.

    If the layer itself is over, the result is for the layer around it.
    """
    owner, is_whole = request.struck, request.struck_is_whole
    while request.depth > 0:
        place = request.depth - 1
        layer = layer_at(w, request, place)
        if not layer.is_chain and layer.entry != NO_ENTRY:
            leave_leg(w, request, TIMEOUT if place == owner else CANCELLED, nan)
        if place != owner or is_whole:
            close(w, request)
        if place == owner:
            _time_out(w, request, layer, is_whole)
            return
    set_result(request, REQUEST_DEADLINE, nan, -1, 0)


def _time_out(w: World, request: Record, layer: Record, is_whole: bool) -> None:
    rule, last = at(w.rules, layer.rule), request.last_leg
    outcome = rule.timed_out if is_whole else rule.attempt_timed_out
    if last < 0:
        set_result(request, outcome, nan, -1, 0)
        return
    made = at(w.calls_made, request.slot * at(w.run, 0).legs + last).value
    set_result(request, outcome, nan, last, max(0, made - 1))


# What follows an attempt


def follow(w: World, request: Record) -> bool:
    """From the inside out, find the layer that makes another attempt.

    True where a wait comes before outer layers may learn of the result: call again when the clock reaches `now_s`.
    """
    while request.depth > 0:
        outcome = request.result
        if outcome in (OK, NEVER_ENDS):
            close_all(w, request)
            break
        if request.struck != NONE_STRUCK:
            unwind(w, request)
            continue
        layer = innermost(w, request)
        if not layer.is_over:
            if layer.is_chain:
                wait_s = after_entry(w, request, layer)
            elif request.open_leg < 0:
                wait_s = _after_guarded_attempt(w, request, layer)
            else:
                wait_s = after_attempt(w, request, layer)
            if wait_s > 0.0:
                request.waits = WAITS_BACKOFF
                request.waiting_since_s = request.now_s
                request.due = TIMER
                request.now_s += wait_s
                if request.now_s >= layer.until_s:
                    request.now_s = layer.until_s
                    cut_off(request, layer.owner, layer.is_whole)
                    return True
                if layer.is_over:
                    return True
            if not layer.is_over:
                return False
        if layer.is_chain:
            set_result(request, layer.outcome, layer.retry_after_s, -1, 0)
        elif outcome == REQUEST_DEADLINE and at(w.rules, layer.rule).is_application:
            set_result(request, REQUEST_FAILED, nan, -1, 0)  # its last walk was cut off, and it gives up
        close(w, request)
    request.outcome = request.result
    return False


def cut_off(request: Record, owner: int, is_whole: bool) -> None:
    """A bound cuts the attempt off during a wait."""
    set_cut_off(request, owner, is_whole, CANCELLED if owner == DEADLINE_STRUCK else TIMEOUT)


def _after_guarded_attempt(w: World, request: Record, layer: Record) -> float:
    """As `after_attempt`, where the leg has more than its calls."""
    if request.leg >= 0 and layer.entry != NO_ENTRY:
        leave_leg(w, request, request.result, request.retry_after_s)
    return after_attempt(w, request, layer)


def close_all(w: World, request: Record) -> None:
    """The attempt has served the request, so every layer is over; or it never ends and keeps its place."""
    if request.open_leg < 0 and request.result == OK:
        leave_leg(w, request, OK, request.retry_after_s)
    request.depth = 0


# Admission to a leg


def enter(w: World, request: Record, leg: int) -> None:
    """A leg has admitted the attempt on the entry."""
    request.leg = leg
    entered = at(w.legs, leg)
    if entered.inner > 0:
        open_inside(w, request, entered.first_inner, entered.inner)


def leave_leg(w: World, request: Record, outcome: int, retry_after_s: float) -> None:
    """The attempt is over."""
    request.leg = -1


# Calls


def make_call(w: World, request: Record, leg: Record) -> None:
    """Make a call and compute its end, which becomes `now_s`."""
    g = at(w.run, 0)
    layer = innermost(w, request)
    made = at(w.calls_made, request.slot * g.legs + leg.index)
    nth = made.value
    made.value = nth + 1
    call = at(w.calls, 0)
    call.kind = CALL
    dispatch(w, request, leg, nth, call)
    until_s, owner = layer.attempt_until_s, layer.attempt_owner
    bound_outcome = CANCELLED if owner == DEADLINE_STRUCK else TIMEOUT
    bound_cause = BY_DEADLINE if owner == DEADLINE_STRUCK else -1
    ended(w, request, leg, call, until_s, bound_outcome, bound_cause)
    remember(request, call)
    request.attempts += 1
    request.cost += call.cost
    if call.end_s == inf:
        set_result(request, NEVER_ENDS, nan, -1, 0)
        return
    attempt_row(w, request, call)
    request.now_s = call.end_s
    request.due = ATTEMPT_END
    set_result(request, call.outcome, call.retry_after_s, leg.index, nth)
    if call.end_s == until_s and call.outcome == bound_outcome:
        request.struck = owner
        request.struck_is_whole = layer.attempt_is_whole


def remember(request: Record, call: Record) -> None:
    """What is to be known of the request's last call."""
    request.last_leg = call.leg
    request.last_start_s = call.start_s
    request.last_end_s = call.end_s
    request.last_outcome = call.outcome
    request.last_cause = call.cause
    request.last_cause_id = call.cause_id
    request.last_cost = call.cost
    request.last_output = call.output_tokens
