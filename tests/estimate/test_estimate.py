"""An estimate is judged by its interval, and becomes JSON in one way."""

from dataclasses import replace

import pytest

from des.estimate.comparison import Match
from des.estimate.estimate import Estimate, as_json, judge


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


def test_json_says_what_there_is_and_gives_the_estimate_back() -> None:
    plain = Estimate(0.5, 0.4, 0.6, 10)
    assert as_json(plain) == {"mean": 0.5, "low": 0.4, "high": 0.6, "n": 10, "estimator": "request level"}
    adjusted = replace(plain, estimator="request level, controlled", variance_reduction=3.0)
    whole = replace(plain, interval="poisson", controlled=adjusted)
    assert list(as_json(whole)) == ["mean", "low", "high", "n", "estimator", "interval", "controlled"]
    assert as_json(whole)["controlled"]["variance_reduction"] == 3.0
    assert Estimate.from_json(as_json(whole)) == whole


def test_json_of_mappings_and_dataclasses_is_that_of_their_parts() -> None:
    found = {"named": {"a": Estimate(1.0)}, "pair": (1.0, None), "match": Match("equal", ("a/m",), 0.5), "word": "so"}
    assert as_json(found) == {
        "named": {"a": {"mean": 1.0, "low": None, "high": None, "n": 0, "estimator": "request level"}},
        "pair": [1.0, None],
        "match": {"verdict": "equal", "endpoints": ["a/m"], "worst_standard_errors": 0.5},
        "word": "so",
    }


def test_the_complement_changes_ends() -> None:
    found = Estimate(0.75, 0.5, None, 4, interval="poisson").complement()
    assert found == Estimate(0.25, None, 0.5, 4, interval="poisson")
