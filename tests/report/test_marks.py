"""The best arms are marked, with those that their intervals do not tell from them."""

from des.estimate.estimate import Estimate
from des.report.comparison_tables import joint_lines
from des.report.marks import Marks, least
from des.traces import Run

GOOD, NEAR, POOR = Estimate(1e-4, 0.9e-4, 1.1e-4), Estimate(1.15e-4, 1.05e-4, 1.25e-4), Estimate(1e-2, 0.9e-2, 1.1e-2)


def test_arms_whose_intervals_overlap_are_not_told_apart() -> None:
    assert least({"poor": POOR, "good": GOOD}) == ["good"]
    assert least({"poor": POOR, "near": NEAR, "good": GOOD}) == ["good", "near"]


def test_there_is_no_best_of_arms_that_are_alike_or_unknown() -> None:
    assert least({"near": NEAR, "good": GOOD}) == []
    assert least({"only": GOOD}) == []
    assert least({"poor": POOR, "good": GOOD, "unknown": None}) == []
    assert least({}) == []


def test_exact_figures_are_told_apart_by_any_difference() -> None:
    assert least({"one": Estimate(0.02), "two": Estimate(0.0200001)}) == ["one"]


def test_names_have_a_mark_for_each_and_a_sentence_says_what_it_means() -> None:
    cost = {"good": Estimate(2.0), "near": Estimate(1.0), "poor": Estimate(3.0)}
    marks = Marks.of({"good": GOOD, "near": NEAR, "poor": POOR}, cost)
    assert marks.names(["good", "near", "poor"]) == ["good *", "near *$", "poor"]
    assert marks.sentences == ["* the most available, or not told from it", "$ the cheapest to run"]


def test_where_failing_has_a_price_only_the_cheapest_and_its_rivals_are_marked() -> None:
    lost, cost = {"good": GOOD, "poor": POOR}, {"good": Estimate(2.0), "poor": Estimate(1.0)}
    assert Marks.of_answer(["poor"], lost, cost).names(["good", "poor"]) == ["good", "poor *"]
    both = Marks.of_answer(["poor", "good"], lost, cost)
    assert both.sentences == ["* the cheapest, counting what failing costs, or not told from it"]
    assert Marks.of_answer([], lost, cost).names(["good", "poor"]) == ["good *", "poor $"]


def test_a_comparison_of_minutes_says_nothing_of_thirty_days(compared: Run) -> None:
    arms = list(compared.summary["arms"])
    scenario = compared.manifest["scenario"]
    label = "  minutes down in 30 days"
    assert label in [line.label for line in joint_lines(compared.summary, arms, scenario)]
    brief = scenario | {"horizon": "11min"}
    assert label not in [line.label for line in joint_lines(compared.summary, arms, brief)]
