"""The incidents that are open at each endpoint, as the timelines of the components say."""

from des.compiled.kernel.memory import Record, at
from des.compiled.kernel.rows import DEGRADED, DOWN, UP, transition
from des.compiled.kernel.world import World
from des.engine.priorities import INCIDENT_START

STATE_STAYS, STATE_IS_READ = range(2)


def change(w: World, number: int) -> None:
    """Incidents of a component end or start now, at the endpoints that they hit; trace its state."""
    g = at(w.run, 0)
    changed = at(w.changes, number)
    component = at(w.components, changed.order)
    starts = changed.priority == INCIDENT_START
    for place in range(changed.first, changed.first + changed.count):
        incident = at(w.changing, place).value
        effect = at(w.effects, at(w.incidents, incident).effect)
        component.open += 1 if starts else -1
        if effect.is_outage:
            component.outages += 1 if starts else -1
        for hit in range(at(w.hit, incident).value, at(w.hit, incident + 1).value):
            condition = at(w.conditions, at(w.hits, hit).value)
            if starts:
                _raise_incident(w, condition, incident)
            else:
                _clear_incident(w, condition, incident)
            _renew(w, condition)
    if changed.state == STATE_STAYS:
        return
    state = UP
    if component.open > 0:
        state = DOWN if component.outages > 0 else DEGRADED
    if state != component.state:
        transition(w, g.now_s, component.entity, component.kind, component.state, state)
        component.state = state


def _raise_incident(w: World, condition: Record, incident: int) -> None:
    """Add an incident to the open ones, which are in order of their numbers."""
    place = condition.first + condition.count
    condition.count += 1
    while place > condition.first and at(w.open_incidents, place - 1).value > incident:
        at(w.open_incidents, place).value = at(w.open_incidents, place - 1).value
        place -= 1
    at(w.open_incidents, place).value = incident


def _clear_incident(w: World, condition: Record, incident: int) -> None:
    place = condition.first
    while at(w.open_incidents, place).value != incident:
        place += 1
    condition.count -= 1
    while place < condition.first + condition.count:
        at(w.open_incidents, place).value = at(w.open_incidents, place + 1).value
        place += 1


def _renew(w: World, condition: Record) -> None:
    condition.hangs = False
    condition.is_outage = False
    condition.factor = 1.0
    condition.slowest = -1
    slowest = 0.0
    for place in range(condition.first, condition.first + condition.count):
        incident = at(w.open_incidents, place).value
        effect = at(w.effects, at(w.incidents, incident).effect)
        at(w.open_error_rates, place).value = effect.error_rate
        at(w.open_hangs, place).value = effect.hang
        if effect.hang > 0.0:
            condition.hangs = True
        if effect.is_outage:
            condition.is_outage = True
        condition.factor *= effect.latency_factor
        if effect.latency_factor > slowest:
            slowest = effect.latency_factor
            condition.slowest = incident
