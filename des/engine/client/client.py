"""The client of a replication: what its requests share, and the timers and transitions of it."""

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

from des.engine.client.budgets import budget
from des.engine.client.ejection import Pool
from des.engine.client.group import Group
from des.engine.client.guards import Turn
from des.engine.client.health import probe
from des.engine.client.leg import ClientLeg
from des.engine.client.luck import ClientLuck
from des.engine.client.queues import Shaper
from des.engine.client.refusals import Refusals
from des.engine.client.retrying import Retrying
from des.engine.client.routing import Router
from des.engine.clock import TIMER, Moment
from des.scenario import plan

if TYPE_CHECKING:
    from des.engine.client.request import ClientRequest
    from des.engine.simulation import Simulation

FIRST_ORDER = -(1 << 62)
"""The client's timers come before those of requests at one instant, in the order in which they were set."""


class Client:
    """Budgets, queues, legs and groups, as requests use them up and learn of them."""

    def __init__(self, sim: "Simulation", law: plan.Client) -> None:
        self.sim = sim
        self.clock = sim.clock
        self.plan = law
        self.luck = ClientLuck(sim.plan.seed, sim.replication)
        self.refusals = Refusals()
        self.budgets = [budget(each, sim.kinds) for each in law.retry_budgets]
        self.shapers = [Shaper(each) for each in law.shapings]
        self.application = (
            None if law.application is None else Retrying(law.application, sim.kinds, self.luck, layer=-1)
        )
        self._orders = count(FIRST_ORDER)
        self._order = Router(law.order, self.luck, "groups")
        self.legs = self._make_legs()
        self._groups = self._eligible_groups()

    def _make_legs(self) -> list[ClientLeg]:
        """By the index of the leg."""
        legs: dict[int, ClientLeg] = {}
        for group in self.plan.groups:
            pool = Pool(len(group.legs))
            by_latency = [routing for routing in (group.routing, self.plan.order) if routing.kind != "ordered"]
            samples = max([routing.samples for routing in by_latency], default=1)
            for index in group.legs:
                legs[index] = ClientLeg(self, self.plan.legs[index], group, pool, samples)
        return [legs[index] for index in range(len(self.sim.legs))]

    def _eligible_groups(self) -> list[list[Group]]:
        """Groups with the legs that meet it, one list a requirement, and last, for index -1, all of them."""
        chosen = []
        for eligible in self.sim.eligible_legs:
            indices = {leg.index for leg in eligible}
            groups = []
            for law in self.plan.groups:
                legs = [self.legs[index] for index in law.legs if index in indices]
                if legs:
                    groups.append(Group(self, law, legs))
            chosen.append(groups)
        return chosen

    def start(self) -> None:
        """Start the probes."""
        for leg in self.legs:
            if leg.health is not None:
                self.clock.walk(probe(self, leg))

    def groups(self, request: "ClientRequest", nth: int, now_s: float) -> list[Group]:
        """The groups that a request may use, in the order of its n-th pass over them."""
        groups = self._groups[request.requirement]
        if self.plan.order.kind == "ordered" or len(groups) < 2:
            return groups
        left = list(groups)
        ordered: list[Group] = []
        while len(left) > 1:
            pick = nth * len(groups) + len(ordered)
            place = self._order.pick(request, pick, [group.legs[0] for group in left], now_s)
            if place < 0:
                break
            ordered.append(left.pop(place))
        return ordered + left

    def at(self, time_s: float, act: Callable[[], None]) -> None:
        """Do something at a time to come."""
        moment = Moment(self.clock, time_s, TIMER, self.next_order())
        moment.callbacks.append(lambda _: act())

    def next_order(self) -> int:
        """The place of a timer among those of one instant."""
        return next(self._orders)

    def turns_of(self, leg: str, kind: str) -> Turn:
        """How a guard of a leg, or its health, traces its transitions; a leg has one of a kind at most."""

        def turn(before: str, after: str) -> None:
            self.sim.recorder.transition(self.clock.now, leg, kind, before, after)

        return turn

    def let_run(self, end_s: float, act: Callable[[], None]) -> None:
        """Do something when a call ends that nobody waits for: the run does not end before."""
        self.sim.strays += 1

        def over() -> None:
            self.sim.strays -= 1
            act()
            self.sim.end_if_over()

        self.at(end_s, over)
