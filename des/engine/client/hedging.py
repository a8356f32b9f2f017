"""One call of a leg, with its hedges: copies sent when it takes long, of which the first success counts."""

from collections.abc import Generator
from math import inf
from typing import TYPE_CHECKING

from simpy.events import Event

from des.engine.call import Call, Fate
from des.engine.client.bounds import Bound, BoundStruck, NeverEnds
from des.engine.client.retrying import Result
from des.engine.clock import ATTEMPT_END, TIMER, Moment
from des.rules.hedging import sends_copy
from des.scenario import plan
from des.vocabulary import BY_HEDGE, CALL, CANCELLED, HEDGE, OK

if TYPE_CHECKING:
    from des.engine.client.leg import ClientLeg
    from des.engine.client.walk import Walk

LOST = (CANCELLED, BY_HEDGE)


class Flight:
    """A copy under way, with its end as it is known so far, and what it was let in with."""

    __slots__ = ("call", "fate", "leg", "nth", "tickets")

    def __init__(self, leg: "ClientLeg", nth: int, fate: Fate, call: Call, tickets: tuple[int, ...] | None) -> None:
        self.leg = leg
        self.nth = nth
        self.fate = fate
        self.call = call
        self.tickets = tickets  # of a hedge on another leg, whose guards learn from it


def hedged_call(walk: "Walk", leg: "ClientLeg", bound: Bound) -> Generator[Event, None, Result]:
    """Call a leg; after each delay without an end send a copy, up to the most; the first success wins.

    A call that fails before the delay is not hedged, and a failure counts when no copy is under way. Losers are
    cancelled when the winner has answered, or run to their end.
    """
    hedge, clock, request = leg.hedge, walk.clock, walk.request
    assert hedge is not None
    own = _launch(walk, leg, bound, CALL, None)
    flights = [own]
    sent = 0
    hedge_s = clock.now + hedge.after_s
    while True:
        first = min(flights, key=_end)
        end_s = first.call.end_s
        if sends_copy(sent, hedge.at_most, end_s, hedge_s):
            yield Moment(clock, hedge_s, TIMER, walk.order)
            copy = _copy(walk, leg, flights, bound)
            sent = hedge.at_most if copy is None else sent + 1
            hedge_s += hedge.after_s
            continue
        if end_s == inf:
            for flight in flights[1:]:
                walk.sim.recorder.attempt(flight.call)
                if flight.tickets is not None and flight.leg.bulkhead is not None:
                    flight.leg.bulkhead.lose()
            request.cost += sum(flight.call.cost for flight in flights)
            request.last = flights[0].call
            raise NeverEnds
        yield Moment(clock, end_s, ATTEMPT_END, walk.order_of(first.call))
        flights.remove(first)
        _settle(walk, first)
        if first.call.outcome == OK:
            for loser in sorted(flights, key=_end):
                _lose(walk, loser, hedge, end_s)
        elif flights:
            continue
        request.last = first.call
        walk.own = own
        if walk.struck(first.call, bound):
            raise BoundStruck(bound)
        return Result(first.call.outcome, first.call.retry_after_s, first.leg, first.nth)


def runs_on(own: Flight, tickets: tuple[int, ...]) -> None:
    """A call that lost to a hedge elsewhere goes on to its end: its leg's guards learn then, and its place is free."""
    own.tickets = tickets
    if own.call.end_s == inf and own.leg.bulkhead is not None:
        own.leg.bulkhead.lose()


def _end(flight: Flight) -> tuple[float, int]:
    return flight.call.end_s, flight.call.attempt


def _launch(walk: "Walk", leg: "ClientLeg", bound: Bound, kind: int, tickets: tuple[int, ...] | None) -> Flight:
    nth, fate, call = walk.dispatch(leg, bound)
    walk.request.unrecorded += 1
    return Flight(leg, nth, fate, call if kind == CALL else call._replace(kind=kind), tickets)


def _copy(walk: "Walk", leg: "ClientLeg", flights: list[Flight], bound: Bound) -> Flight | None:
    """Send a copy to the same leg or the next one, unless the budget of retries or the next one's guards forbid."""
    hedge = leg.hedge
    assert hedge is not None
    if leg.budget is not None and not leg.budget.allows_hedge():
        return None
    to: ClientLeg | None = leg
    if hedge.to == "next":
        to = walk.next_leg([flight.leg for flight in flights])
    if to is None:
        return None
    copy = _launch(walk, to, bound, HEDGE, None if to is leg else to.enter())
    flights.append(copy)
    return copy


def _settle(walk: "Walk", flight: Flight) -> None:
    """A copy has ended now: it goes into the trace and on the bill, and its leg learns."""
    walk.sim.recorder.attempts.append(flight.call)
    walk.request.unrecorded -= 1
    walk.request.cost += flight.call.cost
    _over(flight, walk.taken_of(flight.leg))


def _over(flight: Flight, taken: float | None) -> None:
    call, leg = flight.call, flight.leg
    leg.ended(call, taken)
    if flight.tickets is not None:
        leg.learn(flight.tickets, call.outcome, call.retry_after_s, call.end_s)
        if leg.bulkhead is not None:
            leg.bulkhead.leave()


def _lose(walk: "Walk", loser: Flight, hedge: plan.Hedge, now_s: float) -> None:
    """Cancel a copy, or let it run, at most to where the run is cut."""
    request, runs = walk.request, hedge.loser == "run"
    until_s = walk.sim.cut_s if runs else now_s
    call = loser.call
    if call.end_s > until_s:
        ended = loser.leg.leg.ended(request, loser.fate, loser.nth, call.round, call.start_s, until_s, LOST)
        loser.call = ended._replace(kind=call.kind, cost=ended.cost if runs or hedge.billed else 0)
    if loser.call.end_s <= now_s:
        _settle(walk, loser)
        return
    request.unrecorded -= 1
    request.cost += loser.call.cost
    walk.sim.recorder.attempt(loser.call)
    if loser.call.end_s < inf:
        walk.client.let_run(loser.call.end_s, lambda: _over(loser, None))
    elif loser.tickets is not None and loser.leg.bulkhead is not None:
        loser.leg.bulkhead.lose()
