"""A bound within an interval is neither met nor missed."""

import pytest

from des.estimate.estimate import Estimate, judge


@pytest.mark.parametrize(
    ("comparison", "bound", "verdict"),
    [
        (">=", 0.8, "met"),
        (">=", 0.85, "met"),
        (">", 0.85, "inconclusive"),
        (">=", 0.97, "missed"),
        (">", 0.8, "met"),
        (">", 0.9, "inconclusive"),
        (">", 0.95, "missed"),
        ("<=", 0.97, "met"),
        ("<=", 0.9, "inconclusive"),
        ("<=", 0.8, "missed"),
        ("<", 0.95, "inconclusive"),
        ("<", 0.951, "met"),
        ("<", 0.85, "missed"),
        ("==", 0.9, "inconclusive"),
        ("==", 0.99, "missed"),
    ],
)
def test_with_an_interval_a_bound_inside_it_leaves_the_question_open(
    comparison: str, bound: float, verdict: str
) -> None:
    assert judge(comparison, bound, Estimate(0.9, 0.85, 0.95)) == verdict


@pytest.mark.parametrize(
    ("comparison", "bound", "verdict"),
    [(">=", 0.9, "met"), (">", 0.9, "missed"), ("<=", 0.9, "met"), ("<", 0.9, "missed"), ("==", 0.9, "met")],
)
def test_without_an_interval_the_mean_decides(comparison: str, bound: float, verdict: str) -> None:
    assert judge(comparison, bound, Estimate(0.9, None, None)) == verdict
    assert judge(comparison, bound, Estimate(0.9, 0.9, 0.9)) == verdict


def test_a_metric_without_a_value_is_inconclusive() -> None:
    assert judge(">=", 0.9, Estimate(None, None, None)) == "inconclusive"


@pytest.mark.parametrize(
    ("comparison", "verdict"), [(">=", "met"), (">", "met"), ("<=", "missed"), ("<", "missed"), ("==", "missed")]
)
def test_a_figure_known_to_be_no_less_than_its_low_end_is_judged_by_it(comparison: str, verdict: str) -> None:
    assert judge(comparison, 0.8, Estimate(None, 0.9, None)) == verdict
    assert judge(comparison, 0.95, Estimate(None, 0.9, None)) == "inconclusive"
