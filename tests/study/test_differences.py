"""Differences of arms over common random numbers, from replications and windows made up by hand."""

from collections.abc import Mapping

import pytest

from des.estimate.estimate import Estimate
from des.estimate.intervals import t_quantile
from des.scenario import from_mapping, plans
from des.scenario.schema.objective import Value
from des.study.differences import Paired
from des.study.rounds import Rounds, Simulated
from des.study.value import Money, money
from tests.study.small_scenario import small

REQUESTS = {"one": 1_000.0, "two": 1_000.0}
PER_SHARE = {"one": 5_000.0, "two": 5_000.0}
VALUE = Value(lost_request_usd=5.0)
OFTEN = {"one": Estimate(0.2, 0.1, 0.3, 3), "two": Estimate(0.1, 0.05, 0.15, 3)}
SELDOM = {arm: Estimate(of.mean, of.low, of.high, 3, interval="poisson") for arm, of in OFTEN.items()}


def simulated(cost: list[float], up: list[float]) -> Simulated:
    found = Simulated(plans(from_mapping(small(horizon="1h")))["as_modelled"])
    found.pool.metrics = [{"cost_usd_per_request": c, "availability": a} for c, a in zip(cost, up, strict=True)]
    return found


def priced(lost: Mapping[str, Estimate]) -> dict[str, Money]:
    return {arm: money(Estimate(0.01, n=3), of, REQUESTS[arm], VALUE) for arm, of in lost.items()}


ARMS = {"one": simulated([0.01, 0.02, 0.03], [0.7, 0.8, 0.9]), "two": simulated([0.02, 0.04, 0.03], [0.85, 0.9, 0.95])}
ROUNDS = Rounds(arms=ARMS, rounds=2, replications=3, reached=False)


def paired(lost: Mapping[str, Estimate] = OFTEN, known: frozenset[str] = frozenset()) -> Paired:
    return Paired(money=priced(lost), lost=lost, requests=REQUESTS, per_share=PER_SHARE, known=known, replicated=ROUNDS)


def interval(*values: float) -> Estimate:
    """Student's t, by its formula."""
    mean = sum(values) / len(values)
    error = (sum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values)) ** 0.5
    half = t_quantile(len(values) - 1) * error
    return Estimate(pytest.approx(mean), pytest.approx(mean - half), pytest.approx(mean + half), len(values))  # type: ignore[arg-type]


def test_costs_are_paired_by_replication() -> None:
    assert paired().spends("one", "two") == interval(10.0, 20.0, 0.0)
    assert paired().spends("two", "one") == interval(-10.0, -20.0, 0.0)


def test_what_is_lost_often_is_paired_and_so_is_what_the_next_arm_is_worth() -> None:
    assert paired().saves("one", "two") == interval(750.0, 500.0, 250.0)
    assert paired().worth("one", "two") == interval(740.0, 480.0, 250.0)
    assert paired().depend("one", "two")


def test_what_is_lost_seldom_has_the_intervals_of_both_arms() -> None:
    assert paired(SELDOM).saves("one", "two") is None
    assert paired(SELDOM).worth("one", "two") is None


def test_what_is_known_without_requests_is_not_paired() -> None:
    both = paired(known=frozenset(("one", "two")))
    assert both.saves("one", "two") is None
    assert both.worth("one", "two") is None
    assert not both.depend("one", "two")
    assert paired(known=frozenset(("one",))).depend("one", "two")


def test_windows_are_paired_by_the_difference_to_the_first_arm() -> None:
    differences = {
        "two": {"cost_usd_per_request": Estimate(0.002, 0.001, 0.003, 9), "lost": Estimate(-0.1, -0.12, -0.08, 9)}
    }
    found = Paired(
        money=priced(OFTEN),
        lost=OFTEN,
        requests=REQUESTS,
        per_share=PER_SHARE,
        known=frozenset(),
        of_windows=differences,
        first="one",
    )
    spends, saves = found.spends("one", "two"), found.saves("one", "two")
    assert spends is not None
    assert saves is not None
    assert (spends.low, spends.mean, spends.high) == pytest.approx((1.0, 2.0, 3.0))
    assert (saves.low, saves.mean, saves.high) == pytest.approx((400.0, 500.0, 600.0))
    assert found.depend("one", "two")
    assert found.worth("one", "two") is None
