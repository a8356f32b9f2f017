"""A sweep by the best estimators answers each point as the commands do that answer one, and keeps what it finished."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import des
from des.errors import DesError, OutputError, ScenarioError, what_is_left
from des.estimate.estimate import as_json
from des.report.sweep_table import sweep_text
from des.scenario import from_mapping
from des.study import answering, arms, sweep_point
from des.study.answer import answered
from des.study.options import Forecast, RunOptions
from des.study.rounds import Clock
from des.study.sweep import SHOWN_METRICS, sweep_with
from des.study.sweep_record import Sweep, load_sweep
from tests.study.small_scenario import small

MODEL = {"latency": "1s", "price": {"per_request": 0.01}}
CORRELATED: dict[str, Any] = {
    "title": "Two peers",
    "horizon": "30d",
    "seed": 7,
    "workload": {"arrivals": {"kind": "poisson", "rate": "5/d"}},
    "components": {"cdn": {"incidents": [{"kind": "poisson", "rate": "1.2/y", "duration": "40min"}]}},
    "providers": {
        name: {"depends_on": ["cdn"], "availability": "99.9%", "episodes_per_year": 12, "models": {"m": MODEL}}
        for name in ("one", "two")
    },
    "chain": [{"provider": "one"}, {"provider": "two"}],
    "arms": {"as_modelled": {}, "apart": {"shared": 0}},
    "expect": {"availability": ">= 99.99%", "cost_usd_per_request": "<= 0.02"},
}
"""Exact at every point."""
RETRYING = CORRELATED | {"policy": {"rounds": 2, "backoff": {"kind": "constant", "base": "2s"}}, "arms": {}}
"""Its availability rests on timelines."""
QUICK = ("availability",)


@pytest.fixture(autouse=True)
def _results_land_in_a_folder_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _availability(found: Sweep, arm: str = "as_modelled") -> list[float]:
    return [record["arms"][arm]["availability"]["mean"] for record in found.records]


def _of_command(content: dict[str, Any], shared: str) -> Any:
    """What `des availability --set shared=x` says of the model."""
    loaded = RunOptions(overrides=[f"shared={shared}"]).load(from_mapping(content))
    found = arms.available(loaded, 300.0).answers["as_modelled"].availability
    assert found is not None
    return found


def test_more_in_common_is_less_available_and_each_point_is_what_availability_says() -> None:
    found = des.sweep(CORRELATED, ["shared=0:1:0.1"], metrics=QUICK)
    shares = [point["shared"] for point in found.points]
    assert shares == ["0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1"]
    of_model = _availability(found)
    assert of_model == sorted(of_model, reverse=True)
    assert len(set(of_model)) == 11
    for shared, mean in zip(shares, of_model, strict=True):
        assert mean == _of_command(CORRELATED, shared).mean
    assert len(set(_availability(found, "apart"))) == 1


def test_by_default_a_point_has_the_figures_of_availability_to_the_same_bit() -> None:
    found = des.sweep(RETRYING, ["shared=1"], metrics=QUICK)
    of_command = des.availability(from_mapping(RETRYING), overrides=["shared=1"])
    for arm, here in found.records[0]["arms"].items():
        there = of_command.answers[arm]
        assert here["availability"] == json.loads(json.dumps(as_json(there.availability)))
        assert here["drawn"]["years"] == there.years == 10_000.0


def test_where_each_horizon_is_drawn_as_a_whole_both_draw_as_few() -> None:
    content = small(horizon="1h", arms={}, chain=[{"provider": "first", "timeout": "5s", "retries": 1}])
    found = des.sweep(content, ["policy.rounds=2"], metrics=QUICK)
    there = des.availability(from_mapping(content), overrides=["policy.rounds=2"]).answers["as_modelled"]
    here = found.records[0]["arms"]["as_modelled"]
    assert here["availability"] == json.loads(json.dumps(as_json(there.availability)))
    assert here["drawn"]["years"] == there.years == pytest.approx(40.0 / 8_760.0)


def test_with_nothing_in_common_a_point_takes_the_estimator_of_availability() -> None:
    """Total outages are then rarer, so that fewer years see too few of them."""
    estimators = []
    for years in (300.0, 10_000.0):
        found = des.sweep(RETRYING, ["shared=0"], metrics=QUICK, years=years)
        here = found.records[0]["arms"]["as_modelled"]["availability"]
        there = des.availability(from_mapping(RETRYING), years=years, overrides=["shared=0"]).answers["as_modelled"]
        assert here == json.loads(json.dumps(as_json(there.availability)))
        estimators.append(here["estimator"])
    assert estimators == ["rare events", "timeline"]


@pytest.mark.parametrize("metrics", [QUICK, ()])
def test_as_many_years_as_of_availability_give_its_figures_to_the_same_bit(metrics: tuple[str, ...]) -> None:
    found = des.sweep(RETRYING, ["shared=0,1"], metrics=metrics, years=300)
    for shared, record in zip(("0", "1"), found.records, strict=True):
        of_point = record["arms"]["as_modelled"]
        assert of_point["availability"] == json.loads(json.dumps(_of_command(RETRYING, shared).as_json()))
    years = [record["arms"]["as_modelled"]["drawn"]["years"] for record in found.records]
    assert years == [None, 300.0]  # with nothing in common, total outages are too rare for as many
    assert list(found.table["availability_years"].dropna()) == [300.0]
    assert "availability: rare events, timeline of 300 years of incidents" in sweep_text(found)
    with pytest.raises(DesError, match="--years 0: expected"):
        des.sweep(RETRYING, ["shared=0,1"], years=0)


def test_the_years_drawn_by_default_are_said_and_others_are_another_sweep() -> None:
    found = des.sweep(RETRYING, ["shared=1"], metrics=QUICK)
    assert "timeline of 10,000 years of incidents (--years N draws another number)" in sweep_text(found)
    fewer = des.sweep(RETRYING, ["shared=1"], metrics=QUICK, years=300)
    assert fewer.path != found.path
    assert "(--years N draws another number)" not in sweep_text(fewer)


def test_each_point_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    whole = sweep_point.Job.loaded
    monkeypatch.setattr(sweep_point.Job, "loaded", lambda job, number: read.append(number) or whole(job, number))
    des.sweep(CORRELATED, ["shared=0,0.5,1"], metrics=QUICK)
    assert read == [0, 1, 2]


def test_a_point_has_the_figures_of_an_answer_to_the_same_bit() -> None:
    over = {"shared": [0.5, 1], "providers.one.models.m.price.per_request": [0.01, 0.03]}
    found = des.sweep(CORRELATED, over, rounds=2)
    for point, record in zip(found.points, found.records, strict=True):
        overrides = [f"{path}={value}" for path, value in point.items()]
        answer = answered(RunOptions(overrides=overrides).load(from_mapping(CORRELATED)), Clock(60.0, 2))
        for arm, of in answer.arms.items():
            for metric in ("availability", "cost_usd_per_request", "latency_s_p95", "fallback_share"):
                figure = of.figures[metric].as_json()
                assert record["arms"][arm][metric] == json.loads(json.dumps(figure)), (point, arm, metric)
        assert record["replications"] == 3
        assert [each["result"] for each in record["expectations"]] == [each.result for each in answer.expectations]


def test_arms_that_no_value_changes_are_simulated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    simulated: list[tuple[str, ...]] = []
    replicated = answering.replicated

    def counted(plans: Any, *arguments: Any, **options: Any) -> Any:
        simulated.append(tuple(plans))
        return replicated(plans, *arguments, **options)

    monkeypatch.setattr(answering, "replicated", counted)
    des.sweep(CORRELATED, ["shared=0.2,0.6,1"])
    assert simulated == [("as_modelled", "apart"), ("as_modelled",), ("as_modelled",)]


def test_without_requests_only_what_is_asked_and_expected_can_be_told() -> None:
    quick = CORRELATED | {"expect": {"all_down": "< 1%"}}
    found = des.sweep(quick, ["shared=0,1"], metrics=("availability", "k_eff"))
    assert set(found.records[0]["arms"]["as_modelled"]) == {"joint", "availability", "failure_share", "all_down"}
    assert found.records[0]["expectations"][0]["result"] == "met"
    expecting = des.sweep(CORRELATED, ["shared=0,1"], metrics=QUICK)
    assert "cost_usd_per_request" in expecting.records[0]["arms"]["as_modelled"]


def test_the_number_of_processes_changes_nothing(tmp_path: Path) -> None:
    for workers in (1, 2):
        des.sweep(CORRELATED, ["shared=0,1"], out=tmp_path / str(workers), workers=workers)
    for name in ("sweep.json", "sweep.csv"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


class _StoppedError(Exception):
    pass


def _stopping(monkeypatch: pytest.MonkeyPatch, after: int) -> list[str]:
    """Points are answered until this number of them are; returns those begun."""
    begun: list[str] = []
    long_runs = sweep_point.long_runs

    def counted(plans: Any, *more: Any) -> Any:
        if len(begun) == after:
            raise KeyboardInterrupt
        begun.append("")
        return long_runs(plans, *more)

    monkeypatch.setattr(sweep_point, "long_runs", counted)
    return begun


def test_an_interrupted_sweep_goes_on_from_its_finished_points(monkeypatch: pytest.MonkeyPatch) -> None:
    over = ["shared=0:1:0.25"]
    whole = des.sweep(CORRELATED, over, metrics=QUICK, out="whole")
    with monkeypatch.context() as patch:
        _stopping(patch, 3)
        with pytest.raises(KeyboardInterrupt) as caught:
            des.sweep(CORRELATED, over, metrics=QUICK, out="again")
    assert what_is_left(caught.value) == "3 of 5 points are kept; run the same command again to continue"
    (unfinished,) = [one for one in des.results(".") if one.state == "unfinished"]
    assert (unfinished.kind, unfinished.done, unfinished.parts) == ("sweep", 3, 5)
    kept = sorted(Path(".partial").rglob("points/*.jsonl"))
    kept[1].write_text(kept[1].read_text() + " ")  # damaged: to be answered again
    with monkeypatch.context() as patch:
        begun = _stopping(patch, 99)
        again = des.sweep(CORRELATED, over, metrics=QUICK, out="again")
    assert len(begun) == 3
    assert (again.path / "sweep.json").read_bytes() == (whole.path / "sweep.json").read_bytes()
    assert not Path(".partial").exists()


def test_the_same_sweep_again_is_verified_and_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = des.sweep(CORRELATED, ["shared=0,1"], metrics=QUICK)
    assert not first.reused
    with monkeypatch.context() as patch:
        begun = _stopping(patch, 0)
        again = des.sweep(CORRELATED, ["shared=0,1"], metrics=QUICK)
    assert again.reused
    assert not begun
    assert again.content == json.loads(json.dumps(first.content))
    (stored,) = des.results()
    assert (stored.kind, stored.state, stored.points, stored.title) == ("sweep", "whole", 2, "Two peers")
    (first.path / "sweep.csv").write_text("spoilt")
    assert des.results()[0].why == "sweep.csv has been changed"
    with pytest.raises(OutputError, match=r"sweep\.csv has been changed\nthis sweep is damaged: --force"):
        des.sweep(CORRELATED, ["shared=0,1"], metrics=QUICK)
    des.sweep(CORRELATED, ["shared=0,1"], metrics=QUICK, force=True)
    des.results()[0].remove()
    assert not des.results()


def test_another_metric_of_the_same_requests_is_shown_without_another_sweep() -> None:
    des.sweep(CORRELATED, ["shared=0,1"])
    assert des.sweep(CORRELATED, ["shared=0,1"], metrics=("latency_s_p95", "availability")).reused


def test_other_values_rounds_or_no_requests_are_another_sweep() -> None:
    paths = {
        des.sweep(CORRELATED, over, metrics=metrics, rounds=rounds).path
        for over, metrics, rounds in (
            (["shared=0,1"], QUICK, 1),
            (["shared=0,0.5"], QUICK, 1),
            (["shared=0,1"], (), 1),
            (["shared=0,1"], (), 2),
        )
    }
    assert len(paths) == 4


def test_the_record_holds_curves_with_their_bands() -> None:
    made = des.sweep(RETRYING, ["shared=0.8,0.9,1"], metrics=QUICK, years=300)
    found = load_sweep(made.path).figures
    assert list(found.columns) == ["shared", "arm", "metric", "mean", "low", "high", "estimator"]
    curve = found[(found.arm == "as_modelled") & (found.metric == "failure_share")]
    assert list(curve.shared) == ["0.8", "0.9", "1"]
    assert (curve.low <= curve["mean"]).all()
    assert (curve["mean"] <= curve.high).all()
    assert set(curve.estimator) == {"timeline"}


def test_the_table_and_the_csv_have_values_figures_and_verdicts() -> None:
    content = CORRELATED | {"expect": {"availability": [">= 99%", ">= 99.995%"], "apart.cost_usd_per_request": "< 0.1"}}
    found = des.sweep(content, ["shared=0,1"])
    table = pd.read_csv(found.path / "sweep.csv", dtype={"shared": str}).set_index(["shared", "arm"])
    assert list(table.index) == list(found.table.index)
    assert table["expect availability >= 99.995%"].to_dict() == {
        ("0", "as_modelled"): "met",
        ("0", "apart"): pytest.approx(float("nan"), nan_ok=True),
        ("1", "as_modelled"): "missed",
        ("1", "apart"): pytest.approx(float("nan"), nan_ok=True),
    }
    assert list(table.expected) == ["met", "met", "missed", "met"]
    assert {"availability", "availability_low", "cost_usd_per_request", "all_down", "k_eff"} <= set(table.columns)
    assert table.availability_estimator["1", "as_modelled"] == "exact"


def test_problems_of_all_points_are_said_before_any_is_answered() -> None:
    with pytest.raises(ScenarioError) as caught:
        des.sweep(CORRELATED, ["policy.rounds=0:-2:-1"])
    assert len(caught.value.problems) == 3
    with pytest.raises(ScenarioError, match=r"providers\.uno: unknown name 'uno'|did you mean"):
        des.sweep(CORRELATED, ["providers.on.availability=99%,98%"])
    assert not Path("results").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"metrics": ["availabilty"]}, "unknown metric; did you mean 'availability'"),
        ({"metrics": ["nines"]}, "unknown metric; did you mean 'availability'"),
        ({"metrics": ["x"]}, "there are: requests, availability"),
        ({"estimator": "bets"}, "unknown estimator 'bets'; did you mean 'best'"),
        ({"replications": 2}, "--replications: for simulated runs; add --estimator request-level"),
        ({"precision": {"availability": 0.1}, "traces": True}, "--precision, --traces: for simulated runs"),
        ({"rounds": 0}, "at least 1"),
        ({"rounds": 2, "estimator": "request level"}, "has --replications"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(DesError, match=words):
        des.sweep(CORRELATED, ["shared=0,1"], **options)


def test_every_metric_of_an_answer_can_be_asked_for() -> None:
    found = des.sweep(CORRELATED, ["shared=1"])
    assert set(found.records[0]["arms"]["as_modelled"]) - {"joint"} <= set(SHOWN_METRICS)


def test_a_million_points_are_asked_about_before_they_are_read() -> None:
    told: list[Forecast] = []

    def refuse(forecast: Forecast) -> None:
        told.append(forecast)
        raise _StoppedError

    for estimator in ("best", "request level"):
        with pytest.raises(_StoppedError):
            sweep_with(CORRELATED, ["seed=1:1000000:1"], RunOptions(traces=False, before=refuse), estimator=estimator)
    assert [(each.replications, each.unit, each.at_least) for each in told] == [(1_000_000, "points", True)] * 2
    assert all(each.seconds > 0.0 for each in told)
    assert not Path("results").exists()


def test_the_first_point_tells_how_long_the_others_take() -> None:
    told: list[Forecast] = []
    sweep_with(CORRELATED, ["shared=0,0.5,1"], RunOptions(traces=False, before=told.append), metrics=QUICK)
    (forecast,) = told
    assert (forecast.finished, forecast.replications, forecast.begun) == (0, 3, True)

    def refuse(forecast: Forecast) -> None:
        raise _StoppedError

    with pytest.raises(_StoppedError) as caught:
        sweep_with(CORRELATED, ["shared=0.1,0.9"], RunOptions(traces=False, before=refuse), metrics=QUICK)
    assert "1 of 2 points are kept" in str(what_is_left(caught.value))


def test_progress_is_over_all_points() -> None:
    told: list[tuple[float, str]] = []
    des.sweep(CORRELATED, ["shared=0,1"], progress=lambda share, what: told.append((share, what)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert any(what == "point 2/2" for _, what in told)


def test_an_arm_that_nothing_answers_has_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    from des.study import ways

    monkeypatch.setattr(ways, "why_not_windows", lambda plan: "the queue remembers")
    monkeypatch.setattr(ways, "_LARGE", 0.01)
    found = des.sweep(CORRELATED, ["shared=0,1"])
    assert found.records[0]["refused"] == dict.fromkeys(("as_modelled", "apart"), "the queue remembers")
    assert set(found.records[0]["arms"]["apart"]) == {"joint", "availability", "failure_share", "all_down"}
    assert [each["result"] for each in found.records[1]["expectations"]] == ["met", "not judged"]
