"""How a call ends for its client, naturally or cut off, and what is billed."""

from math import inf, nan

from des.compiled.kernel.memory import Record, at
from des.compiled.kernel.questions import KILL, ask
from des.compiled.kernel.world import CHARGE_FULL, CHARGE_INPUT, CHARGE_NOTHING, CHARGE_PARTIAL, World
from des.rules.billing import flat_cost, token_cost
from des.rules.calls import gives_up_after_s
from des.vocabulary import (
    BY_CAPACITY,
    BY_CHANCE,
    BY_DEADLINE,
    BY_HEDGE,
    BY_INCIDENT,
    INVALID_OUTPUT,
    OK,
    TIMEOUT,
)

WHOLE_TOKEN = 1e-6  # rounding tolerance of clock times, in tokens


def ended(
    w: World, request: Record, leg: Record, call: Record, until_s: float, bound_outcome: int, bound_cause: int
) -> None:
    """Work out the call's end as its client sees it, and its bill. The bound ends it at `until_s` at the latest.

    Only the call's end changes, so the same call may be evaluated again with another bound.
    """
    if call.failed:
        call.outcome = call.failure
        call.cause = call.failure_cause
        call.cause_id = call.failure_id
        call.retry_after_s = call.told_s
        call.end_s = call.start_s + call.after_s
        if call.after_s > leg.least_bound_s or call.end_s > until_s:
            _failed(leg, call, until_s, bound_outcome, bound_cause)
    else:
        _answered(leg, call, until_s, bound_outcome, bound_cause)
    if call.start_s < leg.last_kill_s:
        _killed(w, request, leg, call)
    if call.failed:  # no output, except that of invalid output
        output, done = 0, 0.0
        if (at(w.run, 0).useless_mask >> call.outcome) & 1:
            output, done = request.output_tokens, 1.0
    elif call.outcome == OK or call.outcome == INVALID_OUTPUT:
        output, done = request.output_tokens, 1.0
    else:
        output, done = output_so_far(request, leg, call, call.end_s - call.start_s)
    call.output_tokens = output
    _bill(w, request, leg, call, done)


def _failed(leg: Record, call: Record, until_s: float, bound_outcome: int, bound_cause: int) -> None:
    """The end of a failing call that exceeds a time-out of the leg or the bound."""
    if call.after_s > leg.least_bound_s:
        bounds = (leg.connect_s, leg.first_token_s, leg.idle_s, leg.total_s)
        give_up_s = gives_up_after_s(bounds, 0.0, call.after_s, 0.0, call.after_s)
        if give_up_s < call.after_s:
            call.outcome = TIMEOUT
            call.end_s = call.start_s + give_up_s
            call.retry_after_s = nan
    if call.end_s > until_s:
        call.end_s = until_s
        call.retry_after_s = nan
        if bound_outcome != TIMEOUT:
            if call.cause != BY_INCIDENT or bound_cause != BY_DEADLINE:
                call.cause_id = -1
            call.cause = bound_cause
        call.outcome = bound_outcome


def _answered(leg: Record, call: Record, until_s: float, bound_outcome: int, bound_cause: int) -> None:
    """The end of an answered call, by its response or earlier by the client or the bound."""
    call.outcome = call.response
    call.cause = -1 if call.response == OK else BY_CHANCE
    call.cause_id = -1
    call.retry_after_s = nan
    call.end_s = call.start_s + call.whole_s
    if call.whole_s > leg.least_bound_s or call.gap_s > leg.idle_s:
        give_up_s = _gives_up_after_s(leg, call, 1.0, 0.0)
        if give_up_s < call.whole_s:
            call.outcome = TIMEOUT
            call.end_s = call.start_s + give_up_s
            _blame_for_slowness(leg, call)
    if call.end_s > until_s:
        call.outcome = bound_outcome
        _blame_for_lateness(leg, call, bound_outcome, bound_cause, until_s - call.start_s)
        call.end_s = until_s


def _gives_up_after_s(leg: Record, call: Record, factor: float, queued_s: float) -> float:
    """When a time-out of the leg is exceeded, if the response were `factor` faster after a wait of `queued_s`."""
    return gives_up_after_s(
        (leg.connect_s, leg.first_token_s, leg.idle_s, leg.total_s),
        call.connect_s / factor,
        (call.first_token_s - queued_s) / factor + queued_s,
        call.gap_s / factor,
        (call.whole_s - queued_s) / factor + queued_s,
    )


def _blame_for_slowness(leg: Record, call: Record) -> None:
    """The incident that made a response too slow, or else the endpoint's queue; nothing where it was slow anyway."""
    call.cause = -1
    call.cause_id = -1
    queued_s = call.queued_s
    if call.has_condition and call.factor > 1.0 and _gives_up_after_s(leg, call, call.factor, queued_s) == inf:
        call.cause = BY_INCIDENT
        call.cause_id = call.slowest
    elif queued_s > 0.0:
        at_once_s = gives_up_after_s(
            (leg.connect_s, leg.first_token_s, leg.idle_s, leg.total_s),
            call.connect_s,
            call.first_token_s - queued_s,
            call.gap_s,
            call.whole_s - queued_s,
        )
        if at_once_s == inf:
            call.cause = BY_CAPACITY
            call.cause_id = leg.capacity


def _blame_for_lateness(leg: Record, call: Record, outcome: int, cause: int, left_s: float) -> None:
    """The cause of a response cut off `left_s` into the call, and its number: -1 where it would have been late anyway.

    For a time-out the cause is the incident that made it late, or else the queue. A deadline or a lost race keeps its
    own.
    """
    call.cause = cause
    call.cause_id = -1
    if cause == BY_HEDGE:
        return
    whole_s, queued_s = call.whole_s, call.queued_s
    if call.has_condition and call.factor > 1.0 and (whole_s - queued_s) / call.factor + queued_s <= left_s:
        if outcome == TIMEOUT:
            call.cause = BY_INCIDENT
        call.cause_id = call.slowest
    elif outcome == TIMEOUT and queued_s > 0.0 and whole_s - queued_s <= left_s:
        call.cause = BY_CAPACITY
        call.cause_id = leg.capacity


def _killed(w: World, request: Record, leg: Record, call: Record) -> None:
    """The end by an incident that kills the call, if one does. Few calls meet one, so Python decides."""
    if call.end_s < at(w.run, 0).incidents_until_s and not _is_in_danger(w, leg, call.start_s, call.end_s):
        return
    ask(w, KILL, call.place, request.draw, 0)


def _is_in_danger(w: World, leg: Record, after_s: float, until_s: float) -> bool:
    """Whether an incident that may kill calls starts in (after, until]."""
    low, high = leg.first_kill, leg.first_kill + leg.kills
    while low < high:
        middle = (low + high) >> 1
        if at(w.kills, middle).value <= after_s:
            low = middle + 1
        else:
            high = middle
    return low < leg.first_kill + leg.kills and at(w.kills, low).value <= until_s


def output_so_far(request: Record, leg: Record, call: Record, elapsed_s: float) -> tuple[int, float]:
    """(tokens, share of the response) made when the call is cut off.

    A response that comes whole is made at an even pace from the start of service, a streamed one from its first token.
    """
    if leg.has_whole:
        full_s, queued_s = call.unbroken_s, call.queued_s
        if elapsed_s < queued_s:
            return 0, 0.0
        done = min(1.0, (elapsed_s - queued_s) / (full_s - queued_s)) if full_s > queued_s else 1.0
        return int(done * request.output_tokens + WHOLE_TOKEN), done
    if elapsed_s < call.first_token_s:
        return 0, 0.0
    if call.speed == 0.0 or request.output_tokens == 0:
        return request.output_tokens, 1.0
    made = int((elapsed_s - call.first_token_s) * call.speed + WHOLE_TOKEN)
    output = min(request.output_tokens, made)
    return output, output / request.output_tokens


def _bill(w: World, request: Record, leg: Record, call: Record, done: float) -> None:
    """What the call costs in picodollars, and how much of its input the prompt cache gave."""
    g = at(w.run, 0)
    mode = at(w.modes, leg.index * g.kinds + call.outcome).value
    if mode == CHARGE_NOTHING:
        call.cached_tokens = 0
        call.cost = 0
        return
    call.cost, call.cached_tokens = bill(request, leg, mode, call.is_warm, call.output_tokens, done)


def bill(request: Record, leg: Record, mode: int, is_warm: bool, output: int, done: float) -> tuple[int, int]:
    """(picodollars, input tokens read from the prompt cache) of a call billed in this mode."""
    plain, cached, written = request.input_tokens, 0, 0
    if leg.has_prefix:
        if is_warm:
            cached = int(leg.prefix_share * plain)
        else:
            written = int(leg.prefix_share * plain)
        plain -= cached + written
    prices = (leg.input_price, leg.cached_price, leg.write_price, leg.output_price)
    cost = 0
    if mode == CHARGE_FULL:
        cost = token_cost("full", plain, cached, written, request.output_tokens, output, prices)
        if leg.counts_calls:
            cost += flat_cost("full", leg.per_request, leg.per_unit, request.units, done)
    elif mode == CHARGE_PARTIAL:
        cost = token_cost("partial", plain, cached, written, request.output_tokens, output, prices)
        if leg.counts_calls:
            cost += flat_cost("partial", leg.per_request, leg.per_unit, request.units, done)
    elif mode == CHARGE_INPUT:
        cost = token_cost("input", plain, cached, written, request.output_tokens, output, prices)
    return cost, cached
