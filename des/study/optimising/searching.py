"""Which candidates are screened: all of them where they are few enough, else along a beam.

A beam keeps the most promising chains of each length and tries every entry behind each. So its work grows with the
number of entries, not with that of their orders. Chains are promising where no other one is both cheaper by the aim and
closer to keeping the bounds; then where few are (non-dominated sorting; Deb et al. 2002). It may miss the best chain,
and the answer says so.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from des.errors import DesError
from des.study.optimising.aim import Aim
from des.study.optimising.screening import Figures
from des.study.optimising.space import AS_WRITTEN, Candidate, Space, chains_of

MOST: Final = 10_000
"""Candidates up to which all are screened."""
_WIDEST: Final = 64
_NARROWEST: Final = 8

Screen = Callable[[Sequence[Candidate]], dict[Candidate, Figures | str]]


@dataclass(slots=True)
class Screened:
    """The figures of all candidates that were screened, in the order of their screening.

    `alone` are the figures of each entry of the pool as a chain of its own, as written. `complete` says whether every
    candidate of the space was screened, `space` how many there are. `refused` are those with contradictory values.
    `width` is the number of chains of each length that a beam kept, 0 without one.
    """

    figures: dict[Candidate, Figures] = field(default_factory=dict)
    alone: dict[int, Figures] = field(default_factory=dict)
    refused: dict[Candidate, str] = field(default_factory=dict)
    complete: bool = True
    space: float = 0.0
    width: int = 0

    def add(self, found: dict[Candidate, Figures | str]) -> None:
        for candidate, figures in found.items():
            if isinstance(figures, str):
                self.refused[candidate] = figures
            else:
                self.figures[candidate] = figures


def candidates_of(space: Space) -> float:
    """How many there are."""
    return space.chains() * len(space.settings)


def work_of(space: Space, most: int = MOST) -> float:
    """How many candidates are screened."""
    count = candidates_of(space)
    if count <= most or not space.varies_chain:
        return count
    return len(space.pool) * (1.0 + _width(space, most) * ((space.most or 1) - 1)) * len(space.settings)


def search(space: Space, aim: Aim, screen: Screen, most: int = MOST) -> Screened:
    """Screen the space. The rule of ascending cost per success comes first, and the scenario as written."""
    found = Screened(space=candidates_of(space))
    if space.varies_chain:
        first = {space.alike[entry]: entry for entry in reversed(space.pool)}
        alone = screen([Candidate(AS_WRITTEN, (entry,)) for entry in first.values()])
        of = {candidate.entries[0]: figures for candidate, figures in alone.items()}
        for entry in space.pool:
            figures = of[first[space.alike[entry]]]
            assert not isinstance(figures, str)  # as written, the scenario is valid
            found.alone[entry] = figures
        found.add(screen([Candidate(AS_WRITTEN, chain) for chain in rules(space, found)]))
    found.add(screen([Candidate(AS_WRITTEN, space.written())]))
    if found.space <= most or not space.varies_chain:
        chains = list(chains_of(space))
        found.add(screen([Candidate(setting, chain) for setting in space.settings for chain in chains]))
    else:
        found.complete, found.width = False, _width(space, most)
        for setting in space.settings:
            _along_a_beam(space, setting, aim, screen, found, found.width)
    if not found.figures:
        raise DesError(f"no candidate can be built: {next(iter(found.refused.values()))}")
    return found


def rules(space: Space, found: Screened) -> list[tuple[int, ...]]:
    """The chains of each length with the entries in ascending cost per success of each alone, the shortest first."""
    order = ascending(found)
    return [tuple(order[:length]) for length in range(space.least or 1, (space.most or 0) + 1)]


def ascending(found: Screened) -> list[int]:
    """The entries in ascending cost per success of each alone; among equals as written."""
    return sorted(found.alone, key=lambda entry: (cost_alone(found, entry), entry))


def cost_alone(found: Screened, entry: int) -> float:
    """USD per success; infinite where nothing is served."""
    cost_usd = found.alone[entry]["cost_usd_per_success"]
    return cost_usd if math.isfinite(cost_usd) else math.inf


def _width(space: Space, most: int) -> int:
    """Chains kept of each length, so that about `most` candidates are screened."""
    lengths = max(1, (space.most or 1) - 1)
    fits = (most / len(space.settings) / len(space.pool) - 1.0) / lengths
    return max(_NARROWEST, min(_WIDEST, math.floor(fits)))


def _along_a_beam(space: Space, setting: int, aim: Aim, screen: Screen, found: Screened, width: int) -> None:
    kept: list[tuple[int, ...]] = [()]
    for length in range(1, (space.most or 0) + 1):
        longer = [Candidate(setting, chain) for entries in kept for chain in space.extensions(entries)]
        of = screen(longer)
        told = {candidate: figures for candidate, figures in of.items() if not isinstance(figures, str)}
        if length >= (space.least or 1):
            found.add(of)
        kept = [candidate.entries for candidate in promising(told, aim, width)]


def promising(figures: dict[Candidate, Figures], aim: Aim, count: int) -> list[Candidate]:
    """Those that are best by the aim and the bounds together; `count` at most.

    Besides the aim and the excess over the bounds it weighs what is lost: a chain that loses little may be extended by
    what makes it cheap or fast.
    """
    order = sorted(figures)
    aims = [aim.of(figures[candidate]) for candidate in order]
    points = np.array(
        [
            (value if math.isfinite(value) else math.inf, aim.excess(of), of["failure_share"])
            for value, of in zip(aims, (figures[candidate] for candidate in order), strict=True)
        ]
    ).reshape(len(order), 3)
    by_aim = np.lexsort((points[:, 2], points[:, 1], points[:, 0]))
    points = points[by_aim]
    left: NDArray[np.bool_] = np.ones(len(order), dtype=np.bool_)
    no_worse, better = points[:, None, :] <= points[None, :, :], points[:, None, :] < points[None, :, :]
    beats: NDArray[np.bool_] = np.asarray(no_worse.all(axis=2) & better.any(axis=2), dtype=np.bool_)
    chosen: list[Candidate] = []
    while left.any() and len(chosen) < count:
        front: NDArray[np.bool_] = left & ~beats[np.flatnonzero(left)].any(axis=0)
        chosen += [order[by_aim[place]] for place in np.flatnonzero(front)]
        left = left & ~front
    return chosen[:count]
