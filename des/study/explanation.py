"""What to expect of a scenario before it runs: its size, what is known exactly, what will serve, how long it takes."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Final

from des.errors import DesError
from des.estimate.availability import YEARS, Choice, choose
from des.estimate.cascades import may_cascade
from des.estimate.estimate import TIMELINE
from des.estimate.intervals import NORMAL_QUANTILE
from des.estimate.joint_figures import long_run_years
from des.scenario import Loaded, plans
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
from des.study.available import compared_arms
from des.study.same_arms import same_arms
from des.study.study import Progress
from des.study.time_needed import chosen, drawing_s, estimator_s, run_time

PRECISION: Final = 0.1
LEAST_PRECISION: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Of one arm. `incidents` are expected over the horizon, by component; times are processor seconds of this machine.

    `years_needed` is how many years of incidents a plain simulation needs until P(all down) is known to within the
    `precision`, a share of it; None where that never happens or has no closed form.
    """

    requests: float
    requests_how: str  # "expected", or "probed" where only a simulation can tell
    replications: int
    incidents: Mapping[str, float]
    choice: Choice
    precision: float
    years_needed: float | None
    requests_per_s: float | None  # simulated a second; None without requests
    run_s: float  # of `des run`, all replications
    availability_s: float  # of `des availability` with the years that it has by itself
    compare_s: float  # of `des compare`: its requests, and what they lose in the long run
    undisturbed: bool = False  # times are of calls outside the incidents that may set off a cascade

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A scenario's own arms, and the processor seconds that each command takes for all that it does."""

    arms: Mapping[str, Explanation]
    seconds: Mapping[str, float]
    """`run`, `availability` and, where its twin can be drawn, `compare`."""
    compared: tuple[str, ...]
    """The arms of `des availability` and `des compare`: they have some by themselves."""
    left_out: Mapping[str, str]
    """Arms that they would have by themselves, and why not."""

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        arms = {arm: one.as_dict() for arm, one in self.arms.items()}
        return {
            "arms": arms,
            "seconds": dict(self.seconds),
            "compared": list(self.compared),
            "left_out": dict(self.left_out),
        }


def explain_all(
    loaded: Loaded, precision: float = PRECISION, progress: Progress | None = None, *, start_s: float = 0.0
) -> Explained:
    """`start_s` of the processor go to starting any command. Raises DesError for a precision that is none."""
    check_precision(precision)
    own = plans(loaded)
    of_comparison, left_out = compared_arms(loaded)
    same = same_arms(of_comparison)
    everything = {**own, **of_comparison}
    explained: dict[str, Explanation] = {}
    for number, (arm, plan) in enumerate(everything.items()):
        if progress is not None:
            progress(number / len(everything), arm)
        known = explained.get(same.get(arm, ""))
        explained[arm] = known or explain(plan, loaded.scenario.replications, precision=precision)
    seconds = {
        "run": start_s + sum(explained[arm].run_s for arm in own if same.get(arm) not in own),
        "availability": start_s + sum(explained[arm].availability_s for arm in of_comparison if arm not in same),
    }
    if not left_out:
        with suppress(DesError):  # an arm of the scenario's own that cannot be drawn, as that command says itself
            different = [arm for arm in of_comparison if arm not in same]
            drawing = sum(drawing_s(of_comparison[arm]) for arm in different)
            seconds["compare"] = start_s + drawing + sum(explained[arm].compare_s for arm in different)
    return Explained(
        arms={arm: explained[arm] for arm in own},
        seconds=seconds,
        compared=tuple(of_comparison),
        left_out=left_out,
    )


def check_precision(precision: float) -> None:
    """Raises DesError where no share of a figure is meant."""
    if not LEAST_PRECISION <= precision < 1.0:
        raise DesError(f"--precision {precision:g}: a share of the figure such as {PRECISION:g}, at least 1e-06")


def explain(plan: Plan, replications: int, years: float = YEARS, precision: float = PRECISION) -> Explanation:
    """Does small parts of the work to see how fast that goes; all else is computed."""
    known = expected_requests(plan)
    run = run_time(plan, known)
    choice, choice_s = chosen(plan, years)
    run_s = run.of(plan) * replications
    serving_s = estimator_s(plan, choice, years)
    few_years = long_run_years(plan)
    compared = choose(plan, few_years, choice)
    same = compared.estimator == choice.estimator and choice.estimator != TIMELINE  # which takes its time by the years
    compared_s = serving_s if same else estimator_s(plan, compared, few_years)
    episodes = choice.exact.all_down_episodes_per_year if choice.exact is not None else 0.0
    per_request_s = run.per_s * run.horizon_s / run.requests if run.requests else 0.0
    incidents = expected_incidents(plan)
    return Explanation(
        requests=known if known is not None else run.requests * plan.horizon_s / run.horizon_s,
        requests_how="probed" if known is None else "expected",
        replications=replications,
        incidents=incidents,
        choice=choice,
        precision=precision,
        years_needed=episodes_needed(precision) / episodes if episodes > 0.0 else None,
        requests_per_s=1.0 / per_request_s if per_request_s > 0.0 else None,
        run_s=run_s,
        availability_s=choice_s + serving_s,
        compare_s=run_s + choice_s + compared_s,
        undisturbed=may_cascade([plan]) and (bool(plan.surges) or any(incidents.values())),
    )


def episodes_needed(precision: float) -> float:
    """Total outages after which P(all down) is known to within that share of it, 95 times in 100.

    The variance of the time down over n episodes is (1 + cv^2) / n of its square, and lengths as of an exponential law
    have cv = 1.
    """
    return 2.0 * (NORMAL_QUANTILE / precision) ** 2


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
