"""The loop over events: arrivals, changes of incidents, and what requests wait for, in order of time."""

from math import inf

from des.compiled.kernel.guards import guard_timer
from des.compiled.kernel.hedging import end_orphan
from des.compiled.kernel.incidents import change
from des.compiled.kernel.legs import begin_repair, break_leg, end_repair, rot
from des.compiled.kernel.memory import Record, at, pointers
from des.compiled.kernel.probes import end_probe, mark, next_probe, send_probe
from des.compiled.kernel.questions import (
    ARRIVALS,
    INCIDENTS_ARE_OVER,
    OVER,
    PLACES_ARE_FULL,
    ROWS_ARE_FULL,
    WRONG,
    ask,
)
from des.compiled.kernel.queue import comes_before, fill_first, free_first, next_order, push
from des.compiled.kernel.queues import give_up
from des.compiled.kernel.walk import arrive, be_done, cut, end_if_over, think, walk
from des.compiled.kernel.world import (
    COUNT_BEGINS,
    COUNT_ENDS,
    CUT_COMES,
    GUARD_TIMER,
    HORIZON_COMES,
    LEG_IS_REPAIRED,
    LEG_ROTS,
    ORPHAN_ENDS,
    PROBE_COMES,
    PROBE_ENDS,
    REQUEST_RESUMES,
    ROT_IS_NOTICED,
    RUN_IS_DONE,
    USER_SENDS,
    WAIT_ENDS,
    WAITER_GIVES_UP,
    World,
)
from des.engine.priorities import ARRIVAL, CUT, HORIZON, TIMER

MARGIN = 1024  # rows and places of the queue that an event may take, and then some


def play(world: World) -> int:
    """Play events until the run is over or Python has to do something. Returns which."""
    return _play(pointers(world))


def _play(w: World) -> int:
    g = at(w.run, 0)
    if not g.has_begun:
        g.has_begun = True
        _begin(w, g)
    while not g.over:
        if g.wrong:
            return WRONG
        if _rows_are_full(g):
            return ROWS_ARE_FULL
        if g.free_slots == 0 or g.free_calls <= g.most_flights or g.events + MARGIN > g.event_places:
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
            what, who, extra = event.what, event.who, event.extra
            free_first(w)
            if what in (REQUEST_RESUMES, WAIT_ENDS):
                walk(w, at(w.requests, who))
            elif what < HORIZON_COMES:
                _happen(w, g, what, who, extra)
            else:
                _of_run(w, g, what)
            fill_first(w)
    return OVER


def _begin(w: World, g: Record) -> None:
    """Set going what comes by itself: legs that rot, probes, users, and the ends of the run."""
    for number in range(g.legs):
        leg = at(w.legs, number)
        if leg.has_rot:
            rot(w, leg)
    for number in range(g.probes):
        next_probe(w, at(w.probes, number), number)
    if g.is_window:
        push(w, g.count_from_s, TIMER, next_order(w), COUNT_BEGINS, 0, 0)
    else:
        push(w, g.horizon_s, HORIZON, 0, HORIZON_COMES, 0, 0)
    for user in range(g.users):
        think(w, user)


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
    request.user = -1
    request.id = g.arrived
    request.draw = g.arrived
    request.arrival_s = mark.time_s
    request.deadline_s = mark.time_s + g.deadline_s
    request.input_tokens = mark.input_tokens
    request.output_tokens = mark.output_tokens
    request.units = mark.units
    request.requirement = mark.requirement
    arrive(w, request)


def _send(w: World, g: Record, user: int) -> None:
    """A user of a closed workload sends a request."""
    g.free_slots -= 1
    request = at(w.requests, at(w.free, g.free_slots).value)
    request.user = user
    request.id = g.arrived
    request.draw = at(w.users, user).value * g.users + user
    at(w.users, user).value += 1
    request.arrival_s = g.now_s
    request.deadline_s = g.now_s + g.deadline_s
    mark(w, g, request)
    arrive(w, request)


def _happen(w: World, g: Record, what: int, who: int, extra: int) -> None:
    """An event of the client, the providers, or a user."""
    if what == GUARD_TIMER:
        guard_timer(w, who, extra)
    elif what == WAITER_GIVES_UP:
        give_up(w, who, extra)
    elif what == ORPHAN_ENDS:
        end_orphan(w, who)
        end_if_over(w)
    elif what == USER_SENDS:
        _send(w, g, who)
    elif what == PROBE_COMES:
        send_probe(w, at(w.probes, who), who)
    elif what == PROBE_ENDS:
        end_probe(w, at(w.probes, who), who)
    elif what == LEG_ROTS:
        break_leg(w, at(w.legs, who))
    elif what == ROT_IS_NOTICED:
        begin_repair(w, at(w.legs, who))
    elif what == LEG_IS_REPAIRED:
        end_repair(w, at(w.legs, who))


def _of_run(w: World, g: Record, what: int) -> None:
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
