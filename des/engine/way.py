"""The state of one request's walk: the layers around its next call, what it holds, and its time.

The layers are, outermost first: the application's retries, rounds over the entries of the chain, an entry's retries,
and the layers inside a call of a leg. A layer's time-out is a bound. The tightest one is known when a call starts; when
it strikes, everything inside the layer that set it is over.
"""

from collections.abc import Sequence
from math import inf, nan

from des.engine.budgets import Budget
from des.engine.layers import ChainLayer, RetryLayer
from des.engine.leg import Flight, Leg
from des.engine.priorities import ATTEMPT_END, TIMER
from des.engine.records import (
    NEVER_ENDS,
    REFUSED,
    UNBOUNDED,
    Bound,
    Request,
    Result,
    as_result,
    cut_off,
)
from des.engine.retries import RetryRule
from des.engine.routing import Entry
from des.engine.world import World
from des.vocabulary import (
    BY_DEADLINE,
    CALL,
    CANCELLED,
    OK,
    RATE_LIMITED,
    REQUEST_DEADLINE,
    REQUEST_FAILED,
    REQUEST_OK,
    REQUEST_REJECTED,
    TIMEOUT,
)


class _Memory:
    """A request's past, where its client has budgets, routing or throttling."""

    __slots__ = ("begun", "decisions", "deposited", "own", "picked", "picks", "taken")

    def __init__(self) -> None:
        self.taken: dict[Budget, float] = {}  # by the last retry of the current visit to an entry
        self.begun: list[Budget] = []  # by the current visit
        self.deposited: list[Budget] = []
        self.picks: dict[int, int] = {}  # their number by entry, for their draws
        self.picked: Leg | None = None  # by the last attempt of the current visit
        self.decisions = 0  # number of adaptive throttling's, for their draws
        self.own: Flight | None = None  # the last hedged call, which a copy on another leg may have decided


_NO_MEMORY = _Memory()
"""Shared by all requests of a client that keeps no memory."""


class Way:
    """One request in flight.

    `now_s` may be ahead of the clock: a call whose end changes no shared state, and the wait after it, become one
    event. This saves a third of the events of a chain under stress. The clock reaches `now_s` before shared state is
    read or changed. `due` is the priority of the event that the request waits for, or 0.
    """

    __slots__ = (
        "_calls",
        "_outcome",
        "_record",
        "_tickets",
        "due",
        "entry",
        "layers",
        "leg",
        "memory",
        "now_s",
        "open_leg",
        "request",
        "world",
    )

    def __init__(self, world: World, request: Request) -> None:
        client = world.client
        self.world = world
        self.request = request
        self.now_s = request.arrival_s
        self.due = 0
        self.leg: Leg | None = None  # the leg that has admitted the attempt on the entry
        self._tickets: tuple[int, ...] = ()  # of this admission
        self.memory = _Memory() if client.keeps_memory else _NO_MEMORY
        self._calls = [0] * len(client.legs)
        self._record = world.recorder.attempts.append
        until_s = request.deadline_s
        bound = UNBOUNDED if until_s == inf else Bound(until_s, CANCELLED, BY_DEADLINE)
        self.layers: list[RetryLayer | ChainLayer] = []
        if client.application is not None:
            layer = RetryLayer(client.application, bound, self.now_s)
            self.layers.append(layer)
            bound = layer.attempt_bound
        self._visit(self._open_chain(bound))

    # Layers

    def _open_chain(self, bound: Bound) -> ChainLayer:
        chain = ChainLayer(self.world.client, self.request, bound)
        self.layers.append(chain)
        return chain

    def _visit(self, chain: ChainLayer) -> None:
        """Go to the chain's current entry."""
        entry = chain.visited(self.request, self.now_s)
        self.entry: Entry = entry
        self.open_leg = entry.open_leg
        if entry.open_leg is None:
            self.memory.taken.clear()
            self.memory.picked = None
        self.layers.append(RetryLayer(entry.rule, chain.bound, self.now_s, entry))

    def _open_layers(self, rules: Sequence[RetryRule]) -> None:
        """Add the layers inside a call."""
        for place, rule in enumerate(rules):
            self.layers.append(RetryLayer(rule, self.bound, self.now_s, None, rules[place + 1 :]))

    @property
    def bound(self) -> Bound:
        """Of the current attempt."""
        return self.layers[-1].attempt_bound

    def again(self) -> None:
        """The innermost layer makes another attempt."""
        layer = self.layers[-1]
        if isinstance(layer, ChainLayer):
            return self._visit(layer)
        layer.renew(self.now_s)
        if layer.rule.is_application:
            return self._visit(self._open_chain(layer.attempt_bound))
        return self._open_layers(layer.inside)

    def _close(self) -> None:
        """The innermost layer is over."""
        layer = self.layers.pop()
        if isinstance(layer, RetryLayer):
            layer.end_retry()
            if layer.entry is not None:
                for budget in self.memory.begun:
                    budget.end()
                self.memory.begun.clear()

    def unwind(self, struck: Bound) -> Result:
        """A bound has struck: end everything inside the layer that set it, and return that layer's result.

        If the layer itself is over, the result is for the layer around it.
        """
        owner = struck.layer
        while self.layers:
            layer = self.layers[-1]
            if isinstance(layer, RetryLayer) and layer.entry is not None:
                self._leave_leg(TIMEOUT if layer is owner else CANCELLED, nan)
            if layer is not owner or struck.is_whole:
                self._close()
            if layer is owner:
                return self._timed_out(layer, is_whole=struck.is_whole)
        return Result(REQUEST_DEADLINE)

    def _timed_out(self, layer: RetryLayer | ChainLayer, *, is_whole: bool) -> Result:
        assert isinstance(layer, RetryLayer)
        rule, last = layer.rule, self.request.last
        outcome = rule.timed_out if is_whole else rule.attempt_timed_out
        if last is None:
            return Result(outcome)
        return Result(outcome, nan, last.leg, max(0, self._calls[last.leg] - 1))

    # What follows an attempt

    def next(self, result: Result) -> Result | None:
        """From the inside out, find the layer that makes another attempt.

        None once it is found, or once the request is over. A result is returned when a wait comes before outer layers
        may learn of it: call again with this result when the clock reaches `now_s`.
        """
        layers = self.layers
        while layers:
            outcome, _, _, _, struck = result
            if outcome in (OK, NEVER_ENDS):
                self._close_all(result)
                break
            if struck is not None:
                result = self.unwind(struck)
                continue
            layer = layers[-1]
            if not layer.is_over:
                if self.open_leg is None and isinstance(layer, RetryLayer):
                    wait_s = self._next_of_retries(layer, result)
                else:
                    wait_s = layer.next(self.request, result, outcome)
                if wait_s > 0.0:
                    request, bound = self.request, layer.bound
                    request.waits, request.waiting_since_s, self.due = "backoff", self.now_s, TIMER
                    self.now_s = until_s = self.now_s + wait_s
                    if until_s >= bound.until_s:
                        self.now_s = bound.until_s
                        return cut_off(bound)
                    if layer.is_over:
                        return result
                if not layer.is_over:
                    return None
            if isinstance(layer, ChainLayer):
                result = layer.result()
            elif layer.rule.is_application and outcome == REQUEST_DEADLINE:
                result = Result(REQUEST_FAILED)  # its last walk was cut off, and it gives up
            self._close()
        self._outcome = result.outcome
        return None

    def _next_of_retries(self, layer: RetryLayer, result: Result) -> float:
        """As `RetryLayer.next`, subject to guards, budgets and peers."""
        if self.leg is not None and layer.entry is not None:
            self._leave_leg_by(result)
        if layer.granted is not None:
            layer.end_retry()
        if layer.entry is not None and layer.rule.settings.ends_when_all_out and layer.entry.is_all_out():
            layer.is_over = True
            return 0.0
        wait_s = layer.next(self.request, result, result.outcome)
        if not layer.is_over and self._is_forbidden(layer, result):
            layer.is_over = True
            return 0.0
        return 0.0 if wait_s > 0.0 and layer.prefers_peer() else wait_s

    def _is_forbidden(self, layer: RetryLayer, result: Result) -> bool:
        """Whether a breaker or the budget of the leg that was called forbids another retry."""
        if result.leg < 0:
            return False
        leg = self.world.client.legs[result.leg]
        if layer.entry is not None and leg.stops_retries:
            return True
        if leg.budget is None or not layer.rule.is_budgeted:
            return False
        taken = leg.budget.grant(result.outcome, self.now_s)
        if taken is None:
            return True
        self.memory.taken[leg.budget] = taken
        layer.granted = leg.budget
        return False

    def _close_all(self, result: Result) -> None:
        """The attempt has served the request, so every layer is over; or it never ends and keeps its place."""
        if self.open_leg is not None:  # no state around the call to update
            self.layers.clear()
            return
        if result.outcome == OK:
            self._leave_leg_by(result)
        elif self.leg is not None:
            self.leg.lose()
        while self.layers:
            self._close()

    def finish(self) -> None:
        """Every layer is over: the request ends, or hangs for ever."""
        request, outcome = self.request, self._outcome
        if outcome == NEVER_ENDS:
            return self.world.abandon(request)
        if outcome not in (REQUEST_OK, REQUEST_DEADLINE):
            outcome = REQUEST_FAILED
            if request.last is None:
                outcome = REQUEST_REJECTED
                request.refused_by = request.refused_by or "client_limit"
        return self.world.finish(request, outcome)

    # Admission to a leg

    def pick(self, left_out: Sequence[Leg]) -> Leg | str:
        """The leg of the entry that takes the attempt, or the reason why none does."""
        entry, memory = self.entry, self.memory
        nth = memory.picks.get(entry.index, 0)
        memory.picks[entry.index] = nth + 1
        return entry.pick(self.request, nth, left_out, self.now_s, memory.picked)

    def refuse(self, reason: str) -> Result:
        """The client itself refuses the attempt."""
        if self.request.refused_by != "client_limit":
            self.request.refused_by = reason
        return Result(REFUSED)

    def refuse_as_429(self, leg: Leg) -> Result:
        """The client itself refuses the attempt, in the form of a provider's rate limit."""
        self.request.refused_by = "client_limit"
        return Result(RATE_LIMITED, nan, leg.index, self.memory.picks[self.entry.index] - 1)

    def is_let_through(self, leg: Leg) -> bool:
        """Whether the leg's ramp and its throttling admit a call. A request has one draw per ramp."""
        draws, index = self.world.client.draws, self.request.draw
        if leg.ramp is not None:
            u = draws.stream("leg", leg.name, "ramp").at(index)
            if not leg.ramp.admits(self.now_s, u):
                return False
        if leg.throttling is not None:
            u = draws.stream("leg", leg.name, "throttle", self.memory.decisions).at(index)
            self.memory.decisions += 1
            return leg.throttling.admits(self.now_s, u)
        return True

    def enter(self, leg: Leg) -> None:
        """A leg has admitted the attempt on the entry."""
        self.leg = self.memory.picked = leg
        if leg.budget is not None:
            self._turn_to(leg.budget)
        self._tickets = leg.enter()
        if leg.layers:
            self._open_layers(leg.layers)

    def _turn_to(self, budget: Budget) -> None:
        memory = self.memory
        if budget not in memory.deposited:
            memory.deposited.append(budget)
            budget.deposit(self.now_s)
        if budget not in memory.begun:
            memory.begun.append(budget)
            budget.begin()

    def _leave_leg(self, outcome: int, retry_after_s: float) -> None:
        """The attempt is over: the leg's guards learn its outcome, and its place is free."""
        if self.leg is not None:
            self.leg.leave(self._tickets, outcome, retry_after_s, self.now_s)
            self.leg = None

    def _leave_leg_by(self, result: Result) -> None:
        """As `_leave_leg`, by a result that may be that of a copy on another leg."""
        leg, own = self.leg, self.memory.own
        if leg is None:
            return
        if result.leg == leg.index or own is None:
            self._leave_leg(result.outcome, result.retry_after_s)
        elif own.call.end_s <= self.now_s:
            self._leave_leg(own.call.outcome, nan)
        else:
            own.run_on(self._tickets)
            self.leg = None

    def peer(self, used: Sequence[Leg]) -> Leg | None:
        """The leg for a hedge, admitted without waiting: another of the current entry, else one of those after it."""
        chain = next(layer for layer in self.layers if isinstance(layer, ChainLayer))
        for entry in chain.entries[chain.place :]:
            other = entry.peer(used)
            if other is not None:
                free = self.is_let_through(other) and (other.shaper is None or other.shaper.take(self.now_s))
                return other if free and (other.bulkhead is None or other.bulkhead.take()) else None
        return None

    # Calls and waits

    def call(self, leg: Leg) -> Result:
        """Make a call and compute its end, which becomes `now_s`."""
        request, bound = self.request, self.layers[-1].attempt_bound
        nth = self._calls[leg.index]
        self._calls[leg.index] = nth + 1
        fate = leg.dispatch(request, nth, self.now_s)
        call = request.last = leg.ended(fate, bound)
        request.attempts += 1
        request.cost += call.cost
        if leg.statistics is not None:
            leg.statistics.begin(self.now_s)
        end_s, outcome = call.end_s, call.outcome
        if end_s == inf:
            return Result(NEVER_ENDS)
        self._record(call)
        self.now_s, self.due = end_s, ATTEMPT_END
        struck = bound if end_s == bound.until_s and outcome == bound.outcome else None
        return as_result((outcome, call.retry_after_s, leg.index, nth, struck))

    def learn(self, leg: Leg) -> None:
        """The call has ended now: update the state that counts single calls."""
        if self.request.last is not None:
            leg.learn(self.request.last, self.taken_of(leg))

    def taken_of(self, leg: Leg) -> float | None:
        """The cost of the last retry in the leg's budget."""
        return None if leg.budget is None else self.memory.taken.get(leg.budget)

    def launch(self, leg: Leg, kind: int, tickets: tuple[int, ...] | None) -> Flight:
        """Make a call that may be hedged, or a copy."""
        nth = self._calls[leg.index]
        self._calls[leg.index] = nth + 1
        fate = leg.dispatch(self.request, nth, self.now_s)
        call = leg.ended(fate, self.bound)
        self.request.attempts += 1
        self.request.unrecorded += 1
        if leg.statistics is not None:
            leg.statistics.begin(self.now_s)
        return Flight(leg, fate, call if kind == CALL else call._replace(kind=kind), tickets)

    def landed(self, own: Flight, first: Flight) -> Result:
        """The result of a hedged call that its `first` copy has decided."""
        call, bound = first.call, self.bound
        self.request.last, self.memory.own = call, own
        struck = bound if call.end_s == bound.until_s and call.outcome == bound.outcome else None
        return Result(call.outcome, call.retry_after_s, call.leg, first.fate.nth, struck)

    def rest(self, what: str, until_s: float, bound: Bound) -> Bound | None:
        """Wait from `now_s` to `until_s`, queued or backing off as `what` says. Returns a bound that strikes first."""
        self.request.waits, self.request.waiting_since_s = what, self.now_s
        self.due = TIMER
        if until_s < bound.until_s:
            self.now_s = until_s
            return None
        self.now_s = bound.until_s
        return bound
