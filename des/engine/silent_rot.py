"""Legs that break unnoticed: nobody knows until a use or a probe fails."""

from collections.abc import Generator
from itertools import count
from typing import TYPE_CHECKING

from simpy.events import Event

from des.engine.clock import ATTEMPT_END, INCIDENT_END, INCIDENT_START, TIMER, Moment
from des.engine.luck import PROBE, law_stream
from des.engine.request import Request
from des.vocabulary import BY_ROT

if TYPE_CHECKING:
    from des.engine.leg import Leg
    from des.engine.simulation import Simulation


class Rot:
    """Whether a leg works, and the event that its first failed use triggers."""

    __slots__ = ("broken", "noticed")

    def __init__(self) -> None:
        self.broken = False
        self.noticed: Event | None = None

    def notice(self) -> None:
        """A call failed for it: the repair starts, if it has not."""
        if self.noticed is not None and not self.noticed.triggered:
            self.noticed.succeed()


def rot(sim: "Simulation", leg: "Leg") -> Generator[Event, None, None]:
    """Break after the time to rot, stay broken until noticed, come back after the repair; the n-th draw each."""
    law, state = leg.plan.silent_rot, leg.rot
    assert law is not None
    assert state is not None
    seed, replication, clock = sim.plan.seed, sim.replication, sim.clock
    time_to_rot = law_stream(seed, replication, f"leg/{leg.name}/time_to_rot", law.time_to_rot)
    repair = law_stream(seed, replication, f"leg/{leg.name}/repair", law.repair)

    order = len(sim.plan.components) + leg.index  # at one instant, legs come after components

    def turn(before: str, after: str) -> None:
        sim.recorder.transition(clock.now, leg.name, "leg", before, after)

    for nth in count():
        yield Moment(clock, clock.now + time_to_rot.at(nth), INCIDENT_START, order)
        state.broken, state.noticed = True, Event(clock)
        turn("working", "broken")
        yield state.noticed
        turn("broken", "in_repair")
        yield Moment(clock, clock.now + repair.at(nth), INCIDENT_END, order)
        state.broken, state.noticed = False, None
        turn("in_repair", "working")


def probes(sim: "Simulation", leg: "Leg") -> Generator[Event, None, None]:
    """Call the leg at fixed times until the horizon, with a request of the workload's kind, to see whether it works.

    Probes pay, take tokens from limits and are traced; probes that fall due while one is under way are left out.
    """
    law = leg.plan.silent_rot
    assert law is not None
    assert law.probe_every_s is not None
    clock, every_s = sim.clock, law.probe_every_s
    for nth in count(1):
        due_s = nth * every_s
        if due_s >= sim.plan.horizon_s:
            return
        if due_s < clock.now:
            continue
        order = -(nth * len(sim.legs) + leg.index) - 1
        yield Moment(clock, due_s, TIMER, order)
        call = leg.call(Request.probe(nth, clock.now, sim.marks(nth)), PROBE, 0, clock.now)
        if call.end_s != float("inf"):
            yield Moment(clock, call.end_s, ATTEMPT_END, order)
        sim.recorder.attempt(call)
        if call.cause == BY_ROT and leg.rot is not None:
            leg.rot.notice()
