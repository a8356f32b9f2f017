"""Small scenarios, and runs of them as frames with their names written out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from des.engine import names, simulate
from des.scenario import from_mapping, plans
from des.scenario.plan import Plan

TABLES = ("requests", "attempts", "transitions", "incidents")


class Collected:
    """A sink that keeps every block it is given."""

    def __init__(self) -> None:
        self.blocks: dict[str, list[Mapping[str, NDArray[Any]]]] = {table: [] for table in (*TABLES, "refusals")}

    def requests(self, block: Mapping[str, NDArray[Any]]) -> None:
        self.blocks["requests"].append(block)

    def attempts(self, block: Mapping[str, NDArray[Any]]) -> None:
        self.blocks["attempts"].append(block)

    def transitions(self, block: Mapping[str, NDArray[Any]]) -> None:
        self.blocks["transitions"].append(block)

    def incidents(self, block: Mapping[str, NDArray[Any]]) -> None:
        self.blocks["incidents"].append(block)

    def refusals(self, block: Mapping[str, NDArray[Any]]) -> None:
        self.blocks["refusals"].append(block)


@dataclass(frozen=True)
class Traced:
    """One replication. Frames hold names for codes, None for a null name; other nulls stay NaN or -1."""

    plan: Plan
    arrived: int
    blocks: Mapping[str, Sequence[Mapping[str, NDArray[Any]]]]

    def frame(self, table: str) -> pd.DataFrame:
        blocks = self.blocks[table]
        if not blocks:
            return pd.DataFrame(columns=COLUMNS[table])
        frame = pd.DataFrame({name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]})
        for column, values in names(self.plan)[table].items():
            words = np.array([*values, None], dtype=object)  # code -1 takes the last
            frame[column] = pd.Series(words[frame[column].to_numpy()], dtype=object)
        return frame

    @cached_property
    def requests(self) -> pd.DataFrame:
        return self.frame("requests")

    @cached_property
    def attempts(self) -> pd.DataFrame:
        return self.frame("attempts")

    @cached_property
    def transitions(self) -> pd.DataFrame:
        return self.frame("transitions")

    @cached_property
    def incidents(self) -> pd.DataFrame:
        return self.frame("incidents")

    def request(self, number: int = 0) -> Any:
        """The row of one request."""
        (row,) = self.requests[self.requests.request_id == number].itertuples()
        return row

    def calls(self, number: int = 0) -> list[Any]:
        """The attempts of one request, in order."""
        own = self.attempts[self.attempts.request_id == number]
        return list(own.sort_values("attempt").itertuples())

    def legs(self, number: int = 0) -> list[str]:
        return [call.leg for call in self.calls(number)]

    def outcomes(self, number: int = 0) -> list[str]:
        return [call.outcome for call in self.calls(number)]

    def digest(self) -> str:
        """A hash of every byte of every column, in the order handed over."""
        hashed = sha256()
        for table in TABLES:
            for block in self.blocks[table]:
                for name, column in block.items():
                    hashed.update(f"{table}.{name}:{column.dtype}:{len(column)}".encode())
                    hashed.update(repr(column.tolist()).encode() if column.dtype == object else column.tobytes())
        return hashed.hexdigest()


COLUMNS = {
    "requests": ["request_id", "arrival_s", "end_s", "outcome"],
    "attempts": ["request_id", "attempt", "leg", "start_s", "end_s", "outcome", "kind", "cause", "cause_id"],
    "transitions": ["time_s", "entity", "kind", "from", "to"],
    "incidents": ["incident_id", "component", "kind", "start_s", "end_s", "endpoints"],
}
"""What a frame without rows still has."""


def trace(plan: Plan, replication: int = 0) -> Traced:
    sink = Collected()
    arrived = simulate(plan, replication, sink)
    return Traced(plan, arrived, sink.blocks)


def plan_of(scenario: Mapping[str, Any], arm: str = "as_modelled") -> Plan:
    return plans(from_mapping(scenario))[arm]


def run(scenario: Mapping[str, Any], replication: int = 0) -> Traced:
    """One replication of the scenario's arm `as_modelled`."""
    return trace(plan_of(scenario), replication)


def scenario(
    providers: Mapping[str, Any],
    *,
    horizon: str = "100s",
    arrivals: Mapping[str, Any] | None = None,
    workload: Mapping[str, Any] | None = None,
    chain: Sequence[Any] | None = None,
    **rest: Any,
) -> dict[str, Any]:
    """A request every 10 s from 0 s on over one leg for each provider, unless said otherwise."""
    arrivals = arrivals or {"kind": "batch", "every": "10s", "size": 1}
    return {
        "title": "test",
        "horizon": horizon,
        "seed": 7,
        "workload": {"arrivals": arrivals, **(workload or {})},
        "providers": dict(providers),
        "chain": [{"provider": name} for name in providers] if chain is None else list(chain),
        **rest,
    }


def provider(latency: Any = "1s", *, price: Mapping[str, Any] | None = None, **rest: Any) -> dict[str, Any]:
    """A provider with one model `m`, free of charge unless priced; `model` holds further fields of the model."""
    model = {"price": price or {"per_request": 0}, **rest.pop("model", {})}
    return {"latency": latency, "models": {"m": model}, **rest}


def window(start: str, end: str, **effect: Any) -> dict[str, Any]:
    """An incident from `start` to `end`, an outage unless its effect says otherwise."""
    return {"kind": "schedule", "windows": [{"start": start, "end": end}], **effect}


def at(first: str, *, size: int = 1) -> dict[str, Any]:
    """Arrivals at one instant, and no others before the horizon."""
    return {"kind": "batch", "every": "1000d", "size": size, "first": first}


def poisson(rate: str) -> dict[str, Any]:
    return {"kind": "poisson", "rate": rate}


def tokens(input_tokens: int, output_tokens: int) -> dict[str, Any]:
    """The workload's part that says how large requests and responses are."""
    return {"tokens": {"input": input_tokens, "output": output_tokens}}
