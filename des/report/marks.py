"""Marks beside the names of arms: which is the most available, and which is the cheapest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from des.estimate.estimate import Estimate
from des.report.figures import read

_AVAILABLE: Final = ("*", "the most available")
_CHEAP: Final = ("$", "the cheapest to run")
_PRICED: Final = ("*", "the cheapest, counting what failing costs")
_RIVALS: Final = ", or not told from it"


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign, what it means, and the names that have it: the best, then those that intervals do not tell from it."""

    sign: str
    means: str
    names: tuple[str, ...]

    @property
    def words(self) -> str:
        """`the most available, or not told from it`."""
        return f"{self.means}{_RIVALS if len(self.names) > 1 else ''}"


@dataclass(frozen=True, slots=True)
class Marks:
    """Of a table. Those that no name has are left out."""

    every: tuple[Mark, ...] = ()

    @classmethod
    def of(cls, lost: Mapping[str, Estimate | None], cost: Mapping[str, Estimate | None]) -> "Marks":
        """From the share of requests lost and the cost of a request, by arm: those that one could choose."""
        return cls._having(((*_AVAILABLE, least(lost)), (*_CHEAP, least(cost))))

    @classmethod
    def of_answer(
        cls, priced: Sequence[str], lost: Mapping[str, Estimate | None], cost: Mapping[str, Estimate | None]
    ) -> "Marks":
        """Where failing has a price, `priced` are the cheapest arm and its rivals, and alone are marked."""
        return cls._having(((*_PRICED, priced),)) if priced else cls.of(lost, cost)

    @classmethod
    def of_best(cls, means: str, name: str | None) -> "Marks":
        """Of the one name, if any, that is best in the sense that `means` says."""
        return cls._having((("*", means, () if name is None else (name,)),))

    @classmethod
    def _having(cls, told: Sequence[tuple[str, str, Sequence[str]]]) -> "Marks":
        return cls(tuple(Mark(sign, means, tuple(names)) for sign, means, names in told if names))

    def at(self, name: str) -> tuple[Mark, ...]:
        return tuple(mark for mark in self.every if name in mark.names)

    def signs(self, name: str) -> str:
        """`*$`, or nothing."""
        return "".join(mark.sign for mark in self.at(name))

    def name(self, arm: str) -> str:
        """`as_modelled *$`."""
        signs = self.signs(arm)
        return f"{arm} {signs}" if signs else arm

    def names(self, arms: Sequence[str]) -> list[str]:
        return [self.name(arm) for arm in arms]

    @property
    def sentences(self) -> list[str]:
        return [f"{mark.sign} {mark.words}" for mark in self.every]


def marks_of_comparison(summary: Mapping[str, Any], arms: Sequence[str]) -> Marks:
    """Of the arms in which nothing is shared less than is modelled: nobody can choose the others."""
    joint, found = summary["comparison"]["joint"], summary["comparison"]["same"]
    chosen = [arm for arm in arms if arm not in found and joint[arm]["sharing"].startswith("as modelled")]
    lost = {arm: read(joint[arm].get("failure_share")) for arm in chosen}
    if any(each is None for each in lost.values()):
        of = {arm: read(summary["arms"][arm].get("availability")) for arm in chosen}
        lost = {arm: None if each is None else each.complement() for arm, each in of.items()}
    return Marks.of(lost, {arm: read(summary["arms"][arm].get("cost_usd_per_request")) for arm in chosen})


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
