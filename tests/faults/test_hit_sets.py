"""Which endpoints an incident reaches, on given and on random graphs."""

import numpy as np
from examples import TIMES
from fault_plans import BROWNOUT, plan_of, shocks, start_to_start, up_down
from hypothesis import given, settings
from hypothesis import strategies as st

from des.distributions import Constant, Exponential, Lognormal, Weibull
from des.faults import draw_timeline
from des.faults.episodes import all_down, down_share, endpoint_down
from des.scenario.plan import Plan

SHOCKS = shocks(1e-3, Exponential(600.0))


def test_everything_behind_one_edge_shares_its_mark() -> None:
    plan = plan_of(
        {"cdn": [SHOCKS], "a": [], "a/m": [], "a/n": [], "b/m": []},
        {"a": {"cdn": 0.4}, "a/m": {"a": 1.0}, "a/n": {"a": 1.0}, "b/m": {"cdn": 0.4}},
        ["a/m", "a/n", "b/m"],
    )
    hits = draw_timeline(plan, 0, 1e7).hits
    assert np.array_equal(hits[:, 0], hits[:, 1])
    share_of_both = (hits[:, 0] & hits[:, 2]).mean()
    assert abs(hits[:, 0].mean() - 0.4) < 4 * np.sqrt(0.4 * 0.6 / len(hits))
    assert abs(share_of_both - 0.16) < 4 * np.sqrt(0.16 * 0.84 / len(hits))


def test_several_paths_hit_once_if_any_is_marked() -> None:
    plan = plan_of(
        {"net": [SHOCKS], "east": [], "west": [], "a/m": []},
        {"east": {"net": 0.5}, "west": {"net": 0.5}, "a/m": {"east": 0.6, "west": 0.6}},
        ["a/m"],
    )
    timeline = draw_timeline(plan, 0, 1e7)
    exact = 1 - (1 - 0.3) ** 2
    assert abs(timeline.hits.mean() - exact) < 4 * np.sqrt(exact * (1 - exact) / len(timeline))


def test_shared_means_endpoints_of_more_than_one_provider() -> None:
    plan = plan_of(
        {"cdn": [SHOCKS], "a": [SHOCKS], "a/m": [SHOCKS], "a/n": [], "b/m": []},
        {"a": {"cdn": 0.5}, "a/m": {"a": 1.0}, "a/n": {"a": 1.0}, "b/m": {"cdn": 1.0}},
        ["a/m", "a/n", "b/m"],
    )
    timeline = draw_timeline(plan, 0, 1e6)
    assert np.array_equal(timeline.shared, (timeline.component == 0) & timeline.hits[:, 0])
    assert timeline.hits[timeline.component == 1].tolist()[0] == [True, True, False]
    assert timeline.hits[timeline.component == 2].tolist()[0] == [True, False, False]


def test_a_component_that_nothing_depends_on_hits_nothing() -> None:
    timeline = draw_timeline(plan_of({"lonely": [SHOCKS], "a/m": []}, endpoints=["a/m"]), 0, 1e6)
    assert len(timeline) > 0
    assert not timeline.hits.any()


INCIDENTS = st.sampled_from(
    [
        SHOCKS,
        shocks(5e-4, Lognormal(6.0, 1.0), effect=BROWNOUT),
        up_down(Weibull(0.7, 3000.0), Constant(500.0)),
        start_to_start(Lognormal(7.0, 1.0), Weibull(0.6, 700.0)),
    ]
)


@st.composite
def graphs(draw: st.DrawFn) -> Plan:
    names = [f"c{index}" for index in range(draw(st.integers(0, 4)))]
    endpoints = [f"p{index % 2}/m{index}" for index in range(draw(st.integers(1, 4)))]
    order = [*names, *endpoints]
    edges = {
        name: draw(st.dictionaries(st.sampled_from(order[:place]), st.sampled_from([0.0, 0.3, 1.0]), max_size=3))
        for place, name in enumerate(order)
        if place
    }
    declared = draw(st.permutations(order))
    incidents = {name: draw(st.lists(INCIDENTS, max_size=2)) for name in declared}
    return plan_of(incidents, edges, endpoints, seed=draw(st.integers(0, 2**64 - 1)), start_up=draw(st.booleans()))


def reachable(plan: Plan, origin: int, at_least: float) -> set[int]:
    """Components reached from `origin` over edges of at least this share."""
    reached = {origin}
    for _ in plan.components:
        for component in plan.components:
            if any(edge.component in reached and edge.share >= at_least for edge in component.depends_on):
                reached.add(component.index)
    return reached


@settings(max_examples=40 * TIMES)
@given(graphs())
def test_random_graphs_keep_the_distributions_of_a_timeline(plan: Plan) -> None:
    until_s = 20_000.0
    timeline = draw_timeline(plan, 0, until_s)
    longer = draw_timeline(plan, 0, 2 * until_s)
    assert np.array_equal(longer.hits[: len(timeline)], timeline.hits)
    assert (np.diff(timeline.start_s) >= 0).all()
    assert (timeline.end_s > timeline.start_s).all()

    for origin in range(len(plan.components)):
        hits = timeline.hits[timeline.component == origin]
        surely, perhaps = reachable(plan, origin, 1.0), reachable(plan, origin, 0.1)
        for endpoint in plan.endpoints:
            assert hits[:, endpoint.index].all() or endpoint.component not in surely
            assert not hits[:, endpoint.index].any() or endpoint.component in perhaps

    endpoints = range(len(plan.endpoints))
    instants = np.concatenate((np.linspace(0.0, until_s, 97, endpoint=False), timeline.start_s, timeline.end_s))
    instants = instants[(instants >= 0.0) & (instants < until_s)]
    is_open = (timeline.start_s <= instants[:, None]) & (timeline.end_s > instants[:, None]) & timeline.outage
    down = np.stack([(is_open & timeline.hits[:, endpoint]).any(axis=1) for endpoint in endpoints], axis=1)
    for intervals, expected in [
        *((endpoint_down(timeline, endpoint), down[:, endpoint]) for endpoint in endpoints),
        (all_down(timeline, endpoints), down.all(axis=1)),
    ]:
        assert (intervals.end_s > intervals.start_s).all()
        assert (intervals.start_s[1:] > intervals.end_s[:-1]).all()
        inside = (intervals.start_s <= instants[:, None]) & (intervals.end_s > instants[:, None])
        assert np.array_equal(inside.any(axis=1), expected)
        assert 0.0 <= down_share(intervals, until_s) <= 1.0
