"""Incidents as the kernel reads them: their changes in order of time, whom they hit, and when they kill calls."""

from math import inf
from typing import Any, Final

import numpy as np

from des.compiled.client_tables import Array, rows
from des.compiled.kernel.incidents import STATE_IS_READ, STATE_STAYS
from des.compiled.kernel.world import CHANGE, CONDITION, EFFECT, INCIDENT, NUMBER, WHOLE
from des.compiled.tables import Tables
from des.engine.draws import LegDraws
from des.engine.incidents import Ledger, kills
from des.engine.priorities import INCIDENT_END, INCIDENT_START
from des.faults import Timeline
from des.scenario.text.units import YEAR_S
from des.vocabulary import BY_INCIDENT

_ARRAYS: Final = (
    *("effects", "incidents", "changes", "changing", "hit", "hits", "conditions"),
    *("open_incidents", "open_error_rates", "open_hangs", "kills"),
)


class Timelines:
    """The records of a replication's incidents that start before `until_s`."""

    def __init__(self, tables: Tables, seed: int, replication: int, ledger: Ledger, begin_s: float) -> None:
        self._tables = tables
        self._ledger = ledger
        self._begin_s = begin_s
        self.place = 0
        self.until_s = -inf
        plan = tables.plan
        self.conditions = rows(len(plan.endpoints), CONDITION)
        self.conditions["factor"], self.conditions["slowest"] = 1.0, -1
        self._places = 0
        self.open_incidents, self.open_error_rates, self.open_hangs = rows(0, WHOLE), rows(0, NUMBER), rows(0, NUMBER)
        self._draws: dict[int, LegDraws] = {}
        self._seed, self._replication = seed, replication
        self._build(ledger.timeline)

    def _build(self, timeline: Timeline) -> None:
        tables = self._tables
        before_s, self.until_s = self.until_s, timeline.until_s
        self.effects = rows(len(timeline.effects), EFFECT)
        for row, effect in zip(self.effects, timeline.effects, strict=False):
            row["error_rate"], row["hang"], row["latency_factor"] = (
                effect.error_rate,
                effect.hang,
                effect.latency_factor,
            )
            row["told_s"], row["is_outage"] = effect.told_s, effect.outage
            row["kind"] = tables.kinds.code(effect.outcome, effect.status)
            row["delay"] = tables.delay_of_effect[effect]
        number = len(timeline)
        self.incidents = rows(number, INCIDENT)
        self.incidents["effect"][:number] = timeline.effect
        self.incidents["component"][:number] = timeline.component
        counts = timeline.hits.sum(axis=1)
        self.hit = rows(number + 1, WHOLE)
        self.hit["value"][1 : number + 1] = np.cumsum(counts)
        self.hits = rows(int(counts.sum()), WHOLE)
        if number:
            self.hits["value"][: int(counts.sum())] = np.nonzero(timeline.hits)[1]
        self._build_changes(timeline)
        self._build_kills(timeline)
        self.place = int(np.searchsorted(self.changes["time_s"][: self.count], before_s, side="left"))
        self._make_room(timeline)

    def _build_changes(self, timeline: Timeline) -> None:
        """An event a component, an instant, and whether incidents end or start; before what is known ends."""
        number = len(timeline)
        ids = np.arange(number)
        time_s = np.concatenate([timeline.end_s, np.maximum(timeline.start_s, self._begin_s)])
        priority = np.repeat([INCIDENT_END, INCIDENT_START], number)
        component = np.concatenate([timeline.component, timeline.component])
        order = np.lexsort([np.concatenate([ids, ids]), component, priority, time_s])
        order = order[: int(np.searchsorted(time_s[order], timeline.until_s, side="left"))]
        time_s, priority, component = time_s[order], priority[order], component[order]
        self.changing = rows(len(order), WHOLE)
        self.changing["value"][: len(order)] = order % max(1, number)
        new = np.ones(len(order), np.bool_)
        if len(order):
            same = (np.diff(time_s) == 0.0) & (np.diff(priority) == 0) & (np.diff(component) == 0)
            new[1:] = ~same
        first = np.flatnonzero(new)
        self.count = len(first)
        self.changes = rows(len(first), CHANGE)
        changes = self.changes[: len(first)]
        changes["time_s"], changes["priority"], changes["order"] = time_s[first], priority[first], component[first]
        changes["first"], changes["count"] = first, np.diff(np.append(first, len(order)))
        changes["state"] = STATE_IS_READ
        starts = changes[changes["priority"] == INCIDENT_START]
        starting = set(zip(starts["time_s"].tolist(), starts["order"].tolist(), strict=True))
        ends = np.flatnonzero(changes["priority"] == INCIDENT_END).tolist()
        at = zip(changes["time_s"][ends].tolist(), changes["order"][ends].tolist(), strict=True)
        # Where incidents of a component end and others start, its state is read once, after both.
        changes["state"][[place for place, when in zip(ends, at, strict=True) if when in starting]] = STATE_STAYS

    def _make_room(self, timeline: Timeline) -> None:
        """Places for the incidents that may be open at each endpoint, and one more."""
        endpoints = len(self.conditions)
        most = max((_most_open(timeline, endpoint) for endpoint in range(len(self._tables.plan.endpoints))), default=0)
        if most + 2 <= self._places:
            return
        before, self._places = self._places, most + 2
        tables = [rows(endpoints * self._places, dtype) for dtype in (WHOLE, NUMBER, NUMBER)]
        for old, new in zip((self.open_incidents, self.open_error_rates, self.open_hangs), tables, strict=True):
            for endpoint in range(endpoints):
                kept = old[endpoint * before : (endpoint + 1) * before]
                new[endpoint * self._places : endpoint * self._places + before] = kept
        self.open_incidents, self.open_error_rates, self.open_hangs = tables
        self.conditions["first"] = np.arange(endpoints) * self._places

    def _build_kills(self, timeline: Timeline) -> None:
        """Starts of the incidents that may kill calls, of each endpoint."""
        killing = np.array([kills(effect) for effect in timeline.effects], np.bool_)
        self._first_kill: list[int] = []
        found: list[float] = []
        for endpoint in range(len(self._tables.plan.endpoints)):
            self._first_kill.append(len(found))
            if killing.any():
                struck = np.flatnonzero(timeline.hits[:, endpoint] & killing[timeline.effect])
                found.extend(timeline.start_s[struck].tolist())
        self._first_kill.append(len(found))
        self.kills = rows(len(found), NUMBER)
        if found:
            self.kills["value"] = found

    def say_kills(self, legs: Array) -> None:
        """Tell the legs where their endpoints' killing incidents are."""
        for leg in legs[: len(self._tables.plan.chain)]:
            endpoint = int(leg["endpoint"])
            leg["first_kill"] = self._first_kill[endpoint]
            leg["kills"] = self._first_kill[endpoint + 1] - self._first_kill[endpoint]

    def arrays(self) -> dict[str, Any]:
        """By their names in the world."""
        return {name: getattr(self, name) for name in _ARRAYS}

    def go_on(self) -> None:
        """Draw on beyond what is known."""
        if self._ledger.timeline.until_s <= self.until_s:
            self._ledger.extend(1.5 * self.until_s)
        self._build(self._ledger.timeline)

    def kill(self, call: Any, index: int) -> None:
        """End a call where an incident kills it, if one does. An endless call is followed for a year."""
        leg, nth, start_s = int(call["leg"]), int(call["nth"]), float(call["start_s"])
        plan, tables = self._tables.plan, self._tables
        endpoint = plan.chain[leg].endpoint
        if leg not in self._draws:
            self._draws[leg] = LegDraws(self._seed, self._replication, plan.chain[leg], plan.endpoints[endpoint])
        draws = self._draws[leg][nth]
        end_s = min(float(call["end_s"]), start_s + YEAR_S, float(tables.legs[leg]["last_kill_s"]))
        for count, (kill_s, incident) in enumerate(self._ledger.kills(endpoint, start_s, end_s)):
            effect = self._ledger.effect(incident)
            if draws.kill(count, index) < effect.error_rate:
                call["end_s"], call["outcome"] = kill_s, tables.kinds.code(effect.outcome, effect.status)
                call["cause"], call["cause_id"], call["retry_after_s"] = BY_INCIDENT, incident, np.nan
                return


def _most_open(timeline: Timeline, endpoint: int) -> int:
    """The largest number of incidents that are open at once, or start where others end."""
    hits = timeline.hits[:, endpoint]
    starts, ends = np.sort(timeline.start_s[hits]), np.sort(timeline.end_s[hits])
    if not len(starts):
        return 0
    return int((np.arange(1, len(starts) + 1) - np.searchsorted(ends, starts, side="left")).max())
