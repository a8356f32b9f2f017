"""The general walk: a request's way through every layer of its client.

Outermost first: the application, rounds over the groups of the chain, attempts within a group, the client's own
queues, the layers inside a leg's calls, hedges. Each layer is a generator that its outer layer runs; what a bound of
an outer layer cuts short, unwinds up to that layer.
"""

from collections.abc import Callable, Generator
from functools import partial
from math import inf, nan
from typing import TYPE_CHECKING

from simpy.events import Event

from des.engine.call import Call, Fate
from des.engine.client.admission import lets_through, queued
from des.engine.client.bounds import Bound, BoundStruck, NeverEnds, deadline, within
from des.engine.client.hedging import Flight, hedged_call, runs_on
from des.engine.client.retrying import REFUSED, Result, Retrying
from des.engine.clock import ATTEMPT_END, TIMER, Moment
from des.engine.request import ATTEMPTS_BITS, answered_from_cache
from des.vocabulary import (
    CANCELLED,
    OK,
    REQUEST_DEADLINE,
    REQUEST_FAILED,
    REQUEST_OK,
    REQUEST_REJECTED,
    TIMEOUT,
)

if TYPE_CHECKING:
    from des.engine.client.budgets import Budget
    from des.engine.client.client import Client
    from des.engine.client.group import Group
    from des.engine.client.leg import ClientLeg
    from des.engine.client.request import ClientRequest
    from des.engine.simulation import Simulation

Steps = Generator[Event, None, Result]
Attempt = Callable[[Bound], Steps]
"""What a layer repeats: one attempt within a bound."""


def client_request(sim: "Simulation", request: "ClientRequest") -> Generator[Event, None, None]:
    """Serve a request from the cache, or else walk until it is served, its deadline strikes or all layers give up."""
    client = sim.client
    assert client is not None
    if sim.response_cache is not None and sim.response_cache.answers(request, sim.clock.now):
        yield from answered_from_cache(sim, request, sim.response_cache)
        return None
    if not sim.eligible(request):
        return sim.finish(request, REQUEST_REJECTED)
    walk, bound = Walk(sim, client, request), deadline(request.deadline_s)
    try:
        if client.application is None:
            result = yield from walk.chain(bound)
        else:
            result = yield from walk.repeated(client.application, bound, walk.chain)
    except BoundStruck:
        return sim.finish(request, REQUEST_DEADLINE)
    except NeverEnds:
        return sim.abandon(request)
    if result.ok:
        return sim.finish(request, REQUEST_OK)
    if request.last is not None:
        return sim.finish(request, REQUEST_FAILED)
    request.refused_by = request.refused_by or "client_limit"
    return sim.finish(request, REQUEST_REJECTED)


class Walk:
    """One request under way."""

    __slots__ = (
        "_begun",
        "_calls",
        "_deposited",
        "_group",
        "_groups",
        "_passes",
        "_picked",
        "_picks",
        "_round_waits",
        "_taken",
        "client",
        "clock",
        "decisions",
        "own",
        "request",
        "sim",
    )

    def __init__(self, sim: "Simulation", client: "Client", request: "ClientRequest") -> None:
        self.sim = sim
        self.client = client
        self.clock = sim.clock
        self.request = request
        self.own: Flight | None = None  # the last call itself, where a hedge on another leg may decide it
        self._calls = [0] * len(sim.legs)
        self.decisions = 0  # of adaptive throttling, for their luck
        self._picks: dict[int, int] = {}  # by group, for their luck
        self._picked: ClientLeg | None = None  # by the last attempt of this visit
        self._passes = 0
        self._round_waits = 0
        self._groups: list[Group] = []  # in the order of this pass
        self._group: Group | None = None  # the one being visited
        self._begun: list[Budget] = []  # by this visit
        self._deposited: list[Budget] = []
        self._taken: dict[Budget, float] = {}  # by the last retry of this visit

    # Layers that repeat

    def repeated(self, retrying: Retrying, bound: Bound, attempt: Attempt) -> Steps:
        """One layer: attempts with waits between them, all within the layer's timeout."""
        whole = within(bound, self.clock.now, retrying.rule.timeout_s, retrying)
        try:
            return (yield from self._attempts(retrying, whole, attempt))
        except BoundStruck as struck:
            if struck.bound is not whole or whole is bound:
                raise
            return self._timed_out(retrying)

    def _attempts(self, retrying: Retrying, bound: Bound, attempt: Attempt) -> Steps:
        rule, retry, granting = retrying.rule, 0, None
        waited_s = rule.backoff.base_s
        while True:
            own = within(bound, self.clock.now, rule.attempt_timeout_s, retrying)
            try:
                result = yield from attempt(own)
            except BoundStruck as struck:
                if struck.bound is not own or own is bound:
                    raise
                result = self._timed_out(retrying)
            finally:
                if granting is not None:
                    granting.over_retry()
            granting = None
            is_last = retry == rule.retries
            if result.outcome <= OK or not retrying.is_retried[result.outcome]:
                return result
            if is_last and not (rule.waits_after_last and rule.retries):
                return result
            waited_s = retrying.wait_s(self.request, result, retry, waited_s)
            if not is_last:
                budget = None if retrying.is_application or result.leg is None else result.leg.budget
                if waited_s == inf or not self._grants(budget, result.outcome):
                    return result
                granting = budget
            if waited_s > 0.0 and waited_s < inf and not self._has_peer(retrying):
                try:
                    yield from self._back_off(waited_s, bound)
                except BoundStruck:
                    if granting is not None:
                        granting.over_retry()
                    raise
            if is_last:
                return result
            retry += 1

    def _timed_out(self, retrying: Retrying) -> Result:
        """What a layer makes of a timeout of its own."""
        leg = None if self.request.last is None else self.client.legs[self.request.last.leg]
        nth = 0 if leg is None else max(0, self._calls[leg.index] - 1)
        return Result(retrying.timed_out, nan, leg, nth)

    def _grants(self, budget: "Budget | None", outcome: int) -> bool:
        if budget is None:
            return True
        taken = budget.grant(outcome, self.clock.now)
        if taken is None:
            return False
        self._taken[budget] = taken
        return True

    def _has_peer(self, retrying: Retrying) -> bool:
        """Whether the group would rather call a healthy leg than wait."""
        if retrying.rule.waits_with_healthy_peer or self._group is None or retrying is not self._group.retrying:
            return False
        return self._group.has_healthy_peer

    # The chain

    def chain(self, bound: Bound) -> Steps:
        """Rounds over the groups; the result is a request outcome."""
        sim, request, policy = self.sim, self.request, self.sim.policy
        waited_s, made = policy.round_backoff.base_s, request.attempts
        retry_after_s = nan
        for round_number in range(policy.rounds):
            request.rounds += 1
            for group in self._ordered():
                result = yield from self._visit(group, bound)
                if result.ok:
                    return result
                if result.outcome == REFUSED:
                    continue
                retry_after_s = result.retry_after_s
                if not group.falls_back[result.outcome]:
                    return Result(REQUEST_FAILED, retry_after_s, None, 0)
            if round_number + 1 < policy.rounds:
                waited_s = sim.round_wait_s(request, round_number, waited_s, self._round_waits)
                self._round_waits += 1
                if waited_s > 0.0:
                    yield from self._back_off(waited_s, bound)
        return Result(REQUEST_FAILED if request.attempts > made else REQUEST_REJECTED, retry_after_s, None, 0)

    def _ordered(self) -> "list[Group]":
        """The groups of one pass, as many as the depth of fallbacks allows."""
        groups = self.client.groups(self.request, self._passes, self.clock.now)
        self._passes += 1
        depth = self.client.plan.fallback_depth
        self._groups = groups if depth is None else groups[: depth + 1]
        return self._groups

    def _visit(self, group: "Group", bound: Bound) -> Steps:
        """All attempts on one group."""
        self._group, self._picked = group, None
        self._taken.clear()
        try:
            return (yield from self.repeated(group.retrying, bound, partial(self._attempt, group)))
        finally:
            for budget in self._begun:
                budget.end()
            self._begun.clear()

    def _attempt(self, group: "Group", bound: Bound) -> Steps:
        """Pick a leg, wait in the client's queues, and call it; the client may refuse instead."""
        left_out: list[ClientLeg] = []
        while True:
            nth = self._picks.get(group.index, 0)
            self._picks[group.index] = nth + 1
            leg, reason = group.pick(self.request, nth, left_out, self.clock.now, self._picked)
            if leg is None:
                if not left_out:
                    self.client.refusals.count(self.clock.now, group.legs[0].index, reason)
                return self._refused(reason)
            is_bypassed = not leg.admits()
            if not lets_through(self, leg) or not (yield from queued(self, leg, bound)):
                self.client.refusals.count(self.clock.now, leg.index, "client_limit")
                left_out.append(leg)
                continue
            if is_bypassed or leg.admits():
                break
            if leg.bulkhead is not None:
                leg.bulkhead.leave()
        self._picked = leg
        self._begin(leg.budget)
        tickets = leg.enter()
        try:
            result = yield from self._layer(leg, 0, bound)
        except BoundStruck as struck:
            is_own = struck.bound.owner is group.retrying
            self._end(leg, tickets, TIMEOUT if is_own else CANCELLED, nan)
            raise
        except NeverEnds:
            if leg.bulkhead is not None:
                leg.bulkhead.lose()
            raise
        if result.leg is leg or self.own is None:
            self._end(leg, tickets, result.outcome, result.retry_after_s)
        elif self.own.call.end_s <= self.clock.now:
            self._end(leg, tickets, self.own.call.outcome, nan)
        else:
            runs_on(self.own, tickets)
        return result

    def _refused(self, reason: str) -> Result:
        if self.request.refused_by != "client_limit":
            self.request.refused_by = reason
        return Result(REFUSED, nan, None, 0)

    def _begin(self, budget: "Budget | None") -> None:
        if budget is None:
            return
        if budget not in self._deposited:
            self._deposited.append(budget)
            budget.deposit(self.clock.now)
        if budget not in self._begun:
            self._begun.append(budget)
            budget.begin()

    def _end(self, leg: "ClientLeg", tickets: tuple[int, ...], outcome: int, retry_after_s: float) -> None:
        leg.learn(tickets, outcome, retry_after_s, self.clock.now)
        if leg.bulkhead is not None:
            leg.bulkhead.leave()

    # Calls

    def _layer(self, leg: "ClientLeg", depth: int, bound: Bound) -> Steps:
        """The layers inside a leg's call, from `depth` on; the innermost calls it."""
        if depth < len(leg.layers):
            return (yield from self.repeated(leg.layers[depth], bound, partial(self._layer, leg, depth + 1)))
        if leg.hedge is not None:
            return (yield from hedged_call(self, leg, bound))
        return (yield from self._call(leg, bound))

    def _call(self, leg: "ClientLeg", bound: Bound) -> Steps:
        request = self.request
        nth, _, call = self.dispatch(leg, bound)
        request.last = call
        request.cost += call.cost
        if call.end_s == inf:
            raise NeverEnds
        self.sim.recorder.attempts.append(call)
        request.open_calls.append(call)
        yield Moment(self.clock, call.end_s, ATTEMPT_END, self.order_of(call))
        request.open_calls.clear()
        leg.ended(call, self.taken_of(leg))
        if self.struck(call, bound):
            raise BoundStruck(bound)
        return Result(call.outcome, call.retry_after_s, leg, nth)

    def dispatch(self, leg: "ClientLeg", bound: Bound) -> tuple[int, Fate, Call]:
        """(its number among the calls of the leg, its fate, what the client will see of it) of a call sent now."""
        request, now_s = self.request, self.clock.now
        nth = self._calls[leg.index]
        self._calls[leg.index] = nth + 1
        fate = leg.leg.dispatch(request, nth, now_s)
        call = leg.leg.ended(request, fate, nth, request.rounds - 1, now_s, bound.until_s, bound.cut)
        request.attempts += 1
        leg.statistics.begin(now_s)
        return nth, fate, call

    def struck(self, call: Call, bound: Bound) -> bool:
        """Whether a call was cut off by the bound, and not by itself at the same moment."""
        return call.end_s == bound.until_s and call.outcome == bound.cut[0]

    def next_leg(self, used: "list[ClientLeg]") -> "ClientLeg | None":
        """The leg for a hedge, let in without waiting: another of the group visited, else of those after it."""
        groups = self._groups
        here = groups.index(self._group) if self._group in groups else 0
        for group in groups[here:]:
            other = group.peer(used)
            if other is not None:
                free = lets_through(self, other) and (other.shaper is None or other.shaper.take(self.clock.now))
                return other if free and (other.bulkhead is None or other.bulkhead.take()) else None
        return None

    def taken_of(self, leg: "ClientLeg") -> float | None:
        """What the last retry took from the leg's budget."""
        return None if leg.budget is None else self._taken.get(leg.budget)

    # Waits

    @property
    def order(self) -> int:
        """The place of the request's timers among those of one instant."""
        return (self.request.id << ATTEMPTS_BITS) + self.request.attempts

    def order_of(self, call: Call) -> int:
        """The place of the end of a call."""
        return (call.request_id << ATTEMPTS_BITS) + call.attempt

    def _back_off(self, wait_s: float, bound: Bound) -> Generator[Event, None, None]:
        yield from self.wait("backoff", self.clock.now + wait_s, bound)

    def wait(self, what: str, until_s: float, bound: Bound) -> Generator[Event, None, None]:
        """Wait in a queue or back off, as `what` says; the bound may strike first."""
        request = self.request
        request.waits, request.waiting_since_s = what, self.clock.now
        until_s = min(until_s, bound.until_s)
        yield Moment(self.clock, until_s, TIMER, self.order)
        request.over_wait(until_s)
        if until_s == bound.until_s:
            raise BoundStruck(bound)
