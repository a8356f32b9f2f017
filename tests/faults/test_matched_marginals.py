"""The comparison is fair: whatever the graph, an endpoint by itself cannot tell the arms apart."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from exact_ledger import Ledger
from examples import TIMES
from fault_plans import OUTAGE, plan_of, shocks, start_to_start, up_down
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_graphs import GRAPHS
from scipy import stats

from des.distributions import Constant, Exponential, Lognormal, Weibull
from des.faults import Marginals, draw_timeline, marginals
from des.scenario.plan import IncidentClass, Plan, PoissonIncidents, Profile, RecordedIncidents

PHIS = (0.0, 0.3, 1.0)
REPLICATIONS = 30
EXAMPLES = 6 * TIMES
WEEK_S = 168 * 3600.0
HORIZON_S = 4 * WEEK_S
BUSY = Profile(weights=tuple(2.0 if hour % 24 < 12 else 0.0 for hour in range(168)), offset_s=5000.0)

Figures = Mapping[str, Sequence[float]]  # of one endpoint, by replication


def figures(drawn: Sequence[Marginals], endpoint: int) -> Figures:
    """An endpoint's figures, replication by replication: of one distribution in every arm, however small it is."""
    own = [one.endpoints[endpoint] for one in drawn]
    return {
        "unavailability": [one.unavailability for one in own],
        "episodes": [float(one.episodes) for one in own],
        "median duration": [one.episode_quantile_s(0.5) for one in own if one.episodes],
        "p95 duration": [one.p95_episode_s for one in own if one.episodes],
    }


@dataclass
class Comparisons:
    """All comparisons of a test, at 4 standard errors adjusted for their number (Bonferroni, Student t)."""

    expected: int

    def agree(self, what: str, one: Sequence[float], other: Sequence[float]) -> None:
        error = math.hypot(*(float(np.std(values, ddof=1)) / math.sqrt(len(values)) for values in (one, other)))
        self._judge(what, float(np.mean(one)), float(np.mean(other)), error)

    def meets(self, what: str, values: Sequence[float], exact: float) -> None:
        self._judge(what, float(np.mean(values)), exact, float(np.std(values, ddof=1)) / math.sqrt(len(values)))

    def _judge(self, what: str, one: float, other: float, error: float) -> None:
        limit = stats.t.isf(stats.norm.sf(4.0) / self.expected, df=REPLICATIONS - 1)
        assert abs(one - other) <= limit * error + 1e-9 * abs(one), f"{what}: {one:.6g} and {other:.6g} +- {error:.2g}"


def arms(plan: Plan, horizon_s: float) -> dict[float, list[Marginals]]:
    everybody = range(len(plan.endpoints))
    return {
        phi: [
            marginals(draw_timeline(replace(plan, shared=phi), replication, horizon_s), horizon_s, everybody)
            for replication in range(REPLICATIONS)
        ]
        for phi in PHIS
    }


def assert_marginals_match(plan: Plan, horizon_s: float, comparisons: Comparisons) -> None:
    drawn = arms(plan, horizon_s)
    poisson = all(
        isinstance(one, PoissonIncidents) and one.effect.outage
        for component in plan.components
        for one in component.incidents
    )
    ledger = Ledger(plan)
    for endpoint in range(len(plan.endpoints)):
        of_arm = {phi: figures(drawn[phi], endpoint) for phi in PHIS}
        for one, other in itertools.combinations(PHIS, 2):
            for name in of_arm[one]:
                values = of_arm[one][name], of_arm[other][name]
                if min(map(len, values)) > REPLICATIONS // 2:
                    comparisons.agree(f"endpoint {endpoint}, {name} at phi {one} and {other}", *values)
        if poisson:
            alone = frozenset({endpoint})
            for phi in PHIS:
                what = f"endpoint {endpoint} at phi {phi}"
                comparisons.meets(what, of_arm[phi]["unavailability"], ledger.all_down(alone))
                comparisons.meets(what, of_arm[phi]["episodes"], ledger.episodes_per_s(alone) * horizon_s)


@pytest.mark.parametrize("name", GRAPHS)
def test_marginals_match_on_probabilistic_edges_diamonds_and_models_dependencies(name: str) -> None:
    assert_marginals_match(GRAPHS[name], 5e5, Comparisons(3 * 3 * (12 + 6)))


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("phi", [0.0, 0.01, 0.3, 0.9])
def test_marginals_match_exactly_in_the_closed_forms(name: str, phi: float) -> None:
    modelled, twin = Ledger(GRAPHS[name]), Ledger(replace(GRAPHS[name], shared=phi))
    for endpoint in range(len(GRAPHS[name].endpoints)):
        alone = frozenset({endpoint})
        assert math.isclose(modelled.all_down(alone), twin.all_down(alone), rel_tol=1e-12)
        assert math.isclose(modelled.episodes_per_s(alone), twin.episodes_per_s(alone), rel_tol=1e-12)


def windows(draw: st.DrawFn) -> RecordedIncidents:
    starts = sorted(draw(st.lists(st.integers(1, 4 * 168 - 12), min_size=1, max_size=6, unique=True)))
    return RecordedIncidents(
        kind="replay",
        start_s=tuple(start * 3600.0 for start in starts),
        end_s=tuple((start + draw(st.integers(1, 10))) * 3600.0 for start in starts),
        effects=(OUTAGE,) * len(starts),
    )


POISSON: tuple[IncidentClass, ...] = (
    shocks(1.2e-5, Lognormal(8.0, 1.0)),
    shocks(2e-5, Exponential(3000.0)),
    shocks(1e-5, Weibull(0.7, 5000.0)),
)
RENEWAL: tuple[IncidentClass, ...] = (
    up_down(Weibull(0.7, 60_000.0), Lognormal(8.0, 0.8)),
    start_to_start(Weibull(0.8, 80_000.0), Exponential(5000.0)),
    shocks(2e-5, Constant(4000.0), BUSY),
)


@st.composite
def graphs(draw: st.DrawFn, kinds: Sequence[IncidentClass], recorded: bool) -> Plan:
    names = [f"c{index}" for index in range(draw(st.integers(1, 3)))]
    endpoints = [f"p{index % 2}/m{index}" for index in range(draw(st.integers(2, 3)))]
    order = [*names, *endpoints]
    shares = st.sampled_from([0.3, 0.8, 1.0])
    edges = {
        name: draw(st.dictionaries(st.sampled_from(order[:place]), shares, min_size=1, max_size=2))
        for place, name in enumerate(order)
        if place
    }
    incidents = {
        name: draw(st.lists(st.sampled_from(kinds), min_size=name == "c0", max_size=2 if name in names else 1))
        for name in order
    }
    if recorded:
        incidents["c0"] = [*incidents["c0"], windows(draw)]
    return plan_of(incidents, edges, endpoints, seed=draw(st.integers(0, 2**64 - 1)), horizon_s=HORIZON_S)


@settings(max_examples=EXAMPLES)
@given(graphs(POISSON, recorded=False))
def test_marginals_match_on_random_graphs_of_random_shocks(plan: Plan) -> None:
    assert_marginals_match(plan, HORIZON_S, Comparisons(EXAMPLES * 3 * (12 + 6)))


@settings(max_examples=EXAMPLES)
@given(graphs((*POISSON, *RENEWAL), recorded=True))
def test_marginals_match_on_random_graphs_of_all_kinds_of_incidents(plan: Plan) -> None:
    assert_marginals_match(plan, HORIZON_S, Comparisons(EXAMPLES * 3 * 12))


def test_dropping_the_common_incidents_would_be_noticed() -> None:
    plan = GRAPHS["two providers behind one component"]
    unfair = replace(plan, components=(replace(plan.components[0], incidents=()), *plan.components[1:]))
    modelled, dropped = (arms(one, 5e5)[1.0] for one in (plan, unfair))
    with pytest.raises(AssertionError, match="unavailability"):
        Comparisons(100).agree(
            "unavailability", figures(modelled, 0)["unavailability"], figures(dropped, 0)["unavailability"]
        )
