"""How often, and for how much of the time, breakers, limits and capacities kept calls away."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

OUT: Final = ("open", "half_open", "cooling", "ejected", "unhealthy", "refusing")
"""States in which an entity lets no call through, or few; `refusing` says only that the last call was refused."""
KINDS: Final = ("breaker", "cooldown", "ejection", "health", "limit", "capacity")

Block = Mapping[str, NDArray[Any]]
TimesOut = Mapping[str, tuple[int, float]]
"""`<entity> <state>` -> how often it began, and its share of the horizon."""

_STEPS_PER_S: Final = 1_000_000_000


class TimeOut:
    """Takes blocks of transitions, whose columns are codes into `names`."""

    def __init__(self, names: Mapping[str, Sequence[str]], horizon_s: float) -> None:
        self._entities, self._states = names["entity"], names["to"]
        self._horizon_s = horizon_s
        self._kinds = [names["kind"].index(kind) for kind in KINDS]
        shape = len(self._entities), len(self._states)
        self._begun = np.zeros(shape, np.int64)
        self._open = np.zeros(shape, np.int64)  # begun less ended, whenever that was
        self._steps = np.zeros(shape, np.int64)  # ends less starts, in nanoseconds, modulo 2^64

    def transitions(self, block: Block) -> None:
        some = np.isin(block["kind"], self._kinds)
        if not some.any():
            return
        entity, time_s = block["entity"][some], block["time_s"][some]
        steps = np.rint(np.minimum(time_s, self._horizon_s) * _STEPS_PER_S).astype(np.int64)
        after, before = (entity, block["to"][some]), (entity, block["from"][some])
        np.add.at(self._begun, after, time_s < self._horizon_s)
        np.add.at(self._open, after, 1)
        np.add.at(self._open, before, -1)
        np.subtract.at(self._steps, after, steps)
        np.add.at(self._steps, before, steps)

    def times_out(self) -> TimesOut:
        """Of the states that some entity was in; the guards of a leg have different ones."""
        horizon = round(self._horizon_s * _STEPS_PER_S)
        found = {}
        for entity, state in np.argwhere(self._begun > 0).tolist():
            if self._states[state] in OUT:
                steps = int(self._steps[entity, state]) + int(self._open[entity, state]) * horizon
                name = f"{self._entities[entity]} {self._states[state]}"
                found[name] = int(self._begun[entity, state]), min(1.0, steps / horizon)
        return found
