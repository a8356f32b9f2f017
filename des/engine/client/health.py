"""Health by probes: synthetic calls decide whether a leg is called at all, and find out late."""

from collections.abc import Generator
from itertools import count
from math import inf
from typing import TYPE_CHECKING

from simpy.events import Event

from des.engine.call import AT_DEADLINE
from des.engine.client.bounds import TIMED_OUT
from des.engine.client.guards import Turn
from des.engine.clock import ATTEMPT_END, TIMER, Moment
from des.engine.luck import PROBE
from des.engine.request import Request
from des.rules.health import after_probe
from des.scenario import plan
from des.vocabulary import BY_ROT, OK

if TYPE_CHECKING:
    from des.engine.client.client import Client
    from des.engine.client.leg import ClientLeg


class Health:
    """Healthy until so many probes in a row have failed, and again after so many successes."""

    __slots__ = ("_streak", "_turn", "healthy", "law")

    def __init__(self, law: plan.Probes, turn: Turn) -> None:
        self.law = law
        self.healthy = True
        self._streak = 0
        self._turn = turn

    def learn(self, *, passed: bool) -> None:
        before, law = self.healthy, self.law
        self.healthy, self._streak = after_probe(
            before,
            self._streak,
            passed=passed,
            unhealthy_after=law.unhealthy_after,
            healthy_after=law.healthy_after,
        )
        if self.healthy != before:
            names = ("unhealthy", "healthy")
            self._turn(names[before], names[self.healthy])


def probe(client: "Client", leg: "ClientLeg") -> Generator[Event, None, None]:
    """Call a leg at fixed times until the horizon, with a request of the workload's kind.

    Probes pay, take tokens from limits and are traced; one that falls due while another is under way is left out, and
    one that would never end counts for nothing.
    """
    health, clock, sim = leg.health, client.clock, client.sim
    assert health is not None
    law = health.law
    for nth in count(1):
        due_s = nth * law.every_s
        if due_s >= sim.plan.horizon_s:
            return
        if due_s < clock.now:
            continue
        order = client.next_order()
        yield Moment(clock, due_s, TIMER, order)
        request = Request.probe(nth, clock.now, sim.marks(nth))
        fate = leg.leg.dispatch(request, PROBE, clock.now)
        until_s, cut = (inf, AT_DEADLINE) if law.timeout_s is None else (clock.now + law.timeout_s, TIMED_OUT)
        call = leg.leg.ended(request, fate, PROBE, 0, clock.now, until_s, cut)
        if call.end_s != inf:
            yield Moment(clock, call.end_s, ATTEMPT_END, order)
            health.learn(passed=call.outcome == OK)
        sim.recorder.attempt(call)
        if call.cause == BY_ROT and leg.leg.rot is not None:
            leg.leg.rot.notice()
