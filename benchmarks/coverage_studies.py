"""Small studies whose exact answers are known, each judged by the interval that a summary would give."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import numpy as np

from benchmarks.coverage_windows import by_brute_force, independent_pair
from des.distributions import Lognormal
from des.estimate.estimate import Estimate
from des.estimate.intervals import count_of, share_up
from des.estimate.summary import Pool, summarise
from des.estimate.unsampled import LongRuns, with_unseen
from des.faults import draw_timeline
from des.pool import Report
from des.scenario import from_mapping, plans
from des.scenario.plan import Plan, PoissonArrivals
from des.study.downtime import downtime
from des.study.replication import Part, Replicator

REPLICATIONS: Final = 10
REQUESTS: Final = 200
"""Expected in a replication of a study of latency."""
MANY_REQUESTS: Final = 400
"""And of one of lost requests."""
UNAVAILABILITY: Final = 0.01
EPISODES_PER_YEAR: Final = 20.0
YEAR_S: Final = 365 * 86_400.0


@dataclass(frozen=True, slots=True)
class Task:
    """One study of one case."""

    case: str
    number: int
    known: Mapping[str, float] | None = None
    """Figures by brute force, for a case without a closed form."""


def study(task: Task, report: Report | None) -> dict[str, tuple[float, float, float]]:
    """(low, exact, high) of each figure of the case."""
    if task.known is not None:
        return by_brute_force(task.case, task.number, task.known)
    return CASES[task.case](task.number)


def latency(number: int) -> dict[str, tuple[float, float, float]]:
    """Mean and 95th percentile of a lognormal latency of sigma 0.8."""
    plan = replace(_plan("latency"), seed=number)
    latency = plan.endpoints[0].latency.whole
    assert isinstance(latency, Lognormal)
    figures = summarise(_requests(plan))
    return {
        "mean latency": _judged(figures["latency_s_mean"], latency.mean),
        "p95 latency": _judged(figures["latency_s_p95"], math.exp(latency.mu + 1.6448536269514722 * latency.sigma)),
    }


def lost_requests(episodes: float) -> Callable[[int], dict[str, tuple[float, float, float]]]:
    """Availability by requests, lost in a number of outages of lognormal duration over all replications."""

    def judged(number: int) -> dict[str, tuple[float, float, float]]:
        plan = _over_horizons(_plan("lost requests"), episodes, number)
        name = f"availability of requests, {episodes:g} outages"
        return {name: _judged(summarise(_requests(plan))["availability"], 1.0 - UNAVAILABILITY)}

    return judged


def mixed_losses(episodes: float) -> Callable[[int], dict[str, tuple[float, float, float]]]:
    """Availability by requests, as many lost at random as in a number of outages of lognormal duration.

    Below eight outages it is judged as a run shows it, which then includes the long run.
    """

    def judged(number: int) -> dict[str, tuple[float, float, float]]:
        plan = _over_horizons(_plan("mixed losses"), episodes, number)
        pool = _requests(plan)
        figures, _ = with_unseen(plan, summarise(pool), pool.latency, REPLICATIONS, LongRuns({plan.arm: plan}))
        name = f"availability, {episodes:g} outages and as much lost at random"
        return {name: _judged(figures["availability"], (1.0 - UNAVAILABILITY) * (1.0 - UNAVAILABILITY))}

    return judged


def time_down(episodes: float) -> Callable[[int], dict[str, tuple[float, float, float]]]:
    """Unavailability and episodes over time, with a number expected over all replications."""

    def judged(number: int) -> dict[str, tuple[float, float, float]]:
        plan = _over_horizons(_plan("lost requests"), episodes, number)
        spells = [
            downtime(plan, draw_timeline(plan, replication, plan.horizon_s))["endpoints"]["p/m"]
            for replication in range(REPLICATIONS)
        ]
        up = share_up([spell.up for spell in spells], [spell.episodes_s for spell in spells], estimator="")
        if up.low is None:  # no episode at all: nothing is claimed
            up = replace(up, low=0.0, high=1.0)
        found = {f"unavailability, {episodes:g} episodes": _judged(up, 1.0 - UNAVAILABILITY)}
        if episodes < 20:
            count = count_of([float(spell.started) for spell in spells], estimator="")
            found[f"rate of {episodes:g} episodes"] = _judged(count, episodes / REPLICATIONS)
        return found

    return judged


CASES: Final[Mapping[str, Callable[[int], dict[str, tuple[float, float, float]]]]] = {
    "latency": latency,
    "time-8": time_down(8),
    "time-20": time_down(20),
    "time-60": time_down(60),
    "time-200": time_down(200),
    "requests-20": lost_requests(20),
    "requests-60": lost_requests(60),
    "mixed-0.01": mixed_losses(0.01),
    "mixed-1": mixed_losses(1),
    "mixed-8": mixed_losses(8),
    "mixed-20": mixed_losses(20),
    "mixed-60": mixed_losses(60),
    "windows-pair": independent_pair,
}


def _requests(plan: Plan) -> Pool:
    pool = Pool()
    replicator = Replicator({"as_modelled": plan}, None, "{}")
    for replication in range(REPLICATIONS):
        pool.add(replicator(Part("as_modelled", replication), None).observed)
    return pool


def _over_horizons(plan: Plan, episodes: float, seed: int) -> Plan:
    """Horizons at which all replications together expect a number of episodes; the same requests in each."""
    horizon_s = episodes / EPISODES_PER_YEAR * YEAR_S / REPLICATIONS
    arrivals = PoissonArrivals(rate_per_s=MANY_REQUESTS / horizon_s)
    return replace(plan, seed=seed, horizon_s=horizon_s, workload=replace(plan.workload, arrivals=arrivals))


@cache
def _plan(name: str) -> Plan:
    provider: dict[str, Any] = {"models": {"m": {"price": {"per_request": 0}}}}
    provider["models"]["m"]["latency"] = {"kind": "lognormal", "median": "1s", "sigma": 0.8}
    if name == "mixed losses":
        provider["models"]["m"]["errors"] = {"server_error": UNAVAILABILITY}
    if name != "latency":
        provider |= {"availability": f"{100 * (1 - UNAVAILABILITY)}%", "episodes_per_year": EPISODES_PER_YEAR}
        provider["models"]["m"]["latency"] = "1ms"
    content = {
        "horizon": f"{REQUESTS}min",
        "workload": {"arrivals": {"kind": "poisson", "rate": "1/min"}},
        "providers": {"p": provider},
        "chain": [{"provider": "p"}],
    }
    return plans(from_mapping(content))["as_modelled"]


def _judged(figure: Estimate, exact: float) -> tuple[float, float, float]:
    assert figure.low is not None
    assert figure.high is not None
    return figure.low, exact, figure.high


def covers(judged: tuple[float, float, float]) -> bool:
    low, exact, high = judged
    return bool(low <= exact <= high) and not np.isnan(low + high)
