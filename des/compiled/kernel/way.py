"""Where one request is on its way: the layers around its next call, and its time.

A request's `now_s` may be ahead of the clock: a call whose end changes no shared state, and the wait after it, become
one event. The clock reaches it before shared state is read or changed. `due` is the priority of the event that the
request waits for, or 0.
"""

from math import inf, isnan, nan

from des.compiled.kernel.budgets import end_visit, forget_taken, grant, over_retry, past_of
from des.compiled.kernel.call import dispatch
from des.compiled.kernel.ending import ended
from des.compiled.kernel.guards import stops_retries
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
from des.compiled.kernel.legs import begin_visit, learn, leave
from des.compiled.kernel.memory import Record, Records, at, beginning_at
from des.compiled.kernel.questions import drawn
from des.compiled.kernel.queues import lose_place, ramp_admits, throttling_admits
from des.compiled.kernel.routing import has_healthy_leg, is_all_out, order_entries, statistics_begin
from des.compiled.kernel.rows import attempt_row
from des.compiled.kernel.world import DEADLINE_STRUCK, NONE_STRUCK, RAMP, THROTTLE, WAITS_BACKOFF, World
from des.engine.priorities import ATTEMPT_END, TIMER
from des.vocabulary import BY_DEADLINE, CALL, CANCELLED, OK, REQUEST_DEADLINE, REQUEST_FAILED, TIMEOUT

# Layers


def begin(w: World, request: Record) -> None:
    """The request's first layers."""
    g = at(w.run, 0)
    if g.keeps_memory:
        _forget_past(w, request)
    request.depth = 0
    until_s, owner, is_whole = request.deadline_s, DEADLINE_STRUCK, False
    if g.application >= 0:
        layer = open_retries(w, request, g.application, until_s, owner, is_whole, NO_ENTRY)
        until_s, owner, is_whole = layer.attempt_until_s, layer.attempt_owner, layer.attempt_is_whole
    open_chain(w, request, until_s, owner, is_whole)
    visit(w, request, innermost(w, request))


def _forget_past(w: World, request: Record) -> None:
    """A request comes to a client that remembers what it does."""
    g = at(w.run, 0)
    request.picked = -1
    request.decisions = 0
    request.has_own = False
    request.own_place = -1
    for group in range(g.groups):
        at(w.picks, request.slot * g.groups + group).value = 0
    for number in range(g.budgets):
        past = past_of(w, request, number)
        past.has_deposited = False
        past.has_begun = False
        past.taken = nan


def chain_of(w: World, request: Record) -> Record:
    """The layer of the rounds over the chain."""
    return layer_at(w, request, 0 if at(w.run, 0).application < 0 else 1)


def entry_at(w: World, request: Record, chain: Record, place: int) -> int:
    """The number of the entry at this place of the current round."""
    g = at(w.run, 0)
    if g.orders_entries:
        return int(at(w.orders, request.slot * g.most_entries + place).value)
    return int(chain.first_entry + place)


def visit(w: World, request: Record, chain: Record) -> None:
    """Go to the chain's current entry; after the last one of a round, to the first of another round."""
    if chain.place == chain.entries:
        g = at(w.run, 0)
        eligible = at(w.requirements, request.requirement)
        chain.first_entry = eligible.first
        chain.entries = eligible.count
        if g.orders_entries:
            order_entries(w, request, eligible.first, eligible.count, request.now_s)
        if g.fallback_depth >= 0:
            chain.entries = min(eligible.count, g.fallback_depth + 1)
        chain.place = 0
        request.rounds += 1
    number = entry_at(w, request, chain, chain.place)
    entry = at(w.entries, number)
    request.entry = number
    request.open_leg = entry.open_leg
    if entry.open_leg < 0:
        forget_taken(w, request)
        request.picked = -1
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
    layer = innermost(w, request)
    request.depth -= 1
    if not layer.is_chain:
        _end_retry(w, layer)
        if layer.entry != NO_ENTRY:
            end_visit(w, request)


def _end_retry(w: World, layer: Record) -> None:
    """The current retry has ended, if a budget granted it."""
    if layer.granted >= 0:
        over_retry(at(w.budgets, layer.granted))
        layer.granted = -1


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
                wait_s = after_entry(w, request, layer, entry_at(w, request, layer, layer.place))
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
    """As `after_attempt`, subject to guards, budgets and peers."""
    is_entry = layer.entry != NO_ENTRY
    if request.leg >= 0 and is_entry:
        _leave_leg_by_result(w, request)
    _end_retry(w, layer)
    rule = at(w.rules, layer.rule)
    if is_entry and rule.ends_when_all_out and is_all_out(w, at(w.entries, layer.entry)):
        layer.is_over = True
        return 0.0
    wait_s = after_attempt(w, request, layer)
    if not layer.is_over and _is_forbidden(w, request, layer, is_entry):
        layer.is_over = True
        return 0.0
    if wait_s > 0.0 and is_entry:
        entry = at(w.entries, layer.entry)
        if entry.prefers_peers and has_healthy_leg(w, entry):
            return 0.0
    return wait_s


def _is_forbidden(w: World, request: Record, layer: Record, is_entry: bool) -> bool:
    """Whether a breaker or the budget of the leg that was called forbids another retry."""
    if request.result_leg < 0:
        return False
    leg = at(w.legs, request.result_leg)
    if is_entry and stops_retries(w, leg):
        return True
    if leg.budget < 0 or not at(w.rules, layer.rule).is_budgeted:
        return False
    taken = grant(w, at(w.budgets, leg.budget), request.result, request.now_s)
    if isnan(taken):
        return True
    past_of(w, request, leg.budget).taken = taken
    layer.granted = leg.budget
    return False


def close_all(w: World, request: Record) -> None:
    """The attempt has served the request, so every layer is over; or it never ends and keeps its place."""
    if request.open_leg >= 0:  # no state around the call to update
        request.depth = 0
        return
    if request.result == OK:
        _leave_leg_by_result(w, request)
    elif request.leg >= 0:
        leg = at(w.legs, request.leg)
        if leg.has_bulkhead:
            lose_place(w, leg)
    while request.depth > 0:
        close(w, request)


# Admission to a leg


def is_let_through(w: World, request: Record, leg: Record) -> bool:
    """Whether the leg's ramp and its throttling admit a call. A request has one draw per ramp."""
    if leg.has_ramp and not ramp_admits(leg, request.now_s, drawn(w, leg.index, 0, RAMP, request.draw)):
        return False
    if leg.has_throttling:
        u = drawn(w, leg.index, request.decisions, THROTTLE, request.draw)
        request.decisions += 1
        return throttling_admits(w, leg, request.now_s, u)
    return True


def enter(w: World, request: Record, leg: Record) -> None:
    """A leg has admitted the attempt on the entry."""
    request.leg = leg.index
    request.picked = leg.index
    begin_visit(w, request, leg, tickets_of(w, request))
    if leg.inner > 0:
        open_inside(w, request, leg.first_inner, leg.inner)


def tickets_of(w: World, request: Record) -> Records:
    return beginning_at(w.tickets, request.slot * at(w.run, 0).most_guards)


def leave_leg(w: World, request: Record, outcome: int, retry_after_s: float) -> None:
    """The attempt is over: the leg's guards learn its outcome, and its place is free."""
    if request.leg >= 0:
        leave(w, at(w.legs, request.leg), tickets_of(w, request), outcome, retry_after_s, request.now_s)
        request.leg = -1


def _leave_leg_by_result(w: World, request: Record) -> None:
    """As `leave_leg`, by a result that may be that of a copy on another leg."""
    if request.leg < 0:
        return
    if request.result_leg == request.leg or not request.has_own:
        leave_leg(w, request, request.result, request.retry_after_s)
    elif request.own_end_s <= request.now_s:
        leave_leg(w, request, request.own_outcome, nan)
    else:
        _run_on(w, request)
    request.own_place = -1


def _run_on(w: World, request: Record) -> None:
    """The call lost to a copy on another leg and runs to its end, when its leg's guards learn from it."""
    leg = at(w.legs, request.leg)
    if request.own_end_s == inf:
        if leg.has_bulkhead:
            lose_place(w, leg)
    elif request.own_place >= 0:
        call = at(w.calls, request.own_place)
        call.has_tickets = True
        tickets = tickets_of(w, request)
        kept = beginning_at(w.call_tickets, call.place * at(w.run, 0).most_guards)
        for nth in range(leg.guards):
            at(kept, nth).value = at(tickets, nth).value
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
    bound_outcome = attempt_bound_outcome(layer)
    ended(w, request, leg, call, until_s, bound_outcome, attempt_bound_cause(layer))
    remember(request, call)
    request.last_call = 0
    request.attempts += 1
    request.cost += call.cost
    if leg.has_statistics:
        statistics_begin(leg, call.start_s)
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


def learn_of_call(w: World, request: Record, leg: Record) -> None:
    """The call has ended now: update the state that counts single calls."""
    taken = past_of(w, request, leg.budget).taken if leg.budget >= 0 else nan
    learn(
        w,
        leg,
        request.last_outcome,
        request.last_cause,
        request.last_start_s,
        request.last_end_s,
        request.last_cost,
        request.input_tokens,
        request.last_output,
        taken,
    )


def attempt_bound_outcome(layer: Record) -> int:
    """The outcome of a call that the layer's bound on an attempt cuts off."""
    return CANCELLED if layer.attempt_owner == DEADLINE_STRUCK else TIMEOUT


def attempt_bound_cause(layer: Record) -> int:
    return BY_DEADLINE if layer.attempt_owner == DEADLINE_STRUCK else -1


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
