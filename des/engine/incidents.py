"""Open incidents at each endpoint, updated by one process per component, and surges of load."""

import math
from bisect import bisect_right, insort
from collections import deque
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from des.engine.clock import Clock, Moment, Process
from des.engine.columns import Block
from des.engine.priorities import INCIDENT_END, INCIDENT_START
from des.engine.recorder import Recorder
from des.engine.records import Condition
from des.faults import Timeline, draw_timeline
from des.rules.limits import turned_away
from des.scenario import plan
from des.scenario.plan import Component, Effect, Plan, RecordedIncidents

MARGIN_S = 86_400.0  # drawn beyond the horizon at most, for requests still in flight then


def kills(effect: Effect) -> bool:
    """Whether incidents of this effect may end calls in flight."""
    return effect.kills_in_flight and effect.error_rate > 0.0


def last_kill_s(plan: Plan, endpoint: int) -> float:
    """The time after which no incident may end calls in flight at the endpoint: inf for drawn ones, -inf for none.

    Whoever looks for one then need not draw a timeline further than that.
    """
    pending, seen = [plan.endpoints[endpoint].component], set[int]()
    last_s = -math.inf
    while pending:
        index = pending.pop()
        if index in seen:
            continue
        seen.add(index)
        part = plan.components[index]
        for incidents in part.incidents:
            if isinstance(incidents, RecordedIncidents):
                killing = zip(incidents.start_s, incidents.effects, strict=True)
                starts_s = [start_s for start_s, effect in killing if kills(effect)]
                if starts_s and plan.shared < 1.0:  # windows may be shifted by whole weeks of the horizon
                    starts_s.append(plan.horizon_s)
                last_s = max([last_s, *starts_s])
            elif any(map(kills, incidents.every_effect)):
                return math.inf
        pending.extend(dependency.component for dependency in part.depends_on if dependency.share > 0.0)
    return last_s


class Ledger:
    """The incidents of a replication, drawn before the clock starts and extended when it runs on.

    A `timeline` that is given ends at infinity: it is all there is.
    """

    def __init__(self, plan: Plan, replication: int, timeline: Timeline | None = None) -> None:
        self._plan = plan
        self._replication = replication
        if timeline is None:
            timeline = draw_timeline(plan, replication, plan.horizon_s + min(MARGIN_S, plan.horizon_s))
        self.timeline: Timeline = timeline
        self._kills: dict[int, tuple[list[float], list[int]]] = {}

    def extend(self, until_s: float) -> None:
        """Draw on to at least `until_s`. Incidents drawn before keep their numbers."""
        if until_s > self.timeline.until_s:
            until_s = max(until_s, 1.5 * self.timeline.until_s)
            self.timeline = draw_timeline(self._plan, self._replication, until_s)
            self._kills.clear()

    def effect(self, incident: int) -> Effect:
        return self.timeline.effects[int(self.timeline.effect[incident])]

    def struck(self, incident: int) -> list[int]:
        """The endpoints that an incident hits."""
        return np.flatnonzero(self.timeline.hits[incident]).tolist()

    def kills(self, endpoint: int, after_s: float, until_s: float) -> Iterator[tuple[float, int]]:
        """(time, incident) of the killing incidents that start at the endpoint in (after, until], in order."""
        place = -1
        while True:
            times, incidents = self._killing(endpoint)
            if place < 0:
                place = bisect_right(times, after_s)
            while place < len(times):
                if times[place] > until_s:
                    return
                yield times[place], incidents[place]
                place += 1
            if self.timeline.until_s > until_s or self.timeline.until_s == math.inf:
                return
            self.extend(1.5 * self.timeline.until_s)

    def _killing(self, endpoint: int) -> tuple[list[float], list[int]]:
        """Starts and numbers of the killing incidents drawn so far. Extending only appends to them."""
        if endpoint not in self._kills:
            timeline = self.timeline
            killing = np.array([kills(effect) for effect in timeline.effects], dtype=bool)
            struck = np.flatnonzero(timeline.hits[:, endpoint] & killing[timeline.effect])
            self._kills[endpoint] = (timeline.start_s[struck].tolist(), struck.tolist())
        return self._kills[endpoint]


class EndpointState:
    """An endpoint's condition, None while no incident is open there."""

    __slots__ = ("_open", "condition", "index")

    def __init__(self, index: int) -> None:
        self.index = index
        self.condition: Condition | None = None
        self._open: list[int] = []

    @property
    def is_down(self) -> bool:
        """Whether an outage is open."""
        return self.condition is not None and self.condition.is_outage

    def raise_incident(self, incident: int, ledger: Ledger) -> None:
        insort(self._open, incident)
        self._renew(ledger)

    def clear_incident(self, incident: int, ledger: Ledger) -> None:
        self._open.remove(incident)
        self._renew(ledger)

    def _renew(self, ledger: Ledger) -> None:
        self.condition = Condition(self._open, [ledger.effect(i) for i in self._open]) if self._open else None


def changes(ledger: Ledger, component: int, begin_s: float = 0.0) -> Iterator[tuple[float, list[int], list[int]]]:
    """(time, incidents that end, incidents that start) of one component, in order and without end.

    Incidents that are open at `begin_s` start there. A change with neither marks the end of the drawn timeline; more is
    drawn once the clock reaches it.
    """
    ends: list[tuple[float, int]] = []
    drawn_until_s = -math.inf
    while True:
        timeline = ledger.timeline
        own = np.flatnonzero((timeline.component == component) & (timeline.start_s >= drawn_until_s))
        starts = _starts(timeline, own, begin_s)
        drawn_until_s = timeline.until_s
        upcoming = next(starts, _NEVER)
        while True:
            time_s = upcoming[0]
            if ends and ends[0][0] < time_s:
                time_s = ends[0][0]
            if time_s >= drawn_until_s:
                break
            ending, starting = [], []
            while ends and ends[0][0] == time_s:
                ending.append(heappop(ends)[1])
            while upcoming[0] == time_s:
                incident = upcoming[1]
                starting.append(incident)
                heappush(ends, (float(timeline.end_s[incident]), incident))
                upcoming = next(starts, _NEVER)
            yield time_s, ending, starting
        yield drawn_until_s, [], []
        ledger.extend(1.5 * drawn_until_s)


_NEVER = (math.inf, -1)
_PIECE = 4096


def _starts(timeline: Timeline, incidents: NDArray[np.int64], begin_s: float) -> Iterator[tuple[float, int]]:
    """(time, incident) of each, in order; in pieces, as Python's numbers take many times the memory of arrays."""
    for first in range(0, len(incidents), _PIECE):
        piece = incidents[first : first + _PIECE]
        yield from zip(np.maximum(timeline.start_s[piece], begin_s).tolist(), piece.tolist(), strict=True)


def component_process(
    clock: Clock, recorder: Recorder, ledger: Ledger, endpoints: Sequence[EndpointState], component: Component
) -> Process:
    """Follow a component's timeline: open and close its incidents at the endpoints they hit, and trace its state."""
    open_incidents: set[int] = set()
    state = "up"
    for time_s, ending, starting in changes(ledger, component.index, clock.now):
        if ending or not starting:
            yield Moment(clock, time_s, INCIDENT_END, component.index)
        for incident in ending:
            open_incidents.remove(incident)
            for endpoint in ledger.struck(incident):
                endpoints[endpoint].clear_incident(incident, ledger)
        if starting:
            yield Moment(clock, time_s, INCIDENT_START, component.index)
        for incident in starting:
            open_incidents.add(incident)
            for endpoint in ledger.struck(incident):
                endpoints[endpoint].raise_incident(incident, ledger)
        before, state = state, _state(ledger, open_incidents)
        if state != before:
            recorder.transition(time_s, component.name, component.kind, before, state)


def _state(ledger: Ledger, open_incidents: set[int]) -> str:
    if not open_incidents:
        return "up"
    return "down" if any(ledger.effect(incident).outage for incident in open_incidents) else "degraded"


_SURGE_WINDOW_S = 60.0  # for the rate of the simulated attempts


class Surge:
    """Load of others while every endpoint of `when` is down. It may turn away attempts at its destination."""

    __slots__ = ("_capacity_per_s", "_fled", "_load", "_own")

    def __init__(self, surge: plan.Surge, endpoints: Sequence[EndpointState]) -> None:
        self._fled = [endpoints[index] for index in surge.when]
        self._load = surge.load
        self._capacity_per_s = surge.capacity_per_s
        self._own: deque[float] = deque()

    def overload(self, now_s: float) -> float:
        """The probability that an attempt started now is refused for overload. The attempt adds to the load."""
        own = 0.0
        if self._capacity_per_s is not None:
            self._own.append(now_s)
            while self._own[0] <= now_s - _SURGE_WINDOW_S:
                self._own.popleft()
            own = len(self._own) / _SURGE_WINDOW_S / self._capacity_per_s
        if all(endpoint.is_down for endpoint in self._fled):
            return turned_away(self._load + own, 1.0)
        return 0.0


def incident_rows(plan: Plan, ledger: Ledger, end_s: float) -> Block:
    """Every incident that has started by the end of the run, in order of its number."""
    timeline = ledger.timeline
    begun = int(np.searchsorted(timeline.start_s, max(end_s, 0.0), side="right"))
    effect, effects = timeline.effect[:begun], timeline.effects
    endpoint_names = [f"{endpoint.provider}/{endpoint.model}" for endpoint in plan.endpoints]
    names_of: dict[tuple[int, ...], list[str]] = {}  # a long run has many incidents that hit the same endpoints
    struck = np.empty(begun, dtype=object)
    for incident in range(begun):
        hit = tuple(ledger.struck(incident))
        struck[incident] = names_of.setdefault(hit, [endpoint_names[index] for index in hit])
    return {
        "incident_id": np.arange(begun),
        "component": timeline.component[:begun],
        "kind": timeline.kind[:begun],
        "shared": timeline.shared[:begun],
        "start_s": timeline.start_s[:begun],
        "end_s": timeline.end_s[:begun],
        "error_rate": np.array([each.error_rate for each in effects], dtype=np.float64)[effect],
        "latency_factor": np.array([each.latency_factor for each in effects], dtype=np.float64)[effect],
        "hang": np.array([each.hang for each in effects], dtype=np.float64)[effect],
        "kills_in_flight": np.array([each.kills_in_flight for each in effects], dtype=bool)[effect],
        "endpoints": struck,
    }
