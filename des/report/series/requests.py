"""What became of an arm's requests: outcomes, who served them, what they cost and how long they took; one pass."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from des.estimate.sums import LogHistogram
from des.report.series.rows import Codes, Floats, batches, coded, floats
from des.traces import Run

_COLUMNS: Final = (
    "arrival_s",
    "latency_s",
    "outcome",
    "error_type",
    "provider",
    "model",
    "chain_position",
    "cost_usd",
    "wasted_cost_usd",
)
CACHE: Final = "response cache"
_MOST_POSITIONS: Final = 128
"""Legs and the -1 of none fit an int8."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Counts of requests by when they arrived, summed over replications. `edges_s` has one more than the others."""

    edges_s: Floats
    offered: Codes
    served: Codes


@dataclass(slots=True)
class RequestSeries:
    """Sums over all requests of an arm.

    `served` and `latency` are by the leg that served; a leg's name is `provider/model`, with its place in the chain
    where another place has the same. `errors` are the last failures of the requests that were lost.
    """

    requests: int = 0
    cost_usd: float = 0.0
    wasted_usd: float = 0.0
    outcomes: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    served: dict[str, int] = field(default_factory=dict)
    latency: dict[str, LogHistogram] = field(default_factory=dict)
    latency_of_all: LogHistogram = field(default_factory=LogHistogram)
    cost: LogHistogram = field(default_factory=LogHistogram)
    flow: Flow = field(default_factory=lambda: Flow(np.zeros(1), np.zeros(0, np.int64), np.zeros(0, np.int64)))


def request_series(run: Run, arm: str, edges_s: Floats) -> RequestSeries:
    """One pass over the arm's requests; `edges_s` are those of the bins of its flow."""
    counter = _Counter(edges_s)
    for batch in batches(run, "requests", arm, _COLUMNS):
        outcome = coded(batch.column("outcome"), counter.outcomes)
        counter.add(
            outcome,
            coded(batch.column("error_type"), counter.errors),
            counter.leg_codes(
                floats(batch, "chain_position").astype(np.int64),
                coded(batch.column("provider"), counter.providers),
                coded(batch.column("model"), counter.models),
            ),
            {name: floats(batch, name) for name in ("arrival_s", "latency_s", "cost_usd", "wasted_cost_usd")},
        )
    return counter.series()


class _Counter:
    """Sums of batches."""

    def __init__(self, edges_s: Floats) -> None:
        self.outcomes: dict[str, int] = {"ok": 0}
        self.errors: dict[str, int] = {}
        self.providers: dict[str, int] = {}
        self.models: dict[str, int] = {}
        self._legs: dict[tuple[int, int, int], int] = {}
        self._edges_s = edges_s
        self._offered = np.zeros(len(edges_s) - 1, np.int64)
        self._served_then = np.zeros(len(edges_s) - 1, np.int64)
        self._outcome_counts: dict[int, int] = {}
        self._error_counts: dict[int, int] = {}
        self._served: dict[int, int] = {}
        self._latency: dict[int, LogHistogram] = {}
        self._found = RequestSeries()

    def leg_codes(self, position: Codes, provider: Codes, model: Codes) -> Codes:
        """Each row's leg as a number."""
        keys = ((position + 1) * (len(self.providers) + 1) + provider + 1) * (len(self.models) + 1) + model + 1
        distinct, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        legs = [(int(position[row]), int(provider[row]), int(model[row])) for row in first]
        numbers = np.array([self._legs.setdefault(leg, len(self._legs)) for leg in legs], np.int64)
        return numbers[inverse] if len(distinct) else np.zeros(0, np.int64)

    def add(self, outcome: Codes, error: Codes, leg: Codes, values: Mapping[str, Floats]) -> None:
        ok = outcome == self.outcomes["ok"]
        found = self._found
        found.requests += len(outcome)
        found.cost_usd += float(values["cost_usd"].sum())
        found.wasted_usd += float(values["wasted_cost_usd"].sum())
        found.cost.add(values["cost_usd"])
        _count(self._outcome_counts, outcome)
        _count(self._error_counts, error[~ok & (outcome != self.outcomes.get("in_flight", -1))])
        _count(self._served, leg[ok])
        found.latency_of_all.add(values["latency_s"][ok])
        for number in np.unique(leg[ok]):
            self._latency.setdefault(int(number), LogHistogram()).add(values["latency_s"][ok & (leg == number)])
        self._offered += np.histogram(values["arrival_s"], self._edges_s)[0]
        self._served_then += np.histogram(values["arrival_s"][ok], self._edges_s)[0]

    def series(self) -> RequestSeries:
        found, names = self._found, self._leg_names()
        found.outcomes = _named(self._outcome_counts, self.outcomes)
        found.errors = _named(self._error_counts, self.errors)
        order = sorted(self._served, key=lambda number: names[number])
        order.sort(key=lambda number: self._position(number))
        found.served = {names[number]: self._served[number] for number in order}
        found.latency = {names[number]: self._latency[number] for number in order}
        found.flow = Flow(self._edges_s, self._offered, self._served_then)
        return found

    def _position(self, number: int) -> int:
        """The place in the chain; what no leg served comes last."""
        position = next(leg[0] for leg, known in self._legs.items() if known == number)
        return position if position >= 0 else _MOST_POSITIONS

    def _leg_names(self) -> dict[int, str]:
        providers, models = list(self.providers), list(self.models)
        plain = {
            number: CACHE if position < 0 or provider < 0 else f"{providers[provider]}/{models[model]}"
            for (position, provider, model), number in self._legs.items()
        }
        repeated = {name for name in plain.values() if list(plain.values()).count(name) > 1 and name != CACHE}
        return {
            number: f"{plain[number]} (place {position + 1})" if plain[number] in repeated else plain[number]
            for (position, _, _), number in self._legs.items()
        }


def _count(counts: dict[int, int], codes: Codes) -> None:
    for code, many in zip(*np.unique(codes, return_counts=True), strict=True):
        counts[int(code)] = counts.get(int(code), 0) + int(many)


def _named(counts: Mapping[int, int], words: Mapping[str, int]) -> dict[str, int]:
    """The commonest first."""
    names = {code: word for word, code in words.items()}
    found = {names.get(code, "none"): many for code, many in counts.items()}
    return dict(sorted(found.items(), key=lambda each: -each[1]))
