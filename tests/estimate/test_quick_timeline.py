"""The walk of all blocks' requests at once tells what walks along one timeline after the other tell."""

from typing import Any

import numpy as np
import pytest

from des.draws import generator
from des.estimate.exact import exact_or_none
from des.estimate.timeline import lost_along, lost_along_each, quick_availability, reach_s, timeline
from des.faults import Timeline, draw_timeline
from des.scenario.plan import Plan
from estimate.exact_plans import outages, plan_of, provider, up_down

WEEKLY = {"kind": "poisson", "rate": "60/h", "profile": {"hours": [1] * 12 + [3] * 12}}


def failing(**rest: Any) -> Plan:
    """Two legs behind a network, with outputs that decide whether a call is in time."""
    slow = {"first_token": {"kind": "lognormal", "median": "1s", "p99": "5s"}, "tokens_per_second": 50}
    return plan_of(
        providers={
            "a": provider(depends_on=["net"], incidents=[outages("200/y", "2h", error_rate="60%")], latency=slow),
            "b": provider(depends_on=["net"], incidents=[up_down("300h", "5h")], errors={"overloaded": "2%"}),
        },
        chain=[{"provider": "a", "timeout": "30s", "retries": 2}, {"provider": "b"}],
        policy={"backoff": "20min"},
        **{
            "components": {"net": {"incidents": [outages("60/y", "3h")]}},
            "workload": {
                "arrivals": {"kind": "poisson", "rate": "60/h"},
                "tokens": {"input": 100, "output": {"kind": "lognormal", "median": 500, "p99": 2000}},
            },
        }
        | rest,
    )


@pytest.mark.parametrize("arrivals", [{"kind": "poisson", "rate": "60/h"}, WEEKLY], ids=["even", "weekly"])
def test_each_timeline_loses_what_a_walk_along_it_alone_loses(arrivals: dict[str, Any]) -> None:
    plan = failing(workload={"arrivals": arrivals, "tokens": {"input": 100, "output": 500}})
    until_s, beyond_s = 30 * 86_400.0, reach_s(plan)
    drawn = [draw_timeline(plan, piece, until_s + beyond_s) for piece in range(6)]
    together = [lost_along_each(plan, drawn, until_s, beyond_s, 800, generator(1, n, "together")) for n in range(4)]
    alone = [
        [lost_along(plan, one, until_s, beyond_s, 800, generator(2, 10 * n + piece, "alone")) for n in range(4)]
        for piece, one in enumerate(drawn)
    ]
    difference = np.mean(together, axis=0) - np.mean(alone, axis=1)
    error = np.hypot(np.std(together, axis=0, ddof=1), np.std(alone, axis=1, ddof=1)) / 2.0
    assert np.mean(alone) > 0.005
    assert np.ptp(np.mean(alone, axis=1)) > 20.0 * error.mean()  # the timelines differ, and none is taken for another
    assert (np.abs(difference) < 6.0 * error.mean()).all()


def test_its_interval_is_as_long_as_that_of_the_timeline() -> None:
    """Outputs fill their distribution within each sample, as in a walk of one block: else it is eight times as long."""
    plan = failing()
    quick = quick_availability(plan, 500.0, 400, exact_or_none(plan))
    other = timeline(plan, 500.0, samples=400).availability
    assert quick.low is not None
    assert other.low is not None
    lengths = [quick.known - quick.low, other.known - other.low]
    assert abs(quick.known - other.known) < 2.0 * np.hypot(*lengths)
    assert 0.5 < lengths[0] / lengths[1] < 2.0


def test_it_is_the_same_again_and_of_another_seed_another() -> None:
    plan = failing()
    first, again = (quick_availability(plan, 20.0, 100, None) for _ in range(2))
    assert first == again
    assert first != quick_availability(failing(seed=2), 20.0, 100, None)


def test_horizons_of_a_mixture_that_are_too_few_have_no_interval() -> None:
    """A renewal process is common to both in every other horizon; ten of each are needed."""
    plan = failing(shared=0.5, horizon="10d", components={"net": {"incidents": [up_down("300h", "3h")]}})
    years = 10.0 * 10.0 / 365.25
    found = quick_availability(plan, years, 100, None)
    assert found.low is None
    assert found.interval is not None
    assert found.interval.startswith("none: mixture")
    assert found.interval == timeline(plan, years, samples=100).availability.interval


def test_incidents_that_cannot_hit_the_chain_are_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a provider that nobody calls nor what only it depends on, and the figure is the same without them."""
    drawn: list[set[str]] = []

    def told(plan: Plan, replication: int, until_s: float) -> Timeline:
        found = draw_timeline(plan, replication, until_s)
        drawn.append({plan.components[component].name for component in found.component.tolist()})
        return found

    monkeypatch.setattr("des.estimate.timeline.draw_timeline", told)
    uncalled = provider(depends_on=["other"], incidents=[outages("100/y", "1h")])
    called = {"a": provider(depends_on=["net"], incidents=[outages("100/y", "2h")])}
    rest = {"policy": {"retries": 1, "backoff": "20min"}, "chain": [{"provider": "a"}]}
    net, other = ({"incidents": [outages("60/y", "3h")]} for _ in range(2))
    with_it = plan_of(components={"net": net, "other": other}, providers=called | {"c": uncalled}, **rest)
    without = plan_of(components={"net": net}, providers=called, **rest)
    assert quick_availability(with_it, 20.0, 100, None) == quick_availability(without, 20.0, 100, None)
    assert set.union(*drawn) == {"net", "a"}
