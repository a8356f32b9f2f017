"""Recoveries that outlast the memory are noticed in the windows sampled, whatever the first test said."""

from typing import Any

import numpy as np
import pytest

import des.estimate.windows as module
from des.estimate.estimate import Inapplicable
from des.estimate.windows import windows
from des.estimate.windows_memory import Remembered, window_task
from des.estimate.windows_population import STEADY, population
from des.estimate.windows_recovery import outlasts
from des.estimate.windows_sample import Sampler
from des.estimate.windows_segments import COUNTED, LOST, OK, REQUESTS, Tally
from des.pool import Workers
from des.scenario.plan import Plan
from estimate.windowed import PAIR, incidents, plan_of, provider

DRAWS = 40


@pytest.fixture
def sampler() -> Sampler:
    plan = plan_of(PAIR, rate="1/s")
    return Sampler(population({plan.arm: plan}, 0.5, 300.0, 60.0), {plan.arm: plan})


def fill(sampler: Sampler, lost_at_end: float, lost_when_steady: float = 0.0) -> None:
    """Draws of 100 requests, 25 of them at the end of a transient; both shares are of the clear state."""
    rng = np.random.default_rng(3)
    for number, stratum in enumerate(sampler.population.strata):
        for nth in range(DRAWS):
            values, end = np.zeros(COUNTED + 3), np.zeros(COUNTED)
            values[REQUESTS] = 100.0
            share = lost_when_steady
            if stratum.down:
                values[LOST] = 50.0
            elif stratum.kind == STEADY:
                values[LOST] = rng.binomial(100, share)
            else:
                end[REQUESTS], end[LOST] = 25.0, rng.binomial(25, lost_at_end)
                values[LOST] = end[LOST]
            values[OK] = values[REQUESTS] - values[LOST]
            sampler.sample.stratum.append(number)
            sampler.sample.measure.append(100.0)
            sampler.sample.windows.append(sampler.window(number, nth, (nth + 0.5) / DRAWS))
            sampler.sample.by_arm[0].append(Tally(values, np.array([9]), np.array([1.0]), 100, end=end))


def test_ends_that_lose_more_than_steady_stretches_are_noticed(sampler: Sampler) -> None:
    fill(sampler, lost_at_end=0.2)
    assert outlasts(sampler, len(sampler.sample.stratum), Workers(window_task, 1)).startswith("losses differ by +")


def test_ends_like_steady_stretches_are_not(sampler: Sampler) -> None:
    fill(sampler, lost_at_end=0.1, lost_when_steady=0.1)
    assert outlasts(sampler, len(sampler.sample.stratum), Workers(window_task, 1)) == ""


def test_a_single_window_is_played_on_and_found_calm(sampler: Sampler) -> None:
    """Its figures were made up: played on, no request is lost without an incident."""
    fill(sampler, lost_at_end=0.0)
    tallies = sampler.sample.by_arm[0]
    place = next(
        nth
        for nth, window in enumerate(sampler.sample.windows)
        if window.end_s[1] > window.end_s[0] and tallies[nth].end[REQUESTS] > 0.0
    )
    tallies[place].end[LOST] = 25.0
    assert outlasts(sampler, 0, Workers(window_task, 1)) == ""


def storm() -> Plan:
    """Refused calls count against the limit that refuses them, and clients do not give up for an hour."""
    limits: dict[str, Any] = {"requests": "30/min", "burst": 10, "counts_refused": True}
    return plan_of(
        {"a": provider(incidents("0.5/d", "10min"), limits=limits)},
        rate="0.25/s",
        policy={"retries": 12, "backoff": {"kind": "constant", "base": "5s"}},
    )


def test_a_storm_that_the_first_test_did_not_see_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "compared", lambda *given: Remembered())
    monkeypatch.setattr(module, "_MOST_DOUBLINGS", 0)
    with pytest.raises(Inapplicable, match=r"metastable: .*, so no window is long enough; by its settings limit a"):
        windows({"x": storm()}, rounds=3, years=1.0, least_round=2000)
