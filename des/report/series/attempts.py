"""What an arm's calls were billed, by leg and outcome: what was spent on calls that did not serve."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from des.report.series.rows import batches, coded, floats
from des.traces import Run

_COLUMNS: Final = ("leg", "outcome", "kind", "cost_usd")


@dataclass(frozen=True, slots=True)
class Billed:
    """Calls of a leg that ended alike. Probes have the kind `probe`; calls and hedges count together as `call`."""

    leg: str
    kind: str
    outcome: str
    calls: int
    cost_usd: float


def billed(run: Run, arm: str) -> list[Billed]:
    """One pass over the arm's attempts, in the order of legs and outcomes in the trace."""
    legs: dict[str, int] = {}
    outcomes: dict[str, int] = {}
    kinds: dict[str, int] = {}
    calls: dict[tuple[int, int, int], int] = {}
    cost_usd: dict[tuple[int, int, int], float] = {}
    for batch in batches(run, "attempts", arm, _COLUMNS):
        leg, outcome = coded(batch.column("leg"), legs), coded(batch.column("outcome"), outcomes)
        probe = (coded(batch.column("kind"), kinds) == kinds.get("probe", -2)).astype(np.int64)
        cost = floats(batch, "cost_usd")
        keys = (leg * len(outcomes) + outcome) * 2 + probe
        many, paid = np.bincount(keys), np.bincount(keys, weights=cost)
        for key in np.flatnonzero(many):
            rest, is_probe = divmod(int(key), 2)
            place = (*divmod(rest, len(outcomes)), is_probe)
            calls[place] = calls.get(place, 0) + int(many[key])
            cost_usd[place] = cost_usd.get(place, 0.0) + float(paid[key])
    leg_names, outcome_names = list(legs), list(outcomes)
    return [
        Billed(leg_names[leg], "probe" if is_probe else "call", outcome_names[outcome], calls[place], cost_usd[place])
        for place in sorted(calls)
        for leg, outcome, is_probe in [place]
    ]
