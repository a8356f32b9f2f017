"""Expectations are judged alike by every command, as far as it has the figure."""

from pathlib import Path
from typing import Any

import pytest

import des
from des.errors import ScenarioError
from des.estimate.estimate import INCONCLUSIVE, MET, MISSED
from des.report.junit import Suite, junit_text
from des.scenario import from_mapping
from des.study.arms import available
from des.study.verdicts import NOT_JUDGED, Evidence, Verdict, amiss, judged, of_other_arms, of_run, worst
from study.small_scenario import small

FEW_YEARS = 20.0


def figure(mean: float, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    return {"mean": mean, "low": low, "high": high, "n": 3, "estimator": "request level"}


def summary_of(unseen: dict[str, Any] | None = None, **metrics: Any) -> dict[str, Any]:
    return {"arms": {"as_modelled": metrics}} | ({"unseen": {"as_modelled": unseen}} if unseen else {})


def behind_a_cdn(**changes: Any) -> dict[str, Any]:
    """Two peers that share a CDN; outages of any are rare beside two hours."""
    content = small(
        horizon="2h", replications=3, components={"cdn": {"incidents": [{"kind": "poisson", "rate": "2/y"}]}}
    )
    content["components"]["cdn"]["incidents"][0]["duration"] = "3h"
    for provider in content["providers"].values():
        provider.pop("incidents", None)
        provider.pop("limits", None)
        provider |= {"depends_on": ["cdn"]}
    del content["arms"]
    return content | changes


def result(verdicts: tuple[Verdict, ...]) -> str:
    (only,) = verdicts
    return only.result


@pytest.mark.parametrize(
    ("found", "expected", "answer"),
    [
        (figure(0.999, 0.998, 0.9995), ">= 99.5%", MET),
        (figure(0.999, 0.998, 0.9995), ">= 99.99%", MISSED),
        (figure(0.999, 0.998, 0.9995), ">= 99.9%", INCONCLUSIVE),
        (figure(0.9991), ">= 99.9%", MET),
    ],
)
def test_an_interval_has_to_lie_on_one_side(found: dict[str, Any], expected: str, answer: str) -> None:
    verdicts = of_run({"availability": expected}, ["as_modelled"], summary_of(availability=found))
    assert result(verdicts) == answer


@pytest.mark.parametrize(
    ("ends", "expected", "answer"),
    [
        ([None, 0.9999], ">= 99%", INCONCLUSIVE),
        ([None, 0.9999], ">= 99.999%", MISSED),
        ([0.995, 0.9999], ">= 99%", MET),
        ([0.995, 0.9999], ">= 99.9%", INCONCLUSIVE),
    ],
)
def test_what_a_run_has_not_met_decides_with_the_figure(ends: list[float | None], expected: str, answer: str) -> None:
    unseen = {"ends": {"availability": ends}, "words": "0 of 0.1 expected outages of cdn met"}
    summary = summary_of(unseen, availability=figure(0.9998))
    (verdict,) = of_run({"availability": expected}, ["as_modelled"], summary)
    assert verdict.result == answer
    assert verdict.reason == ("0 of 0.1 expected outages of cdn met" if answer == INCONCLUSIVE else "")


def test_the_share_lost_is_judged_as_one_less_the_availability() -> None:
    summary = summary_of(availability=figure(0.999, 0.998, 0.9995))
    (verdict,) = of_run({"failure_share": "<= 0.25%"}, ["as_modelled"], summary)
    assert verdict.result == MET
    assert verdict.figure is not None
    assert verdict.figure["high"] == pytest.approx(0.002)
    unseen = {"ends": {"availability": [0.99, 0.9995]}, "words": "w"}
    assert result(of_run({"failure_share": "<= 0.25%"}, ["as_modelled"], summary | {"unseen": {"as_modelled": unseen}}))
    (wider,) = of_run({"failure_share": "<= 0.25%"}, ["as_modelled"], summary | {"unseen": {"as_modelled": unseen}})
    assert wider.result == INCONCLUSIVE


def test_a_run_tells_that_it_has_no_long_run_figure_of_all_down() -> None:
    (verdict,) = of_run({"all_down": "< 1%"}, ["as_modelled"], summary_of(availability=figure(0.999)))
    assert (verdict.result, verdict.figure) == (NOT_JUDGED, None)
    joint = {"comparison": {"joint": {"as_modelled": {"all_down": figure(0.001)}}}}
    assert result(of_run({"all_down": "< 1%"}, ["as_modelled"], summary_of() | joint)) == MET


@pytest.mark.parametrize(
    ("results", "overall"),
    [
        ((), MET),
        ((MET, NOT_JUDGED), MET),
        ((MET, INCONCLUSIVE), INCONCLUSIVE),
        ((INCONCLUSIVE, MISSED, MET), MISSED),
    ],
)
def test_the_worst_verdict_counts_and_what_is_not_judged_does_not(results: tuple[str, ...], overall: str) -> None:
    verdicts = [Verdict("a", "availability", "> 1%", None, each) for each in results]
    assert worst(verdicts) == overall
    assert len(amiss(verdicts)) == sum(each != MET for each in results)


def test_each_comparison_of_a_list_has_a_verdict_of_its_own() -> None:
    found = judged(
        {"other.cost_usd": ["< 5", "> 7"], "availability": "> 1%"},
        ["as_modelled", "other"],
        lambda arm, metric: Evidence(figure(6.0 if arm == "other" else 0.5)),
    )
    assert [(each.arm, each.metric, each.expected, each.result) for each in found] == [
        ("other", "cost_usd", "< 5", MISSED),
        ("other", "cost_usd", "> 7", MISSED),
        ("as_modelled", "availability", "> 1%", MET),
    ]


def test_a_short_run_decides_nothing_that_its_unseen_outages_could_turn(tmp_path: Path) -> None:
    """The truth, 99.93 %, lies between what is expected and what a run without outages shows."""
    expect = {"availability": [">= 99%", ">= 99.95%"], "cost_usd_per_request": "< 1"}
    run = des.run(behind_a_cdn(expect=expect), out=tmp_path / "run", traces=False)
    assert run.summary["arms"]["as_modelled"]["availability"]["mean"] > 0.9995
    (cdn,) = run.summary["unseen"]["as_modelled"]["incidents"]
    assert (cdn["component"], cdn["class"], cdn["met"]) == ("cdn", 0, 0)
    assert cdn["expected"] == pytest.approx(3 * 2 * (2 + 3) / 8760)
    results = [each["result"] for each in run.summary["expectations"]]
    assert results == [MET, INCONCLUSIVE, MET]
    low = run.summary["arms"]["as_modelled"]["availability"]["low"]
    assert low == pytest.approx(run.summary["unseen"]["as_modelled"]["long_run"]["mean"], abs=5e-5)


def test_where_requests_interact_a_short_run_leaves_its_availability_open(tmp_path: Path) -> None:
    content = behind_a_cdn(expect={"availability": ">= 90%"})
    content["providers"]["first"]["limits"] = {"requests": "2/min", "burst": 1}
    run = des.run(content, out=tmp_path / "run", traces=False, replications=1)
    (verdict,) = run.summary["expectations"]
    assert verdict["result"] == INCONCLUSIVE
    assert "expected outages of cdn met" in verdict["reason"]
    assert run.summary["unseen"]["as_modelled"]["long_run"] is None


def test_availability_judges_what_it_answers_and_tells_the_rest() -> None:
    expect = {
        "availability": [">= 99%", ">= 99.99%"],
        "all_down": "< 1%",
        "failure_share": "< 1%",
        "latency_s_p95": "< 1ms",
        "primary_only.availability": ">= 50%",
    }
    loaded = from_mapping(behind_a_cdn(expect=expect, arms={"as_modelled": {}, "primary_only": {"chain": ["first"]}}))
    found = available(loaded, FEW_YEARS)
    assert [each.result for each in found.expectations] == [MET, MISSED, MET, MET, NOT_JUDGED, MET]
    told = found.as_json()["expectations"][4]
    assert told["result"] == NOT_JUDGED
    assert "mean" not in told
    assert "simulates no requests" in told["reason"]


def test_availability_judges_nothing_of_arms_whose_requests_interact() -> None:
    content = behind_a_cdn(expect={"availability": "> 1%"})
    content["providers"]["first"]["limits"] = {"requests": "2/min", "burst": 1}
    (verdict,) = available(from_mapping(content), FEW_YEARS).expectations
    assert verdict.result == NOT_JUDGED
    assert "limit first" in verdict.reason


def test_expectations_of_the_first_arm_are_those_of_that_arm_in_availability_too() -> None:
    arms = {"primary_only": {"chain": ["first"]}, "both": {}}
    loaded = from_mapping(behind_a_cdn(expect={"availability": "> 1%"}, arms=arms))
    (verdict,) = available(loaded, FEW_YEARS).expectations
    assert (verdict.arm, verdict.result) == ("primary_only", MET)


def test_a_sweep_is_judged_point_by_point(tmp_path: Path) -> None:
    content = behind_a_cdn(expect={"cost_usd": "< 0.3"})
    found = des.sweep(content, ["horizon=1h,4h"], out=tmp_path / "sweep", estimator="request level")
    results = [run.summary["expectations"][0]["result"] for run in found.runs]
    assert results == [MET, MISSED]


@pytest.mark.parametrize("nothing", [{}, {"expect": None}])
def test_a_scenario_that_expects_nothing_expects_nothing_of_other_arms(nothing: dict[str, Any]) -> None:
    assert of_other_arms(from_mapping(behind_a_cdn(**nothing)), ["as_modelled"]) == ()


def test_the_chance_of_the_objective_is_judged_by_an_answer_and_not_judged_elsewhere() -> None:
    content = small(objective={"availability": "90%", "per": "1h"})
    content["expect"] = {"objective": ">= 50%", "primary_only.objective": ">= 99.9%"}
    answer = des.answer(content, rounds=1, workers=1)
    met, missed = answer.expectations
    assert (met.metric, met.result, missed.result) == ("objective", "met", "missed")
    assert met.figure is not None
    assert answer.arms["as_modelled"].objective is not None
    assert met.figure["mean"] == answer.arms["as_modelled"].objective.mean
    assert 'name="as_modelled.objective &gt;= 50%"' in junit_text([Suite("small", answer.expectations, {})])
    for verdict in (
        *available(from_mapping(content), 0.1).expectations,  # each horizon is drawn as a whole here
        *of_run(content["expect"], ["as_modelled", "primary_only"], summary_of()),
    ):
        assert (verdict.result, verdict.reason) == (NOT_JUDGED, "des answer tells the chance of the objective")


def test_the_chance_of_an_objective_needs_one() -> None:
    with pytest.raises(ScenarioError, match="there is no objective to meet"):
        from_mapping(small(expect={"objective": ">= 90%"}))


def test_what_availability_does_not_judge_names_the_commands_that_do() -> None:
    """The quickest of them first."""
    found = available(from_mapping(behind_a_cdn(expect={"cost_usd_per_request": "<= 0.007"})), FEW_YEARS)
    assert [(each.result, each.reason) for each in found.expectations] == [
        (NOT_JUDGED, "des availability simulates no requests; des answer, des run and des compare do")
    ]
