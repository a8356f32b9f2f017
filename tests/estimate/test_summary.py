import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from des.estimate.summary import entry, judge, summarise, summary
from des.estimate.totals import Totals

sys.path.insert(0, str(Path(__file__).parent))
import walks


def test_the_interval_is_students_t_over_replications() -> None:
    values = [3.0, 5.0, 4.0, 8.0]
    found = entry(values)
    low, high = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert found["mean"] == 5.0
    assert found["low"] == pytest.approx(max(0.0, low), rel=1e-12)
    assert found["high"] == pytest.approx(high, rel=1e-12)
    assert (found["n"], found["estimator"]) == (4, "request level")


def test_one_replication_has_no_interval() -> None:
    assert entry([0.5]) == {"mean": 0.5, "low": None, "high": None, "n": 1, "estimator": "request level"}


def test_replications_without_a_value_do_not_count() -> None:
    assert entry([None, 0.5, None])["n"] == 1
    assert entry([None, None]) == {"mean": None, "low": None, "high": None, "n": 0, "estimator": "request level"}


def test_an_interval_stays_where_the_metric_can_be() -> None:
    assert entry([0.0, 0.4])["low"] == 0.0
    assert entry([0.8, 1.0], share=True)["high"] == 1.0
    assert entry([0.8, 1.0])["high"] > 1.0


def test_a_students_interval_covers_a_normal_mean_as_often_as_it_says() -> None:
    generator = np.random.default_rng(5)
    covered = 0
    for values in generator.normal(10.0, 1.0, (2000, 5)):
        found = entry(values.tolist())
        covered += found["low"] <= 10.0 <= found["high"]
    assert abs(covered / 2000 - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 2000)


def test_a_summary_has_an_entry_for_each_metric_and_name_of_each_arm() -> None:
    replications = []
    for served_by in ([0, 0, 1, -1], [0, 1, 1, 1]):
        requests, attempts = walks.run(served_by)
        totals = Totals(walks.NAMES, walks.LEGS)
        totals.requests(requests)
        totals.attempts(attempts)
        replications.append(totals.metrics())
    content = json.loads(
        json.dumps(summary({"as_modelled": replications, "single": replications[:1]}), allow_nan=False)
    )
    assert content["quantiles"] == {"method": "log histogram", "relative_error": 0.001}
    found = content["arms"]["as_modelled"]
    assert found["availability"]["mean"] == 0.875
    assert found["availability"]["high"] == 1.0
    assert found["served_share"][walks.LEGS[1]]["mean"] == pytest.approx((1 / 3 + 3 / 4) / 2)
    assert found["lost_by_cause"]["openai"]["mean"] == 0.5
    assert found["latency_s_p99"]["mean"] == pytest.approx(2.0, rel=1.1e-3)
    assert content["arms"]["single"]["availability"]["low"] is None
    assert list(found) == list(summarise(replications))


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
    assert judge(comparison, bound, {"mean": 0.9, "low": 0.85, "high": 0.95}) == verdict


@pytest.mark.parametrize(
    ("comparison", "bound", "verdict"),
    [(">=", 0.9, "met"), (">", 0.9, "missed"), ("<=", 0.9, "met"), ("<", 0.9, "missed"), ("==", 0.9, "met")],
)
def test_without_an_interval_the_mean_decides(comparison: str, bound: float, verdict: str) -> None:
    assert judge(comparison, bound, {"mean": 0.9, "low": None, "high": None}) == verdict
    assert judge(comparison, bound, {"mean": 0.9, "low": 0.9, "high": 0.9}) == verdict


def test_a_metric_without_a_value_is_inconclusive() -> None:
    assert judge(">=", 0.9, {"mean": None, "low": None, "high": None}) == "inconclusive"
