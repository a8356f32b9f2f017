"""Legs that break unnoticed, until a use or a probe fails."""

from collections.abc import Callable
from itertools import count

from simpy.events import Event

from des.engine.clock import Clock, Moment, Process
from des.engine.draws import stream_of
from des.engine.priorities import INCIDENT_END, INCIDENT_START
from des.scenario import plan


class Rot:
    """Whether a leg works, and the event that its first failed use triggers."""

    __slots__ = ("broken", "noticed")

    def __init__(self) -> None:
        self.broken = False
        self.noticed: Event | None = None

    def notice(self) -> None:
        """A call failed because the leg is broken: the repair starts, if it has not."""
        if self.noticed is not None and not self.noticed.triggered:
            self.noticed.succeed()


def rot_process(
    clock: Clock, of: plan.Plan, replication: int, leg: plan.Leg, rot: Rot, changed: Callable[[str, str], None]
) -> Process:
    """Break after the time to rot, stay broken until noticed, work after the repair. Cycle n uses draw n of each."""
    settings = leg.silent_rot
    assert settings is not None
    time_to_rot = stream_of(of.seed, replication, f"leg/{leg.name}/time_to_rot", settings.time_to_rot)
    repair = stream_of(of.seed, replication, f"leg/{leg.name}/repair", settings.repair)
    order = len(of.components) + leg.index  # legs come after components at one instant
    for nth in count():
        yield Moment(clock, clock.now + time_to_rot.at(nth), INCIDENT_START, order)
        rot.broken, rot.noticed = True, Event(clock)
        changed("working", "broken")
        yield rot.noticed
        changed("broken", "in_repair")
        yield Moment(clock, clock.now + repair.at(nth), INCIDENT_END, order)
        rot.broken, rot.noticed = False, None
        changed("in_repair", "working")
