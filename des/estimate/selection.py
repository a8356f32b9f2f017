"""Which of several systems is best, among those that keep their bounds, with a guarantee.

The systems are simulated with common random numbers, replication by replication. Two published procedures run side by
side over the same replications, and each gets half of the error:

- *Feasibility.* Andradottir and Kim 2010 (Naval Research Logistics 57, 403-421): a system's distance from a bound is
  added up until it leaves a triangular region. Systems that miss their bound by `tolerance` or more are dropped, those
  that keep it by as much stay; in between either may happen.
- *Selection.* KN of Kim and Nelson 2001 (ACM TOMACS 11, 251-273): a system is dropped once its mean is worse than that
  of a feasible one by more than a bound that narrows with each replication.

Both take replications for independent and normal and allow any dependence between systems, since the errors of pairs
are added up (Bonferroni). The system chosen is then the best one or within `indifference` of it with the probability
asked for, whatever the variances.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from des.distributions import FloatArray

FIRST: Final = 10
"""Replications of every system before any is dropped; their spread sets the regions."""
CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """How close is close enough, in the units of the figures.

    `indifference`: of the aim. `tolerances`: of the distance from each bound.
    """

    indifference: float
    tolerances: tuple[float, ...] = ()
    confidence: float = CONFIDENCE
    first: int = FIRST


@dataclass(slots=True)
class _System:
    """What the replications of one system gave: its aim, and its distance from each bound (above 0 misses it)."""

    aims: list[float] = field(default_factory=list)
    misses: list[tuple[float, ...]] = field(default_factory=list)
    keeps: list[bool | None] = field(default_factory=list)
    """Whether it keeps each bound; None while that is open."""

    @property
    def feasible(self) -> bool:
        return all(self.keeps)


class Selection:
    """The state of the procedures. The least aim is the best.

    `known` says of each system, by bound, whether it keeps it where that is known exactly, else None.
    `running` are the systems that need further replications; it is empty once all is decided. `best` is the system
    chosen, None before that or where none keeps its bounds. `infeasible` were dropped for a bound, `worse` for their
    aim.
    """

    def __init__(self, systems: int, zone: Zone, known: Sequence[Sequence[bool | None]] = ()) -> None:
        bounds = len(zone.tolerances)
        said = known or [[None] * bounds for _ in range(systems)]
        self._zone = zone
        self._systems = [_System(keeps=list(each)) for each in said]
        self.systems = systems
        self._competing = list(range(systems))
        self.infeasible: list[int] = []
        self.worse: list[int] = []
        self._drop(system for system in self._competing if False in self._systems[system].keeps)
        open_bounds = sum(keeps is None for system in self._systems for keeps in system.keeps)
        error = 1.0 - zone.confidence
        share = 0.5 if open_bounds else 1.0
        self._of_bounds = _eta(error * 0.5 / open_bounds, zone.first) if open_bounds else 0.0
        self._of_aims = _eta(error * share / (systems - 1), zone.first) if systems > 1 else 0.0
        self._aim_variance: dict[tuple[int, int], float] = {}
        self._miss_variance: dict[tuple[int, int], float] = {}
        self.replications = 0

    @property
    def running(self) -> tuple[int, ...]:
        return () if self.best is not None else tuple(self._competing)

    @property
    def best(self) -> int | None:
        if len(self._competing) != 1 or not self._systems[self._competing[0]].feasible:
            return None
        return self._competing[0]

    @property
    def leading(self) -> int | None:
        """The one with the least mean so far, a feasible one if there is any."""
        of = [each for each in self._competing if self._systems[each].feasible] or self._competing
        return min(of, key=lambda each: (self._mean(each), each), default=None)

    def values(self, system: int) -> tuple[float, ...]:
        """Its aims by replication."""
        return tuple(self._systems[system].aims)

    def observe(self, values: Mapping[int, tuple[float, Sequence[float]]]) -> None:
        """One further replication: (aim, distance from each bound) of every system that is running.

        A system whose aim is no number, since nothing was served, is dropped.
        """
        self.replications += 1
        for system in list(self._competing):
            aim, misses = values[system]
            self._systems[system].aims.append(aim)
            self._systems[system].misses.append(tuple(misses))
        self._drop(system for system in self._competing if not math.isfinite(self._systems[system].aims[-1]))
        if self.replications == self._zone.first:
            self._measure()
        if self.replications >= self._zone.first:
            self._judge_bounds()
            self._compare()

    def conclude(self) -> None:
        """Judge the bounds that are still open, as no replication follows: those that are far enough from theirs.

        A bound far below the tolerance of its region would take millions of replications to be judged within it, while
        a few show on which side a system is. Far enough is beyond Student's interval at the error that the bounds
        have, shared by all of them.
        """
        if self.replications < self._zone.first:
            return
        open_bounds = sum(keeps is None for system in self._competing for keeps in self._systems[system].keeps)
        if not open_bounds:
            return
        quantile = _t_quantile(self.replications - 1, (1.0 - self._zone.confidence) * 0.25 / open_bounds)
        for system in self._competing:
            of = self._systems[system]
            for bound, keeps in enumerate(of.keeps):
                if keeps is None:
                    misses = np.array([each[bound] for each in of.misses])
                    half = quantile * math.sqrt(_variance(misses) / len(misses))
                    mean = float(misses.mean())
                    of.keeps[bound] = False if mean > half else True if mean < -half else None
        self._drop(system for system in self._competing if False in self._systems[system].keeps)
        self._compare()

    def _measure(self) -> None:
        """The variances of the first replications."""
        aims = {system: np.array(self._systems[system].aims) for system in self._competing}
        for one in self._competing:
            for bound in range(len(self._zone.tolerances)):
                misses = np.array([of[bound] for of in self._systems[one].misses])
                self._miss_variance[one, bound] = _variance(misses)
            for other in self._competing:
                if one != other:
                    self._aim_variance[one, other] = _variance(aims[one] - aims[other])

    def _judge_bounds(self) -> None:
        for system in self._competing:
            of = self._systems[system]
            for bound, keeps in enumerate(of.keeps):
                if keeps is None:
                    total = math.fsum(misses[bound] for misses in of.misses)
                    tolerance = self._zone.tolerances[bound]
                    region = self._region(self._of_bounds, self._miss_variance[system, bound], tolerance)
                    if total <= -region:
                        of.keeps[bound] = True
                    elif total >= region:
                        of.keeps[bound] = False
        self._drop(system for system in self._competing if False in self._systems[system].keeps)

    def _compare(self) -> None:
        feasible = [system for system in self._competing if self._systems[system].feasible]
        beaten = [one for one in self._competing if any(self._beats(other, one) for other in feasible if other != one)]
        self.worse += beaten
        self._competing = [system for system in self._competing if system not in beaten]

    def _beats(self, other: int, one: int) -> bool:
        region = self._region(self._of_aims, self._aim_variance[one, other], self._zone.indifference)
        width = region / self.replications
        ahead = self._mean(one) - self._mean(other)
        return ahead > width or (width == 0.0 and ahead == 0.0 and other < one)

    def _region(self, eta: float, variance: float, close: float) -> float:
        """The half-width of the continuation region of a sum of differences: a triangle (Fabian 1974)."""
        widest: float = eta * (self._zone.first - 1) * variance / close
        return max(0.0, widest - close * self.replications / 2.0)

    def _mean(self, system: int) -> float:
        aims = self._systems[system].aims
        return math.fsum(aims) / len(aims) if aims else math.inf

    def _drop(self, systems: Iterable[int]) -> None:
        dropped = list(systems)
        self.infeasible += dropped
        self._competing = [system for system in self._competing if system not in dropped]


def _eta(error: float, first: int) -> float:
    """The constant of a region so that a boundary is wrongly crossed with at most this probability (Kim and Nelson)."""
    return 0.5 * (math.pow(2.0 * error, -2.0 / (first - 1)) - 1.0)


def _t_quantile(degrees_of_freedom: int, above: float) -> float:
    """The value of Student's t that is exceeded with the probability `above`."""
    from scipy.special import stdtrit  # importing scipy.stats takes a second

    return float(stdtrit(degrees_of_freedom, 1.0 - above))


def _variance(values: FloatArray) -> float:
    return float(values.var(ddof=1))
