"""What peers are compared by: a workload, and how each peer simulates it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple


class Found(NamedTuple):
    units: int
    """Customers or requests that were simulated."""
    figures: tuple[float, ...]
    """What the peers must agree on, in the order of `Workload.figures`."""


@dataclass(frozen=True)
class Peer:
    package: str
    """That it takes."""
    simulate: Callable[[int, int], Found]
    """About so many units, from this seed."""
    compiled: bool = False


BASE: Final = "SimPy by hand"
"""The peer that ratios are to."""


@dataclass(frozen=True)
class Workload:
    title: str
    unit: str
    figures: dict[str, str]
    """Name of each figure, and how it is written."""
    peers: dict[str, Peer]
