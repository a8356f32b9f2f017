"""The states that recorded windows put endpoints into over the horizon, and how long each lasts."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from des.scenario.plan import Effect, Plan, RecordedIncidents


@dataclass(frozen=True, slots=True)
class RecordedStates:
    """Segments of [0, horizon): their share of it, and what is open as (effect, endpoints hit as a bit mask)."""

    shares: tuple[float, ...]
    open: tuple[tuple[tuple[Effect, int], ...], ...]
    horizon_s: float
    endpoints: int

    def down_sets(self) -> list[tuple[float, int]]:
        """(share of the horizon, endpoints down) of each set that occurs."""
        lasting: dict[int, list[float]] = defaultdict(list)
        for share, down in zip(self.shares, self._down(), strict=True):
            lasting[down].append(share)
        return [(math.fsum(shares), down) for down, shares in sorted(lasting.items())]

    def steps(self) -> list[tuple[float, int, int]]:
        """(times per second, endpoints down before, endpoints down after) of each change within the horizon."""
        counted: dict[tuple[int, int], int] = defaultdict(int)
        down = self._down()
        for before, after in pairwise(down):
            if before != after:
                counted[before, after] += 1
        return [(count / self.horizon_s, before, after) for (before, after), count in sorted(counted.items())]

    def factors(self) -> list[tuple[float, tuple[float, ...]]]:
        """(share of the horizon, chance by endpoint that a call survives what is open) of each state that occurs."""
        lasting: dict[tuple[float, ...], list[float]] = defaultdict(list)
        for share, effects in zip(self.shares, self.open, strict=True):
            lasting[tuple(self._survival(effects, endpoint) for endpoint in range(self.endpoints))].append(share)
        return [(math.fsum(shares), factors) for factors, shares in sorted(lasting.items())]

    def _down(self) -> list[int]:
        down = []
        for effects in self.open:
            hit = 0
            for effect, hits in effects:
                hit |= hits if effect.outage else 0
            down.append(hit)
        return down

    def _survival(self, effects: tuple[tuple[Effect, int], ...], endpoint: int) -> float:
        return math.prod(
            (1.0 - effect.error_rate) * (1.0 - effect.hang) for effect, hits in effects if hits >> endpoint & 1
        )


def recorded_states(recorded: Sequence[tuple[RecordedIncidents, int]], plan: Plan) -> RecordedStates:
    """One state for the whole horizon where nothing is on record."""
    horizon_s = plan.horizon_s
    changes: dict[float, list[tuple[int, int, int]]] = defaultdict(list)
    for number, (incidents, _) in enumerate(recorded):
        for window, (start_s, end_s) in enumerate(zip(incidents.start_s, incidents.end_s, strict=True)):
            start_s, end_s = max(start_s, 0.0), min(end_s, horizon_s)
            if start_s < end_s:
                changes[start_s].append((1, number, window))
                changes[end_s].append((0, number, window))
    instants = sorted({0.0, horizon_s, *changes})
    shares, states = [], []
    opened: dict[tuple[int, int], tuple[Effect, int]] = {}
    for now_s, next_s in pairwise(instants):
        for begins, number, window in sorted(changes.get(now_s, [])):
            incidents, hits = recorded[number]
            if begins:
                opened[number, window] = (incidents.effects[window], hits)
            else:
                del opened[number, window]
        shares.append((next_s - now_s) / horizon_s)
        states.append(tuple(opened.values()))
    return RecordedStates(tuple(shares), tuple(states), horizon_s, len(plan.endpoints))
