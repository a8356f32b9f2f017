"""The loop over events: arrivals, changes of incidents, and what requests wait for, in order of time."""

from math import inf

from des.compiled.kernel.incidents import change
from des.compiled.kernel.memory import Record, at
from des.compiled.kernel.questions import (
    ARRIVALS,
    INCIDENTS_ARE_OVER,
    OVER,
    PLACES_ARE_FULL,
    ROWS_ARE_FULL,
    WRONG,
    ask,
)
from des.compiled.kernel.queue import comes_before, next_order, pop, push
from des.compiled.kernel.walk import arrive, be_done, cut, end_if_over, walk
from des.compiled.kernel.world import (
    COUNT_BEGINS,
    COUNT_ENDS,
    CUT_COMES,
    HORIZON_COMES,
    REQUEST_RESUMES,
    RUN_IS_DONE,
    World,
    pointers,
)
from des.engine.priorities import ARRIVAL, CUT, TIMER

MARGIN = 1024  # rows and places of the queue that an event may take, and then some


def play(world: World) -> int:
    """Play events until the run is over or Python has to do something. Returns which."""
    return _play(pointers(world))


def _play(w: World) -> int:
    g = at(w.run, 0)
    while not g.over:
        if g.wrong:
            return WRONG
        if _rows_are_full(g):
            return ROWS_ARE_FULL
        if g.free_slots == 0 or g.events + MARGIN > g.event_places:
            return PLACES_ARE_FULL
        if g.arrival == g.arrivals and g.arrivals >= 0:
            ask(w, ARRIVALS, 0, 0, 0)
            continue
        arrival_s = at(w.arrivals, g.arrival).time_s if g.arrivals > 0 else inf
        is_change, is_arrival = False, arrival_s < inf
        time_s, priority, order = arrival_s, ARRIVAL, 0
        if g.change < g.changes:
            next_change = at(w.changes, g.change)
            if comes_before(next_change, time_s, priority, order):
                is_change, is_arrival = True, False
                time_s, priority, order = next_change.time_s, next_change.priority, next_change.order
        if g.events > 0:
            event = at(w.events, 0)
            if comes_before(event, time_s, priority, order):
                is_change, is_arrival = False, False
                time_s = event.time_s
        if g.change == g.changes and time_s >= g.incidents_until_s:
            return INCIDENTS_ARE_OVER
        g.now_s = time_s
        if is_arrival:
            _arrive(w, g)
        elif is_change:
            g.change += 1
            change(w, g.change - 1)
        else:
            event = at(w.events, 0)
            what, who = event.what, event.who
            pop(w)
            if what == REQUEST_RESUMES:
                walk(w, at(w.requests, who))
            else:
                _happen(w, g, what)
    return OVER


def _rows_are_full(g: Record) -> bool:
    return bool(
        g.attempt_rows + MARGIN > g.attempt_places
        or g.request_rows + g.open + MARGIN > g.request_places
        or g.transition_rows + MARGIN > g.transition_places
        or g.refusal_rows + MARGIN > g.refusal_places
    )


def _arrive(w: World, g: Record) -> None:
    """The next request of an open workload."""
    mark = at(w.arrivals, g.arrival)
    g.arrival += 1
    g.free_slots -= 1
    request = at(w.requests, at(w.free, g.free_slots).value)
    request.id = g.arrived
    request.draw = g.arrived
    request.arrival_s = mark.time_s
    request.deadline_s = mark.time_s + g.deadline_s
    request.input_tokens = mark.input_tokens
    request.output_tokens = mark.output_tokens
    request.units = mark.units
    request.requirement = mark.requirement
    arrive(w, request)


def _happen(w: World, g: Record, what: int) -> None:
    """An event of the run itself."""
    if what == HORIZON_COMES:
        g.arrivals_are_over = True
        end_if_over(w)
        if g.has_drain:
            push(w, g.cut_s, CUT, 0, CUT_COMES, 0, 0)
    elif what == CUT_COMES:
        cut(w)
    elif what == RUN_IS_DONE:
        g.over = True
    elif what == COUNT_BEGINS:
        g.counted_from = g.arrived
        push(w, g.count_until_s, TIMER, next_order(w), COUNT_ENDS, 0, 0)
    elif what == COUNT_ENDS:
        _count_no_more(w, g)
        push(w, g.cut_s, CUT, 0, CUT_COMES, 0, 0)


def _count_no_more(w: World, g: Record) -> None:
    g.counted_until = g.arrived
    g.left = 0
    for slot in range(g.slots):
        request = at(w.requests, slot)
        if request.is_open and request.id >= g.counted_from:
            g.left += 1
    if g.left == 0:
        be_done(w)
