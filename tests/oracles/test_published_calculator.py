"""The published fallback-chain calculator: its exact success, which leg serves, how long it takes."""

import numpy as np
import pytest

from des.distributions import Exponential
from des.theory.chains import DeadlineLeg, served_before_deadline
from oracles.conftest import Agree
from oracles.replications import Run, availability, exponential, provider, replicate, scenario, served_share

LEGS = [(0.08, 0.9), (0.05, 0.7), (0.03, 0.543)]
EXACT = served_before_deadline([DeadlineLeg(refused, 0.05, Exponential(mean)) for refused, mean in LEGS], 1.0)


MEDIAN_S = 0.6151153651875891
"""Of all requests, those that the deadline ends counted with its 1 s."""


def served_within_s(time_s: float) -> float:
    """P(served within this time), below the deadline."""
    share, weight = 0.0, 1.0
    for k, (refused, mean_s) in enumerate(LEGS):
        share += weight * (1.0 - refused) * -np.expm1(-max(0.0, time_s - 0.05 * k) / mean_s)
        weight *= refused
    return share


def test_the_calculator_succeeds_with_0677_and_its_legs_with_their_shares(agree: Agree) -> None:
    providers = {
        name: provider(exponential(f"{mean_s}s"), errors={"rate_limited": {"rate": refused, "latency": "50ms"}})
        for name, (refused, mean_s) in zip("abc", LEGS, strict=True)
    }
    one = scenario(horizon="2500s", rate="1/s", providers=providers, policy={"deadline": "1s"})

    def within_the_median(run: Run) -> float:
        return float((run.requests["latency_s"] <= MEDIAN_S).mean())

    def cut_at_deadline(run: Run) -> float:
        return float(np.max(run.requests["latency_s"]))

    got = replicate(
        one,
        {
            "success": availability,
            "first": served_share(0),
            "second": served_share(1),
            "third": served_share(2),
            "within the median": within_the_median,
            "longest": cut_at_deadline,
        },
    )
    assert abs(sum(EXACT) - 0.677) < 5e-4
    agree("success", got["success"], sum(EXACT))
    for name, share in zip(("first", "second", "third"), EXACT, strict=True):
        agree(name, got[name], share)
    agree("within the median", got["within the median"], 0.5)
    assert np.abs(got["longest"] - 1.0).max() < 1e-9


def test_the_printed_figures_are_what_a_thousand_trials_may_print() -> None:
    assert served_within_s(MEDIAN_S) == pytest.approx(0.5)
    # 70.0 % success, and a median of 571 ms: P(at most 571 ms) is 0.474, so half of 1,000 trials are 1.6 errors off
    for printed, exact in ((0.700, sum(EXACT)), (0.5, served_within_s(0.571))):
        assert abs(printed - exact) <= 2.0 * np.sqrt(exact * (1.0 - exact) / 1000)
    for printed, exact in zip((0.914, 0.079, 0.007), EXACT, strict=True):
        share = exact / sum(EXACT)
        assert abs(printed - share) <= 2.0 * np.sqrt(share * (1.0 - share) / 700)
