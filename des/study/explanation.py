"""A forecast of a scenario before it runs: its size, exact figures, the estimator, and the time each command takes.

Times are extrapolated from small parts of the actual work. They are processor times, so that other work on the machine
makes no difference.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from des.compiled import COMPILED, SIMPY, compiling, engine_for, is_to_be_compiled, prepare, reasons_against, using
from des.errors import DesError
from des.estimate import rare, timeline
from des.estimate.availability import YEARS, Choice, choose
from des.estimate.cascades import may_cascade
from des.estimate.estimate import RARE, TIMELINE
from des.estimate.foresight.foresee import foresee
from des.estimate.foresight.foreseen import Foreseen
from des.estimate.intervals import NORMAL_QUANTILE
from des.estimate.joint_figures import DrawnIncidents, horizons_of, long_run_years
from des.frames import Told, html
from des.scenario import Loaded, plans
from des.scenario.plan import (
    IncidentClass,
    MarkedRenewalIncidents,
    OwnIncidents,
    Plan,
    PoissonIncidents,
    RecordedIncidents,
    RenewalIncidents,
    remarks_of,
)
from des.study.arms import compared_arms, same_arms, same_by_own
from des.study.options import Progress
from des.study.study import trace_level
from des.study.trial import Trial, busier, size_of, trial
from des.traces.levels import FULL, TraceLevel

if TYPE_CHECKING:
    import pandas as pd

_PRECISION: Final = 0.1
_LEAST_PRECISION: Final = 1e-6
_FEW_REQUESTS: Final = 150.0
_MORE_REQUESTS: Final = 700.0
_MANY_REQUESTS: Final = (5_000.0, 50_000.0, 200_000.0)
"""Simulated as well while that takes a moment, as the compiled engine's time shows in many requests only."""
_MOMENT_S: Final = 0.25
_LOADING_S: Final = 1.0
"""Processor time in which a command loads the compiled engine once it has been compiled."""
_COMPILING_S: Final = 30.0
"""Processor time in which the first command compiles it."""
_TIMES_AS_FAST: Final = 12.0
"""The compiled engine against SimPy in runs that it is compiled for, where it is not there to be timed."""
NOT_COMPILED_YET: Final = (
    "the run compiles it first, about half a minute once on this machine; "
    f"taken to be {_TIMES_AS_FAST:g} times as fast as SimPy, which was timed"
)
_FEW_HORIZONS: Final = 20
"""One in this many horizons of incidents is drawn to time all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The forecast of one arm. Times are processor seconds.

    `incidents` is the expected number over the horizon, by component. `requests_how` is "expected", or "probed" where
    only a simulation tells. `years_needed` is how many years of incidents a plain simulation needs to know P(all down)
    to within the `precision`, a share of it; None where that never happens or has no closed form.

    `requests_per_s` are simulated per second, None without requests. `run_s` is the time of `des run` with all
    replications, `availability_s` that of `des availability` with its default years, `compare_s` that of `des compare`,
    its long run included. If `undisturbed`, times are of calls outside the incidents, which may cause a cascade.
    `run_bytes` is about what the traces of `des run` take on disk. `engine` is the one that `des run` takes, for the
    `engine_reason`; it was timed, unless it is still to be compiled. `left_to_simpy` is what the compiled engine lacks.
    """

    requests: float
    requests_how: str
    replications: int
    incidents: Mapping[str, float]
    choice: Choice
    precision: float
    years_needed: float | None
    requests_per_s: float | None
    run_s: float
    availability_s: float
    compare_s: float
    run_bytes: float
    engine: str
    engine_reason: str
    undisturbed: bool = False
    left_to_simpy: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        told = {**asdict(self), "choice": self.choice.as_json()}
        if not told["left_to_simpy"]:
            del told["left_to_simpy"]
        return told


@dataclass(frozen=True, eq=False, kw_only=True)
class Explained(Told):
    """A scenario's own arms, and the processor seconds that each command takes in all."""

    arms: Mapping[str, Explanation]
    seconds: Mapping[str, float]
    """`run`, `availability` and, where its twin can be drawn, `compare`."""
    compared: tuple[str, ...]
    """The arms of `des availability` and `des compare`, built-in ones included."""
    left_out: Mapping[str, str]
    """Built-in arms that cannot be drawn, and why."""
    foreseen: Mapping[str, tuple[Foreseen, ...]]
    """By own arm: the faults that a run will show."""
    remarks: tuple[str, ...] = ()
    """About settings that do nothing, and about the files replayed."""
    same: Mapping[str, str] = field(default_factory=dict)
    """Of `compared`, an arm that is the same model as another -> that one, an own arm rather than a built-in one."""

    @cached_property
    def table(self) -> "pd.DataFrame":
        """One row per own arm: the size of a run, the estimator and why, and processor times in seconds."""
        import pandas as pd

        rows = [
            {
                "arm": arm,
                "requests": one.requests,
                "replications": one.replications,
                "incidents": sum(one.incidents.values()),
                "estimator": one.choice.estimator,
                "reason": one.choice.reason,
                "years_needed": one.years_needed,
                "run_s": one.run_s,
                "availability_s": one.availability_s,
                "compare_s": one.compare_s,
                "faults_foreseen": len(self.foreseen.get(arm, ())),
            }
            for arm, one in self.arms.items()
        ]
        return pd.DataFrame(rows).set_index("arm")

    def _repr_html_(self) -> str:
        return html(repr(self), self.table)

    def __repr__(self) -> str:
        return f"<Explained: arms {', '.join(self.arms)}>"

    def as_json(self) -> dict[str, Any]:
        arms = {arm: one.as_json() for arm, one in self.arms.items()}
        return {
            "arms": arms,
            "seconds": dict(self.seconds),
            "compared": list(self.compared),
            "left_out": dict(self.left_out),
            "foreseen": {arm: [one.as_json() for one in found] for arm, found in self.foreseen.items()},
        } | ({"remarks": list(self.remarks)} if self.remarks else {})


def explain_all(
    loaded: Loaded, precision: float = _PRECISION, progress: Progress | None = None, *, start_s: float = 0.0
) -> Explained:
    """Every arm's forecast. Starting any command takes `start_s` of processor time.

    Raises DesError for a precision out of range.
    """
    check_precision(precision)
    own = plans(loaded)
    of_comparison, left_out = compared_arms(loaded)
    same = same_arms(of_comparison)
    everything = {**own, **of_comparison}
    level = trace_level(loaded, asked=True)
    requests = _expected_requests(own, loaded.scenario.replications)
    to_compile = is_to_be_compiled(own.values(), requests)
    loading_s = _COMPILING_S if to_compile else _prepared_s(own, requests)
    explained: dict[str, Explanation] = {}
    with using(SIMPY if to_compile else None):
        for number, (arm, plan) in enumerate(everything.items()):
            if progress is not None:
                progress(number / len(everything), arm)
            known = explained.get(same.get(arm, ""))
            explained[arm] = known or explain(
                plan, loaded.scenario.replications, precision=precision, level=level, to_compile=to_compile
            )
    seconds = {
        "run": start_s + loading_s + sum(explained[arm].run_s for arm in own if same.get(arm) not in own),
        "availability": start_s + sum(explained[arm].availability_s for arm in of_comparison if arm not in same),
    }
    if not left_out:
        with suppress(DesError):  # an own arm cannot be drawn, which the command reports itself
            different = [arm for arm in of_comparison if arm not in same]
            drawing = sum(_drawing_s(of_comparison[arm]) for arm in different)
            seconds["compare"] = start_s + loading_s + drawing + sum(explained[arm].compare_s for arm in different)
    return Explained(
        arms={arm: explained[arm] for arm in own},
        seconds=seconds,
        compared=tuple(of_comparison),
        left_out=left_out,
        foreseen=foresee(loaded, own, {arm: explained[arm].choice.exact for arm in own}),
        remarks=(*loaded.remarks, *remarks_of(own)),
        same=same_by_own(of_comparison, own),
    )


def check_precision(precision: float) -> None:
    """Raises DesError unless the precision is a share of a figure."""
    if not _LEAST_PRECISION <= precision < 1.0:
        raise DesError(f"--precision {precision:g}: a share of the figure such as {_PRECISION:g}, at least 1e-06")


def _expected_requests(own: Mapping[str, Plan], replications: int) -> float:
    return replications * sum(plan.workload.arrivals.expected_requests(plan.horizon_s) or 0.0 for plan in own.values())


def _prepared_s(own: Mapping[str, Plan], requests: float) -> float:
    """Loads the engine that `des run` takes; the processor time in which it loads it too."""
    if compiling.is_loaded():
        return _LOADING_S
    prepare(list(own.values()), requests)
    return _LOADING_S if compiling.is_loaded() else 0.0


def explain(
    plan: Plan,
    replications: int,
    years: float = YEARS,
    precision: float = _PRECISION,
    level: TraceLevel = FULL,
    *,
    to_compile: bool = False,
) -> Explanation:
    """Times small parts of the work, by the engine that is loaded; everything else is computed.

    If the run is `to_compile` the engine first, what the compiled one has is taken to be faster than was timed.
    """
    known = plan.workload.arrivals.expected_requests(plan.horizon_s)
    run = _run_time(plan, level)
    engine, engine_reason = engine_for(plan)
    if to_compile and not reasons_against(plan):
        engine, engine_reason, run = COMPILED, NOT_COMPILED_YET, run.faster(_TIMES_AS_FAST)
    choice, choice_s = _chosen(plan, years)
    run_s = run.of(plan) * replications
    serving_s = _estimator_s(plan, choice, years)
    few_years = long_run_years(plan)
    compared = choose(plan, few_years, choice)
    same = compared.estimator == choice.estimator and choice.estimator != TIMELINE  # whose time depends on the years
    compared_s = serving_s if same else _estimator_s(plan, compared, few_years)
    episodes = choice.exact.all_down_episodes_per_year if choice.exact is not None else 0.0
    incidents = _expected_incidents(plan)
    return Explanation(
        requests=known if known is not None else run.requests * plan.horizon_s / run.horizon_s,
        requests_how="probed" if known is None else "expected",
        replications=replications,
        incidents=incidents,
        choice=choice,
        precision=precision,
        years_needed=episodes_needed(precision) / episodes if episodes > 0.0 else None,
        left_to_simpy=tuple(reasons_against(plan)),
        requests_per_s=1.0 / run.per_request_s if run.per_request_s else None,
        run_s=run_s,
        availability_s=choice_s + serving_s,
        compare_s=run_s + choice_s + compared_s,
        run_bytes=run.size * replications,
        engine=engine,
        engine_reason=engine_reason,
        undisturbed=may_cascade([plan]) and (bool(plan.surges) or any(incidents.values())),
    )


def episodes_needed(precision: float) -> float:
    """Total outages that give P(all down) a 95 % interval of that relative half-width.

    The variance of the time down over n episodes is (1 + cv^2) / n of its square; exponential lengths have cv = 1.
    """
    return 2.0 * (NORMAL_QUANTILE / precision) ** 2


def _expected_incidents(plan: Plan) -> dict[str, float]:
    """Incidents that start within the horizon of one replication, by component. Components without any are left out."""
    return {
        component.name: sum(expected_incidents(incidents, plan.horizon_s) for incidents in component.incidents)
        for component in plan.components
        if component.incidents
    }


def expected_incidents(incidents: IncidentClass, horizon_s: float) -> float:
    """Of one class, starting within the horizon of one replication."""
    match incidents:
        case PoissonIncidents():
            return incidents.rate_per_s * horizon_s
        case RenewalIncidents():
            return horizon_s / (incidents.up.mean + incidents.down.mean)
        case MarkedRenewalIncidents():
            return horizon_s / incidents.between.mean
        case OwnIncidents():
            return incidents.starts_per_s * horizon_s
        case RecordedIncidents():
            return float(sum(0.0 <= start_s < horizon_s for start_s in incidents.start_s))


@dataclass(frozen=True, slots=True)
class _RunTime:
    """The time of one replication with its traces: `fixed_s`, and `per_s` for each second of its horizon.

    `per_request_s` is that of a request, None without any. `horizon_s` is one in which these requests were made. The
    whole replication writes `size` bytes.
    """

    fixed_s: float
    per_s: float
    per_request_s: float | None
    requests: int
    horizon_s: float
    size: float

    def faster(self, times: float) -> "_RunTime":
        each_s = None if self.per_request_s is None else self.per_request_s / times
        return replace(self, per_s=self.per_s / times, per_request_s=each_s)

    def of(self, plan: Plan) -> float:
        return self.fixed_s + self.per_s * plan.horizon_s


def _run_time(plan: Plan, level: TraceLevel) -> _RunTime:
    """Simulates some hundred requests, twice, and more of them while that takes a moment."""

    def horizon_s(count: float) -> float:
        return plan.workload.arrivals.time_for_s(count, plan.horizon_s)

    first = trial(plan, horizon_s(_MORE_REQUESTS), level)
    short = trial(plan, horizon_s(_FEW_REQUESTS), level)
    again = trial(plan, horizon_s(_MORE_REQUESTS), level)
    trials = [short, min(first, again, key=lambda each: each.seconds)]  # the first one includes imports
    fixed_s, per_s = _line(*trials)
    for count in _MANY_REQUESTS:
        if trials[-1].horizon_s >= plan.horizon_s or fixed_s + per_s * horizon_s(count) > _MOMENT_S:
            break
        trials.append(trial(plan, horizon_s(count), level))
        fixed_s, per_s = _line(*trials[-2:])
    if trials[-1].horizon_s >= plan.horizon_s:
        fixed_s, per_s = 0.0, trials[-1].seconds / trials[-1].horizon_s
    rate_per_s = trials[-1].requests / trials[-1].horizon_s
    per_request_s = per_s / rate_per_s if rate_per_s > 0.0 else None
    return _RunTime(
        fixed_s=fixed_s,
        per_s=per_s * busier(trials, plan),
        per_request_s=per_request_s,
        requests=trials[1].requests,
        horizon_s=trials[1].horizon_s,
        size=size_of(trials, plan),
    )


def _line(short: Trial, long: Trial) -> tuple[float, float]:
    """(seconds of any horizon, further seconds of each second of it)."""
    per_s = 0.5 * long.seconds / long.horizon_s
    if long.horizon_s > short.horizon_s:
        per_s = max(per_s, (long.seconds - short.seconds) / (long.horizon_s - short.horizon_s))
    return max(0.0, long.seconds - per_s * long.horizon_s), per_s


def _chosen(plan: Plan, years: float) -> tuple[Choice, float]:
    """The estimator for that many years of incidents, and the seconds that the choice took."""
    started = time.process_time()
    choice = choose(plan, years)
    return choice, time.process_time() - started


def _estimator_s(plan: Plan, choice: Choice, years: float) -> float:
    """The estimator's time without its choice, extrapolated from one of its equal parts."""
    if choice.estimator == TIMELINE:
        work, parts = timeline.one_part(plan, years)
    elif choice.estimator == RARE:
        work, parts = rare.one_part(plan)
    else:
        return 0.0
    return parts * _taken(work)


def _drawing_s(plan: Plan) -> float:
    """The time in which `des compare` draws the incidents that compare an arm's endpoints."""
    horizons, horizon_s = horizons_of(plan)
    some = -(-horizons // _FEW_HORIZONS)
    return _taken(lambda: DrawnIncidents.some(plan, some, horizon_s)) * horizons / some


def _taken(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
