"""The walk of a request: pick a leg, be admitted, be served, end, learn, next."""

from math import inf, nan

from des.compiled.kernel.admission import HAS_RESULT, WAITS, end_wait, let_in, let_in_after_wait
from des.compiled.kernel.hedging import begin_hedged, first_ends, send_copy
from des.compiled.kernel.layers import NEVER_ENDS, innermost
from des.compiled.kernel.memory import Record, at
from des.compiled.kernel.questions import drawn
from des.compiled.kernel.queue import push, succeed
from des.compiled.kernel.rows import attempt_row, request_row
from des.compiled.kernel.way import again, begin, follow, learn_of_call, make_call
from des.compiled.kernel.world import (
    CACHE_KEY,
    CACHE_LATENCY,
    NO_WAIT,
    NOT_REFUSED,
    REFUSED_BY_CLIENT,
    REFUSED_BY_OPEN_CIRCUIT,
    REQUEST_RESUMES,
    RUN_IS_DONE,
    STAGE_CACHE,
    STAGE_COPY,
    STAGE_DECIDE,
    STAGE_FLIGHT,
    STAGE_LEARN,
    STAGE_PICK,
    STAGE_PLACED,
    STAGE_SHAPED,
    STAGE_WAIT,
    THINK,
    USER_SENDS,
    World,
)
from des.engine.priorities import ARRIVAL, TIMER
from des.vocabulary import (
    BY_CAPACITY,
    BY_DEADLINE,
    BY_INCIDENT,
    BY_LIMIT,
    BY_ROT,
    CANCELLED,
    ERROR_TYPES,
    REQUEST_DEADLINE,
    REQUEST_FAILED,
    REQUEST_IN_FLIGHT,
    REQUEST_OK,
    REQUEST_REJECTED,
    TIMEOUT,
)

HANG_ERROR = ERROR_TYPES.index("hang")
NO_ELIGIBLE_LEG = ERROR_TYPES.index("no_eligible_leg")
CIRCUIT_OPEN = ERROR_TYPES.index("circuit_open")
CLIENT_LIMIT = ERROR_TYPES.index("client_limit")
(
    LOST_TO_ERROR,
    LOST_TO_TIMEOUT,
    LOST_TO_ROT,
    LOST_TO_OVERLOAD,
    LOST_TO_DEADLINE,
    LOST_TO_ELIGIBILITY,
    LOST_TO_HANG,
    LOST_TO_CIRCUIT,
    LOST_TO_CLIENT,
) = range(9)
"""Places in `OTHER_LOSSES`."""


def arrive(w: World, request: Record) -> None:
    """A request comes, and walks as far as it can at once."""
    g = at(w.run, 0)
    request.rounds = 0
    request.round_waits = 0
    request.attempts = 0
    request.cost = 0
    request.last_leg = -1
    request.last_end_s = -inf
    request.last_cost = 0
    request.backoff_s = 0.0
    request.queued_s = 0.0
    request.waits = NO_WAIT
    request.waiting_since_s = 0.0
    request.unrecorded = 0
    request.retry_after_total_s = 0.0
    request.refused_by = NOT_REFUSED
    request.hangs = False
    request.is_open = True
    request.now_s = request.arrival_s
    request.due = 0
    request.leg = -1
    request.stage = STAGE_PICK
    request.outcome = REQUEST_FAILED
    g.open += 1
    g.arrived += 1
    if g.has_response_cache and _cache_answers(w, g, request):
        answer_s = g.now_s + drawn(w, g.legs, 0, CACHE_LATENCY, request.draw)
        request.now_s = min(answer_s, request.deadline_s)
        request.give_up_s = answer_s
        request.due = TIMER
        wait(w, request, STAGE_CACHE)
        return
    if at(w.requirements, request.requirement).count == 0:
        finish(w, request, REQUEST_REJECTED)
        return
    for leg in range(g.legs):
        at(w.calls_made, request.slot * g.legs + leg).value = 0
    begin(w, request)
    walk(w, request)


def _cache_answers(w: World, g: Record, request: Record) -> bool:
    """Whether the response cache has the answer."""
    if g.has_hit_rate:
        return drawn(w, g.legs, 0, CACHE_KEY, request.draw) < g.hit_rate
    return g.now_s < at(w.expires, _key(w, g, request)).value


def _key(w: World, g: Record, request: Record) -> int:
    """The key of the request's response, by popularity."""
    sought = drawn(w, g.legs, 0, CACHE_KEY, request.draw) * at(w.cumulative, g.keys - 1).value
    low, high = 0, g.keys
    while low < high:
        middle = (low + high) >> 1
        if sought < at(w.cumulative, middle).value:
            high = middle
        else:
            low = middle + 1
    return min(low, g.keys - 1)


def wait(w: World, request: Record, stage: int) -> None:
    """Go on when the clock reaches the request's time."""
    request.stage = stage
    push(w, request.now_s, request.due, request.id, REQUEST_RESUMES, request.slot, 0)


def walk(w: World, request: Record) -> None:
    """Walk the chain until the request has to wait, or has ended."""
    while True:
        stage = request.stage
        if stage == STAGE_CACHE:
            _end_from_cache(w, request)
            return
        if stage == STAGE_PICK:
            if request.depth == 0:
                _end(w, request)
                return
            leg = request.leg if request.leg >= 0 else request.open_leg
            if leg < 0:
                request.left_out = 0
                admission = let_in(w, request)
                if admission == WAITS:
                    return
                stage = STAGE_DECIDE if admission == HAS_RESULT else STAGE_PICK
                request.stage = stage
                if stage == STAGE_PICK:
                    continue
            else:
                called = at(w.legs, leg)
                if called.has_hedge:
                    if not begin_hedged(w, request, called):
                        return
                else:
                    make_call(w, request, called)
                    if called.learns and request.due != 0:
                        wait(w, request, STAGE_LEARN)
                        return
                stage = STAGE_DECIDE
        elif stage == STAGE_LEARN:
            request.due = 0
            learn_of_call(w, request, at(w.legs, request.leg if request.leg >= 0 else request.open_leg))
            stage = STAGE_DECIDE
        elif stage in (STAGE_COPY, STAGE_FLIGHT):
            if not _hedge_goes_on(w, request, stage):
                return
            stage = STAGE_DECIDE
        elif stage in (STAGE_SHAPED, STAGE_PLACED):
            admission = let_in_after_wait(w, request, stage)
            if admission == WAITS:
                return
            stage = STAGE_DECIDE if admission == HAS_RESULT else STAGE_PICK
            request.stage = stage
            if stage == STAGE_PICK:
                continue
        has_result = True
        if stage == STAGE_DECIDE:
            has_result = follow(w, request)
            if request.due != 0:
                wait(w, request, STAGE_WAIT)
                request.has_result = has_result
                return
        else:
            request.due = 0
            has_result = request.has_result
            if request.waits != NO_WAIT:
                request.backoff_s += request.now_s - request.waiting_since_s
                request.waits = NO_WAIT
        if has_result:
            request.stage = STAGE_DECIDE
            continue
        if request.depth > 0 and innermost(w, request).renews:
            again(w, request)
        request.stage = STAGE_PICK


def _hedge_goes_on(w: World, request: Record, stage: int) -> bool:
    """A hedged call sends a copy or learns of an end. Returns whether its result is there."""
    leg = at(w.legs, request.leg)
    if stage == STAGE_COPY:
        return send_copy(w, request, leg)
    return first_ends(w, request, leg)


def _end_from_cache(w: World, request: Record) -> None:
    """The cache answers, or the deadline comes first."""
    if request.give_up_s > request.deadline_s:
        finish(w, request, REQUEST_DEADLINE)
    else:
        request_row(w, request, at(w.run, 0).now_s, REQUEST_OK, -1, -1, True)
        close_request(w, request)


def _end(w: World, request: Record) -> None:
    """Every layer is over: the request ends, or hangs for ever."""
    outcome = request.outcome
    if outcome == NEVER_ENDS:
        abandon(w, request)
        return
    if outcome != REQUEST_OK and outcome != REQUEST_DEADLINE:
        outcome = REQUEST_FAILED
        if request.last_leg < 0:
            outcome = REQUEST_REJECTED
            if request.refused_by == NOT_REFUSED:
                request.refused_by = REFUSED_BY_CLIENT
    finish(w, request, outcome)


# The end of a request


def finish(w: World, request: Record, outcome: int) -> None:
    """A request has ended now."""
    g = at(w.run, 0)
    error_type, lost_to = -1, -1
    if outcome != REQUEST_OK:
        error_type, lost_to = blame(w, request, outcome)
    elif g.has_response_cache and not g.has_hit_rate:
        at(w.expires, _key(w, g, request)).value = g.now_s + g.ttl_s
    request_row(w, request, g.now_s, outcome, error_type, lost_to, False)
    close_request(w, request)


def abandon(w: World, request: Record) -> None:
    """A request hangs in a call that never ends, or waits for ever for the place of such a call."""
    if request.last_leg >= 0 and request.last_end_s == inf:
        attempt_row(w, request, at(w.calls, request.last_call))
    request_row(w, request, nan, REQUEST_FAILED, HANG_ERROR, _lost_to_hang(w, request), False)
    request.hangs = True
    close_request(w, request)


def think(w: World, user: int) -> None:
    """A user of a closed workload thinks before the next request, which comes before the horizon or not at all."""
    g = at(w.run, 0)
    draw = at(w.users, user).value * g.users + user
    arrival_s = g.now_s + drawn(w, g.legs, 0, THINK, draw)
    if arrival_s < g.horizon_s:
        push(w, arrival_s, ARRIVAL, user, USER_SENDS, user, 0)


def close_request(w: World, request: Record) -> None:
    g = at(w.run, 0)
    request.is_open = False
    at(w.free, g.free_slots).value = request.slot
    g.free_slots += 1
    g.open -= 1
    if request.user >= 0 and not request.hangs:
        think(w, request.user)
    if g.arrivals_are_over:
        end_if_over(w)
    if g.left > 0 and g.counted_from <= request.id < g.counted_until:
        g.left -= 1
        if g.left == 0:
            be_done(w)


def be_done(w: World) -> None:
    """The run ends here, once all that has succeeded before has taken effect."""
    g = at(w.run, 0)
    if not g.done_is_due:
        g.done_is_due = True
        succeed(w, RUN_IS_DONE, 0)


def end_if_over(w: World) -> None:
    """End the run if no more requests arrive and none is in flight."""
    g = at(w.run, 0)
    if g.arrivals_are_over and g.open == 0 and g.orphans == 0:
        be_done(w)


def cut(w: World) -> None:
    """End the run here: open requests are recorded as in flight, and calls in flight get no row."""
    g = at(w.run, 0)
    if g.done_is_due:
        return
    for slot in range(g.slots):
        request = at(w.requests, slot)
        if request.is_open:
            _cut_request(request, g.now_s)
            request_row(w, request, nan, REQUEST_IN_FLIGHT, -1, -1, False)
    be_done(w)


def _cut_request(request: Record, now_s: float) -> None:
    if request.last_leg >= 0 and request.last_end_s > now_s:
        request.attempts -= 1
        request.cost -= request.last_cost
    request.attempts -= request.unrecorded
    if request.waiting_since_s <= now_s:
        end_wait(request, now_s)


def blame(w: World, request: Record, outcome: int) -> tuple[int, int]:
    """(error type, what the loss is attributed to) by the request's last failure."""
    g = at(w.run, 0)
    other = g.first_other
    if outcome == REQUEST_REJECTED:
        if request.refused_by == REFUSED_BY_OPEN_CIRCUIT:
            return CIRCUIT_OPEN, other + LOST_TO_CIRCUIT
        if request.refused_by == REFUSED_BY_CLIENT:
            return CLIENT_LIMIT, other + LOST_TO_CLIENT
        return NO_ELIGIBLE_LEG, other + LOST_TO_ELIGIBILITY
    if request.last_leg < 0:  # the cache did not answer by the deadline
        return CANCELLED - 1, other + LOST_TO_DEADLINE
    error_type = at(w.outcomes, request.last_outcome).value - 1
    cause, cause_id = request.last_cause, request.last_cause_id
    if cause == BY_INCIDENT or (cause == BY_DEADLINE and cause_id >= 0):
        return error_type, at(w.incidents, cause_id).component
    if cause == BY_LIMIT:
        return error_type, g.first_limit + cause_id
    if cause == BY_CAPACITY and cause_id >= 0:
        return error_type, g.first_capacity + cause_id
    if cause == BY_CAPACITY:
        return error_type, other + LOST_TO_OVERLOAD
    if cause == BY_ROT:
        return error_type, other + LOST_TO_ROT
    if outcome == REQUEST_DEADLINE:
        return error_type, other + LOST_TO_DEADLINE
    return error_type, other + (LOST_TO_TIMEOUT if error_type == TIMEOUT - 1 else LOST_TO_ERROR)


def _lost_to_hang(w: World, request: Record) -> int:
    """What the loss of a request that hangs is attributed to: the cause of its last call's hang, if known."""
    other = at(w.run, 0).first_other
    if request.last_leg >= 0 and request.last_end_s == inf:
        blamed = blame(w, request, REQUEST_FAILED)[1]
        if blamed != other + LOST_TO_TIMEOUT:
            return blamed
    return int(other + LOST_TO_HANG)
