"""Losses by cause add up to the share lost that stands beside them."""

import math

import pytest

import des
from des.estimate.estimate import Estimate
from des.report.answer_tables import answer_text
from des.study.causes import adding_up, causes_words

MET = {"one": Estimate(4e-3, 3e-3, 6e-3, 9), "cdn": Estimate(1e-3, 5e-4, 2e-3, 9)}


def test_causes_are_scaled_with_their_intervals_to_what_is_lost() -> None:
    found, factor = adding_up(MET, Estimate(4e-3, estimator="timeline"))
    assert factor == pytest.approx(0.8)
    assert found["one"].mean == pytest.approx(3.2e-3)
    assert (found["one"].low, found["one"].high) == pytest.approx((2.4e-3, 4.8e-3))
    assert math.fsum(each.known for each in found.values()) == pytest.approx(4e-3)
    assert causes_words(found, factor).endswith("scaled to all that is lost")


@pytest.mark.parametrize("lost", [2e-3, 2e-2])
def test_causes_of_other_losses_stay_as_they_are_and_that_is_said(lost: float) -> None:
    found, factor = adding_up(MET, Estimate(lost, estimator="exact"))
    assert (found, factor) == (MET, None)
    assert "do not add up" in causes_words(found, factor)


@pytest.mark.parametrize("lost", [None, Estimate(0.0), Estimate(None)])
def test_without_a_share_lost_nothing_is_scaled(lost: Estimate | None) -> None:
    assert adding_up(MET, lost) == (MET, None)
    assert adding_up({}, Estimate(0.1)) == ({}, None)
    assert causes_words({}, None) == ""


def test_the_causes_of_an_answer_add_up_to_one_less_its_availability() -> None:
    model = {"latency": "1s", "errors": {"server_error": "0.5%"}, "price": {"per_request": 0.01}}
    scenario = {
        "horizon": "1y",
        "workload": {"arrivals": {"kind": "poisson", "rate": "60/d"}},
        "providers": {
            name: {"availability": "98%", "episodes_per_year": 40, "models": {"m": model}} for name in ("one", "two")
        },
        "chain": [{"provider": "one"}, {"provider": "two"}],
        "arms": {"both": {}, "primary_only": {"chain": ["one"]}},
    }
    answer = des.answer(scenario, rounds=2, workers=1)
    for of in answer.arms.values():
        assert of.lost is not None
        assert of.causes_factor not in (None, 1.0)  # the availability is exact, the causes are of simulated requests
        assert math.fsum(each.known for each in of.by_name("lost_by_cause").values()) == pytest.approx(of.lost.known)
    assert "scaled to all that is lost" in " ".join(answer_text(answer).split())
