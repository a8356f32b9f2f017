"""The twin: what is common grows with phi, each endpoint's own distribution stays, the joint is the closed form's."""

import hashlib
import itertools
import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from exact_ledger import Ledger
from fault_plans import BROWNOUT, assert_agrees, plan_of, shocks, start_to_start, timelines, up_down
from ledger_graphs import GRAPHS

from des.distributions import Constant, Exponential, Lognormal, Weibull
from des.faults import Timeline, draw_timeline, marginals
from des.faults.episodes import all_down, down_share, endpoint_down, episodes_started
from des.scenario.plan import Component, IncidentClass, Plan, Profile, RecordedIncidents
from des.theory.availability import pair_down_with_common_fraction

PHIS = (0.0, 0.3, 1.0)
DAY_S = 86_400.0
WEEKS_S = 10 * 7 * DAY_S
Incident = tuple[float, float, int, int, tuple[bool, ...]]


def every_kind(shared: float = 1.0, seed: int = 1) -> Plan:
    """All kinds of incidents at a component, a provider and a model, with a probabilistic edge and a diamond."""
    weights = tuple(float(hour % 3) for hour in range(168))
    windows = RecordedIncidents(
        kind="replay",
        start_s=(-500.0, 5000.0, 2e6, 2e6),
        end_s=(3600.0, 9000.0, 2.1e6, 2.2e6),
        effects=(
            BROWNOUT.model_copy(update={"error_rate": 0.2}),
            BROWNOUT,
            BROWNOUT,
            BROWNOUT.model_copy(update={"error_rate": 1.0}),
        ),
    )
    return plan_of(
        {
            "net": [shocks(1e-5, Lognormal(8.0, 1.0)), up_down(Weibull(0.7, 5e5), Lognormal(8.0, 1.0)), windows],
            "a": [start_to_start(Weibull(0.7, 4e5), Lognormal(9.0, 1.0))],
            "a/m": [shocks(1e-5, Lognormal(8.0, 1.0), Profile(weights=weights, offset_s=5000.0), BROWNOUT), windows],
            "a/n": [shocks(1e-5, Exponential(3000.0))],
            "b/m": [up_down(Exponential(2e5), Constant(5000.0))],
        },
        {"a": {"net": 0.5}, "a/m": {"a": 1.0, "net": 0.5}, "a/n": {"a": 1.0}, "b/m": {"net": 0.5}},
        ["a/m", "a/n", "b/m"],
        seed=seed,
        shared=shared,
        horizon_s=WEEKS_S,
    )


def incidents_of(timeline: Timeline, component: int | None = None) -> set[Incident]:
    columns = timeline.start_s, timeline.end_s, timeline.component, timeline.effect, map(tuple, timeline.hits.tolist())
    rows: Iterator[Incident] = zip(*(list(column) for column in columns), strict=True)
    return {row for row in rows if component in (None, row[2])}


@pytest.mark.parametrize(
    ("plan", "digest"),
    [
        (every_kind(), "6819eff376156496"),
        (GRAPHS["diamond"], "ccbeda97d2ccd12d"),
        (GRAPHS["two providers behind one component"], "c9dd94c3d7ac5954"),
    ],
    ids=["every kind", "diamond", "pair"],
)
def test_with_everything_shared_timelines_are_as_they_were_before_there_was_a_twin(plan: Plan, digest: str) -> None:
    timeline = draw_timeline(plan, 3, WEEKS_S)
    drawn = hashlib.sha256()
    for column in ("component", "kind", "start_s", "end_s", "effect", "hits", "shared"):
        drawn.update(np.ascontiguousarray(getattr(timeline, column)).tobytes())
    assert drawn.hexdigest()[:16] == digest


@pytest.mark.parametrize("phi", [0.0, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("start_up", [False, True])
def test_a_later_end_appends_at_every_phi(phi: float, start_up: bool) -> None:
    plan = replace(every_kind(phi), start_up=start_up)
    for replication in range(4):
        longest = draw_timeline(plan, replication, 2 * WEEKS_S)
        for until_s in (0.0, 3000.0, 2e6, WEEKS_S - 1.0, WEEKS_S + DAY_S):
            shorter = draw_timeline(plan, replication, until_s)
            count = len(shorter)
            for column in ("component", "kind", "start_s", "end_s", "effect", "hits", "shared"):
                assert np.array_equal(getattr(longest, column)[:count], getattr(shorter, column)), column
            assert (longest.start_s[count:] >= until_s).all()
            assert (np.diff(shorter.start_s) >= 0.0).all()
            assert (shorter.end_s > np.maximum(shorter.start_s, 0.0)).all()
            assert longest.effects == shorter.effects == draw_timeline(every_kind(), 0, 1.0).effects


@pytest.mark.parametrize("name", GRAPHS)
def test_common_incidents_grow_with_phi_and_the_endpoints_own_shrink(name: str) -> None:
    def at(phi: float) -> set[Incident]:
        return incidents_of(draw_timeline(replace(GRAPHS[name], shared=phi), 0, 1e6))

    common, own = at(1.0), at(0.0)
    private = common & own
    drawn = [at(phi) for phi in (0.0, 0.2, 0.5, 0.9, 1.0)]
    for less, more in itertools.pairwise(drawn):
        assert less <= common | own
        assert less & common < more & common
        assert more & own < less & own
        assert private <= less


def test_an_incident_of_the_twin_hits_one_endpoint_and_is_not_shared() -> None:
    for replication in range(3):
        timeline = draw_timeline(every_kind(0.0), replication, WEEKS_S)
        assert (timeline.hits.sum(axis=1) == 1).all()
        assert not timeline.shared.any()


def test_luck_follows_the_endpoints_name_and_what_is_added_elsewhere_moves_nothing() -> None:
    plan = every_kind(0.3)
    turned = replace(
        plan, endpoints=tuple(replace(plan.endpoints[old], index=new) for new, old in enumerate((2, 0, 1)))
    )
    grown = plan_of(
        {
            **{component.name: component.incidents for component in plan.components},
            "new": [shocks(1e-4, Constant(10.0))],
            "c/m": [shocks(1e-4, Constant(10.0))],
        },
        {"a": {"net": 0.5}, "a/m": {"a": 1.0, "net": 0.5}, "a/n": {"a": 1.0}, "b/m": {"net": 0.5}, "c/m": {"new": 1.0}},
        ["a/m", "a/n", "b/m", "c/m"],
        shared=0.3,
        horizon_s=WEEKS_S,
    )
    for replication in range(4):
        before = draw_timeline(plan, replication, WEEKS_S)
        for other, places in ((turned, [1, 2, 0]), (grown, [0, 1, 2])):
            after = draw_timeline(other, replication, WEEKS_S)
            after = replace(after, hits=after.hits[:, places])
            added = {row for row in incidents_of(after) if row[2] >= len(plan.components)}
            assert incidents_of(after) - added == incidents_of(before)


@pytest.mark.parametrize("phi", [0.0, 0.1, 0.3, 0.7, 1.0])
def test_a_pair_is_down_together_as_often_as_the_common_fraction_says(phi: float) -> None:
    rate_per_s, duration = 2e-4, Weibull(0.7, 600.0)
    load = rate_per_s * duration.mean
    pair = plan_of(
        {"net": [shocks(rate_per_s, duration)], "a/m": [], "b/m": []},
        {"a/m": {"net": 1.0}, "b/m": {"net": 1.0}},
        ["a/m", "b/m"],
        shared=phi,
    )
    exact = 1 - 2 * math.exp(-load) + math.exp(-(2 - phi) * load)
    assert math.isclose(exact, pair_down_with_common_fraction(load, phi))
    drawn = list(timelines(pair, 80, 2e6))
    assert_agrees([down_share(all_down(one, (0, 1)), 2e6) for one in drawn], exact)
    if phi == 0.0:
        assert math.isclose(exact, (1 - math.exp(-load)) ** 2)


@pytest.mark.parametrize("phi", PHIS)
@pytest.mark.parametrize("name", GRAPHS)
def test_any_set_of_endpoints_is_down_as_often_as_the_ledger_says_at_every_phi(name: str, phi: float) -> None:
    plan, horizon_s = replace(GRAPHS[name], shared=phi), 5e5
    ledger = Ledger(plan)
    drawn = list(timelines(plan, 60, horizon_s))
    for size in range(1, len(plan.endpoints) + 1):
        for chosen in itertools.combinations(range(len(plan.endpoints)), size):
            down = [all_down(one, chosen) for one in drawn]
            assert_agrees([down_share(one, horizon_s) for one in down], ledger.all_down(frozenset(chosen)))
            assert_agrees(
                [episodes_started(one, horizon_s) for one in down],
                horizon_s * ledger.episodes_per_s(frozenset(chosen)),
            )
    if phi == 0.0:
        everybody = range(len(plan.endpoints))
        product = math.prod(ledger.all_down(frozenset({endpoint})) for endpoint in everybody)
        assert math.isclose(ledger.all_down(frozenset(everybody)), product)


RENEWALS: dict[str, IncidentClass] = {
    "renewal": up_down(Weibull(0.7, 9000.0), Lognormal(7.0, 0.8)),
    "marked_renewal": start_to_start(Weibull(0.7, 12_000.0), Lognormal(7.0, 1.0)),
}


def two_models_of_one_provider(incidents: IncidentClass, shared: float) -> Plan:
    return plan_of(
        {"a": [incidents], "a/m": [], "a/n": []},
        {"a/m": {"a": 1.0}, "a/n": {"a": 0.6}},
        ["a/m", "a/n"],
        shared=shared,
    )


@pytest.mark.parametrize("kind", RENEWALS)
def test_models_of_one_provider_have_renewal_incidents_of_their_own_in_the_twin(kind: str) -> None:
    drawn = [marginals(one, 1e6, (0, 1)) for one in timelines(two_models_of_one_provider(RENEWALS[kind], 0.0), 80, 1e6)]
    assert_agrees([one.all_down.unavailability - one.all_down_if_independent for one in drawn], 0.0)
    if kind == "renewal":
        up_s, down_s = RENEWALS[kind].up.mean, RENEWALS[kind].down.mean
        share = down_s / (up_s + down_s)
        assert_agrees([one.endpoints[0].unavailability for one in drawn], share)
        assert_agrees([one.endpoints[1].unavailability for one in drawn], 0.6 * share)
        assert_agrees([one.all_down.unavailability for one in drawn], 0.6 * share**2)


@pytest.mark.parametrize("kind", RENEWALS)
def test_a_renewal_timeline_is_common_as_a_whole_in_a_share_phi_of_the_replications(kind: str) -> None:
    def at(phi: float, replication: int) -> set[Incident]:
        return incidents_of(draw_timeline(two_models_of_one_provider(RENEWALS[kind], phi), replication, 2e4))

    modelled = {0.2: 0, 0.6: 0}
    told_apart = 0
    for replication in range(200):
        common, own = at(1.0, replication), at(0.0, replication)
        if common == own:  # nothing happened in either
            continue
        told_apart += 1
        is_common = {phi: at(phi, replication) == common for phi in modelled}
        assert all(is_common[phi] or at(phi, replication) == own for phi in modelled)
        assert is_common[0.6] or not is_common[0.2]
        for phi, count in is_common.items():
            modelled[phi] += count
    for phi, count in modelled.items():
        assert abs(count / told_apart - phi) < 4 * math.sqrt(phi * (1 - phi) / told_apart)


def test_models_of_one_provider_fail_together_as_modelled_and_by_themselves_in_the_twin() -> None:
    shared_fate = shocks(1e-4, Lognormal(7.0, 1.0))
    plans = {phi: two_models_of_one_provider(shared_fate, phi) for phi in PHIS}
    certain = {phi: replace(plan, components=_certain(plan)) for phi, plan in plans.items()}
    for phi, plan in certain.items():
        together = draw_timeline(plan, 0, 1e7).hits.all(axis=1)
        assert together.all() if phi == 1.0 else together.any() == (phi > 0.0)
        unavailability = 1 - math.exp(-shared_fate.rate_per_s * shared_fate.duration.mean)
        for endpoint in (0, 1):
            assert_agrees(
                [down_share(endpoint_down(one, endpoint), 1e6) for one in timelines(plan, 40, 1e6)], unavailability
            )


def _certain(plan: Plan) -> tuple[Component, ...]:
    return tuple(
        replace(component, depends_on=tuple(replace(edge, share=1.0) for edge in component.depends_on))
        for component in plan.components
    )
