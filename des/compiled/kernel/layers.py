"""The state of the layers around one request's call: each decides what follows an attempt inside it.

The layers of a request are records one after the other, the outermost first. A bound is an instant and the layer whose
time-out it is: its place among them, or -1 for the request's deadline.
"""

from math import inf, isnan, nan

from des.compiled.kernel.memory import Record, at
from des.compiled.kernel.questions import LONG_WAIT, ask, drawn
from des.compiled.kernel.world import (
    APPLICATION_BACKOFF,
    APPLICATION_SPREAD,
    BACKOFF,
    FIRST_INNER,
    NONE_STRUCK,
    ROUND_BACKOFF,
    SPREAD,
    WAITS_AT_HAND,
    World,
)
from des.rules.retry import cap_within_total_s, combined_s, honoured_s, jittered_s, spread_out_s
from des.vocabulary import OK, REQUEST_FAILED, REQUEST_REJECTED

ENTRY_PLACE, APPLICATION_PLACE = -2, -1
NO_ENTRY, REFUSED, NEVER_ENDS = -1, -1, -2
NO_JITTER, FULL, EQUAL, ADDITIVE, SCALED, DECORRELATED = range(6)
CLIP, REFUSE, IGNORE = range(3)
LONGER, REPLACE = range(2)


def layer_at(w: World, request: Record, place: int) -> Record:
    return at(w.layers, request.slot * at(w.run, 0).depth + place)


def innermost(w: World, request: Record) -> Record:
    return layer_at(w, request, request.depth - 1)


def set_result(request: Record, outcome: int, retry_after_s: float, leg: int, nth: int) -> None:
    """How an attempt has ended, for the layer around it, without a bound that struck."""
    request.result = outcome
    request.retry_after_s = retry_after_s
    request.result_leg = leg
    request.result_nth = nth
    request.struck = NONE_STRUCK


def set_cut_off(request: Record, owner: int, is_whole: bool, outcome: int) -> None:
    """The result of an attempt that a bound has cut off during a wait."""
    request.result = outcome
    request.retry_after_s = nan
    request.result_leg = -1
    request.result_nth = 0
    request.struck = owner
    request.struck_is_whole = is_whole


# Opening


def open_retries(
    w: World, request: Record, rule_number: int, until_s: float, owner: int, is_whole: bool, entry: int
) -> Record:
    """A layer by this rule inside the bound."""
    rule = at(w.rules, rule_number)
    place = request.depth
    layer = layer_at(w, request, place)
    request.depth = place + 1
    layer.rule = rule_number
    layer.entry = entry
    layer.is_chain = False
    layer.first_inside = 0
    layer.inside = 0
    layer.retry = 0
    layer.waited_s = rule.first_wait_s
    layer.granted = -1
    layer.is_over = False
    layer.renews = rule.is_bounded or rule.is_application
    layer.until_s = until_s
    layer.owner = owner
    layer.is_whole = is_whole
    if rule.is_bounded and not isnan(rule.timeout_s) and request.now_s + rule.timeout_s < until_s:
        layer.until_s = request.now_s + rule.timeout_s
        layer.owner = place
        layer.is_whole = True
    bound_attempt(request, rule, layer, place)
    return layer


def bound_attempt(request: Record, rule: Record, layer: Record, place: int) -> None:
    """The bound of an attempt that starts now."""
    layer.attempt_until_s = layer.until_s
    layer.attempt_owner = layer.owner
    layer.attempt_is_whole = layer.is_whole
    if rule.is_bounded and not isnan(rule.attempt_timeout_s):
        until_s = request.now_s + rule.attempt_timeout_s
        if until_s < layer.until_s:
            layer.attempt_until_s = until_s
            layer.attempt_owner = place
            layer.attempt_is_whole = False


def open_chain(w: World, request: Record, until_s: float, owner: int, is_whole: bool) -> None:
    """Rounds over the entries of the chain."""
    layer = layer_at(w, request, request.depth)
    request.depth += 1
    layer.is_chain = True
    layer.renews = True
    layer.rule = -1
    layer.entry = NO_ENTRY
    layer.until_s = until_s
    layer.attempt_until_s = until_s
    layer.owner = owner
    layer.attempt_owner = owner
    layer.is_whole = is_whole
    layer.attempt_is_whole = is_whole
    layer.entries = 0
    layer.place = 0
    layer.is_over = False
    layer.outcome = REQUEST_FAILED
    layer.made = request.attempts
    layer.rounds = 0
    layer.waited_s = at(w.run, 0).first_round_wait_s
    layer.retry_after_s = nan


# What follows


def after_attempt(w: World, request: Record, layer: Record) -> float:
    """The wait after an attempt with this result, 0 for none. The layer is over unless another attempt follows."""
    rule = at(w.rules, layer.rule)
    outcome = request.result
    layer.is_over = True
    if outcome <= OK or (rule.retried >> outcome) & 1 == 0:
        return 0.0
    is_last = layer.retry == rule.retries
    if is_last and not rule.waits_after_last:
        return 0.0
    wait_s = before_jitter_s(w, rule.waits, layer.retry) if rule.is_deterministic else _wait_s(w, request, rule, layer)
    layer.waited_s = wait_s
    if wait_s == inf:
        return 0.0
    if not is_last:
        layer.is_over = False
        layer.retry += 1
    return wait_s


def before_jitter_s(w: World, waits: int, k: int) -> float:
    """The wait after k retries or rounds, without jitter."""
    if k < WAITS_AT_HAND:
        return at(w.waits_s, waits * WAITS_AT_HAND + k).value
    ask(w, LONG_WAIT, waits, k, 0)
    return at(w.run, 0).answer


def _jittered_s(waits: Record, wait_s: float, u: float, previous_s: float) -> float:
    kind = waits.jitter
    if kind == FULL:
        jittered = _spread(waits, "full", wait_s, u, previous_s)
    elif kind == EQUAL:
        jittered = _spread(waits, "equal", wait_s, u, previous_s)
    elif kind == ADDITIVE:
        jittered = _spread(waits, "additive", wait_s, u, previous_s)
    elif kind == SCALED:
        jittered = _spread(waits, "scaled", wait_s, u, previous_s)
    else:
        jittered = _spread(waits, "decorrelated", wait_s, u, previous_s)
    return min(jittered, waits.most_s)


def _spread(waits: Record, jitter: str, wait_s: float, u: float, previous_s: float) -> float:
    return jittered_s(
        jitter,
        wait_s,
        u,
        base_s=waits.base_s,
        cap_s=waits.cap_s,
        spread_s=waits.spread_s,
        previous_s=previous_s,
        low=waits.low,
        high=waits.high,
    )


def _wait_s(w: World, request: Record, rule: Record, layer: Record) -> float:
    """The wait before the layer's next retry, infinite for no retry."""
    g = at(w.run, 0)
    number = rule.waits
    if rule.throttled_waits >= 0 and (g.throttle_mask >> request.result) & 1:
        number = rule.throttled_waits
    wait_s = before_jitter_s(w, number, layer.retry)
    waits = at(w.waits, number)
    if waits.has_jitter:
        u = _uniform(w, request, rule, layer.retry, False)
        wait_s = _jittered_s(waits, wait_s, u, layer.waited_s)
    if not rule.honours or isnan(request.retry_after_s):
        return wait_s
    if not rule.is_application and (rule.heeds >> request.result) & 1 == 0:
        return wait_s
    cap_s = cap_within_total_s(rule.retry_after_cap_s, request.retry_after_total_s, rule.retry_after_total_s)
    asked_s = _honoured_s(rule, request.retry_after_s, cap_s)
    if isnan(asked_s) or asked_s == inf:
        return _combined_s(rule, wait_s, asked_s)
    request.retry_after_total_s += asked_s
    if rule.spread_s > 0.0:
        asked_s = spread_out_s(asked_s, _uniform(w, request, rule, layer.retry, True), rule.spread_s)
    return _combined_s(rule, wait_s, asked_s)


def _honoured_s(rule: Record, asked_s: float, cap_s: float) -> float:
    if rule.above == CLIP:
        return honoured_s(asked_s, cap_s, "clip")
    if rule.above == REFUSE:
        return honoured_s(asked_s, cap_s, "refuse")
    return honoured_s(asked_s, cap_s, "ignore")


def _combined_s(rule: Record, wait_s: float, asked_s: float) -> float:
    if rule.combine == LONGER:
        return combined_s(wait_s, asked_s, "max")
    return combined_s(wait_s, asked_s, "replace")


def _uniform(w: World, request: Record, rule: Record, retry: int, spreads: bool) -> float:
    """The draw of a wait, or of what is added to a Retry-After."""
    leg, nth = request.result_leg, request.result_nth
    if leg < 0 or rule.is_application:
        purpose = APPLICATION_SPREAD if spreads else APPLICATION_BACKOFF
        return drawn(w, at(w.run, 0).legs, retry, purpose, request.draw)
    if rule.place != ENTRY_PLACE:
        purpose = FIRST_INNER + 2 * rule.place + (1 if spreads else 0)
        return drawn(w, leg, nth, purpose, request.draw)
    return drawn(w, leg, nth, SPREAD if spreads else BACKOFF, request.draw)


def after_entry(w: World, request: Record, layer: Record, number: int) -> float:
    """The wait after the attempts on this entry of the chain; 0 except before another round."""
    g = at(w.run, 0)
    outcome = request.result
    layer.is_over = True
    if outcome != REFUSED:
        layer.retry_after_s = request.retry_after_s
        entry = at(w.entries, number)
        if (entry.falls_back >> outcome) & 1 == 0:
            return 0.0
    layer.place += 1
    if layer.place < layer.entries:
        layer.is_over = False
        return 0.0
    layer.rounds += 1
    if layer.rounds == g.rounds:
        layer.outcome = REQUEST_FAILED if request.attempts > layer.made else REQUEST_REJECTED
        return 0.0
    layer.is_over = False
    nth = request.round_waits
    request.round_waits = nth + 1
    wait_s = before_jitter_s(w, g.round_waits, layer.rounds - 1)
    waits = at(w.waits, g.round_waits)
    if waits.has_jitter:
        u = drawn(w, g.legs, nth, ROUND_BACKOFF, request.draw)
        wait_s = _jittered_s(waits, wait_s, u, layer.waited_s)
    layer.waited_s = wait_s
    return wait_s
