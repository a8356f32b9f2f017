"""What the service accepts: every bound has a name, which the refusal of a request tells."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from des.estimate.effort import QUICK_CALLS
from des.pool import available
from des.scenario.text.units import YEAR_S

FIXED: Final[Mapping[str, float]] = {
    "call_s": 3600.0,
    "rate_per_s": 1000.0,
    "requests_per_s": 30.0,
    "least_rate_per_s": 0.01 / YEAR_S,
    "least_availability": 0.5,
    "outages_per_year": 2000.0,
    "least_outages_per_year": 0.01,
    "tokens": 1_000_000,
    "tokens_per_second": 1e6,
    "least_tokens_per_second": 0.1,
    "usd": 1e9,
    "seed": 2**32 - 1,
    "name_characters": 100,
    "text_characters": 2_000,
    "faults": 100,
    "quick_calls": QUICK_CALLS,
}
"""Those that every service has: what single values of a body may be at most, or at least, and the faults that a problem
tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Sizes in bytes, times in seconds.

    `values` are the fields and the items of lists in a body, however deep.
    `requests` are the simulated ones of a run: expected arrivals, of all arms and replications. `years` is the longest
    horizon. `simulations` and `queued_simulations` are those of POST /simulate at work and waiting, at most `queue_s`.
    `runs` and `queued_runs` are those of POST /runs. `streams` are open event streams, `open_requests` all that are
    being answered. `run_bytes` is what one run may write, `disk_bytes` all that runs may take; the oldest finished ones
    go first. `kept_s` is how long a finished run is kept.
    """

    body_bytes: int = 256_000
    depth: int = 24
    values: int = 5_000
    legs: int = 8
    shared: int = 8
    retries: int = 10
    rounds: int = 5
    components: int = 64
    arms: int = 12
    replications: int = 200
    requests: int = 2_000_000
    years: int = 100
    answer_rounds: int = 20
    simulations: int = available()
    queued_simulations: int = 64
    queue_s: float = 5.0
    simulation_s: float = 30.0
    runs: int = 1
    queued_runs: int = 16
    run_s: float = 1800.0
    run_bytes: int = 1_000_000_000
    streams: int = 64
    open_requests: int = 1_000
    disk_bytes: int = 4_000_000_000
    kept_s: float = 7.0 * 86_400.0

    def as_json(self) -> dict[str, Any]:
        """By name, without those that every service has."""
        return {each.name: getattr(self, each.name) for each in fields(self)}
