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


def pop(w: World) -> None:
    """Remove the first event."""
    g = at(w.run, 0)
    count = g.events - 1
    g.events = count
    last = at(w.events, count)
    time_s, priority, order = last.time_s, last.priority, last.order
    place = 0
    while True:
        below = 2 * place + 1
        if below >= count:
            break
        if below + 1 < count:
            right = at(w.events, below + 1)
            if comes_before(right, at(w.events, below).time_s, at(w.events, below).priority, at(w.events, below).order):
                below += 1
        lower = at(w.events, below)
        if not comes_before(lower, time_s, priority, order):
            break
        _put(at(w.events, place), lower)
        place = below
    _put(at(w.events, place), last)


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
