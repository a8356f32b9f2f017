"""What is fitted, written, simulated and fitted again stays what it was, within its error."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import yaml
from fault_plans import one_endpoint, shocks, start_to_start

from calibration.histories import HOUR, MONDAY_S, WEEK, YEAR, history, renewal_starts
from des.distributions import Distribution, Exponential, Gamma, Lognormal, Weibull
from des.faults import Timeline, draw_timeline
from des.faults.calibration import (
    Calibration,
    FittedDistribution,
    FittedTimes,
    ServiceCalibration,
    ServiceHistory,
    calibrate,
    calibrate_service,
    fragment,
)
from des.scenario import from_mapping, plans
from des.scenario.plan import Plan, Profile

DAY = 86_400.0
HORIZON_S = 12 * YEAR


def _history(timeline: Timeline, component: int = 0) -> ServiceHistory:
    own = (timeline.component == component) & (timeline.start_s >= 0.0)
    start, end = timeline.start_s[own], timeline.end_s[own]
    return history(start, end - start, timeline.until_s)


def _agrees(fitted: FittedDistribution | None, parameters: tuple[float, ...]) -> None:
    assert fitted is not None
    for value, error, exact in zip(fitted.parameters, fitted.standard_errors, parameters, strict=True):
        assert abs(value - exact) < 4.0 * error, f"{fitted.kind}: {value:.4g} ± {error:.2g}, exact {exact:.4g}"


@pytest.mark.parametrize(
    ("between", "duration", "kinds", "parameters"),
    [
        (
            Weibull(0.671, 3.919 * DAY),
            Lognormal(0.248 + np.log(HOUR), 1.226),
            ("weibull", "lognormal"),
            ((0.671, 3.919), (0.248, 1.226)),
        ),
        (Lognormal(0.3 + np.log(DAY), 1.5), Gamma(0.6, 5 * HOUR), ("lognormal", "gamma"), ((0.3, 1.5), (0.6, 5.0))),
        (Exponential(4 * DAY), Weibull(0.7, 2.6 * HOUR), ("exponential", "weibull"), ((4.0,), (0.7, 2.6))),
        (Gamma(0.6, 6 * DAY), Exponential(3 * HOUR), ("gamma", "exponential"), ((0.6, 6.0), (3.0,))),
    ],
)
def test_distributions_that_were_simulated_are_found_again(
    between: Distribution,
    duration: Distribution,
    kinds: tuple[str, str],
    parameters: tuple[tuple[float, ...], tuple[float, ...]],
) -> None:
    found = calibrate_service(_history(draw_timeline(one_endpoint(start_to_start(between, duration)), 0, HORIZON_S)))
    _agrees(found.between.fitted(kinds[0]), parameters[0])
    _agrees(found.repair.fitted(kinds[1]), parameters[1])
    assert found.trend is not None
    assert found.trend.p_value > 0.001
    assert found.share_open == pytest.approx(
        1.0 - np.exp(-duration.mean / between.mean), rel=0.25
    )  # as for a Poisson process: clustered starts overlap more


def test_a_profile_that_was_simulated_is_found_again() -> None:
    hours = 1.0 + 0.7 * np.cos(2 * np.pi * (np.arange(24) - 17) / 24)
    days = np.array([1.2] * 5 + [0.5] * 2)
    weights = np.outer(days / days.mean(), hours / hours.mean()).ravel()
    plan = one_endpoint(shocks(1 / (6 * HOUR), Exponential(HOUR), Profile(weights=tuple(weights), offset_s=0.0)))
    found = calibrate_service(_history(draw_timeline(plan, 0, 104 * WEEK))).seasonality
    assert found is not None
    assert found.profile.days == pytest.approx(days / days.mean(), abs=0.15)
    assert found.profile.hours == pytest.approx(hours / hours.mean(), abs=0.2)


def _pasted(text: str, arm: str = "as_modelled") -> Plan:
    """The plan of a scenario that consists of the fragment and of what it needs around it."""
    piece: Mapping[str, Any] = yaml.safe_load(text)
    names = list(piece["components"])
    scenario = {
        "title": "Pasted",
        "question": "Does what was fitted run?",
        "horizon": "12y",
        "workload": {"arrivals": {"kind": "poisson", "rate": "1/d"}, "tokens": {"input": 10, "output": 10}},
        "providers": {
            f"provider_{number}": {
                "depends_on": [name],
                "models": {"m": {"latency": "1s", "price": {"per_request": 0.01}}},
            }
            for number, name in enumerate(names)
        },
        "chain": [{"provider": f"provider_{number}", "timeout": "5s"} for number in range(len(names))],
        **piece,
    }
    return plans(from_mapping(scenario))[arm]


def _seen(seed: int) -> Calibration:
    """Two services with a weekly rhythm, as a status page would have recorded them over four years."""
    rng = np.random.default_rng(seed)
    services = []
    for name, scale_s in (("API v1", 2 * DAY), ("2nd", 4 * DAY)):
        starts = renewal_starts(rng, 0.8, scale_s, 4 * YEAR)
        weekday = np.floor(starts / DAY).astype(int) % 7 < 5
        starts = starts[weekday | (rng.random(len(starts)) < 0.2)]
        services.append(history(starts, rng.lognormal(8.0, 1.2, len(starts)), 4 * YEAR, service=name))
    return calibrate(services)


def _refit(plan: Plan, name: str) -> ServiceCalibration:
    component = next(each.index for each in plan.components if each.name == name)
    return calibrate_service(_history(draw_timeline(plan, 0, HORIZON_S), component))


def _close(again: FittedTimes, first: FittedTimes, kind: str) -> None:
    """Both estimates err: the second around the first, which a simulation takes for exact (to four digits)."""
    fitted = first.fitted(kind)
    assert fitted is not None
    _agrees(again.fitted(kind), fitted.parameters)


def test_the_fragment_is_simulated_and_fitted_to_the_same_figures() -> None:
    seen = _seen(1)
    plan = _pasted(fragment(seen, "seen.csv"))
    for service, name in zip(seen.services, ("api_v1", "service_2nd"), strict=True):
        again = _refit(plan, name)
        _close(again.between, service.between, service.between.distributions[0].kind)
        _close(again.repair, service.repair, service.repair.distributions[0].kind)


def test_the_arm_by_time_of_week_keeps_rate_durations_and_rhythm() -> None:
    seen = _seen(2)
    plan = _pasted(fragment(seen, "seen.csv"), "by_time_of_week")
    for service, name in zip(seen.services, ("api_v1", "service_2nd"), strict=True):
        again = _refit(plan, name)
        _close(again.repair, service.repair, service.repair.distributions[0].kind)
        assert again.per_year == pytest.approx(service.per_year, abs=4 * np.sqrt(service.per_year / 12))
        assert service.seasonality is not None
        assert again.seasonality is not None
        weekend = again.seasonality.classes[2]
        expected = 7 / 2 * sum(service.seasonality.profile.days[5:]) / 7
        assert weekend.start_factor == pytest.approx(expected, abs=0.12)


def test_a_chosen_distribution_is_the_one_that_is_written() -> None:
    plan = _pasted(fragment(_seen(3), "seen.csv", between="gamma", repair="exponential"))
    incidents = plan.components[0].incidents[0]
    assert isinstance(incidents.between, Gamma)  # type: ignore[union-attr]
    assert isinstance(incidents.duration, Exponential)


def test_times_without_spread_are_written_as_constants() -> None:
    regular = history(np.arange(30) * 2.5 * DAY, HOUR / 2, 75 * DAY)
    plan = _pasted(fragment(calibrate([regular]), "seen.csv"))
    (incidents,) = plan.components[0].incidents
    assert (incidents.between.mean, incidents.duration.mean) == (2.5 * DAY, HOUR / 2)  # type: ignore[union-attr]


def test_components_have_names_that_a_scenario_takes_and_no_two_alike() -> None:
    starts = np.arange(12) * DAY + np.arange(12) ** 2 * HOUR
    services = [
        history(starts, HOUR * (1 + starts / DAY), 40 * DAY, service=name)
        for name in ("claude.ai", "Claude AI", "🔥", "1st")
    ]
    piece = yaml.safe_load(fragment(calibrate(services), "seen.csv"))
    assert list(piece["components"]) == ["claude_ai", "claude_ai_2", "service", "service_1st"]


def test_a_fragment_says_what_it_leaves_out_and_stays_a_mapping() -> None:
    single = replace(history([HOUR], HOUR, WEEK), service="once")
    text = fragment(calibrate([single]), "seen.csv")
    assert yaml.safe_load(text) == {}
    assert "# once: left out" in text


def test_lines_of_a_fragment_are_at_most_80_columns_wide() -> None:
    assert max(map(len, fragment(_seen(1), "a name that is long " * 9 + ".csv").splitlines())) <= 80


def test_services_that_fail_together_are_named_in_the_fragment() -> None:
    rng = np.random.default_rng(5)
    starts = np.sort(rng.random(60)) * 60 * WEEK
    services = [history(starts, rng.lognormal(8, 1, 60), 60 * WEEK, service=name) for name in ("front", "back")]
    text = fragment(calibrate(services), "seen.csv")
    assert "Open together" in text
    assert "front and back" in text.replace("\n# ", " ")
    assert services[0].from_s == MONDAY_S
