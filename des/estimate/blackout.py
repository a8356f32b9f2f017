"""Outages that a client's guards make of failures at random: nothing is down or full, and yet nobody is called."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.estimate.laws import is_lost
from des.scenario.plan import Plan
from des.vocabulary import BY_CAPACITY, BY_LIMIT, CANCELLED, OK, PROBE

CIRCUIT_OPEN: Final = "circuit_open"
NOISE: Final = 2.0
"""Standard deviations by which guards must lose more than calls fail, to be no chance."""


@dataclass(frozen=True, slots=True)
class Blackout:
    """What guards lost in one replication in which calls failed at random alone."""

    requests: int
    kept_out: int  # lost without a call, since guards kept out every leg
    calls: int
    failed: int  # of the calls

    @property
    def is_one(self) -> bool:
        """Whether guards lost a larger share of the requests than failed of the calls.

        Where calls fail at random, a request without guards is lost no more often than a call fails.
        """
        if not self.kept_out:
            return False
        share = self.failed / self.calls if self.calls else 1.0
        chance = NOISE * math.sqrt(share * (1.0 - share) * self.requests)
        return self.kept_out > share * self.requests + chance


class BlackoutTotals:
    """Takes blocks of the engine's rows."""

    def __init__(self, plan: Plan, names: Mapping[str, Mapping[str, Sequence[str]]], *, is_calm: bool) -> None:
        """`is_calm`: no incident is open in the replication, at whatever endpoint of the chain."""
        rots = any(leg.silent_rot is not None for leg in plan.chain)
        self._at_random = is_calm and not rots
        self._circuit_open = names["requests"]["error_type"].index(CIRCUIT_OPEN)
        self._requests = self._kept_out = self._calls = self._failed = 0

    def requests(self, block: Mapping[str, NDArray[Any]]) -> None:
        lost = is_lost(block["outcome"])
        self._requests += len(lost)
        self._kept_out += int(np.count_nonzero(lost & (block["error_type"] == self._circuit_open)))

    def attempts(self, block: Mapping[str, NDArray[Any]]) -> None:
        outcome, cause = block["outcome"], block["cause"]
        made = (block["kind"] != PROBE) & (outcome != CANCELLED)
        self._calls += int(np.count_nonzero(made))
        self._failed += int(np.count_nonzero(made & (outcome != OK)))
        if self._at_random and np.isin(cause, (BY_LIMIT, BY_CAPACITY)).any():
            self._at_random = False

    def blackout(self) -> Blackout | None:
        """None where something else may be the cause: an incident, a leg that rots, a limit or capacity."""
        if not self._at_random:
            return None
        return Blackout(self._requests, self._kept_out, self._calls, self._failed)
