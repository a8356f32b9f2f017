"""A leg at its client: what learns of its calls, and the places they hold."""

from des.compiled.kernel.budgets import budget_learns, turn_to
from des.compiled.kernel.guards import enter_guards, guards_learn
from des.compiled.kernel.lists import put_last
from des.compiled.kernel.memory import Record, Records, at
from des.compiled.kernel.questions import drawn
from des.compiled.kernel.queue import push, succeed
from des.compiled.kernel.queues import leave_bulkhead
from des.compiled.kernel.routing import statistics_end
from des.compiled.kernel.rows import BROKEN_LEG, IN_REPAIR, WORKING, transition
from des.compiled.kernel.world import (
    LEG_IS_REPAIRED,
    LEG_ROTS,
    REPAIR,
    ROT_IS_NOTICED,
    TIME_TO_ROT,
    World,
)
from des.engine.priorities import INCIDENT_END, INCIDENT_START
from des.vocabulary import BY_ROT, CANCELLED, CLIENT_ERROR, INVALID_OUTPUT, OK


def learn(
    w: World,
    leg: Record,
    outcome: int,
    cause: int,
    start_s: float,
    end_s: float,
    cost: int,
    input_tokens: int,
    output_tokens: int,
    taken: float,
) -> None:
    """A single call has ended: update the state that counts such. `taken` is what its request's last retry cost."""
    if cause == BY_ROT:
        notice_rot(w, leg)
    if leg.has_prefix and (outcome in (OK, INVALID_OUTPUT)):
        leg.warm_until_s = end_s + leg.prefix_ttl_s
    if leg.has_statistics:
        statistics_end(w, leg, start_s, end_s, outcome, cost, input_tokens, output_tokens)
    if leg.budget >= 0 and outcome != CANCELLED:
        budget_learns(at(w.budgets, leg.budget), outcome == OK, taken)


def learn_of(w: World, call: Record, taken: float) -> None:
    """As `learn`, of a call that is on record."""
    learn(
        w,
        at(w.legs, call.leg),
        call.outcome,
        call.cause,
        call.start_s,
        call.end_s,
        call.cost,
        call.input_tokens,
        call.output_tokens,
        taken,
    )


def leave(w: World, leg: Record, tickets: Records, outcome: int, retry_after_s: float, now_s: float) -> None:
    """A call with all its layers has ended. The outcome is `CANCELLED` if an outer bound ended it."""
    guards_learn(w, leg, tickets, outcome, retry_after_s, now_s)
    if leg.has_throttling:
        standard = at(w.outcomes, outcome).value
        if standard in (OK, CLIENT_ERROR, INVALID_OUTPUT):
            put_last(w, leg.throttle_accepts, now_s)
    if leg.has_bulkhead:
        leave_bulkhead(w, leg)


def begin_visit(w: World, request: Record, leg: Record, tickets: Records) -> None:
    """A leg has admitted an attempt."""
    if leg.budget >= 0:
        turn_to(w, request, leg.budget, request.now_s)
    enter_guards(w, leg, tickets)


# Legs that break unnoticed, until a use or a probe fails


def rot(w: World, leg: Record) -> None:
    """The leg will break."""
    time_s = at(w.run, 0).now_s + drawn(w, leg.index, 0, TIME_TO_ROT, leg.rot_cycle)
    push(w, time_s, INCIDENT_START, leg.rot_order, LEG_ROTS, leg.index, 0)


def break_leg(w: World, leg: Record) -> None:
    leg.is_broken = True
    leg.awaits_notice = True
    transition(w, at(w.run, 0).now_s, leg.entity, leg.rot_kind, WORKING, BROKEN_LEG)


def notice_rot(w: World, leg: Record) -> None:
    """A call failed because the leg is broken: the repair starts, if it has not."""
    if leg.has_rot and leg.awaits_notice:
        leg.awaits_notice = False
        succeed(w, ROT_IS_NOTICED, leg.index)


def begin_repair(w: World, leg: Record) -> None:
    now_s = at(w.run, 0).now_s
    transition(w, now_s, leg.entity, leg.rot_kind, BROKEN_LEG, IN_REPAIR)
    time_s = now_s + drawn(w, leg.index, 0, REPAIR, leg.rot_cycle)
    push(w, time_s, INCIDENT_END, leg.rot_order, LEG_IS_REPAIRED, leg.index, 0)


def end_repair(w: World, leg: Record) -> None:
    leg.is_broken = False
    transition(w, at(w.run, 0).now_s, leg.entity, leg.rot_kind, IN_REPAIR, WORKING)
    leg.rot_cycle += 1
    rot(w, leg)
