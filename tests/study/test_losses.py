"""Losses of simulated requests: their causes as shares, and what is said where none was met."""

import pytest

from des.estimate.estimate import Estimate
from des.estimate.intervals import NO_SPREAD, RECORDED
from des.study.losses import NONE_LOST, bounded, of_all_requests, why_no_causes


def test_none_lost_of_many_has_the_bound_of_a_poisson_count_of_none() -> None:
    found = bounded(Estimate(0.0, n=2, interval=NO_SPREAD), 10_000)
    assert found.low == 0.0
    assert found.high == pytest.approx(3.68888e-4, rel=1e-5)  # -ln(0.025) / 10,000
    assert found.interval == NONE_LOST


@pytest.mark.parametrize(
    "lost",
    [
        Estimate(0.01, n=2, interval=NO_SPREAD),
        Estimate(0.0, n=2, interval=RECORDED),
        Estimate(0.0, n=2, interval="none: 0 of 2 expected outages of one met"),
        Estimate(0.0, 0.0, 0.1, 2, interval="extended to the long run: 1 of 2 expected outages of one met"),
    ],
)
def test_every_other_figure_stays_as_it_is(lost: Estimate) -> None:
    assert bounded(lost, 10_000) == lost


def test_causes_are_shares_of_all_requests_and_those_of_none_are_left_out() -> None:
    found = of_all_requests({"one": Estimate(4.0, 2.0, 6.0, 3), "two": Estimate(0.0)}, 2_000.0)
    assert found == {"one": Estimate(0.002, 0.001, 0.003, 3)}


def test_causes_that_no_request_met_are_unknown_where_some_are_lost() -> None:
    lost = Estimate(1e-7, estimator="exact")
    assert why_no_causes(lost, {}, 3_650) == "none of the 3,650 simulated requests was lost"
    assert why_no_causes(lost, {"one": lost}, 3_650) == ""
    assert why_no_causes(Estimate(0.0, estimator="exact"), {}, 3_650) == ""
    assert why_no_causes(None, {}, 0) == ""
