"""Rows of the output, in buffers that Python empties: calls, requests, changes of state, refusals by the client."""

from typing import Final

from des.compiled.kernel.memory import Record, at
from des.compiled.kernel.world import World
from des.vocabulary import (
    COMPONENT_STATES,
    GUARD_STATES,
    LEG_STATES,
    LIMIT_STATES,
    REQUEST_OK,
)

_STATES: Final = (*COMPONENT_STATES, *LEG_STATES, *GUARD_STATES, *LIMIT_STATES)
UP, DEGRADED, DOWN = (_STATES.index(name) for name in COMPONENT_STATES)
WORKING, BROKEN_LEG, IN_REPAIR = (_STATES.index(name) for name in LEG_STATES)
CLOSED_STATE, OPEN_STATE, HALF_OPEN_STATE, COOLING, EJECTED, UNHEALTHY, HEALTHY = (
    _STATES.index(name) for name in GUARD_STATES
)
ADMITTING, REFUSING = (_STATES.index(name) for name in LIMIT_STATES)


def transition(w: World, time_s: float, entity: int, kind: int, before: int, after: int) -> None:
    """A change of state."""
    g = at(w.run, 0)
    row = at(w.transition_rows, g.transition_rows)
    row.time_s = time_s
    row.entity = entity
    row.kind = kind
    row.before = before
    row.after = after
    g.transition_rows += 1


def refusal_by_client(w: World, now_s: float, leg: int, reason: int) -> None:
    """The client itself refuses a call of this leg, for a reason of `ERROR_TYPES`."""
    g = at(w.run, 0)
    row = at(w.refusal_rows, g.refusal_rows)
    row.minute = int(now_s / 60.0)
    row.leg = leg
    row.reason = reason
    g.refusal_rows += 1


def attempt_row(w: World, request: Record, call: Record) -> None:
    """A call; it may have no end, or one to come."""
    g = at(w.run, 0)
    row = at(w.attempt_rows, g.attempt_rows)
    row.request_id = request.id
    row.attempt = call.attempt
    row.round = request.rounds - 1
    row.leg = call.leg
    row.start_s = call.start_s
    row.end_s = call.end_s
    row.outcome = call.outcome
    row.cause = call.cause
    row.cause_id = call.cause_id
    row.retry_after_s = call.retry_after_s
    row.cost = call.cost
    row.input_tokens = request.input_tokens
    row.cached_tokens = call.cached_tokens
    row.output_tokens = call.output_tokens
    row.kind = call.kind
    g.attempt_rows += 1


def request_row(
    w: World, request: Record, end_s: float, outcome: int, error_type: int, lost_to: int, cached: bool
) -> None:
    """A request that has ended, or that never ends (NaN)."""
    g = at(w.run, 0)
    row = at(w.request_rows, g.request_rows)
    served = outcome == REQUEST_OK and request.last_leg >= 0
    row.request_id = request.id
    row.arrival_s = request.arrival_s
    row.end_s = end_s
    row.outcome = outcome
    row.error_type = error_type
    row.leg = request.last_leg if served else -1
    row.rounds = request.rounds
    row.attempts = request.attempts
    row.backoff_s = request.backoff_s
    row.queued_s = request.queued_s
    row.cost = request.cost
    row.wasted = request.cost - request.last_cost if served else request.cost
    row.input_tokens = request.input_tokens
    row.output_tokens = request.output_tokens if outcome == REQUEST_OK else 0
    row.response_cache_hit = cached
    row.lost_to = lost_to
    g.request_rows += 1
