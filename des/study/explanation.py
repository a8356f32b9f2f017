"""What to expect of a scenario before it runs: its size, what is known exactly, what will serve, how long it takes."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from des.estimate.choice import YEARS, Choice, choose
from des.model import simulate
from des.scenario.plan import (
    BatchArrivals,
    BurstyArrivals,
    ClosedArrivals,
    IncidentClass,
    MarkedRenewalIncidents,
    Plan,
    PoissonArrivals,
    PoissonIncidents,
    RecordedIncidents,
    RenewalIncidents,
    ReplayedArrivals,
)

PRECISION: Final = 0.1
EPISODES_NEEDED: Final = 2.0 * (1.96 / PRECISION) ** 2
"""Total outages after which P(all down) is known to within 10 %, 95 times in 100: the variance of the time down over n
episodes is (1 + cv^2) / n of its square, and lengths as of an exponential law have cv = 1."""
PROBE_REQUESTS: Final = 1_500.0
RECORDING: Final = 1.4
"""What a run takes over the simulation alone, for its totals and traces; measured to be 1.2 to 1.6."""
INCIDENT_S: Final = 1e-4
"""What an incident takes, both of its turns and its row, about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Of one arm. `incidents` are expected over the horizon, by component; `run_s` is for all replications.

    `years_needed` is how many years of incidents a plain simulation needs until P(all down) is known to within 10 %;
    None where that never happens or has no closed form.
    """

    requests: float
    requests_how: str  # "expected", or "probed" where only a simulation can tell
    replications: int
    incidents: Mapping[str, float]
    choice: Choice
    years_needed: float | None
    requests_per_s: float | None  # simulated a second of this machine's time; None without requests
    run_s: float

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def explain(plan: Plan, replications: int, years: float = YEARS) -> Explanation:
    """Simulates some 1,500 requests to see how fast that goes; all else is computed."""
    known = expected_requests(plan)
    probe_s, probed, probed_horizon_s = _probe(plan, known)
    requests = known if known is not None else probed * plan.horizon_s / probed_horizon_s
    incidents = expected_incidents(plan)
    per_request_s = probe_s / probed if probed else 0.0
    work_s = (requests * per_request_s + sum(incidents.values()) * INCIDENT_S) * RECORDING
    choice = choose(plan, years)
    episodes = choice.exact.all_down_episodes_per_year if choice.exact is not None else 0.0
    return Explanation(
        requests=requests,
        requests_how="probed" if known is None else "expected",
        replications=replications,
        incidents=incidents,
        choice=choice,
        years_needed=EPISODES_NEEDED / episodes if episodes > 0.0 else None,
        requests_per_s=1.0 / per_request_s if per_request_s > 0.0 else None,
        run_s=work_s * replications,
    )


def expected_requests(plan: Plan) -> float | None:
    """Over the horizon of one replication; None for a closed workload, which waits for its answers."""
    horizon_s = plan.horizon_s
    match plan.workload.arrivals:
        case PoissonArrivals(rate_per_s=rate) | BurstyArrivals(rate_per_s=rate):
            return rate * horizon_s
        case BatchArrivals(every_s=every_s, size=size, first_s=first_s):
            return size * float(-(-max(0.0, horizon_s - first_s) // every_s))
        case ReplayedArrivals(arrival_s=arrival_s, period_s=period_s):
            if period_s is None:
                return float((arrival_s < horizon_s).sum())
            whole, rest_s = divmod(horizon_s, period_s)
            return whole * len(arrival_s) + float((arrival_s < rest_s).sum())
        case ClosedArrivals():
            return None


def expected_incidents(plan: Plan) -> dict[str, float]:
    """Incidents that start within the horizon of one replication, by component; components without any are left out."""
    return {
        component.name: sum(_expected(incidents, plan.horizon_s) for incidents in component.incidents)
        for component in plan.components
        if component.incidents
    }


def _expected(incidents: IncidentClass, horizon_s: float) -> float:
    match incidents:
        case PoissonIncidents():
            return incidents.rate_per_s * horizon_s
        case RenewalIncidents():
            return horizon_s / (incidents.up.mean + incidents.down.mean)
        case MarkedRenewalIncidents():
            return horizon_s / incidents.between.mean
        case RecordedIncidents():
            return float(sum(0.0 <= start_s < horizon_s for start_s in incidents.start_s))


def _probe(plan: Plan, requests: float | None) -> tuple[float, int, float]:
    """(seconds taken, requests made, horizon simulated) of the first requests of the plan."""
    arrivals = plan.workload.arrivals
    if requests is None:
        assert isinstance(arrivals, ClosedArrivals)
        horizon_s = max(arrivals.think.mean, 1e-3) * max(2.0, PROBE_REQUESTS / arrivals.users)
    else:
        horizon_s = plan.horizon_s * PROBE_REQUESTS / requests if requests > 0.0 else plan.horizon_s
    horizon_s = min(plan.horizon_s, horizon_s)
    small = replace(plan, horizon_s=horizon_s)
    started = time.perf_counter()
    made = simulate(small, 0, _Nowhere())
    return time.perf_counter() - started, made, horizon_s


class _Nowhere:
    """A sink that keeps nothing."""

    def requests(self, block: Mapping[str, Any]) -> None: ...
    def attempts(self, block: Mapping[str, Any]) -> None: ...
    def transitions(self, block: Mapping[str, Any]) -> None: ...
    def incidents(self, block: Mapping[str, Any]) -> None: ...
