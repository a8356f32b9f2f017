"""One call of a leg: admitted or refused, then failed or answered; known to its natural end when it is sent."""

from math import inf, isnan, nan

from des.compiled.kernel.ending import output_so_far
from des.compiled.kernel.limits import count_call, overload, queued, refusal
from des.compiled.kernel.lists import drop_first, first_of, put_last
from des.compiled.kernel.memory import Record, at, floats
from des.compiled.kernel.questions import drawn
from des.compiled.kernel.world import (
    AFTER,
    BROKEN,
    CONNECT,
    CROWD,
    FIRST_TOKEN,
    HANG,
    INCIDENT_ERROR,
    INVALID,
    RANDOM_ERROR,
    SPEED,
    WHOLE_RESPONSE,
    World,
)
from des.rules.calls import gives_up_after_s, kind_of, struck_by
from des.rules.limits import turned_away
from des.vocabulary import BY_CAPACITY, BY_CHANCE, BY_INCIDENT, BY_ROT, INVALID_OUTPUT, OK, OVERLOADED, TIMEOUT

OVERLOAD_S = 0.2  # until a 529 is answered, as other errors are by default
SURGE_WINDOW_S = 60.0  # for the rate of the simulated attempts


def dispatch(w: World, request: Record, leg: Record, nth: int, call: Record) -> None:
    """Send the request's n-th call of this leg now: how it ends if its client does not give it up."""
    g = at(w.run, 0)
    condition = at(w.conditions, leg.endpoint)
    call.leg = leg.index
    call.nth = nth
    call.attempt = request.attempts
    call.start_s = request.now_s
    call.input_tokens = request.input_tokens
    call.is_warm = leg.has_prefix and call.start_s < leg.warm_until_s
    call.cached_tokens = int(leg.prefix_share * request.input_tokens) if call.is_warm else 0
    call.failed = False
    call.has_condition = condition.count > 0
    call.factor = condition.factor
    call.slowest = condition.slowest
    call.queued_s = 0.0
    if leg.has_limits and refusal(w, request, leg, call):
        return
    if leg.surges > 0:
        _crowd(w, request, leg, call)
    if leg.capacity >= 0 and not call.failed:
        overload(w, request, leg, call)
    if not call.failed and (leg.fails_by_chance or call.has_condition):
        _failure(w, request, leg, condition, call)
    if not call.failed:
        _response(w, g.broken_stream, request, leg, call)
        if leg.capacity >= 0:
            queued(w, leg, call)
    if leg.counts_ends:
        _count_natural_end(w, request, leg, call)


def fail(call: Record, outcome: int, cause: int, cause_id: int, after_s: float, told_s: float) -> None:
    """The provider fails the call."""
    call.failed = True
    call.failure = outcome
    call.failure_cause = cause
    call.failure_id = cause_id
    call.after_s = after_s
    call.told_s = told_s


def delay_s(w: World, leg: Record, nth: int, delay: int, index: int) -> float:
    """A draw of a distribution that is usually constant."""
    constant = at(w.delays, delay)
    if constant.is_constant:
        return float(constant.value)
    return drawn(w, leg.index, nth, at(w.run, 0).first + delay, index)


def _drawn_for(w: World, leg: Record, nth: int, purpose: int, index: int, share: float) -> float:
    """The uniform that decides what strikes. The first cause strikes whatever it is, where its share is 1."""
    return 0.0 if share >= 1.0 else drawn(w, leg.index, nth, purpose, index)


def _failure(w: World, request: Record, leg: Record, condition: Record, call: Record) -> None:
    """Rot, then hangs, then incident errors, then random errors."""
    index, nth = request.draw, call.nth
    if leg.has_rot and leg.is_broken:
        fail(call, leg.rot_outcome, BY_ROT, -1, delay_s(w, leg, nth, leg.rot_delay, index), nan)
        return
    if condition.count > 0 and condition.hangs:
        u = _drawn_for(w, leg, nth, HANG, index, at(w.open_hangs, condition.first).value)
        at(w.open_hangs, condition.first + condition.count).value = leg.hang_rate
        struck = struck_by(u, floats(w.open_hangs, condition.first, condition.count + 1))
        if struck >= 0:
            if struck < condition.count:
                incident = at(w.open_incidents, condition.first + struck).value
                fail(call, TIMEOUT, BY_INCIDENT, incident, inf, nan)
            else:
                fail(call, TIMEOUT, BY_CHANCE, -1, inf, nan)
            return
    elif leg.hang_rate > 0.0 and drawn(w, leg.index, nth, HANG, index) < leg.hang_rate:
        fail(call, TIMEOUT, BY_CHANCE, -1, inf, nan)
        return
    if condition.count > 0:
        u = _drawn_for(w, leg, nth, INCIDENT_ERROR, index, at(w.open_error_rates, condition.first).value)
        struck = struck_by(u, floats(w.open_error_rates, condition.first, condition.count))
        if struck >= 0:
            incident = at(w.open_incidents, condition.first + struck).value
            effect = at(w.effects, at(w.incidents, incident).effect)
            after_s = delay_s(w, leg, nth, effect.delay, index)
            fail(call, effect.kind, BY_INCIDENT, incident, after_s, effect.told_s)
            return
    if leg.errors > 0:
        struck = kind_of(drawn(w, leg.index, nth, RANDOM_ERROR, index), floats(w.rates, leg.first_error, leg.errors))
        if struck >= 0:
            error = at(w.errors, leg.first_error + struck)
            fail(call, error.kind, BY_CHANCE, -1, delay_s(w, leg, nth, error.delay, index), error.told_s)


def _crowd(w: World, request: Record, leg: Record, call: Record) -> None:
    """The failure of a call that a surge, the failover of other customers, leaves without capacity."""
    u, most = drawn(w, leg.index, call.nth, CROWD, request.draw), 0.0
    for place in range(leg.first_surge, leg.first_surge + leg.surges):
        most = max(most, _overload(w, at(w.surges, at(w.surges_of_legs, place).value), call.start_s))
    if u < most:
        fail(call, OVERLOADED, BY_CAPACITY, -1, OVERLOAD_S, nan)


def _overload(w: World, surge: Record, now_s: float) -> float:
    """The probability that a call sent now is refused for overload. The call adds to the load."""
    own = 0.0
    if not isnan(surge.capacity_per_s):
        put_last(w, surge.own, now_s)
        calls = at(w.lists, surge.own)
        while first_of(calls) <= now_s - SURGE_WINDOW_S:
            drop_first(calls, 1)
        own = calls.count / SURGE_WINDOW_S / surge.capacity_per_s
    for place in range(surge.first_fled, surge.first_fled + surge.fled):
        if not at(w.conditions, at(w.fled, place).value).is_outage:
            return 0.0
    return turned_away(surge.load + own, 1.0)


def _response(w: World, broken_stream: int, request: Record, leg: Record, call: Record) -> None:
    """The response of a call that does not fail, whole, broken or useless."""
    index, nth, factor = request.draw, call.nth, call.factor
    connect_s = gap_s = speed = 0.0
    if leg.has_whole:
        full_s = first_s = drawn(w, leg.index, nth, WHOLE_RESPONSE, index) * factor
    else:
        if leg.has_connect:
            connect_s = drawn(w, leg.index, nth, CONNECT, index) * factor
        first_s = connect_s
        if leg.has_first_token:
            first_s += drawn(w, leg.index, nth, FIRST_TOKEN, index) * factor
        full_s = first_s
        if leg.has_speed:
            speed = drawn(w, leg.index, nth, SPEED, index) / factor
            full_s += request.output_tokens / speed
            if request.output_tokens > 1:
                gap_s = 1.0 / speed
    call.response = OK
    call.connect_s = connect_s
    call.first_token_s = first_s
    call.gap_s = gap_s
    call.whole_s = full_s
    call.unbroken_s = full_s
    call.speed = speed
    if not leg.spoils:
        return
    if leg.broken_rate > 0.0 and drawn(w, leg.index, nth, BROKEN, index) < leg.broken_rate:
        share = drawn(w, leg.index, nth, AFTER, index)
        broken_s = share * full_s if leg.has_whole else first_s + share * (full_s - first_s)
        call.response = broken_stream
        call.first_token_s = min(first_s, broken_s)
        call.whole_s = broken_s
    elif leg.invalid_rate > 0.0 and drawn(w, leg.index, nth, INVALID, index) < leg.invalid_rate:
        call.response = INVALID_OUTPUT


def _count_natural_end(w: World, request: Record, leg: Record, call: Record) -> None:
    """Count the call where its end counts, as its provider brings it to one. A hang lasts until the leg's time-out."""
    g = at(w.run, 0)
    if call.failed:
        outcome, lasts_s = call.failure, call.after_s
        if lasts_s == inf:
            bounds = (leg.connect_s, leg.first_token_s, leg.idle_s, leg.total_s)
            lasts_s = min(request.deadline_s - call.start_s, gives_up_after_s(bounds, 0.0, inf, 0.0, inf))
        output = request.output_tokens if (g.useless_mask >> outcome) & 1 else 0
    else:
        outcome, lasts_s = call.response, call.whole_s
        output = request.output_tokens
        if outcome != OK and outcome != INVALID_OUTPUT:
            output = output_so_far(request, leg, call, lasts_s)[0]
    failed = outcome != OK and outcome != INVALID_OUTPUT
    count_call(w, request, leg, call, call.start_s + lasts_s, output, failed)
