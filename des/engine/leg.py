"""A leg as its client knows it: whom it lets through, what it has learnt, and what is around each call."""

from collections import deque
from collections.abc import Sequence
from math import inf

from des.engine.budgets import Budget
from des.engine.call import Calls
from des.engine.codes import Kinds
from des.engine.guards import Guard, Health
from des.engine.queues import Bulkhead, Ramp, Shaper, Throttling
from des.engine.records import Call, Fate
from des.engine.retries import RetryRule
from des.rules.routing import cost_per_success
from des.scenario import plan
from des.vocabulary import CANCELLED, CLIENT_ERROR, INVALID_OUTPUT, OK, TIMEOUT

TIMED_OUT_S = 1000.0
"""What a call that timed out counts in the latencies (litellm 1.109, lowest latency)."""


class Leg:
    """State of one leg that its calls share; None for what its client does not have."""

    def __init__(self, settings: plan.LegClient, of: plan.Leg, kinds: Kinds, calls: Calls) -> None:
        self.plan = settings
        self.of = of
        self.index, self.name = of.index, of.name
        self.calls = calls
        self.dispatch, self.ended = calls.dispatch, calls.ended
        self.layers: Sequence[RetryRule] = ()
        self.guards: Sequence[Guard] = ()
        self.health: Health | None = None
        self.hedge = settings.hedge
        self.budget: Budget | None = None
        self.shaper: Shaper | None = None
        self.bulkhead: Bulkhead | None = None
        self.ramp = None if settings.ramp is None else Ramp(settings.ramp)
        self.throttling = None if settings.throttle is None else Throttling(settings.throttle)
        self.statistics: Statistics | None = None
        self.learns = True
        """Whether anything is to be done at the end of a call, so that the clock has to stop there."""
        self._accepts = kinds.of_outcomes((OK, CLIENT_ERROR, INVALID_OUTPUT))

    @property
    def is_open(self) -> bool:
        """Whether every call to it is made at once, and only the call itself is remembered."""
        own = (self.health, self.hedge, self.budget, self.shaper, self.bulkhead, self.ramp, self.throttling)
        return not self.guards and not self.layers and all(part is None for part in own)

    @property
    def learns_something(self) -> bool:
        """Whether anything here changes when a call ends."""
        own = (self.calls.rot, self.calls.prefix, self.statistics)
        return not self.is_open or any(part is not None for part in own)

    @property
    def bypasses(self) -> bool:
        """Whether it may be called all the same where every leg of its group is out."""
        return any(guard.bypassed for guard in self.guards)

    def admits(self) -> bool:
        """Whether no guard keeps the leg out, and its health does not."""
        if self.health is not None and not self.health.healthy:
            return False
        return all([guard.admits() for guard in self.guards])  # noqa: C419 - a generator costs a frame a call

    def enter(self) -> tuple[int, ...]:
        """A call with all its layers starts; returns its tickets, one a guard."""
        return tuple([guard.enter() for guard in self.guards])

    def leave(self, tickets: tuple[int, ...], outcome: int, retry_after_s: float, now_s: float) -> None:
        """It has ended; `CANCELLED` for one that was given up from outside."""
        for guard, ticket in zip(self.guards, tickets, strict=True):
            guard.learn(ticket, outcome, retry_after_s, now_s)
        if self.throttling is not None and self._accepts[outcome]:
            self.throttling.accepted(now_s)
        if self.bulkhead is not None:
            self.bulkhead.leave()

    def learn(self, call: Call, taken: float | None) -> None:
        """One call has ended, for everything that counts single calls; `taken` as in `Budget.learn`."""
        self.calls.learn(call)
        if self.statistics is not None:
            self.statistics.end(call)
        if self.budget is not None and call.outcome != CANCELLED:
            self.budget.learn(served=call.outcome == OK, taken=taken)

    def lose(self) -> None:
        """A call never ends, and keeps its place."""
        if self.bulkhead is not None:
            self.bulkhead.lose()


class Flight:
    """A call of a leg under way that may be one copy of several, and what it was let in with."""

    __slots__ = ("call", "fate", "leg", "tickets")

    def __init__(self, leg: Leg, fate: Fate, call: Call, tickets: tuple[int, ...] | None) -> None:
        self.leg = leg
        self.fate = fate
        self.call = call  # with its end as it is known so far
        self.tickets = tickets  # of a copy on another leg, whose guards learn from it

    def land(self, taken: float | None) -> None:
        """It has ended now: its leg learns, and its place is free."""
        self.leg.learn(self.call, taken)
        if self.tickets is not None:
            self.leg.leave(self.tickets, self.call.outcome, self.call.retry_after_s, self.call.end_s)

    def run_on(self, tickets: tuple[int, ...]) -> None:
        """It lost to a copy elsewhere, and goes on to its end: its leg's guards learn then."""
        self.tickets = tickets
        if self.call.end_s == inf:
            self.leg.lose()


class Statistics:
    """What a client has seen of a leg, for the routings that go by it: calls under way, latencies, costs, usage."""

    __slots__ = ("_costs", "_latencies", "_minute", "busy", "requests", "tokens")

    def __init__(self, samples: int) -> None:
        self._latencies: deque[float] = deque(maxlen=samples)
        self._costs: deque[tuple[bool, int]] = deque(maxlen=samples)
        self._minute = -1
        self.busy = 0
        self.requests = 0
        self.tokens = 0

    def begin(self, now_s: float) -> None:
        self.renew_usage(now_s)
        self.busy += 1
        self.requests += 1

    def end(self, call: Call) -> None:
        """Latency is by output token where there is any; failures have none, but a timeout counts long."""
        self.renew_usage(call.end_s)
        self.busy -= 1
        self._costs.append((call.outcome == OK, call.cost))
        if call.outcome == OK:
            self.tokens += call.input_tokens + call.output_tokens
            self._latencies.append((call.end_s - call.start_s) / max(1, call.output_tokens))
        elif call.outcome == TIMEOUT:
            self._latencies.append(TIMED_OUT_S)

    def renew_usage(self, now_s: float) -> None:
        """Usage starts again with every clock minute."""
        minute = int(now_s / 60.0)
        if minute != self._minute:
            self._minute, self.requests, self.tokens = minute, 0, 0

    def mean_latency_s(self) -> float:
        """0 without samples, so that every leg gets some."""
        return sum(self._latencies) / len(self._latencies) if self._latencies else 0.0

    def cost_per_success(self, price: float) -> float:
        """What a success will cost at this price of one, by how often the last calls failed and what they cost then."""
        failures = [cost for served, cost in self._costs if not served]
        if not failures:
            return price
        served = len(self._costs) - len(failures) + 1  # one more than seen: no leg is written off for good
        return cost_per_success(served / (served + len(failures)), price, sum(failures) / len(failures))
