"""A closed form, what simulates it, how much is simulated, and the rule by which the two agree."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LARGEST_SCORE: Final = 4.0
FEWEST_SAMPLES: Final = 20
ROUNDING: Final = 1e-9
"""Largest relative difference of two exact figures."""

DES_RUN: Final = "des run"
TIMELINES: Final = "timelines"
ESTIMATOR: Final = "estimator"
MONTE_CARLO: Final = "Monte Carlo"


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim: a simulated mean with its standard error over `n` samples, and the exact figure.

    Two exact figures have no standard error: n = 1, and they must be equal.
    """

    claim: str
    simulated: float
    standard_error: float
    n: int
    exact: float

    @property
    def z(self) -> float | None:
        """Standard errors from simulated to exact; None between two exact figures."""
        if self.n == 1:
            return None
        if not self.standard_error > 0.0:
            return math.nan
        return (self.simulated - self.exact) / self.standard_error

    @property
    def ok(self) -> bool:
        if self.z is None:
            return math.isclose(self.simulated, self.exact, rel_tol=ROUNDING)
        return self.n >= FEWEST_SAMPLES and abs(self.z) <= LARGEST_SCORE  # False for NaN


@dataclass(frozen=True, slots=True)
class Size:
    """How much is simulated, as a share of a full `des check`."""

    share: float

    def count(self, full: int) -> int:
        """The number of replications, batches or trials, with a minimum for a standard error."""
        return max(FEWEST_SAMPLES, round(self.share * full))

    def horizon(self, full_s: float, *, warm_s: float = 0.0) -> str:
        """A horizon as a scenario writes it. The warm-up is not shortened."""
        return f"{warm_s + self.share * (full_s - warm_s):.10g}s"


FULL: Final = Size(1.0)
QUICK: Final = Size(0.2)


@dataclass(frozen=True, slots=True)
class Case:
    """Findings of one simulation. `by` says what simulates, `source` cites the closed form."""

    name: str
    by: str
    find: Callable[[Size], Iterator[Finding]]
    source: str


def compared(claim: str, samples: Sequence[float] | NDArray[Any], exact: float) -> Finding:
    """The mean of independent samples against the exact figure."""
    values = np.asarray(samples, dtype=np.float64)
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    return Finding(claim, float(values.mean()), error, len(values), exact)


def equal(claim: str, found: float, exact: float) -> Finding:
    """Two ways to compute one exact figure."""
    return Finding(claim, found, 0.0, 1, exact)
