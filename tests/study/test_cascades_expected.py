"""What shows a cascade may be expected and asked for to a precision, as any other metric."""

from pathlib import Path
from typing import Any

import pytest

import des
from des.errors import ScenarioError
from des.estimate.estimate import INCONCLUSIVE, MET, MISSED
from des.report.tables import expectation_sentence, verdicts
from study.small_scenario import small
from study.test_cascades import storm


def found(scenario: dict[str, Any], folder: Path) -> dict[str, str]:
    run = des.run(scenario, out=folder / "run", traces=False)
    return {expectation_sentence(each): each.result for each in verdicts(run)}


def test_figures_of_a_cascade_may_be_expected(tmp_path: Path) -> None:
    expect = {
        "retry_amplification": "> 1.5",
        "goodput_per_minute": ">= 500",
        "peak_calls_per_minute": "< 5000",
        "refused_by_budget_share": "<= 0%",
        "refused_by_limit_share": "<= 0%",
        "refused_by_capacity_share": ">= 5%",
        "refused_by_client_share": "<= 0%",
        "metastable": "< 50%",
        "half.metastable": "<= 0%",
        "half.time_to_recover_s": "<= 10min",
    }
    found_so = found(storm(expect=expect, replications=1), tmp_path)
    assert list(found_so.values()) == [MET, MISSED, MET, MET, MET, MET, MET, MISSED, MET, MET]
    assert "as_modelled.metastable: expected < 50%, found 1 of 1: missed" in found_so


def test_no_recovery_within_the_time_observed_takes_longer_than_that(tmp_path: Path) -> None:
    results = {"<= 5min": MISSED, "<= 690s": INCONCLUSIVE, "> 10min": MET, ">= 1h": INCONCLUSIVE}
    judged = found(storm(expect={"time_to_recover_s": list(results)}), tmp_path)
    assert list(judged.values()) == list(results.values()), judged
    assert all("found not within 12 min: 2 of 2" in sentence for sentence in judged)


def test_what_is_expected_is_measured_also_where_nothing_limits(tmp_path: Path) -> None:
    scenario = small(expect={"retry_amplification": "<= 3"}, horizon="2h")
    del scenario["providers"]["second"]["limits"]
    run = des.run(scenario, out=tmp_path / "run")
    for arm in ("as_modelled", "primary_only"):
        assert run.summary["arms"][arm]["retry_amplification"]["mean"] > 1.0
    assert [each.result for each in verdicts(run)] == [MET]
    assert (run.path / "minutes").is_dir()


def test_a_figure_of_a_cascade_may_be_asked_for_to_a_precision(tmp_path: Path) -> None:
    scenario = small(arms={"as_modelled": {}}, horizon="4h")
    del scenario["providers"]["second"]["limits"]
    run = des.run(scenario, out=tmp_path / "run", traces=False, precision={"retry_amplification": 0.05})
    assert run.summary["precision"]["reached"]
    assert run.summary["precision"]["half_widths"]["as_modelled.retry_amplification"] <= 0.05


def test_a_word_that_is_nearly_such_a_metric_finds_it() -> None:
    with pytest.raises(ScenarioError, match="did you mean 'metastable'"):
        des.run(storm(expect={"metastabel": "<= 0%"}))
