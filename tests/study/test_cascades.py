"""Runs with limits, capacities or a client's policy show what a cascade looks like; others leave no trace of it."""

from pathlib import Path
from typing import Any

import pytest

import des
from des.errors import DesError
from des.report.lines import cascade_lines, cascade_sentences, lines
from des.traces import Run

SERVED_A_SECOND = 10


def storm(**changes: Any) -> dict[str, Any]:
    """A backend at nine tenths of its capacity that is slow for half a minute, and clients that try once more."""
    slow = {"kind": "schedule", "error_rate": 0, "latency_factor": 5, "windows": [{"start": "2min", "end": "2.5min"}]}
    model = {"latency": "1s", "price": {"per_request": 0}, "capacity": {"concurrent": SERVED_A_SECOND, "queue": 200}}
    return {
        "title": "Storm",
        "horizon": "14min",
        "seed": 11,
        "replications": 2,
        "workload": {"arrivals": {"kind": "poisson", "rate": "9/s"}},
        "providers": {"a": {"incidents": [slow], "models": {"m": model}}},
        "chain": [{"provider": "a", "timeout": "3s", "retries": 1}],
        "arms": {"as_modelled": {}, "half": {"workload": {"arrivals": {"kind": "poisson", "rate": "4/s"}}}},
        **changes,
    }


@pytest.fixture(scope="module")
def stormy(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return des.run(storm(), out=tmp_path_factory.mktemp("storm") / "run")


def test_a_retry_storm_is_named_as_metastable_and_recovers_at_half_the_load(stormy: Run) -> None:
    full, half = (stormy.summary["arms"][arm] for arm in ("as_modelled", "half"))
    assert (full["metastable"]["runs"], full["metastable"]["n"]) == (2, 2)
    assert full["metastable"]["goodput_share"] < 0.2
    assert full["time_to_recover_s"]["mean"] is None
    assert full["time_to_recover_s"]["not_within_s"] == [690.0, 690.0]
    assert (half["metastable"]["runs"], half["metastable"]["n"]) == (0, 2)
    assert 0.0 <= half["time_to_recover_s"]["mean"] < 600.0
    assert half["time_to_recover_s"]["recovered"] == half["time_to_recover_s"]["triggers"] == 2
    arms = ["as_modelled", "half"]
    (sentence,) = cascade_sentences(stormy.summary, arms)
    assert sentence.startswith("metastable (as_modelled): 2 of 2 runs stayed collapsed after the trigger had ended")
    assert sentence.endswith("of what was offered for the 12 min observed)")
    cells = {line.label.strip(): line.cells for line in cascade_lines(stormy.summary, arms)}
    assert cells["time to recover"][0] == "not within 12 min: 2 of 2"
    assert cells["metastable runs"] == ("2 of 2", "0 of 2")
    assert "kept back by the client" not in cells
    assert "capacity a/m refusing" in full["time_out_share"]
    assert not [label for label in cells if label.endswith("refusing")]
    narrow = {line.label.strip(): line.cells for line in cascade_lines(stormy.summary, arms, narrow=True)}
    assert narrow["time to recover"][0] == "not in 12 min: 2 of 2"


def test_the_summary_says_what_the_minutes_say(stormy: Run) -> None:
    minutes = stormy.minutes
    assert stormy.manifest["traces"]["minutes/half-0001.parquet"]["rows"] >= 14
    for arm, metrics in stormy.summary["arms"].items():
        of = minutes[minutes.arm == arm]
        sums = of.drop(columns=["arm", "time_s", "bin_s"]).groupby("replication").sum()
        assert metrics["requests"]["mean"] == sums.offered.mean()
        assert metrics["attempts"]["mean"] == (sums.calls + sums.hedges).mean()
        assert metrics["goodput_per_minute"]["mean"] == pytest.approx((sums.goodput / 14.0).mean())
        assert metrics["retry_amplification"]["mean"] == pytest.approx((sums.calls / sums.offered).mean())
        refused = (sums.refused_by_capacity / sums.calls).mean()
        assert metrics["refused_by_capacity_share"]["mean"] == pytest.approx(refused)
        assert metrics["peak_calls_per_minute"]["mean"] == of.groupby("replication").calls.max().mean()
        assert metrics["attempt_outcomes"]["timeout"]["mean"] == sums.late_work.mean()
        transitions = stormy.transitions[stormy.transitions.arm == arm]
        begun = ((transitions.kind == "capacity") & (transitions.to == "refusing")).sum() / 2
        assert metrics["times_out"].get("capacity a/m refusing", {"mean": 0.0})["mean"] == begun


def test_what_a_budget_refuses_is_not_taken_for_the_providers_429(tmp_path: Path) -> None:
    model = {"latency": "1s", "price": {"per_request": 0}, "limits": {"requests": "120/min", "burst": 1}}
    scenario = storm(
        horizon="5min",
        providers={"a": {"models": {"m": model}}},
        arms={"as_modelled": {}, "budget": {"budgets": {"ours": {"requests": "180/min", "burst": 1, "legs": ["a"]}}}},
    )
    run = des.run(scenario, out=tmp_path / "run")
    plain, own = (run.summary["arms"][arm] for arm in ("as_modelled", "budget"))
    assert plain["refused_by_budget_share"]["mean"] == 0.0
    assert plain["refused_by_limit_share"]["mean"] > 0.8
    assert plain["peak_calls_per_minute"]["mean"] > 900
    assert own["refused_by_budget_share"]["mean"] > 0.7
    assert 0.2 < own["refused_by_limit_share"]["mean"] < 0.45
    assert own["peak_calls_per_minute"]["mean"] <= 181
    of = run.minutes[run.minutes.arm == "budget"]
    refused = of.refused_by_budget + of.refused_by_limit + of.refused_by_capacity
    assert (of.admitted + refused == of.calls + of.hedges).all()
    labels = [line.label for line in lines(run.summary, ["as_modelled", "budget"])]
    assert "  rate-limited, budgets too" in labels


def test_every_figure_of_a_cascade_is_explained(stormy: Run) -> None:
    page = (Path(__file__).parents[2] / "docs" / "outputs.md").read_text(encoding="utf-8")
    for metric, figure in stormy.summary["arms"]["as_modelled"].items():
        assert f"`{metric}`" in page
        if metric in ("metastable", "blackout", "time_to_recover_s"):
            for name in set(figure) - {"mean", "low", "high", "n", "estimator", "interval"}:
                assert f"`{name}`" in page, name


def test_a_breaker_that_refuses_shows_in_its_minutes_and_its_time_out(tmp_path: Path) -> None:
    down = {"kind": "schedule", "windows": [{"start": "5min", "end": "10min"}]}
    scenario = storm(
        providers={"a": {"incidents": [down], "models": {"m": {"latency": "1s", "price": {"per_request": 0}}}}},
        policy={"breaker": {"kind": "consecutive", "failures": 5, "open": "60s", "half_open": 1}},
        arms={"as_modelled": {}},
        replications=1,
    )
    run = des.run(scenario, out=tmp_path / "run")
    of, minutes = run.summary["arms"]["as_modelled"], run.minutes
    assert minutes.refused_by_client[:5].sum() == 0
    assert minutes.refused_by_client[6:9].min() > 400
    refused, calls = minutes.refused_by_client.sum(), minutes.calls.sum()
    assert of["refused_by_client_share"]["mean"] == pytest.approx(refused / (refused + calls))
    opened = (run.transitions.kind == "breaker") & (run.transitions.to == "open")
    assert of["times_out"]["a/m open"]["mean"] == opened.sum() >= 5
    assert 300.0 <= of["time_out_share"]["a/m open"]["mean"] * 14 * 60 <= 360.0
    assert of["time_to_recover_s"]["mean"] in (0.0, 60.0)


def test_runs_without_cascades_leave_no_trace_of_them(tmp_path: Path) -> None:
    scenario = storm(arms={"as_modelled": {}}, horizon="1min")
    del scenario["providers"]["a"]["models"]["m"]["capacity"]
    run = des.run(scenario, out=tmp_path / "run")
    assert not (run.path / "minutes").exists()
    assert not {"metastable", "retry_amplification"} & set(run.summary["arms"]["as_modelled"])
    assert list(cascade_lines(run.summary, ["as_modelled"])) == []
    assert list(cascade_sentences(run.summary, ["as_modelled"])) == []
    with pytest.raises(DesError, match="limits"):
        _ = run.minutes


def test_all_arms_have_minutes_where_one_has_limits(tmp_path: Path) -> None:
    free = {"providers.a.models.m.capacity": None}
    run = des.run(storm(arms={"as_modelled": {}, "free": free}, horizon="1min"), out=tmp_path / "run")
    assert set(run.minutes.arm) == {"as_modelled", "free"}
    assert run.summary["arms"]["free"]["refused_by_capacity_share"]["mean"] == 0.0
