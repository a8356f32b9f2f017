"""A call of a leg with hedges: copies sent after a delay, of which the first success counts."""

from collections.abc import Generator
from math import inf

from simpy.events import Event

from des.engine.clock import Moment
from des.engine.leg import Flight, Leg
from des.engine.priorities import ATTEMPT_END, TIMER
from des.engine.records import NEVER_ENDS, Result, lost_race
from des.engine.way import Way
from des.rules.retry import sends_copy
from des.scenario import plan
from des.vocabulary import CALL, HEDGE, OK


def hedged_call(way: Way, leg: Leg, hedge: plan.Hedge) -> Generator[Event, None, Result]:
    """Call a leg, send a copy after each delay without an end up to the most, and take the first success.

    A call that fails before the delay is not hedged. A failure counts when no other copy is in flight. When a copy
    wins, the others are cancelled or run to their end.
    """
    clock, request = way.world.clock, way.request
    own = way.launch(leg, CALL, None)
    flights = [own]
    sent = 0
    hedge_s = clock.now + hedge.after_s
    while True:
        first = min(flights, key=_end)
        end_s = first.call.end_s
        if sends_copy(sent, hedge.at_most, end_s, hedge_s):
            yield Moment(clock, hedge_s, TIMER, request.id)
            way.now_s = hedge_s
            copy = _copy(way, leg, hedge, flights)
            sent = hedge.at_most if copy is None else sent + 1
            hedge_s += hedge.after_s
            continue
        if end_s == inf:
            _lose_all(way, flights)
            return Result(NEVER_ENDS)
        yield Moment(clock, end_s, ATTEMPT_END, request.id)
        way.now_s = end_s
        flights.remove(first)
        _land(way, first)
        if first.call.outcome == OK:
            for loser in sorted(flights, key=_end):
                _lose(way, loser, hedge, end_s)
        elif flights:
            continue
        return way.landed(own, first)


def _end(flight: Flight) -> tuple[float, int]:
    return flight.call.end_s, flight.call.attempt


def _copy(way: Way, leg: Leg, hedge: plan.Hedge, flights: list[Flight]) -> Flight | None:
    """Send a copy to the same leg or the next one; None where the retry budget or the next leg's guards forbid it."""
    if leg.budget is not None and not leg.budget.allows_hedge():
        return None
    to: Leg | None = leg
    if hedge.to == "next":
        to = way.peer([flight.leg for flight in flights])
    if to is None:
        return None
    copy = way.launch(to, HEDGE, None if to is leg else to.enter())
    flights.append(copy)
    return copy


def _land(way: Way, flight: Flight) -> None:
    """A copy has ended now: record and bill it, and let its leg learn."""
    way.world.recorder.attempts.append(flight.call)
    way.request.unrecorded -= 1
    way.request.cost += flight.call.cost
    flight.land(way.taken_of(flight.leg))


def _lose(way: Way, loser: Flight, hedge: plan.Hedge, now_s: float) -> None:
    """Cancel a copy, or let it run, at most until the run is cut."""
    request, runs = way.request, hedge.loser == "run"
    until_s = way.world.cut_s if runs else now_s
    call = loser.call
    if call.end_s > until_s:
        ended = loser.leg.ended(loser.fate, lost_race(until_s))
        loser.call = ended._replace(kind=call.kind, cost=ended.cost if runs or hedge.billed else 0)
    if loser.call.end_s <= now_s:
        _land(way, loser)
        return
    request.unrecorded -= 1
    request.cost += loser.call.cost
    way.world.recorder.attempt(loser.call)
    if loser.call.end_s < inf:
        way.world.let_run(loser.call.end_s, lambda: loser.land(None))
    elif loser.tickets is not None:
        loser.leg.lose()


def _lose_all(way: Way, flights: list[Flight]) -> None:
    """No copy ever ends. The request's own call is recorded when the request is abandoned."""
    for flight in flights[1:]:
        way.world.recorder.attempt(flight.call)
        if flight.tickets is not None:
            flight.leg.lose()
    way.request.cost += sum(flight.call.cost for flight in flights)
    way.request.last = flights[0].call
