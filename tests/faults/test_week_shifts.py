"""The twin of recorded incidents: each endpoint keeps its own weeks, hour by hour, and only coincidence is broken."""

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from fault_plans import OUTAGE, assert_agrees, plan_of, shocks

from des.distributions import Lognormal
from des.errors import DesError
from des.faults import Timeline, draw_timeline, marginals, sharing
from des.scenario.plan import Plan, Profile, RecordedIncidents

HOUR_S = 3600.0
WEEK_S = 168 * HOUR_S
Window = tuple[float, float]  # start and end in hours


def recorded(windows: Sequence[Window], kind: str = "replay") -> RecordedIncidents:
    return RecordedIncidents(
        kind=kind,
        start_s=tuple(start * HOUR_S for start, _ in windows),
        end_s=tuple(end * HOUR_S for _, end in windows),
        effects=(OUTAGE,) * len(windows),
    )


SHARED: Sequence[Window] = ((3, 5), (30, 40), (172, 177), (520, 523), (800, 830))
OWN: Sequence[Window] = ((4, 9), (200, 210), (515, 521), (830, 832))


def history(
    weeks: float = 6, shared: float = 0.0, share: float = 1.0, endpoints: Sequence[str] = ("a/m", "b/m")
) -> Plan:
    """A cloud's recorded outages and the first endpoint's own."""
    return plan_of(
        {"cloud": [recorded(SHARED)], **{name: [recorded(OWN)] if name == "a/m" else [] for name in endpoints}},
        {name: {"cloud": share} for name in endpoints},
        endpoints,
        shared=shared,
        horizon_s=weeks * WEEK_S,
    )


def hours_down(windows: Sequence[Window], weeks: int) -> np.ndarray:
    down = np.zeros(168 * weeks, dtype=bool)
    for start, end in windows:
        down[max(int(start), 0) : int(end)] = True
    return down


def hours_of(timeline: Timeline, endpoint: int, weeks: int) -> np.ndarray:
    hit = timeline.hits[:, endpoint]
    windows = zip(timeline.start_s[hit] / HOUR_S, timeline.end_s[hit] / HOUR_S, strict=True)
    return hours_down(list(windows), weeks)


@pytest.mark.parametrize("weeks", [5, 6, 12])
def test_every_endpoint_keeps_its_downtime_episodes_and_durations_exactly(weeks: int) -> None:
    modelled = marginals(draw_timeline(history(weeks, 1.0), 0, weeks * WEEK_S), weeks * WEEK_S, (0, 1))
    assert modelled.endpoints[0].episodes == 6
    for replication in range(2 * weeks):
        twin = marginals(draw_timeline(history(weeks), replication, weeks * WEEK_S), weeks * WEEK_S, (0, 1))
        for before, after in zip(modelled.endpoints, twin.endpoints, strict=True):
            assert math.isclose(before.unavailability, after.unavailability, rel_tol=1e-12)
            assert np.allclose(np.sort(before.durations_s), np.sort(after.durations_s), rtol=1e-9, atol=0.0)


def test_all_that_an_endpoint_suffers_is_turned_together_by_whole_weeks() -> None:
    weeks = 6
    own = [hours_down([*SHARED, *OWN], weeks), hours_down(SHARED, weeks)]
    for replication in range(10):
        timeline = draw_timeline(history(weeks), replication, weeks * WEEK_S)
        for endpoint, turned in ((0, 0), (1, 1 + replication % 5)):
            expected = np.roll(own[endpoint], 168 * turned)
            assert np.array_equal(hours_of(timeline, endpoint, weeks), expected)


def test_the_mean_over_replications_is_that_over_all_relative_shifts_but_none() -> None:
    weeks = 6
    own, other = hours_down([*SHARED, *OWN], weeks), hours_down(SHARED, weeks)
    exact = [(own & np.roll(other, 168 * shift)).mean() for shift in range(1, weeks)]
    drawn = [
        marginals(draw_timeline(history(weeks), replication, weeks * WEEK_S), weeks * WEEK_S, (0, 1)).all_down
        for replication in range(weeks - 1)
    ]
    assert np.mean(exact) < (own & other).mean()
    assert math.isclose(np.mean([one.unavailability for one in drawn]), np.mean(exact), rel_tol=1e-12)


def test_histories_of_separate_components_are_pulled_apart_too() -> None:
    plan = plan_of(
        {"a/m": [recorded(SHARED)], "b/m": [recorded(SHARED)]},
        endpoints=["a/m", "b/m"],
        shared=0.0,
        horizon_s=6 * WEEK_S,
    )
    for replication in range(5):
        timeline = draw_timeline(plan, replication, 6 * WEEK_S)
        first, second = (hours_of(timeline, endpoint, 6) for endpoint in (0, 1))
        assert np.array_equal(second, np.roll(first, 168 * (1 + replication)))
    together = draw_timeline(replace(plan, shared=1.0), 0, 6 * WEEK_S)
    assert np.array_equal(hours_of(together, 0, 6), hours_of(together, 1, 6))


def test_of_many_endpoints_no_two_ever_keep_step_and_all_shifts_come_up_alike() -> None:
    weeks, endpoints = 8, ["a/m", "a/n", "b/m", "b/n", "c/m"]
    plan = plan_of(
        {"cloud": [recorded([(10, 11)])], **{name: [] for name in endpoints}},
        {name: {"cloud": 1.0} for name in endpoints},
        endpoints,
        shared=0.0,
        horizon_s=weeks * WEEK_S,
    )
    relative: Counter[tuple[int, int, int]] = Counter()
    replications = 70 * (weeks - 1)
    for replication in range(replications):
        timeline = draw_timeline(plan, replication, weeks * WEEK_S)
        week_of = [int(timeline.start_s[timeline.hits[:, one]][0] // WEEK_S) for one in range(len(endpoints))]
        assert len(set(week_of)) == len(endpoints)
        for one, other in itertools.combinations(range(len(endpoints)), 2):
            relative[one, other, (week_of[other] - week_of[one]) % weeks] += 1
    assert len(relative) == 10 * (weeks - 1)
    chance = 1 / (weeks - 1)
    for (one, other, _), count in relative.items():
        if (one, other) == (0, 1):
            assert count == 70
        else:
            assert abs(count - 70) < 4.5 * math.sqrt(replications * chance * (1 - chance))


def test_what_is_left_of_the_horizon_goes_on_round_the_circle() -> None:
    plan = history(5.5)
    for replication in range(4):
        timeline = draw_timeline(plan, replication, 9 * WEEK_S)
        for endpoint in (0, 1):
            circle = hours_of(draw_timeline(plan, replication, 5 * WEEK_S), endpoint, 5)
            assert np.array_equal(hours_of(timeline, endpoint, 6)[: 168 * 5], circle)
            assert np.array_equal(hours_of(timeline, endpoint, 6)[168 * 5 : 168 * 5 + 84], circle[:84])
        assert (timeline.start_s < plan.horizon_s).all()


def test_a_window_turned_across_the_end_of_the_circle_stands_at_both_ends() -> None:
    plan = plan_of(
        {"cloud": [recorded([(-5, 2), (100, 200), (330, 400)], "schedule")], "a/m": [], "b/m": []},
        {"a/m": {"cloud": 1.0}, "b/m": {"cloud": 1.0}},
        ["a/m", "b/m"],
        shared=0.0,
        horizon_s=2 * WEEK_S,
    )
    timeline = draw_timeline(plan, 0, 2 * WEEK_S)
    windows = [sorted((timeline.start_s[timeline.hits[:, one]] / HOUR_S).tolist()) for one in range(2)]
    assert windows == [[0.0, 100.0, 330.0], [-68.0, 162.0, 168.0, 268.0]]
    assert np.array_equal(hours_of(timeline, 1, 2), np.roll(hours_down([(0, 2), (100, 200), (330, 336)], 2), 168))


def test_between_none_and_all_recorded_incidents_are_common_in_a_share_of_the_replications() -> None:
    common = 0
    for replication in range(200):
        drawn, modelled, turned = (
            draw_timeline(history(shared=phi), replication, 6 * WEEK_S) for phi in (0.4, 1.0, 0.0)
        )
        as_modelled = np.array_equal(drawn.start_s, modelled.start_s)
        assert as_modelled or np.array_equal(drawn.start_s, turned.start_s)
        common += as_modelled
    assert abs(common / 200 - 0.4) < 4 * math.sqrt(0.24 / 200)


def test_a_window_that_reaches_endpoints_by_chance_over_one_edge_is_marked_for_each_by_itself() -> None:
    plan = plan_of(
        {"cloud": [recorded(SHARED)], "region": [], "b/m": [], "c/m": []},
        {"region": {"cloud": 0.5}, "b/m": {"region": 1.0}, "c/m": {"region": 1.0}},
        ["b/m", "c/m"],
        shared=0.0,
        horizon_s=6 * WEEK_S,
    )
    drawn = [draw_timeline(plan, replication, 6 * WEEK_S) for replication in range(400)]
    hours = [[hours_of(one, endpoint, 6).mean() for one in drawn] for endpoint in (0, 1)]
    for of_endpoint in hours:
        assert_agrees(of_endpoint, 0.5 * hours_down(SHARED, 6).mean())
    exact = hours_down(SHARED, 6).mean()
    centred = [(one - 0.5 * exact) * (other - 0.5 * exact) for one, other in zip(*hours, strict=True)]
    assert_agrees(centred, 0.0)


def test_random_incidents_by_the_hour_of_the_week_keep_their_hours_beside_shifted_ones() -> None:
    busy = Profile(weights=tuple(7.0 if hour % 7 == 0 else 0.0 for hour in range(168)), offset_s=1800.0)
    plan = plan_of(
        {"cloud": [recorded(SHARED), shocks(1e-5, Lognormal(7.0, 1.0), busy)], "a/m": [], "b/m": []},
        {"a/m": {"cloud": 1.0}, "b/m": {"cloud": 1.0}},
        ["a/m", "b/m"],
        shared=0.0,
        horizon_s=6 * WEEK_S,
    )
    timeline = draw_timeline(plan, 1, 6 * WEEK_S)
    random = timeline.kind == 0
    assert random.sum() > 20
    assert (((timeline.start_s[random] + 1800.0) // HOUR_S) % 7 == 0).all()


@pytest.mark.parametrize("weeks", [0.5, 1.0, 1.99])
def test_a_horizon_below_two_weeks_is_refused_by_name(weeks: float) -> None:
    plan = history(weeks)
    for ask in (lambda: draw_timeline(plan, 0, 1.0), lambda: sharing(plan)):
        with pytest.raises(DesError, match=r"shared: 0 .*recorded incidents .*horizon of .* days .*at least 2 weeks"):
            ask()
    assert len(draw_timeline(replace(plan, shared=1.0), 0, WEEK_S))


def test_more_endpoints_than_weeks_are_refused() -> None:
    plan = history(2.5, 0.5, endpoints=("a/m", "b/m", "c/m"))
    with pytest.raises(DesError, match=r"shared: 0.5 cannot be drawn: .* of 3 endpoints .*17.5 days has only 2"):
        draw_timeline(plan, 0, 1.0)


def test_what_one_endpoint_alone_suffers_stays_where_it_is_on_any_horizon() -> None:
    plan = history(0.5, endpoints=("a/m",))
    twin, modelled = (draw_timeline(replace(plan, shared=phi), 0, WEEK_S) for phi in (0.0, 1.0))
    assert np.array_equal(twin.start_s, modelled.start_s)
    assert np.array_equal(twin.hits, modelled.hits)
