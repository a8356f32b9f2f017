"""What an incident depends on: seed, replication, names and its own parameters, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from fault_plans import BROWNOUT, one_endpoint, plan_of, rows, shocks, start_to_start, up_down

from des.distributions import Constant, Empirical, Exponential, Lognormal, Weibull
from des.errors import DesError
from des.faults import Timeline, draw_timeline, drawn_class
from des.scenario.plan import IncidentClass, Plan, Profile, RecordedIncidents

WEIGHTS = tuple(float(hour % 3) for hour in range(168))
DAY_S = 86_400.0

CLASSES: dict[str, IncidentClass] = {
    "poisson": shocks(1e-4, Lognormal(8.0, 1.0)),
    "profile": shocks(1e-4, Lognormal(8.0, 1.0), Profile(weights=WEIGHTS, offset_s=5000.0)),
    "renewal": up_down(Weibull(0.7, 8000.0), Lognormal(7.0, 1.0)),
    "marked_renewal": start_to_start(Weibull(0.7, 8000.0), Lognormal(9.0, 1.0)),
}
GRAPH = {"a": {"net": 0.5}, "a/m": {"a": 1.0}, "b/m": {"net": 0.5}}


def mixed(start_up: bool = False, seed: int = 1) -> Plan:
    return plan_of(
        {"net": [CLASSES["poisson"], CLASSES["renewal"]], "a": [CLASSES["marked_renewal"]], "a/m": [], "b/m": []},
        GRAPH,
        ["a/m", "b/m"],
        start_up=start_up,
        seed=seed,
    )


def assert_begins_with(longer: Timeline, shorter: Timeline) -> None:
    count = len(shorter)
    for column in ("component", "kind", "start_s", "end_s", "effect", "hits", "shared"):
        assert np.array_equal(getattr(longer, column)[:count], getattr(shorter, column)), column
    assert (longer.start_s[count:] >= shorter.until_s).all()
    assert longer.effects == shorter.effects


@pytest.mark.parametrize("start_up", [False, True])
@pytest.mark.parametrize("kind", CLASSES)
def test_a_later_end_appends_and_changes_nothing(kind: str, start_up: bool) -> None:
    plan = one_endpoint(CLASSES[kind], start_up=start_up)
    longest = draw_timeline(plan, 3, 1e8)
    for until_s in (0.0, 10.0, 5e5, 3e6, 2e7):
        assert_begins_with(longest, draw_timeline(plan, 3, until_s))


def test_a_later_end_keeps_the_marks_of_a_graph() -> None:
    assert_begins_with(draw_timeline(mixed(), 0, 1e8), draw_timeline(mixed(), 0, 3e6))


def test_the_same_timeline_is_drawn_again() -> None:
    first, second = draw_timeline(mixed(), 2, 1e7), draw_timeline(mixed(), 2, 1e7)
    assert_begins_with(first, second)
    assert len(first) == len(second)


@pytest.mark.parametrize("other", [draw_timeline(mixed(seed=2), 0, 1e7), draw_timeline(mixed(), 1, 1e7)])
def test_another_seed_or_replication_is_another_timeline(other: Timeline) -> None:
    assert not set(draw_timeline(mixed(), 0, 1e7).start_s.tolist()) & set(other.start_s.tolist())


def test_components_and_classes_added_elsewhere_move_nothing() -> None:
    before = draw_timeline(mixed(), 0, 1e7)
    grown = plan_of(
        {
            "new": [CLASSES["poisson"]],
            "net": [CLASSES["poisson"], CLASSES["renewal"], CLASSES["profile"]],
            "c/m": [CLASSES["renewal"]],
            "b/m": [CLASSES["renewal"]],
            "a": [CLASSES["marked_renewal"]],
            "a/m": [],
        },
        {**GRAPH, "c/m": {"net": 0.9, "new": 0.2}, "net": {"new": 0.5}},
        ["c/m", "b/m", "a/m"],
    )
    after = draw_timeline(grown, 0, 1e7)
    hits_before = dict(zip(rows(before, 0), before.hits[before.component == 0].tolist(), strict=True))
    hits_after = dict(zip(rows(after, 1), after.hits[after.component == 1].tolist(), strict=True))
    assert set(hits_before) <= set(hits_after)
    for incident, (hits_a, hits_b) in hits_before.items():
        assert hits_after[incident][1:] == [hits_b, hits_a]
    assert rows(before, 1) == rows(after, 4)


def test_classes_of_one_distribution_in_different_places_have_incidents_of_their_own() -> None:
    one = CLASSES["poisson"]
    timeline = draw_timeline(plan_of({"a/m": [one, one], "b/m": [one]}, endpoints=["a/m", "b/m"]), 0, 1e7)
    assert len(set(timeline.start_s.tolist())) == len(timeline)


def test_a_changed_duration_leaves_the_starts() -> None:
    longer = CLASSES["poisson"].model_copy(update={"duration": Weibull(0.5, 9000.0)})
    before, after = (draw_timeline(one_endpoint(one, start_up=True), 0, 1e7) for one in (CLASSES["poisson"], longer))
    assert np.array_equal(before.start_s, after.start_s)


def test_incidents_are_sorted_by_start_and_last() -> None:
    timeline = draw_timeline(mixed(), 0, 1e8)
    assert (np.diff(timeline.start_s) >= 0).all()
    assert (timeline.end_s > timeline.start_s).all()
    assert (timeline.start_s < timeline.until_s).all()
    assert (timeline.end_s > 0).all()


def test_incidents_of_zero_length_are_dropped() -> None:
    timeline = draw_timeline(one_endpoint(shocks(0.01, Empirical((0.0, 0.0, 5.0)))), 0, 1e6)
    assert 2800 < len(timeline) < 3900
    assert (timeline.end_s > timeline.start_s).all()


def test_equal_starts_stand_in_order_of_component_and_class() -> None:
    windows = RecordedIncidents(kind="schedule", start_s=(5.0,), end_s=(6.0,), effects=(BROWNOUT,))
    timeline = draw_timeline(plan_of({"a/m": [windows], "b/m": [windows] * 2}, endpoints=["a/m", "b/m"]), 0, 10.0)
    assert timeline.component.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    "incidents",
    [
        up_down(Constant(0.0), Constant(0.0)),
        start_to_start(Constant(0.0), Constant(5.0)),
        start_to_start(Exponential(1e-9), Constant(5.0)),
        shocks(1e3, Constant(1e-6)),
        shocks(1e-6, Constant(1e15)),
    ],
    ids=str,
)
def test_more_incidents_than_can_be_drawn_are_refused_with_the_class(incidents: IncidentClass) -> None:
    with pytest.raises(DesError, match=r"p/m: incidents\[0\]: .*incidents"):
        draw_timeline(one_endpoint(incidents), 0, 1e6)


def test_a_distribution_of_mostly_no_time_is_refused_instead_of_drawn_for_ever() -> None:
    plan = one_endpoint(start_to_start(Weibull(0.008, 1e-200), Constant(5.0)), start_up=True)
    with pytest.raises(DesError, match=r"p/m: incidents\[0\]: .* in a row take almost no time"):
        draw_timeline(plan, 0, 1e6)


@pytest.mark.parametrize("shared", [1.0, 0.5, 0.0])
def test_a_class_drawn_alone_has_the_incidents_of_the_whole_timeline(shared: float) -> None:
    plan = replace(mixed(), shared=shared)
    whole = draw_timeline(plan, 4, 1e7)
    for component, classes in ((0, 2), (1, 1)):
        of = whole.component == component
        expected = sorted(
            zip(whole.start_s[of].tolist(), whole.end_s[of].tolist(), whole.hits[of].tolist(), strict=True)
        )
        drawn = []
        for number in range(classes):
            windows, hits = drawn_class(plan, 4, component, number, 1e7)
            drawn += list(zip(windows.start_s.tolist(), windows.end_s.tolist(), hits.T.tolist(), strict=True))
        assert len(drawn) > 10
        assert sorted(drawn) == expected
