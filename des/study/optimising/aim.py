"""What a search aims at and what must hold, as numbers of one candidate's figures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from des.errors import DesError
from des.scenario.checks.aims import why_no_aim, why_no_bound
from des.scenario.plan import Plan
from des.scenario.schema.expectations import read_expectation
from des.scenario.schema.objective import Value
from des.scenario.schema.optimise import AVAILABILITY, TOTAL_COST, Optimise
from des.scenario.schema.scenario import Scenario
from des.scenario.text.units import YEAR_S

LOST: Final = "failure_share"
_NEAR_ZERO: Final = 1e-3
"""A bound of 0 has no share to tolerate; this one stands for it."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What must hold: a metric, `>=`, `<=`, `>` or `<`, and a value in the metric's unit."""

    metric: str
    comparison: str
    value: float
    text: str

    def miss(self, figures: Mapping[str, float]) -> float:
        """By how much the figures miss it; below 0 they keep it. An availability counts by what is lost."""
        if self.metric == AVAILABILITY:
            sign = -1.0 if self.comparison.startswith(">") else 1.0
            return sign * ((1.0 - self.value) - figures[LOST])
        sign = 1.0 if self.comparison.startswith("<") else -1.0
        return sign * (figures[self.metric] - self.value)

    @property
    def scale(self) -> float:
        """What a share of the bound is a share of."""
        return abs(1.0 - self.value if self.metric == AVAILABILITY else self.value) or _NEAR_ZERO

    def kept(self, figures: Mapping[str, float], tolerance: float = 0.0) -> bool:
        miss = self.miss(figures)
        return miss < 0.0 or miss <= tolerance * self.scale

    @property
    def words(self) -> str:
        return f"{self.metric} {self.text}"


@dataclass(frozen=True, slots=True)
class Aim:
    """`metric` is to be as small as can be, an availability as large; USD a year for a total cost.

    `indifference` and `tolerance` are shares: of the aim, and of each bound.
    """

    metric: str
    bounds: tuple[Bound, ...]
    indifference: float
    tolerance: float
    usd_per_request: float = 0.0
    """Requests a year, and USD a year if all were lost, of a total cost."""
    usd_if_lost: float = 0.0

    @property
    def maximised(self) -> bool:
        return self.metric == AVAILABILITY

    def of(self, figures: Mapping[str, float]) -> float:
        """The number to be minimised: the share lost stands for the availability. NaN where nothing is served."""
        if self.metric == TOTAL_COST:
            return figures["cost_usd_per_request"] * self.usd_per_request + figures[LOST] * self.usd_if_lost
        return figures[LOST if self.maximised else self.metric]

    def shown(self, value: float) -> float:
        """The metric itself, of such a number."""
        return 1.0 - value if self.maximised else value

    def excess(self, figures: Mapping[str, float]) -> float:
        """By how much the bounds are missed, as shares of them, added up; infinite where nothing is served."""
        total = math.fsum(max(0.0, bound.miss(figures)) / bound.scale for bound in self.bounds)
        return total if math.isfinite(total) and math.isfinite(self.of(figures)) else math.inf

    def feasible(self, figures: Mapping[str, float], *, tolerant: bool = False) -> bool:
        tolerance = self.tolerance if tolerant else 0.0
        return math.isfinite(self.of(figures)) and all(bound.kept(figures, tolerance) for bound in self.bounds)

    @property
    def words(self) -> str:
        does = "maximise" if self.maximised else "minimise"
        what = f"{self.metric} (USD a year)" if self.metric == TOTAL_COST else self.metric
        return f"{does} {what}" + "".join(
            f"{', ' if number else ' subject to '}{bound.words}" for number, bound in enumerate(self.bounds)
        )


def read_aim(
    scenario: Scenario,
    said: Optimise,
    plan: Plan,
    *,
    minimise: str | None = None,
    maximise: str | None = None,
    subject_to: Sequence[str] | Mapping[str, str | Sequence[str]] = (),
) -> Aim:
    """The aim of the scenario's `optimise`, with what is given here in its place.

    Without any it is the total cost where failing has a price, else the cost of a success; the availability of the
    scenario's objective then bounds it. Raises DesError for what cannot be aimed at or bound.
    """
    if minimise is not None and maximise is not None:
        raise DesError("two aims: give --minimise or --maximise, and a bound for the other by --subject-to")
    given = minimise is not None or maximise is not None
    if not given:
        minimise, maximise = said.minimise, said.maximise
    priced = scenario.value is not None
    metric = minimise or maximise or (TOTAL_COST if priced else "cost_usd_per_success")
    direction = "maximise" if maximise is not None else "minimise"
    if why := why_no_aim(direction, metric, priced=priced):
        raise DesError(f"--{direction} {metric}: {why}")
    bounds = [*_bounds(said.subject_to), *_bounds(_written(subject_to), "--subject-to")]
    if not bounds and minimise is None and maximise is None and scenario.objective is not None:
        bounds = [_bound(AVAILABILITY, f">= {100.0 * scenario.objective.availability:.12g}%", "objective")]
    rate, lost = _per_year(plan, scenario.value) if metric == TOTAL_COST else (0.0, 0.0)
    return Aim(metric, tuple(dict.fromkeys(bounds)), said.indifference, said.tolerance, rate, lost)


def _written(subject_to: Sequence[str] | Mapping[str, str | Sequence[str]]) -> Mapping[str, Sequence[str]]:
    """By metric, from a mapping or from texts such as `availability >= 99.95%`."""
    if isinstance(subject_to, Mapping):
        return {metric: [texts] if isinstance(texts, str) else list(texts) for metric, texts in subject_to.items()}
    found: dict[str, list[str]] = {}
    for text in [subject_to] if isinstance(subject_to, str) else subject_to:
        place = min((text.index(sign) for sign in "<>" if sign in text), default=-1)
        if place <= 0:
            raise DesError(f"--subject-to {text}: expected a comparison such as 'availability >= 99.95%'")
        found.setdefault(text[:place].strip(" :="), []).append(text[place:].strip())
    return found


def _bounds(texts: Mapping[str, Sequence[str]], said_as: str = "optimise.subject_to") -> list[Bound]:
    return [_bound(metric, text, said_as) for metric, several in texts.items() for text in several]


def _bound(metric: str, text: str, said_as: str) -> Bound:
    if why := why_no_bound(metric, text):
        raise DesError(f"{said_as}: {metric} {text}: {why}")
    expectation = read_expectation(metric, text, ())
    return Bound(metric, expectation.comparison, expectation.value, text.strip())


def _per_year(plan: Plan, value: Value | None) -> tuple[float, float]:
    """(requests a year, USD a year if all were lost)."""
    assert value is not None
    requests = plan.workload.arrivals.expected_requests(plan.horizon_s)
    if requests is None:
        raise DesError(
            "total_cost: the number of requests a year depends on the answers; minimise cost_usd_per_success"
        )
    per_year = requests / plan.horizon_s * YEAR_S
    return per_year, value.lost_request_usd * per_year + value.downtime_usd_per_s * YEAR_S
