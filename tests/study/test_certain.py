"""An arm with one leg has no fallback, and its leg serves all that is answered: no interval says otherwise."""

from typing import Any

import des
from des.estimate.estimate import EXACT, Estimate
from des.report.answer_tables import answer_text
from des.scenario import from_mapping, plans
from des.study.certain import certain_figures
from tests.study.small_scenario import small

SAMPLED: dict[str, Any] = {
    "fallback_share": Estimate(0.0, 0.0, 2e-4, 9, "windows"),
    "served_share": {"one/m": Estimate(1.0, 0.9998, 1.0, 9, "windows")},
}
NONE = Estimate(0.0, estimator=EXACT)
ALL = Estimate(1.0, estimator=EXACT)


def test_only_an_arm_with_one_leg_has_certain_shares() -> None:
    both, one = plans(from_mapping(small())).values()
    assert certain_figures(one, SAMPLED) == {"fallback_share": NONE, "served_share": {"one/m": ALL}}
    assert certain_figures(both, SAMPLED) == {}
    assert certain_figures(one, {"fallback_share": Estimate(None), "served_share": {"one/m": Estimate(None)}}) == {
        "served_share": {"one/m": Estimate(None)}
    }


def test_a_response_cache_may_answer_beside_the_only_leg() -> None:
    cached = small(
        policy={"response_cache": {"kind": "share", "hit_rate": 0.1, "latency": "20ms"}},
        arms={"one": {"chain": ["first"]}},
    )
    (plan,) = plans(from_mapping(cached)).values()
    assert certain_figures(plan, SAMPLED) == {"fallback_share": NONE}


def test_an_answer_says_so_without_an_interval() -> None:
    answer = des.answer(small(), rounds=1, workers=1)
    one = answer.arms["primary_only"]
    assert one.figure("fallback_share") == NONE
    assert list(one.by_name("served_share").values()) == [ALL]
    (row,) = (line.split() for line in answer_text(answer).splitlines() if line.startswith("answered by a fallback"))
    assert row[-2:] == ["0", "%"]
