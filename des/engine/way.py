"""Where a request stands on its way: the layers around its next call, what it holds, and the time it has come to.

Outermost first, the layers are: the application's retries, rounds over the entries of the chain, an entry's retries,
and the layers inside a call of a leg. Each says what follows an attempt inside it. A timeout of a layer is a bound:
the tightest one is known when a call starts, and everything inside the layer that set it is over when it strikes.
"""

from collections.abc import Sequence
from math import inf, nan

from des.engine.budgets import Budget
from des.engine.clock import ATTEMPT_END, TIMER, Moment
from des.engine.leg import Leg
from des.engine.records import (
    NEVER_ENDS,
    REFUSED,
    UNBOUNDED,
    Bound,
    Call,
    Fate,
    Request,
    Result,
    as_result,
    cut_off,
    deadline,
)
from des.engine.retries import RetryRule
from des.engine.routing import Entry
from des.engine.world import World
from des.vocabulary import CANCELLED, OK, REQUEST_DEADLINE, REQUEST_FAILED, REQUEST_OK, REQUEST_REJECTED, TIMEOUT


class Flight:
    """A copy of a hedged call under way, with its end as it is known so far, and what it was let in with."""

    __slots__ = ("call", "fate", "leg", "tickets")

    def __init__(self, leg: Leg, fate: Fate, call: Call, tickets: tuple[int, ...] | None) -> None:
        self.leg = leg
        self.fate = fate
        self.call = call
        self.tickets = tickets  # of a copy on another leg, whose guards learn from it

    def over(self, taken: float | None) -> None:
        """It has ended now: its leg learns, and its place is free."""
        self.leg.learn(self.call, taken)
        if self.tickets is not None:
            self.leg.leave(self.tickets, self.call.outcome, self.call.retry_after_s, self.call.end_s)

    def run_on(self, tickets: tuple[int, ...]) -> None:
        """It lost to a copy elsewhere, and goes on to its end: its leg's guards learn then."""
        self.tickets = tickets
        if self.call.end_s == inf:
            self.leg.lose()


class RetryLayer:
    """A rule that repeats attempts, while it is around those of one request."""

    __slots__ = (
        "attempt_bound",
        "bound",
        "entry",
        "granted",
        "inside",
        "is_entry",
        "is_over",
        "retry",
        "rule",
        "waited_s",
    )

    def __init__(
        self, way: "Way", rule: RetryRule, outer: Bound, *, entry: Entry | None = None, inside: Sequence[RetryRule] = ()
    ) -> None:
        self.rule = rule
        self.entry = entry  # of the chain, whose retries these are
        self.is_entry = entry is not None
        self.inside = inside  # the rules of the layers around each attempt
        self.retry = 0
        self.waited_s = rule.first_wait_s
        self.granted: Budget | None = None  # for the retry under way
        self.is_over = False  # once the wait has passed that `next` has told
        if rule.is_bounded:
            self.bound = rule.whole_bound(outer, way.now_s, self)
            self.attempt_bound = rule.attempt_bound(self.bound, way.now_s, self)
        else:
            self.bound = self.attempt_bound = outer

    def next(self, way: "Way", result: Result) -> float:
        """How long to wait after an attempt that has ended so, 0 for not at all; `is_over` unless another follows."""
        rule, outcome = self.rule, result.outcome
        if self.granted is not None:
            self.end_retry()
        self.is_over = True
        if outcome <= OK or not rule.is_retried[outcome]:
            return 0.0
        is_last = self.retry == rule.retries
        if is_last and not rule.waits_after_last:
            return 0.0
        if rule.deterministic_waits_s is not None:
            wait_s = rule.deterministic_waits_s[self.retry]
        else:
            wait_s = rule.wait_s(way.request, result, self.retry, self.waited_s)
        self.waited_s = wait_s
        if not is_last:
            if wait_s == inf or not self._is_granted(way, result):
                return 0.0
            self.is_over = False
        prefers_peer = self.entry is not None and self.entry.prefers_peers and self.entry.has_healthy_leg()
        return 0.0 if prefers_peer or wait_s == inf else wait_s

    def _is_granted(self, way: "Way", result: Result) -> bool:
        """Whether the budget of the leg that was called allows another retry."""
        if result.leg < 0 or self.rule.is_application:
            return True
        budget = way.world.client.legs[result.leg].budget
        if budget is None:
            return True
        taken = budget.grant(result.outcome, way.now_s)
        if taken is None:
            return False
        way.taken[budget] = taken
        self.granted = budget
        return True

    def again(self, way: "Way") -> None:
        """Another attempt starts."""
        self.retry += 1
        if self.rule.is_bounded:
            self.attempt_bound = self.rule.attempt_bound(self.bound, way.now_s, self)
        if self.rule.is_application:
            way.open_chain()
        elif self.inside:
            way.open_layers(self.inside)

    def end_retry(self) -> None:
        """The retry under way, if it was one that a budget granted, has ended."""
        if self.granted is not None:
            self.granted.over_retry()
            self.granted = None

    def result(self, result: Result) -> Result:
        """What the layer around it is told."""
        return result


class ChainLayer:
    """Rounds over the entries of the chain."""

    is_entry = False
    __slots__ = ("_made", "_outcome", "_retry_after_s", "_round", "_waited_s", "bound", "entries", "is_over", "place")

    def __init__(self, way: "Way", bound: Bound) -> None:
        self.bound = bound
        self.is_over = False
        self._made = way.request.attempts
        self._round = 0
        self._waited_s = way.world.client.first_round_wait_s
        self._retry_after_s = nan
        self._outcome = REQUEST_FAILED
        self._begin_round(way)

    @property
    def attempt_bound(self) -> Bound:
        return self.bound

    def _begin_round(self, way: "Way") -> None:
        way.request.rounds += 1
        self.entries = way.world.client.entries(way.request, way.passes, way.now_s)
        way.passes += 1
        self.place = 0

    def next(self, way: "Way", result: Result) -> float:
        """How long to wait after the attempts on an entry that have ended so: not at all but for the next round."""
        self.is_over = True
        if result.outcome != REFUSED:
            self._retry_after_s = result.retry_after_s
            if not self.entries[self.place].falls_back[result.outcome]:
                return 0.0
        self.place += 1
        if self.place < len(self.entries):
            self.is_over = False
            return 0.0
        self._round += 1
        client, request = way.world.client, way.request
        if self._round == client.rounds:
            self._outcome = REQUEST_FAILED if request.attempts > self._made else REQUEST_REJECTED
            return 0.0
        self.is_over = False
        self._waited_s = client.round_wait_s(request, self._round - 1, self._waited_s, way.round_waits)
        way.round_waits += 1
        return self._waited_s

    def again(self, way: "Way") -> None:
        """On to the next entry, or the first one of the next round."""
        if self.place == len(self.entries):
            self._begin_round(way)
        way.open_entry(self)

    def end_retry(self) -> None:
        """No retry of a round is granted by a budget."""

    def result(self, result: Result) -> Result:
        """A request outcome."""
        return Result(self._outcome, self._retry_after_s)


class Way:
    """One request under way.

    `now_s` may be ahead of the clock: a call that nobody learns from, and the wait that follows it, are slept through
    in one go. A third of the events of a chain under stress are saved by that. The clock has come to `now_s` again
    whenever anything is looked at or changed that other requests share; `due` is the priority of the event that it
    waits for, or 0.
    """

    __slots__ = (
        "_begun",
        "_calls",
        "_deposited",
        "_outcome",
        "_picks",
        "_tickets",
        "decisions",
        "due",
        "entry",
        "layers",
        "leg",
        "now_s",
        "open_leg",
        "own",
        "passes",
        "picked",
        "record",
        "request",
        "round_waits",
        "taken",
        "world",
    )

    def __init__(self, world: World, request: Request) -> None:
        self.world = world
        self.request = request
        self.record = world.recorder.attempts.append
        self.now_s = world.clock.now
        self.due = 0
        self._outcome = REQUEST_OK
        self.layers: list[RetryLayer | ChainLayer] = []
        self.entry: Entry | None = None  # being visited
        self.open_leg: Leg | None = None  # of the entry, where it takes every call
        self.leg: Leg | None = None  # that the attempt on the entry has been let in to
        self._tickets: tuple[int, ...] = ()  # with which it was
        self.picked: Leg | None = None  # by the last attempt of this visit
        self.passes = 0
        self.round_waits = 0
        self.decisions = 0  # of adaptive throttling, for their draws
        self.own: Flight | None = None  # the last hedged call itself, where a copy on another leg may have decided it
        self.taken: dict[Budget, float] = {}  # by the last retry of this visit
        self._calls = [0] * len(world.client.legs)
        self._picks: dict[int, int] = {}  # by entry, for their draws
        self._begun: list[Budget] = []  # by this visit
        self._deposited: list[Budget] = []
        if world.client.application is not None:
            self.layers.append(RetryLayer(self, world.client.application, self._deadline()))
        self.open_chain()

    def _deadline(self) -> Bound:
        until_s = self.request.deadline_s
        return UNBOUNDED if until_s == inf else deadline(until_s)

    # Layers

    @property
    def bound(self) -> Bound:
        """Of the attempt that is made now."""
        return self.layers[-1].attempt_bound

    def open_chain(self) -> None:
        chain = ChainLayer(self, self.bound if self.layers else self._deadline())
        self.layers.append(chain)
        self.open_entry(chain)

    def open_entry(self, chain: ChainLayer) -> None:
        """Visit the entry that the chain has come to."""
        entry = chain.entries[chain.place]
        self.entry, self.open_leg, self.picked = entry, entry.open_leg, None
        if self.taken:
            self.taken.clear()
        self.layers.append(RetryLayer(self, entry.rule, chain.bound, entry=entry))

    def open_layers(self, rules: Sequence[RetryRule]) -> None:
        """Put the layers inside a call around it."""
        for place, rule in enumerate(rules):
            self.layers.append(RetryLayer(self, rule, self.bound, inside=rules[place + 1 :]))

    def close(self) -> None:
        """The innermost layer is over."""
        layer = self.layers.pop()
        layer.end_retry()
        if self._begun and layer.is_entry:
            for budget in self._begun:
                budget.end()
            self._begun.clear()

    def unwind(self, struck: Bound) -> Result:
        """A bound has struck: everything inside the layer that set it is over; what that layer makes of it.

        Where the whole layer is over, the result is for the one around it.
        """
        owner = struck.layer
        while self.layers:
            layer = self.layers[-1]
            if self.leg is not None and layer.is_entry:
                self.leave_leg(TIMEOUT if layer is owner else CANCELLED, nan)
            if layer is owner and not struck.is_whole:
                return self._timed_out(layer)
            self.close()
            if layer is owner:
                return self._timed_out(layer)
        return Result(REQUEST_DEADLINE)

    def _timed_out(self, layer: RetryLayer | ChainLayer) -> Result:
        assert isinstance(layer, RetryLayer)
        last = self.request.last
        if last is None:
            return Result(layer.rule.timed_out)
        return Result(layer.rule.timed_out, nan, last.leg, max(0, self._calls[last.leg] - 1))

    # What follows an attempt

    def next(self, result: Result) -> Result | None:
        """From the inside out, see which layer makes another attempt; None once that, or the end, is known.

        Where a wait comes first after which others are to learn, it is what is left to see when the clock has come to
        `now_s`.
        """
        layers = self.layers
        if result.outcome == OK:
            self._succeed(result)
            return None
        if result.outcome == NEVER_ENDS:
            self._lose()
            return None
        while layers:
            if result.struck is not None:
                result = self.unwind(result.struck)
                continue
            layer = layers[-1]
            if not layer.is_over:
                if self.leg is not None and layer.is_entry:
                    self.leave_leg_by(result)
                wait_s = layer.next(self, result)
                if wait_s > 0.0:
                    struck = self.rest("backoff", self.now_s + wait_s, layer.bound)
                    if struck is not None:
                        return cut_off(struck)
                if not layer.is_over:
                    return None
                if wait_s > 0.0:
                    return result
            result = layer.result(result)
            self.close()
        self._outcome = result.outcome
        return None

    def _succeed(self, result: Result) -> None:
        """The attempt has served the request, and with it every layer."""
        self._outcome = REQUEST_OK
        if self.leg is None:  # and so nothing around the call that has to learn of it
            self.layers.clear()
            return
        self.leave_leg_by(result)
        while self.layers:
            self.close()

    def _lose(self) -> None:
        """The attempt never ends, and keeps its place."""
        self._outcome = NEVER_ENDS
        if self.leg is not None:
            self.leg.lose()
        while self.layers:
            self.close()

    def again(self) -> None:
        """The layer that goes on makes another attempt; none does where every layer is over."""
        if self.layers:
            self.layers[-1].again(self)

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

    # Being let in to a leg

    def refuse(self, reason: str) -> Result:
        """The client itself does not make the attempt."""
        if self.request.refused_by != "client_limit":
            self.request.refused_by = reason
        return Result(REFUSED)

    def next_pick(self, entry: Entry) -> int:
        """The number of the pick from an entry that is made now."""
        nth = self._picks.get(entry.index, 0)
        self._picks[entry.index] = nth + 1
        return nth

    def is_let_through(self, leg: Leg) -> bool:
        """Whether the leg's ramp and its throttling let a call through; a request has one draw of a ramp."""
        draws, index = self.world.client.draws, self.request.draw
        if leg.ramp is not None:
            u = draws.stream("leg", leg.name, "ramp").at(index)
            if not leg.ramp.admits(self.now_s, u):
                return False
        if leg.throttling is not None:
            u = draws.stream("leg", leg.name, "throttle", self.decisions).at(index)
            self.decisions += 1
            return leg.throttling.admits(self.now_s, u)
        return True

    def enter(self, leg: Leg) -> None:
        """The attempt on the entry is let in to a leg."""
        self.leg = self.picked = leg
        if leg.budget is not None:
            self._turn_to(leg.budget)
        self._tickets = leg.enter()
        if leg.layers:
            self.open_layers(leg.layers)

    def _turn_to(self, budget: Budget) -> None:
        if budget not in self._deposited:
            self._deposited.append(budget)
            budget.deposit(self.now_s)
        if budget not in self._begun:
            self._begun.append(budget)
            budget.begin()

    def leave_leg(self, outcome: int, retry_after_s: float) -> None:
        """The attempt is over: the leg's guards learn how, and its place is free."""
        if self.leg is not None:
            self.leg.leave(self._tickets, outcome, retry_after_s, self.now_s)
            self.leg = None

    def leave_leg_by(self, result: Result) -> None:
        """As `leave_leg`, by what the attempt came to: which may be what a copy on another leg came to."""
        leg, own = self.leg, self.own
        if leg is None:
            return
        if result.leg == leg.index or own is None:
            self.leave_leg(result.outcome, result.retry_after_s)
        elif own.call.end_s <= self.now_s:
            self.leave_leg(own.call.outcome, nan)
        else:
            own.run_on(self._tickets)
            self.leg = None

    def peer(self, used: Sequence[Leg]) -> Leg | None:
        """The leg for a hedge, let in without waiting: another of the entry visited, else of those after it."""
        chain = next(layer for layer in self.layers if isinstance(layer, ChainLayer))
        for entry in chain.entries[chain.place :]:
            other = entry.peer(used)
            if other is not None:
                free = self.is_let_through(other) and (other.shaper is None or other.shaper.take(self.now_s))
                return other if free and (other.bulkhead is None or other.bulkhead.take()) else None
        return None

    # Calls and waits

    def dispatch(self, leg: Leg) -> tuple[Fate, Call]:
        """A call sent now: its fate, and what the client will see of it."""
        request, calls = self.request, self._calls
        nth = calls[leg.index]
        calls[leg.index] = nth + 1
        fate = leg.calls.dispatch(request, nth, self.now_s)
        call = leg.calls.ended(fate, self.layers[-1].attempt_bound)
        request.attempts += 1
        if leg.statistics is not None:
            leg.statistics.begin(self.now_s)
        return fate, call

    def call(self, leg: Leg) -> Result:
        """Make a call, and see how it will end; `now_s` is then."""
        request = self.request
        fate, call = self.dispatch(leg)
        request.last = call
        request.cost += call.cost
        if call.end_s == inf:
            return Result(NEVER_ENDS)
        self.record(call)
        self.now_s, self.due = call.end_s, ATTEMPT_END
        return self.result_of(call, fate.nth)

    def learn(self, leg: Leg) -> None:
        """The call has ended now: everything that counts calls by themselves learns of it."""
        if self.request.last is not None:
            leg.learn(self.request.last, self.taken_of(leg))

    def result_of(self, call: Call, nth: int) -> Result:
        """What a call came to, and whether it was the bound that cut it off, and not itself at the same moment."""
        bound = self.layers[-1].attempt_bound
        struck = bound if call.end_s == bound.until_s and call.outcome == bound.outcome else None
        return as_result((call.outcome, call.retry_after_s, call.leg, nth, struck))

    def taken_of(self, leg: Leg) -> float | None:
        """What the last retry took from the leg's budget."""
        return None if leg.budget is None else self.taken.get(leg.budget)

    def rest(self, what: str, until_s: float, bound: Bound) -> Bound | None:
        """Wait from `now_s` on, in a queue or to back off, as `what` says; the bound, where it strikes first."""
        self.request.waits, self.request.waiting_since_s = what, self.now_s
        self.due = TIMER
        if until_s < bound.until_s:
            self.now_s = until_s
            return None
        self.now_s = bound.until_s
        return bound

    def end_of(self, call: Call) -> Moment:
        """The event of the end of a call."""
        return Moment(self.world.clock, call.end_s, ATTEMPT_END, self.request.id)
