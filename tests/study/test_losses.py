"""Losses of simulated requests: their causes as shares, and what is said where none was met."""

import pytest

from des.estimate.estimate import Estimate
from des.estimate.intervals import NO_SPREAD, RECORDED
from des.estimate.totals import Losses
from des.study.losses import (
    NONE_LOST,
    bounded,
    few_losses,
    few_of_runs,
    few_of_windows,
    of_all_requests,
    why_no_causes,
)


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


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ([Losses(), Losses()], ""),
        (
            [Losses(in_outages=(40, 2)), Losses(in_outages=(7,))],
            "49 of 5,000 simulated requests were lost, in 3 incidents",
        ),
        ([Losses(in_outages=(4,), apart=2)], "6 of 5,000 simulated requests were lost, 4 of them in 1 incident"),
        ([Losses(apart=1), Losses()], "1 of 5,000 simulated requests was lost"),
        ([Losses(in_outages=(1,) * 4, apart=2), Losses(apart=2)], ""),
    ],
)
def test_few_losses_are_counted_by_incident(losses: list[Losses], words: str) -> None:
    assert few_of_runs(losses, 5_000) == words


def test_few_losses_of_windows_are_counted_by_window() -> None:
    assert few_of_windows(0, 0, 48, 5_000) == ""
    assert few_of_windows(90, 7, 48, 5_000) == "90 of 5,000 simulated requests were lost, in 7 of 48 windows"
    assert few_of_windows(90, 8, 48, 5_000) == ""


def test_it_is_said_what_rests_on_few_losses() -> None:
    assert few_losses("", availability=True) == ""
    assert few_losses("x", availability=True) == "the availability and what requests are lost to rest on few losses: x"
    assert few_losses("x", availability=False) == "what requests are lost to rests on few losses: x"
