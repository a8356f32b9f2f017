"""The figures of one replication, added up from its rows as they pass, and the laws that its rows must keep.

Every sum is of integers (picodollars, nanoseconds, counts), so no figure depends on how the rows are cut into blocks.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.estimate.exact import RunningMean, integer_sum
from des.estimate.histogram import LogHistogram
from des.estimate.laws import Laws, is_lost
from des.vocabulary import (
    ATTEMPT_OUTCOMES,
    PROBE,
    RATE_LIMITED,
    REQUEST_IN_FLIGHT,
    REQUEST_OK,
    REQUEST_OUTCOMES,
)

PICODOLLARS: Final = 10**12

Block = Mapping[str, NDArray[Any]]
Metrics = dict[str, Any]
"""Each a number, None where there is nothing to divide by, or a dict of numbers by name."""


class Totals:
    """Takes blocks of the engine's rows, in their order, and gives the replication's metrics.

    `names` are the dictionaries of the tables' columns; those of `requests` hold under `lost_to` what a request can
    be lost to. `legs` are the legs' names in the order of the chain.
    """

    def __init__(self, names: Mapping[str, Mapping[str, Sequence[str]]], legs: Sequence[str]) -> None:
        self._legs = tuple(legs)
        self._lost_names = tuple(names["requests"]["lost_to"])
        self._laws = Laws()
        self._outcomes = np.zeros(len(REQUEST_OUTCOMES), np.int64)
        self._attempt_outcomes = np.zeros(len(ATTEMPT_OUTCOMES), np.int64)
        self._served = np.zeros(len(self._legs) + 1, np.int64)  # the last: by no leg
        self._fallbacks = 0  # served by a later group than the first
        self._lost = np.zeros(len(self._lost_names), np.int64)
        self._latency = LogHistogram()
        self._latency_s = RunningMean()
        self._quality = RunningMean()
        self._cache_hits = 0
        self._probes = 0
        self._cost = 0
        self._wasted = 0
        self._probe_cost = 0

    def requests(self, block: Block) -> None:
        """Add rows of requests; raises RunError, naming the law, for rows that break one."""
        self._laws.requests(block)
        outcome = block["outcome"]
        ok = outcome == REQUEST_OK
        self._outcomes += np.bincount(outcome, minlength=len(REQUEST_OUTCOMES))
        by_leg = np.where(block["served_by"] < 0, len(self._legs), block["served_by"])[ok]
        self._served += np.bincount(by_leg, minlength=len(self._served))
        self._fallbacks += int(np.count_nonzero(block["chain_position"][ok] > 0))
        lost_to = block["lost_to"][is_lost(outcome)]
        self._lost += np.bincount(lost_to, minlength=len(self._lost))
        latency_s = block["latency_s"][ok]
        self._latency.add(latency_s)
        self._latency_s.add(latency_s)
        quality = block["quality"][ok]
        self._quality.add(quality[~np.isnan(quality)])
        self._cache_hits += int(np.count_nonzero(block["response_cache_hit"]))
        self._cost += integer_sum(block["cost_picousd"])
        self._wasted += integer_sum(block["wasted_picousd"])

    def attempts(self, block: Block) -> None:
        """Add rows of attempts; raises RunError, naming the law, for rows that break one."""
        self._laws.attempts(block)
        probe = block["kind"] == PROBE
        self._attempt_outcomes += np.bincount(block["outcome"][~probe], minlength=len(ATTEMPT_OUTCOMES))
        self._probes += int(np.count_nonzero(probe))
        self._probe_cost += integer_sum(block["cost_picousd"][probe])

    @property
    def latency(self) -> LogHistogram:
        """Of ok requests, in seconds."""
        return self._latency

    def check(self, arrivals: int) -> None:
        """Raise RunError, naming the law, unless all rows together account for each arrival, call and cost."""
        self._laws.check(arrivals)

    def metrics(self) -> Metrics:
        """The replication's figures.

        Latency and quality are of ok requests (for quality: where it is known); shares of service are of ok requests
        too, and those answered by the response cache were served by no leg. Attempts are calls and hedges: probes
        count apart, but `cost_usd`, the bill, has them in it.
        """
        outcomes = _by_name(REQUEST_OUTCOMES, self._outcomes)
        attempt_outcomes = _by_name(ATTEMPT_OUTCOMES, self._attempt_outcomes)
        requests, ok = sum(outcomes.values()), outcomes["ok"]
        attempts = sum(attempt_outcomes.values())
        bill = self._cost + self._probe_cost
        served = [int(count) for count in self._served]
        return {
            "requests": requests,
            "availability": _ratio(ok, requests - int(self._outcomes[REQUEST_IN_FLIGHT])),
            "cost_usd_per_request": _ratio(bill, requests * PICODOLLARS),
            "cost_usd_per_success": _ratio(bill, ok * PICODOLLARS),
            "wasted_cost_share": _ratio(self._wasted, bill),
            "latency_s_mean": self._latency_s.value,
            "latency_s_p50": self._latency.quantile(0.5),
            "latency_s_p95": self._latency.quantile(0.95),
            "latency_s_p99": self._latency.quantile(0.99),
            "fallback_share": _ratio(self._fallbacks, ok),
            "attempts_per_request": _ratio(attempts, requests),
            "rate_limited_share": _ratio(int(self._attempt_outcomes[RATE_LIMITED]), attempts),
            "served_share": {leg: _ratio(count, ok) for leg, count in zip(self._legs, served[:-1], strict=True)},
            "lost_by_cause": _by_name(self._lost_names, self._lost),
            "response_cache_hit_share": _ratio(self._cache_hits, requests),
            "quality_mean": self._quality.value,
            "cost_usd": bill / PICODOLLARS,
            "wasted_cost_usd": self._wasted / PICODOLLARS,
            "probe_cost_usd": self._probe_cost / PICODOLLARS,
            "attempts": attempts,
            "probes": self._probes,
            "request_outcomes": outcomes,
            "attempt_outcomes": attempt_outcomes,
        }


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _by_name(names: Sequence[str], counts: NDArray[np.int64]) -> dict[str, int]:
    return {name: int(count) for name, count in zip(names, counts, strict=True)}
