"""Synthetic calls at fixed times that test whether a leg works: for legs that rot, and for the client's health."""

from math import inf, isnan

from des.compiled.kernel.call import dispatch
from des.compiled.kernel.ending import ended
from des.compiled.kernel.guards import health_learns
from des.compiled.kernel.legs import notice_rot
from des.compiled.kernel.memory import Record, at
from des.compiled.kernel.questions import MARKS, ask
from des.compiled.kernel.queue import next_order, push
from des.compiled.kernel.rows import attempt_row
from des.compiled.kernel.world import PROBE_COMES, PROBE_ENDS, World
from des.engine.priorities import ATTEMPT_END, TIMER
from des.vocabulary import BY_DEADLINE, BY_ROT, CALL, CANCELLED, OK, TIMEOUT

OF_PROBE = -1  # the n of calls by probes


def mark(w: World, g: Record, request: Record) -> None:
    """The tokens and the requirement of a request, by its draw index."""
    ask(w, MARKS, request.draw, 0, 0)
    request.input_tokens = g.mark_input
    request.output_tokens = g.mark_output
    request.units = g.mark_units
    request.requirement = g.mark_requirement


def next_probe(w: World, probe: Record, number: int) -> None:
    """The next probe up to the horizon. One that was due while another was in flight is left out."""
    g = at(w.run, 0)
    while True:
        due_s = probe.nth * probe.every_s
        if due_s >= g.horizon_s:
            return
        if due_s >= g.now_s:
            break
        probe.nth += 1
    probe.order = next_order(w) if probe.is_of_health else -(probe.nth * g.legs + probe.leg) - 1
    push(w, due_s, TIMER, probe.order, PROBE_COMES, number, 0)


def send_probe(w: World, probe: Record, number: int) -> None:
    """Call the leg by a request like the workload's. It is billed, takes tokens from limits and is traced."""
    g = at(w.run, 0)
    request, leg, call = at(w.probe_requests, number), at(w.legs, probe.leg), at(w.calls, probe.call)
    request.id = -1
    request.draw = probe.nth
    request.arrival_s = g.now_s
    request.now_s = g.now_s
    request.deadline_s = inf
    request.rounds = 1
    request.attempts = 0
    mark(w, g, request)
    call.kind = CALL
    dispatch(w, request, leg, OF_PROBE, call)
    if isnan(probe.timeout_s):
        ended(w, request, leg, call, inf, CANCELLED, BY_DEADLINE)
    else:
        ended(w, request, leg, call, g.now_s + probe.timeout_s, TIMEOUT, -1)
    if call.end_s == inf:
        end_probe(w, probe, number)
    else:
        push(w, call.end_s, ATTEMPT_END, probe.order, PROBE_ENDS, number, 0)


def end_probe(w: World, probe: Record, number: int) -> None:
    """A probe has ended, or never will. The next one follows."""
    leg, call = at(w.legs, probe.leg), at(w.calls, probe.call)
    if probe.is_of_health and call.end_s != inf:
        health_learns(w, leg, call.outcome == OK)
    attempt_row(w, at(w.probe_requests, number), call)
    if call.cause == BY_ROT:
        notice_rot(w, leg)
    probe.nth += 1
    next_probe(w, probe, number)
