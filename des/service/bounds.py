"""What the service accepts: every bound has a name, which the refusal of a request tells."""

from dataclasses import dataclass, fields
from typing import Any

from des.pool import available


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Sizes in bytes, times in seconds.

    `requests` are the simulated ones of a run: expected arrivals, of all arms and replications. `years` is the longest
    horizon. `simulations` and `queued_simulations` are those of POST /simulate at work and waiting, at most `queue_s`.
    `runs` and `queued_runs` are those of POST /runs. `streams` are open event streams, `open_requests` all that are
    being answered. `run_bytes` is what one run may write, `disk_bytes` all that runs may take; the oldest finished ones
    go first. `kept_s` is how long a finished run is kept.
    """

    body_bytes: int = 256_000
    depth: int = 24
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
        """By name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}
