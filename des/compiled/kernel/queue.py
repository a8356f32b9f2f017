"""The events to come: a heap in order of (time, priority, order), which no two events share."""

from des.compiled.kernel.memory import Record, at
from des.compiled.kernel.world import World


def comes_before(event: Record, time_s: float, priority: int, order: int) -> bool:
    if event.time_s != time_s:
        return event.time_s < time_s
    if event.priority != priority:
        return event.priority < priority
    return event.order < order


def _put(place: Record, event: Record) -> None:
    place.time_s = event.time_s
    place.priority = event.priority
    place.order = event.order
    place.what = event.what
    place.who = event.who
    place.extra = event.extra


def push(w: World, time_s: float, priority: int, order: int, what: int, who: int, extra: int) -> None:
    """An event at a time to come."""
    g = at(w.run, 0)
    if g.first_is_free:
        g.first_is_free = False
        place = _down(w, g.events, time_s, priority, order)
    else:
        place = g.events
        g.events = place + 1
        while place > 0:
            above = at(w.events, (place - 1) >> 1)
            if comes_before(above, time_s, priority, order):
                break
            _put(at(w.events, place), above)
            place = (place - 1) >> 1
    event = at(w.events, place)
    event.time_s = time_s
    event.priority = priority
    event.order = order
    event.what = what
    event.who = who
    event.extra = extra


def _down(w: World, count: int, time_s: float, priority: int, order: int) -> int:
    """The place for an event, from the first one down, after those that come before it have moved up."""
    place = 0
    while True:
        below = 2 * place + 1
        if below >= count:
            return place
        if below + 1 < count:
            left = at(w.events, below)
            # added, as a branch that is taken every other time would take longer than all the rest
            below += comes_before(at(w.events, below + 1), left.time_s, left.priority, left.order)
        lower = at(w.events, below)
        if not comes_before(lower, time_s, priority, order):
            return place
        _put(at(w.events, place), lower)
        place = below


def free_first(w: World) -> None:
    """The first event happens. Most events lead to another, which takes its place; else `fill_first` does so."""
    at(w.run, 0).first_is_free = True


def fill_first(w: World) -> None:
    """Put the last event into the place of one that has led to no other."""
    g = at(w.run, 0)
    if g.first_is_free:
        g.first_is_free = False
        count = g.events - 1
        g.events = count
        last = at(w.events, count)
        _put(at(w.events, _down(w, count, last.time_s, last.priority, last.order)), last)


def succeed(w: World, what: int, who: int) -> None:
    """An event now, before whatever else is due now, as SimPy's own are."""
    g = at(w.run, 0)
    push(w, g.now_s, 1, g.next_event_id, what, who, 0)
    g.next_event_id += 1


def next_order(w: World) -> int:
    """The order of a new timer among those at one instant."""
    g = at(w.run, 0)
    g.next_order += 1
    return g.next_order - 1
