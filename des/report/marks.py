"""Marks beside the names of arms: which is the most available, and which is the cheapest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from des.estimate.estimate import Estimate

_AVAILABLE: Final = "*"
_CHEAP: Final = "$"


@dataclass(frozen=True, slots=True)
class Marks:
    """The arms that are best in something, and those that their intervals do not tell from them."""

    available: tuple[str, ...]
    cheap: tuple[str, ...]

    @classmethod
    def of(cls, lost: Mapping[str, Estimate | None], cost: Mapping[str, Estimate | None]) -> "Marks":
        """From the share of requests lost and the cost of a request, by arm: those that one could choose."""
        return cls(tuple(least(lost)), tuple(least(cost)))

    def name(self, arm: str) -> str:
        """`as_modelled *$`."""
        marks = (_AVAILABLE if arm in self.available else "") + (_CHEAP if arm in self.cheap else "")
        return f"{arm} {marks}" if marks else arm

    def names(self, arms: Sequence[str]) -> list[str]:
        return [self.name(arm) for arm in arms]

    @property
    def sentences(self) -> list[str]:
        told = ((_AVAILABLE, "the most available", self.available), (_CHEAP, "the cheapest to run", self.cheap))
        return [f"{mark} {words}{', or not told from it' if len(of) > 1 else ''}" for mark, words, of in told if of]


def least(found: Mapping[str, Estimate | None]) -> list[str]:
    """The arm with the least figure, then those whose intervals overlap its own.

    Empty where that is all of them, or where a figure is missing.
    """
    known = {arm: figure for arm, figure in found.items() if figure is not None and figure.mean is not None}
    if len(known) < len(found) or not known:
        return []
    first = min(known, key=lambda arm: known[arm].known)
    high = known[first].high
    most = known[first].known if high is None else high
    rivals = [arm for arm, of in known.items() if arm != first and (of.known if of.low is None else of.low) <= most]
    return [] if len(rivals) + 1 == len(known) else [first, *rivals]
