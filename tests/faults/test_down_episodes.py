"""Episodes of recorded windows, whose answers can be read off."""

import pytest
from fault_plans import BROWNOUT, OUTAGE, one_endpoint, plan_of

from des.faults import Intervals, Timeline, draw_timeline
from des.faults.episodes import all_down, component_down, down_share, endpoint_down, episodes_started, intersection
from des.scenario.plan import Effect, RecordedIncidents
from des.vocabulary import INCIDENT_KINDS


def recorded(*windows: tuple[float, float, Effect], kind: str = "schedule") -> RecordedIncidents:
    start_s, end_s, effects = zip(*windows, strict=True)
    return RecordedIncidents(kind=kind, start_s=start_s, end_s=end_s, effects=effects)


def drawn(*windows: tuple[float, float, Effect], until_s: float = 100.0) -> Timeline:
    return draw_timeline(one_endpoint(recorded(*windows)), 0, until_s)


def pairs(intervals: Intervals) -> list[tuple[float, float]]:
    return list(zip(intervals.start_s.tolist(), intervals.end_s.tolist(), strict=True))


def test_recorded_windows_stand_as_they_are() -> None:
    timeline = draw_timeline(
        one_endpoint(
            recorded((-5.0, 3.0, OUTAGE), (10.0, 20.0, BROWNOUT), (15.0, 18.0, OUTAGE), kind="replay"), start_up=True
        ),
        0,
        100.0,
    )
    assert timeline.start_s.tolist() == [-5.0, 10.0, 15.0]
    assert timeline.end_s.tolist() == [3.0, 20.0, 18.0]
    assert [timeline.effects[code] for code in timeline.effect] == [OUTAGE, BROWNOUT, OUTAGE]
    assert set(timeline.kind.tolist()) == {INCIDENT_KINDS.index("replay")}


def test_recorded_windows_that_nobody_can_meet_are_left_out() -> None:
    timeline = drawn((-5.0, 0.0, OUTAGE), (4.0, 4.0, OUTAGE), (5.0, 6.0, OUTAGE), (100.0, 101.0, OUTAGE))
    assert pairs(Intervals(timeline.start_s, timeline.end_s)) == [(5.0, 6.0)]


def test_outages_that_overlap_or_touch_are_one_episode() -> None:
    timeline = drawn(
        (0.0, 10.0, OUTAGE), (2.0, 3.0, OUTAGE), (10.0, 12.0, OUTAGE), (12.5, 14.0, OUTAGE), (13.0, 16.0, OUTAGE)
    )
    assert pairs(endpoint_down(timeline, 0)) == [(0.0, 12.0), (12.5, 16.0)]
    assert pairs(component_down(timeline, 0)) == [(0.0, 12.0), (12.5, 16.0)]
    assert episodes_started(endpoint_down(timeline, 0), 100.0) == 2
    assert episodes_started(endpoint_down(timeline, 0), 12.5) == 1


def test_brownouts_make_no_episode() -> None:
    assert pairs(endpoint_down(drawn((1.0, 5.0, BROWNOUT), (4.0, 6.0, OUTAGE)), 0)) == [(4.0, 6.0)]


def test_share_of_downtime_counts_only_what_lies_inside_the_horizon() -> None:
    timeline = drawn((-50.0, 10.0, OUTAGE), (90.0, 500.0, OUTAGE))
    assert down_share(endpoint_down(timeline, 0), 100.0) == pytest.approx(0.2)
    assert down_share(endpoint_down(timeline, 0), 50.0) == pytest.approx(0.2)
    assert episodes_started(endpoint_down(timeline, 0), 100.0) == 1


def test_all_down_is_where_every_endpoint_is_down() -> None:
    plan = plan_of(
        {
            "a/m": [recorded((0.0, 10.0, OUTAGE), (20.0, 30.0, OUTAGE), (40.0, 50.0, OUTAGE))],
            "b/m": [recorded((5.0, 25.0, OUTAGE), (30.0, 40.0, OUTAGE), (42.0, 44.0, OUTAGE), (44.0, 46.0, OUTAGE))],
        },
        endpoints=["a/m", "b/m"],
    )
    timeline = draw_timeline(plan, 0, 100.0)
    assert pairs(all_down(timeline, [0, 1])) == [(5.0, 10.0), (20.0, 25.0), (42.0, 46.0)]
    assert pairs(all_down(timeline, [0])) == pairs(endpoint_down(timeline, 0))
    assert pairs(intersection([])) == []


def test_no_incidents_make_no_episodes() -> None:
    timeline = draw_timeline(one_endpoint(), 0, 100.0)
    assert len(timeline) == 0
    assert timeline.hits.shape == (0, 1)
    assert pairs(all_down(timeline, [0])) == []
    assert down_share(endpoint_down(timeline, 0), 100.0) == 0.0
