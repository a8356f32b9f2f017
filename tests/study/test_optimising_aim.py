"""Aims and bounds as numbers: what misses a bound, by how much, and what counts as equally good."""

import math

import pytest

from des.errors import DesError
from des.scenario import from_mapping, plans
from des.scenario.schema.optimise import Optimise
from des.study.optimising.aim import Aim, Bound, read_aim
from des.study.optimising.screening import Figures
from des.study.optimising.searching import Screened
from des.study.optimising.selecting import zone_of
from des.study.optimising.space import AS_WRITTEN, Candidate
from study.small_scenario import small

FIGURES: Figures = {"availability": 0.9996, "failure_share": 0.0004, "latency_s_p95": 3.0, "cost_usd_per_success": 0.02}
NINES = Bound("availability", ">=", 0.9995, ">= 99.95%")
FAST = Bound("latency_s_p95", "<=", 2.0, "<= 2s")


def test_an_availability_counts_by_what_may_be_lost() -> None:
    assert NINES.miss(FIGURES) == pytest.approx(-0.0001)
    assert NINES.scale == pytest.approx(0.0005)
    assert NINES.kept(FIGURES)
    assert not NINES.kept({**FIGURES, "failure_share": 0.00051})
    assert NINES.kept({**FIGURES, "failure_share": 0.00051}, tolerance=0.05)
    assert not NINES.kept({**FIGURES, "failure_share": 0.00053}, tolerance=0.05)


def test_the_excess_adds_up_what_is_missed_as_shares_of_the_bounds() -> None:
    aim = Aim("cost_usd_per_success", (NINES, FAST), 0.01, 0.05)
    assert aim.excess(FIGURES) == pytest.approx(0.5)
    assert not aim.feasible(FIGURES, tolerant=True)
    assert aim.excess({**FIGURES, "cost_usd_per_success": math.nan}) == math.inf


def test_an_availability_is_maximised_by_losing_less() -> None:
    aim = Aim("availability", (), 0.01, 0.05)
    assert aim.of(FIGURES) == 0.0004
    assert aim.shown(aim.of(FIGURES)) == 0.9996
    assert aim.words == "maximise availability"


def test_the_zone_is_a_share_of_the_best_that_keeps_its_bounds_and_of_each_bound() -> None:
    aim = Aim("cost_usd_per_success", (NINES,), 0.02, 0.1)
    cheap, dear = Candidate(AS_WRITTEN, (0,)), Candidate(AS_WRITTEN, (1,))
    screened = Screened(
        figures={
            cheap: {**FIGURES, "failure_share": 0.1, "cost_usd_per_success": 0.001},
            dear: {**FIGURES, "cost_usd_per_success": 0.05},
        }
    )
    zone = zone_of(aim, screened, [cheap, dear])
    assert zone.indifference == pytest.approx(0.001)
    assert zone.tolerances == pytest.approx((0.00005,))


def test_without_an_aim_the_objective_is_the_bound_and_failing_is_priced_where_it_can_be() -> None:
    content = small(objective={"availability": "99.9%"})
    (plan, *_) = plans(from_mapping(content)).values()
    aim = read_aim(from_mapping(content).scenario, Optimise(), plan)
    assert aim.words == "minimise cost_usd_per_success subject to availability >= 99.9%"
    priced = from_mapping(small(value={"lost_request": "$1"})).scenario
    assert read_aim(priced, Optimise(), plan).metric == "total_cost"
    assert read_aim(priced, Optimise(), plan, minimise="latency_s_p95").bounds == ()
    with pytest.raises(DesError, match="give value"):
        read_aim(from_mapping(content).scenario, Optimise(), plan, minimise="total_cost")


@pytest.mark.parametrize("text", ["availability >= 99.95%", "availability: >= 99.95%", {"availability": ">= 99.95%"}])
def test_a_bound_is_a_text_or_stands_by_its_metric(text: str | dict[str, str]) -> None:
    content = small()
    (plan, *_) = plans(from_mapping(content)).values()
    (bound,) = read_aim(from_mapping(content).scenario, Optimise(), plan, subject_to=text).bounds
    assert (bound.metric, bound.comparison, bound.value) == ("availability", ">=", 0.9995)
