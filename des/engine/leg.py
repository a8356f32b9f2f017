"""The state of a leg at its client: what admits its calls, what learns from them, and the layers around each."""

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
from des.rules.routing import cost_per_success, mean_s
from des.scenario import plan
from des.vocabulary import CANCELLED, CLIENT_ERROR, INVALID_OUTPUT, OK, TIMEOUT

TIMED_OUT_S = 1000.0
"""The latency that a timed-out call counts with (litellm 1.109, lowest latency)."""


class Leg:
    """The state of a leg that its calls share. A part is None where the client does not have it."""

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
        self.refuses_as_429 = settings.bulkhead is not None and settings.bulkhead.refuses_as == "rate_limited"
        self.ramp = None if settings.ramp is None else Ramp(settings.ramp)
        self.throttling = None if settings.throttle is None else Throttling(settings.throttle)
        self.statistics: Statistics | None = None
        self.learns = True
        """Whether the end of a call changes any state, so that the clock has to stop there."""
        self._accepts = kinds.of_outcomes((OK, CLIENT_ERROR, INVALID_OUTPUT))

    @property
    def is_open(self) -> bool:
        """Whether every call is made at once, without guards, layers, queues or budgets."""
        own = (self.health, self.hedge, self.budget, self.shaper, self.bulkhead, self.ramp, self.throttling)
        return not self.guards and not self.layers and all(part is None for part in own)

    @property
    def learns_something(self) -> bool:
        """Whether the end of a call changes any state of this leg."""
        own = (self.calls.rot, self.calls.prefix, self.statistics)
        return not self.is_open or any(part is not None for part in own)

    @property
    def bypasses(self) -> bool:
        """Whether it may be called although guards exclude it, where every leg of its group is out."""
        return any(guard.bypassed for guard in self.guards)

    @property
    def panic(self) -> float:
        """The share of its group's legs admitted below which guards are ignored."""
        return max((guard.panic for guard in self.guards), default=0.0)

    @property
    def stops_retries(self) -> bool:
        return any(guard.stops_retries for guard in self.guards)

    def admits(self) -> bool:
        """Whether the leg is healthy and no guard excludes it."""
        if self.health is not None and not self.health.healthy:
            return False
        return all([guard.admits() for guard in self.guards])  # noqa: C419 - a generator costs a frame a call

    def enter(self) -> tuple[int, ...]:
        """A call with all its layers starts. Returns its tickets, one for each guard."""
        return tuple([guard.enter() for guard in self.guards])

    def leave(self, tickets: tuple[int, ...], outcome: int, retry_after_s: float, now_s: float) -> None:
        """A call with all its layers has ended. The outcome is `CANCELLED` if an outer bound ended it."""
        for guard, ticket in zip(self.guards, tickets, strict=True):
            guard.learn(ticket, outcome, retry_after_s, now_s)
        if self.throttling is not None and self._accepts[outcome]:
            self.throttling.accepted(now_s)
        if self.bulkhead is not None:
            self.bulkhead.leave()

    def learn(self, call: Call, taken: float | None) -> None:
        """A single call has ended: update the state that counts single calls. `taken` is as in `Budget.learn`."""
        self.calls.learn(call)
        if self.statistics is not None:
            self.statistics.end(call)
        if self.budget is not None and call.outcome != CANCELLED:
            self.budget.learn(served=call.outcome == OK, taken=taken)

    def lose(self) -> None:
        """A call never ends and keeps its place."""
        if self.bulkhead is not None:
            self.bulkhead.lose()


class Flight:
    """A call in flight that may be one of several copies, and its tickets."""

    __slots__ = ("call", "fate", "leg", "tickets")

    def __init__(self, leg: Leg, fate: Fate, call: Call, tickets: tuple[int, ...] | None) -> None:
        self.leg = leg
        self.fate = fate
        self.call = call  # with the end known so far
        self.tickets = tickets  # only for a copy on another leg, whose guards learn from it

    def land(self, taken: float | None) -> None:
        """The call has ended now: its leg learns, and its place is free."""
        self.leg.learn(self.call, taken)
        if self.tickets is not None:
            self.leg.leave(self.tickets, self.call.outcome, self.call.retry_after_s, self.call.end_s)

    def run_on(self, tickets: tuple[int, ...]) -> None:
        """The call lost to a copy on another leg and runs to its end, when its leg's guards learn from it."""
        self.tickets = tickets
        if self.call.end_s == inf:
            self.leg.lose()


class Statistics:
    """A client's statistics of a leg, for routing: calls in flight, latencies, costs, usage."""

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
        """Latency is per output token where there is output.

        Failures have no latency, but time-outs count `TIMED_OUT_S`.
        """
        self.renew_usage(call.end_s)
        self.busy -= 1
        self._costs.append((call.outcome == OK, call.cost))
        if call.outcome == OK:
            self.tokens += call.input_tokens + call.output_tokens
            self._latencies.append((call.end_s - call.start_s) / max(1, call.output_tokens))
        elif call.outcome == TIMEOUT:
            self._latencies.append(TIMED_OUT_S)

    def renew_usage(self, now_s: float) -> None:
        """Usage starts at zero in every clock minute."""
        minute = int(now_s / 60.0)
        if minute != self._minute:
            self._minute, self.requests, self.tokens = minute, 0, 0

    def mean_latency_s(self) -> float:
        """0 without samples, so that every leg gets some."""
        return mean_s(self._latencies) if self._latencies else 0.0

    def cost_per_success(self, price: float) -> float:
        """The expected cost of a success at this price, by the failures among the last calls and their costs."""
        failures = [cost for served, cost in self._costs if not served]
        if not failures:
            return price
        served = len(self._costs) - len(failures) + 1  # one more than observed, so that no leg is excluded for good
        return cost_per_success(served / (served + len(failures)), price, sum(failures) / len(failures))
