"""A leg as its client knows it: whom it lets through, what it has learnt, and the layers around each call."""

from typing import TYPE_CHECKING

from des.engine.client.breaker import BreakerGuard
from des.engine.client.cooldown import CooldownGuard
from des.engine.client.ejection import EjectionGuard, Pool
from des.engine.client.guards import Guard
from des.engine.client.health import Health
from des.engine.client.queues import Bulkhead
from des.engine.client.ramp import RampUp
from des.engine.client.retrying import Retrying
from des.engine.client.statistics import Statistics
from des.engine.client.throttling import Throttling
from des.engine.tariff import Tariff
from des.scenario import plan
from des.vocabulary import CANCELLED, CLIENT_ERROR, INVALID_OUTPUT, OK

if TYPE_CHECKING:
    from des.engine.call import Call
    from des.engine.client.client import Client
    from des.engine.client.request import ClientRequest

ACCEPTED = (OK, CLIENT_ERROR, INVALID_OUTPUT)
"""Outcomes of calls that the backend took on and answered."""


class ClientLeg:
    """State of one leg that its calls share."""

    def __init__(self, client: "Client", law: plan.LegClient, group: plan.Group, pool: Pool, samples: int) -> None:
        sim = client.sim
        self.plan = law
        self.leg = leg = sim.legs[law.leg]
        self.index, self.name = leg.index, leg.name
        self.layers = tuple(Retrying(rule, sim.kinds, client.luck, nth) for nth, rule in enumerate(law.inner))
        self.guards = tuple(_guard(client, self.name, guard, group, pool) for guard in law.guards)
        self.health = None if law.probes is None else Health(law.probes, client.turns_of(self.name, "health"))
        self._is_guarded = bool(self.guards) or self.health is not None
        self.hedge = law.hedge
        self.budget = None if law.retry_budget is None else client.budgets[law.retry_budget]
        self.shaper = None if law.shaping is None else client.shapers[law.shaping]
        self.bulkhead = None if law.bulkhead is None else Bulkhead(law.bulkhead, client.clock, client.at)
        self.ramp = None if law.ramp is None else RampUp(law.ramp)
        self.throttling = None if law.throttle is None else Throttling(law.throttle)
        self.statistics = Statistics(samples)
        self.bypasses = any(isinstance(guard, BreakerGuard) and guard.bypassed for guard in self.guards)
        self._accepted = [outcome in ACCEPTED for outcome in sim.kinds.outcomes]
        self._tariff = Tariff(sim.plan.endpoints[leg.plan.endpoint], sim.kinds, leg.prefix)

    def admits(self) -> bool:
        """Whether no guard keeps the leg out, and its health does not."""
        if not self._is_guarded:
            return True
        if self.health is not None and not self.health.healthy:
            return False
        return all(guard.admits() for guard in self.guards)

    def enter(self) -> tuple[int, ...]:
        """A call with all its layers starts; returns its tickets, one a guard."""
        return tuple([guard.enter() for guard in self.guards])

    def learn(self, tickets: tuple[int, ...], outcome: int, retry_after_s: float, now_s: float) -> None:
        """It has ended; `CANCELLED` for one that was given up from outside."""
        for guard, ticket in zip(self.guards, tickets, strict=True):
            guard.learn(ticket, outcome, retry_after_s, now_s)
        if self.throttling is not None and self._accepted[outcome]:
            self.throttling.accepted(now_s)

    def price(self, request: "ClientRequest", now_s: float) -> float:
        """Of a call that serves the request, in picodollars."""
        prefix = self.leg.prefix
        is_warm = prefix is not None and prefix.is_warm(now_s)
        return float(self._tariff.bill(request, self._tariff.modes[OK], is_warm, request.output_tokens, 1.0)[1])

    def ended(self, call: "Call", taken: float | None) -> None:
        """One call has ended, for everything that counts calls by themselves; `taken` as in `Budget.learn`."""
        self.leg.learns(call)
        self.statistics.end(call)
        if self.budget is not None and call.outcome != CANCELLED:
            self.budget.learn(served=call.outcome == OK, taken=taken)


def _guard(client: "Client", name: str, law: plan.Guard, group: plan.Group, pool: Pool) -> Guard:
    kinds, timer = client.sim.kinds, client.at
    if isinstance(law, plan.Breaker):
        return BreakerGuard(law, kinds, client.turns_of(name, "breaker"), timer)
    if isinstance(law, plan.Cooldown):
        return CooldownGuard(law, len(group.legs), kinds, client.turns_of(name, "cooldown"), timer)
    return EjectionGuard(law, pool, kinds, client.turns_of(name, "ejection"), timer)
