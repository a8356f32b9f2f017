"""Replications of a scenario in this process and without traces, to compare with closed forms."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from des.check.case import Size
from des.engine import names, simulate
from des.scenario import from_mapping, plans
from des.scenario.plan import Plan
from des.vocabulary import REQUEST_OK

_Columns = dict[str, NDArray[Any]]
Metric = Callable[["Run"], float]

REPLICATIONS: Final = 32


@dataclass(frozen=True)
class Run:
    """One replication: every row of its tables, with dictionary columns as codes."""

    plan: Plan
    replication: int
    requests: _Columns
    attempts: _Columns
    transitions: _Columns
    incidents: _Columns

    @property
    def ok(self) -> NDArray[np.bool_]:
        return np.asarray(self.requests["outcome"] == REQUEST_OK)

    def down_intervals(self, component: str) -> list[tuple[float, float]]:
        """Episodes of one component within the horizon, from its traced transitions."""
        declared = names(self.plan)["transitions"]
        own = self.transitions.get("entity", np.empty(0)) == declared["entity"].index(component)
        down, since = declared["to"].index("down"), None
        episodes = []
        for time_s, state in zip(self.transitions["time_s"][own], self.transitions["to"][own], strict=True):
            if state == down and since is None:
                since = time_s
            elif state != down and since is not None:
                episodes.append((since, time_s))
                since = None
        if since is not None:
            episodes.append((since, self.plan.horizon_s))
        return [(start, min(end, self.plan.horizon_s)) for start, end in episodes if start < self.plan.horizon_s]

    def down_share(self, component: str) -> float:
        return sum(end - start for start, end in self.down_intervals(component)) / self.plan.horizon_s


class _Kept:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.blocks: dict[str, list[Mapping[str, NDArray[Any]]]] = {
            "requests": [],
            "attempts": [],
            "transitions": [],
            "incidents": [],
        }

    def requests(self, block: Mapping[str, NDArray[Any]]) -> None:
        self.blocks["requests"].append(block)

    def attempts(self, block: Mapping[str, NDArray[Any]]) -> None:
        self.blocks["attempts"].append(block)

    def transitions(self, block: Mapping[str, NDArray[Any]]) -> None:
        self.blocks["transitions"].append(block)

    def incidents(self, block: Mapping[str, NDArray[Any]]) -> None:
        self.blocks["incidents"].append(block)

    def refusals(self, block: Mapping[str, NDArray[Any]]) -> None:
        """Not needed here."""

    def columns(self, table: str) -> _Columns:
        blocks = self.blocks[table]
        if not blocks:
            return {name: np.empty(0) for name in ("time_s", "entity", "to")}
        return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def plan_of(scenario: Mapping[str, Any]) -> Plan:
    """The plan of a scenario's only arm. Its default seed depends on the scenario, so no two claims share draws."""
    seed = crc32(json.dumps(scenario, sort_keys=True).encode())
    (plan,) = plans(from_mapping({"seed": seed, **scenario})).values()
    return plan


def _runs(plan: Plan, replications: int) -> Iterator[Run]:
    for replication in range(replications):
        kept = _Kept()
        simulate(plan, replication, kept)
        yield Run(
            plan,
            replication,
            kept.columns("requests"),
            kept.columns("attempts"),
            kept.columns("transitions"),
            kept.columns("incidents"),
        )


def replicate(
    size: Size, scenario: Mapping[str, Any] | Plan, metrics: Mapping[str, Metric], replications: int = REPLICATIONS
) -> dict[str, NDArray[np.float64]]:
    """Each metric of every replication; `replications` is their number at full size."""
    plan = scenario if isinstance(scenario, Plan) else plan_of(scenario)
    rows = [[metric(run) for metric in metrics.values()] for run in _runs(plan, size.count(replications))]
    return dict(zip(metrics, np.array(rows, dtype=np.float64).T, strict=True))


def scenario(
    *, horizon: str, rate: str, providers: Mapping[str, Any], chain: list[Any] | None = None, **rest: Any
) -> dict[str, Any]:
    """Poisson requests over providers. By default the chain has one leg for each, in order."""
    return {
        "title": "check",
        "horizon": horizon,
        "workload": {"arrivals": {"kind": "poisson", "rate": rate}},
        "providers": dict(providers),
        "chain": [{"provider": name} for name in providers] if chain is None else chain,
        **rest,
    }


def provider(latency: Any = 0, *, price: float = 0.0, **rest: Any) -> dict[str, Any]:
    """A provider with one model, whose calls by default take no time and cost nothing."""
    return {"latency": latency, "models": {"model": {"price": {"per_request": price}}}, **rest}


def outages(up: Any, down: Any, **effect: Any) -> list[dict[str, Any]]:
    """Alternating up and down times, with outages that fail calls at once."""
    return [{"kind": "renewal", "up": up, "down": down, "error_latency": 0, **effect}]


def shocks(rate: str, duration: Any, **effect: Any) -> list[dict[str, Any]]:
    """A ledger of outages that fail calls at once."""
    return [{"kind": "poisson", "rate": rate, "duration": duration, "error_latency": 0, **effect}]


def exponential(mean: str) -> dict[str, Any]:
    return {"kind": "exponential", "mean": mean}


def availability(run: Run) -> float:
    return float(run.ok.mean())


def lost_share(run: Run) -> float:
    return 1.0 - float(run.ok.mean())


def cost_per_request(run: Run) -> float:
    return float(run.requests["cost_usd"].mean())


def attempts_per_request(run: Run) -> float:
    return float(run.requests["attempts"].mean())


def mean_latency_s(run: Run) -> float:
    """Over all requests, served or not."""
    return float(run.requests["latency_s"].mean())


def served_share(leg: int) -> Metric:
    """Share of all requests that a leg served."""
    return lambda run: float((run.ok & (run.requests["chain_position"] == leg)).mean())
