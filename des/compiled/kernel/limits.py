"""What a call passes before an endpoint works on it: its limits, all or none, and the endpoint's capacity."""

from math import inf, nan

from des.compiled.kernel.lists import (
    address_of,
    corrections_pop,
    corrections_push,
    drop_first,
    first_of,
    heap_pop,
    heap_push,
    heap_replace,
    put_last,
)
from des.compiled.kernel.memory import Record, at, float_at, floats_at, int_at, set_float
from des.compiled.kernel.questions import drawn
from des.compiled.kernel.rows import ADMITTING, REFUSING, transition
from des.compiled.kernel.world import World
from des.rules.limits import (
    WHOLE,
    acceleration_allowance,
    bucket_corrected,
    bucket_holds,
    bucket_holds_again_after_s,
    bucket_refilled,
    bucket_without,
    bucket_without_one,
    left_log,
    log_retry_after_s,
    next_window_after_s,
    place_is_free,
    queue_is_full,
    rounded_up_s,
    token_after_s,
    window_admits,
    window_of,
)
from des.vocabulary import BY_CAPACITY, BY_LIMIT, OVERLOADED, RATE_LIMITED

BUCKET_OF_REQUESTS, TOKEN_BUCKET, FIXED_WINDOW, SLIDING_LOG, ACCELERATION, CONCURRENCY = range(6)
REQUESTS, INPUT_TOKENS, OUTPUT_TOKENS, TOKENS, CALLS = range(5)
AT_DISPATCH, BY_ESTIMATE, AFTER_SUCCESS = range(3)
LEAST = 1.0  # what must be left of a limit that counts a call only after its success
PRUNED = 64  # starts gone by that are kept at most


# One limit


def estimated_usage(limit: Record, request: Record, cached_tokens: int) -> float:
    """What there must be room for when a call is sent: what it will use, an estimate of that, or `LEAST`."""
    if limit.counts_by_number:
        return LEAST
    output = request.output_tokens if limit.estimated_output < 0 else limit.estimated_output
    return _usage(limit, request, cached_tokens, output)


def _usage(limit: Record, request: Record, cached_tokens: int, output_tokens: int) -> float:
    input_tokens = request.input_tokens if limit.counts_cached else request.input_tokens - cached_tokens
    if limit.metric == INPUT_TOKENS:
        return float(input_tokens)
    if limit.metric == OUTPUT_TOKENS:
        return float(output_tokens)
    return float(input_tokens + output_tokens)


def admits(w: World, limit: Record, amount: float, now_s: float) -> bool:
    """Whether there is room now; everything that has ended by now is counted before."""
    pending = at(w.lists, limit.pending)
    while pending.count > 0 and float_at(pending.address) <= now_s:
        at_s, estimated = float_at(pending.address), float_at(pending.address + 16)
        actual, entry = float_at(pending.address + 24), int_at(pending.address + 32)
        corrections_pop(pending)
        _correct(w, limit, at_s, estimated, actual, entry)
    return _has_room(w, limit, amount, now_s)


def _refill(limit: Record, now_s: float) -> None:
    limit.tokens = bucket_refilled(limit.tokens, limit.refilled_at_s, now_s, limit.rate_per_s, limit.burst)
    limit.refilled_at_s = now_s


def _has_room(w: World, limit: Record, amount: float, now_s: float) -> bool:
    kind = limit.algorithm
    if kind == BUCKET_OF_REQUESTS:
        _refill(limit, now_s)
        return limit.tokens >= WHOLE
    if kind == TOKEN_BUCKET:
        _refill(limit, now_s)
        return bucket_holds(limit.tokens, amount, limit.rate_per_s)
    if kind == FIXED_WINDOW:
        _move_on(limit, now_s)
        return window_admits(limit.used, amount, limit.burst)
    if kind == ACCELERATION:
        _move_on(limit, now_s)
        return window_admits(limit.used, amount, acceleration_allowance(limit.before, limit.growth, limit.burst))
    if kind == SLIDING_LOG:
        _forget(w, limit, now_s)
        return window_admits(limit.used, amount, limit.burst)
    ends = at(w.lists, limit.ends)
    while ends.count > 0 and first_of(ends) <= now_s:
        heap_pop(ends)
    return place_is_free(ends.count, limit.burst)


def take(w: World, limit: Record, amount: float, now_s: float, end_s: float) -> int:
    """Take what `admits` has just been asked for, room or not; the entry, for corrections."""
    kind = limit.algorithm
    if kind == BUCKET_OF_REQUESTS:
        if limit.tokens > 0.0:
            limit.tokens = bucket_without_one(limit.tokens)
        return -1
    if kind == TOKEN_BUCKET:
        if limit.tokens > 0.0:
            limit.tokens = bucket_without(limit.tokens, amount)
        return -1
    if kind in (FIXED_WINDOW, ACCELERATION):
        limit.used += amount
        return int(limit.window)
    if kind == SLIDING_LOG:
        return _log(w, limit, amount, now_s)
    heap_push(w, limit.ends, end_s)
    return -1


def _log(w: World, limit: Record, amount: float, now_s: float) -> int:
    put_last(w, limit.times, now_s)
    put_last(w, limit.amounts, amount)
    limit.used += amount
    return int(limit.gone + at(w.lists, limit.times).count - 1)


def _move_on(limit: Record, now_s: float) -> None:
    window = window_of(now_s, limit.window_s)
    if window != limit.window:
        limit.before = limit.used if window == limit.window + 1 else 0.0
        limit.window = window
        limit.used = 0.0


def _forget(w: World, limit: Record, now_s: float) -> None:
    times, amounts = at(w.lists, limit.times), at(w.lists, limit.amounts)
    left = left_log(floats_at(address_of(times), times.count), now_s, limit.window_s)
    if left == 0:
        return
    gone = 0.0
    for amount in floats_at(address_of(amounts), left):
        gone += amount
    limit.used = limit.used - gone if left < times.count else 0.0
    drop_first(times, left)
    drop_first(amounts, left)
    limit.gone += left


def _correct(w: World, limit: Record, at_s: float, estimated: float, actual: float, entry: int) -> None:
    kind = limit.algorithm
    if kind in (BUCKET_OF_REQUESTS, TOKEN_BUCKET):
        _refill(limit, at_s)
        limit.tokens = bucket_corrected(limit.tokens, estimated, actual, limit.burst)
    elif kind in (FIXED_WINDOW, ACCELERATION):
        _move_on(limit, at_s)
        if actual > estimated or entry == limit.window:
            limit.used += actual - estimated
    elif kind == SLIDING_LOG:
        _forget(w, limit, at_s)
        if actual > estimated:
            _log(w, limit, actual - estimated, at_s)
        elif entry >= limit.gone:
            address = address_of(at(w.lists, limit.amounts)) + 8 * (entry - limit.gone)
            set_float(address, float_at(address) + (actual - estimated))
            limit.used += actual - estimated


def _retry_after_s(w: World, limit: Record, amount: float, now_s: float) -> float:
    """Time until a call refused now would be admitted if no other came; infinite if never."""
    kind = limit.algorithm
    if kind == BUCKET_OF_REQUESTS:
        return token_after_s(limit.tokens, limit.rate_per_s)
    if kind == TOKEN_BUCKET:
        return bucket_holds_again_after_s(limit.tokens, amount, limit.rate_per_s, limit.burst)
    if kind in (FIXED_WINDOW, ACCELERATION):
        most = limit.burst
        if kind == ACCELERATION:
            most = acceleration_allowance(limit.used, limit.growth, limit.burst)
        return next_window_after_s(now_s, limit.window_s) if window_admits(0.0, amount, most) else inf
    if kind == SLIDING_LOG:
        if not window_admits(0.0, amount, limit.burst):
            return inf
        times, amounts = at(w.lists, limit.times), at(w.lists, limit.amounts)
        return log_retry_after_s(
            floats_at(address_of(times), times.count),
            floats_at(address_of(amounts), amounts.count),
            limit.used + amount - limit.burst,
            now_s,
            limit.window_s,
        )
    ends = at(w.lists, limit.ends)
    return max(0.0, first_of(ends) - now_s) if ends.count > 0 else inf


def _count(
    w: World, limit: Record, request: Record, cached: int, now_s: float, end_s: float, output: int, failed: bool
) -> None:
    """Take what a call is estimated to use now, and correct it at its end."""
    taken = 0.0 if limit.counted == AFTER_SUCCESS else estimated_usage(limit, request, cached)
    entry = -1
    if taken != 0.0:
        entry = take(w, limit, taken, now_s, end_s)
    if limit.metric == CALLS:
        return
    final = taken
    if failed and (limit.counted == AFTER_SUCCESS or not limit.counts_failed):
        final = 0.0
    elif limit.counted != AT_DISPATCH:
        final = 1.0 if limit.metric == REQUESTS else _usage(limit, request, cached, output)
    if final != taken and end_s < inf:
        limit.numbered += 1
        corrections_push(w, limit.pending, end_s, limit.numbered, taken, final, entry)


# The limits of a leg


def refused(w: World, limit: Record, now_s: float) -> None:
    if not limit.refuses:
        limit.refuses = True
        transition(w, now_s, limit.entity, limit.entity_kind, ADMITTING, REFUSING)


def admitted(w: World, limit: Record, now_s: float) -> None:
    if limit.refuses:
        limit.refuses = False
        transition(w, now_s, limit.entity, limit.entity_kind, REFUSING, ADMITTING)


def refusal(w: World, request: Record, leg: Record, call: Record) -> bool:
    """Whether a limit has no room for the call: the first of them refuses it. If all have, they have counted it."""
    now_s, cached = call.start_s, call.cached_tokens
    refusing = -1
    for place in range(leg.first_limit, leg.first_limit + leg.limits):
        limit = at(w.limits, at(w.limits_of_legs, place).value)
        if not admits(w, limit, estimated_usage(limit, request, cached), now_s):
            refusing = place
            break
    if refusing < 0:
        for place in range(leg.first_limit, leg.first_limit + leg.limits):
            limit = at(w.limits, at(w.limits_of_legs, place).value)
            if limit.is_known:
                take(w, limit, estimated_usage(limit, request, cached), now_s, inf)
                admitted(w, limit, now_s)
        return False
    limit = at(w.limits, at(w.limits_of_legs, refusing).value)
    refused(w, limit, now_s)
    delay = at(w.delays, limit.delay)
    after_s = delay.value
    if not delay.is_constant:
        after_s = drawn(w, leg.index, call.nth, at(w.run, 0).first + limit.delay, request.draw)
    if leg.charges_refusals:
        _charge_refusal(w, request, leg, cached, refusing, now_s, now_s + after_s)
    retry_after_s = nan
    if limit.sends_retry_after:
        retry_after_s = _retry_after_s(w, limit, estimated_usage(limit, request, cached), now_s)
    if limit.retry_after_step_s > 0.0:
        retry_after_s = rounded_up_s(retry_after_s, limit.retry_after_step_s)
    call.failed = True
    call.failure = RATE_LIMITED
    call.failure_cause = BY_LIMIT
    call.failure_id = limit.index
    call.after_s = after_s
    call.told_s = nan if retry_after_s == inf else retry_after_s
    return True


def _charge_refusal(
    w: World, request: Record, leg: Record, cached: int, refusing: int, now_s: float, end_s: float
) -> None:
    """Count a refused call where refusals count: at the budgets, or at the provider's limits and then as failed."""
    first, past = leg.first_limit, leg.first_limit + leg.budgets
    if refusing >= past:
        for place in range(first, past):
            budget = at(w.limits, at(w.limits_of_legs, place).value)
            admitted(w, budget, now_s)
            _count(w, budget, request, cached, now_s, end_s, 0, True)
        first, past = past, leg.first_limit + leg.limits
    for place in range(first, past):
        limit = at(w.limits, at(w.limits_of_legs, place).value)
        if limit.counts_refused:
            amount = estimated_usage(limit, request, cached)
            admits(w, limit, amount, now_s)
            take(w, limit, amount, now_s, end_s)


def count_call(w: World, request: Record, leg: Record, call: Record, end_s: float, output: int, failed: bool) -> None:
    """Count a call that was not refused, now and at the end that the provider brings it to."""
    now_s = call.start_s
    for place in range(leg.first_limit, leg.first_limit + leg.limits):
        limit = at(w.limits, at(w.limits_of_legs, place).value)
        if not limit.is_known:
            admitted(w, limit, now_s)
            _count(w, limit, request, call.cached_tokens, now_s, end_s, output, failed)


# Capacity


def overload(w: World, request: Record, leg: Record, call: Record) -> None:
    """The failure of a call that comes when the queue is full."""
    capacity, now_s = at(w.capacities, leg.capacity), call.start_s
    if _may_be_served(w, capacity, now_s):
        admitted(w, capacity, now_s)
        return
    refused(w, capacity, now_s)
    delay = at(w.delays, capacity.delay)
    after_s = delay.value
    if not delay.is_constant:
        after_s = drawn(w, leg.index, call.nth, at(w.run, 0).first + capacity.delay, request.draw)
    call.failed = True
    call.failure = OVERLOADED
    call.failure_cause = BY_CAPACITY
    call.failure_id = capacity.index
    call.after_s = after_s
    call.told_s = nan


def _may_be_served(w: World, capacity: Record, now_s: float) -> bool:
    """Whether a call that comes now is served, at once or after waiting."""
    if max(now_s, first_of(at(w.lists, capacity.free_at))) <= now_s:
        return True
    starts = at(w.lists, capacity.starts)
    address = address_of(starts)
    low, high = 0, starts.count  # the first start later than now
    while low < high:
        middle = (low + high) >> 1
        if float_at(address + 8 * middle) <= now_s:
            low = middle + 1
        else:
            high = middle
    waiting = starts.count - low
    if low > PRUNED:
        drop_first(starts, low)
    return not queue_is_full(waiting, capacity.queue)


def queued(w: World, leg: Record, call: Record) -> None:
    """The call takes its place, and its response comes after its wait."""
    capacity, now_s = at(w.capacities, leg.capacity), call.start_s
    begins_s = max(now_s, first_of(at(w.lists, capacity.free_at)))
    heap_replace(at(w.lists, capacity.free_at), begins_s + call.whole_s)
    if begins_s > now_s:
        put_last(w, capacity.starts, begins_s)
    wait_s = begins_s - now_s
    call.first_token_s += wait_s
    call.whole_s += wait_s
    call.unbroken_s += wait_s
    call.queued_s = wait_s
