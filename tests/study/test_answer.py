"""What an answer consists of, which estimators it takes, that rounds fix it, and what it refuses."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import des
from des.errors import DesError, OutputError
from des.estimate.exact import exact
from des.estimate.windows_figures import WINDOWS as BY_WINDOWS
from des.report.answer_tables import answer_text
from des.scenario import from_mapping, plans
from des.study.answer import answered
from des.study.answer_file import load_answer
from des.study.answered import Answer
from des.study.options import Forecast
from des.study.rounds import Clock
from des.study.value import Cheapest
from des.study.ways import chosen_way

MODEL = {"latency": {"kind": "lognormal", "median": "2s", "p99": "9s"}, "price": {"per_request": 0.01}}
DEAR = MODEL | {"price": {"per_request": 0.02}}
SMALL: dict[str, Any] = {
    "title": "Two small peers",
    "horizon": "1y",
    "seed": 3,
    "workload": {"arrivals": {"kind": "poisson", "rate": "3/d"}},
    "providers": {
        "one": {"availability": "99%", "episodes_per_year": 40, "models": {"m": MODEL}},
        "two": {"availability": "99%", "episodes_per_year": 40, "models": {"m": DEAR}},
    },
    "chain": [{"provider": "one", "timeout": "30s"}, {"provider": "two", "timeout": "30s"}],
    "arms": {"both": {}, "one_only": {"chain": ["one"]}},
    "objective": {"availability": "99.9%"},
    "value": {"lost_request": "$5", "downtime": "$10/h"},
    "expect": {"both.availability": ">= 99%", "one_only.availability": ">= 99.9%"},
}
BUSY = SMALL | {
    "workload": {"arrivals": {"kind": "poisson", "rate": "2/s"}},
    "providers": {
        "one": SMALL["providers"]["one"] | {"limits": {"requests": "180/min", "burst": 30}},
        "two": SMALL["providers"]["two"],
    },
}


@pytest.fixture(scope="module")
def small() -> Answer:
    return des.answer(SMALL, rounds=3, workers=1)


def test_an_exact_availability_is_taken_where_there_is_one(small: Answer) -> None:
    for arm, plan in plans(from_mapping(SMALL)).items():
        closed = exact(plan)
        found = small.arms[arm].figure("availability")
        assert found is not None
        assert found.mean == closed.availability
        assert small.arms[arm].basis.availability == "exact"
    assert small.arms["both"].basis.requests == "request level"


def test_the_rest_comes_from_whole_replications_of_short_scenarios(small: Answer) -> None:
    both, one = small.arms["both"], small.arms["one_only"]
    assert both.basis.replications == 5
    cost = both.figure("cost_usd_per_request")
    assert cost is not None
    assert cost.low is not None
    assert cost.low <= 0.0101 * 1.02  # one in a hundred is answered by the dearer one
    assert cost.known >= 0.01
    assert one.figures["lost_by_cause"].keys() >= {"one"}
    assert 0.002 < one.figures["lost_by_cause"]["one"].mean < 0.05  # of all requests, in 1 % of the time


def test_an_exact_objective_is_taken_where_there_is_one_and_counted_elsewhere(small: Answer) -> None:
    one, both = small.arms["one_only"].objective, small.arms["both"].objective
    assert one is not None
    assert one.estimator == "exact (Takacs)"
    assert both is not None
    assert both.n == 5
    assert both.known > one.known


def test_money_is_of_answers_and_of_failing(small: Answer) -> None:
    one = small.arms["one_only"].money
    assert one is not None
    lost = small.arms["one_only"].lost
    assert lost is not None
    assert lost.known == pytest.approx(0.01, rel=0.01)
    assert one.failing.mean == pytest.approx(lost.known * (5.0 * 3 * 365 + 10.0 * 8760), rel=1e-12)
    (step,) = small.steps
    assert (step.arm, step.next) == ("one_only", "both")
    assert step.worth.known > 0.0


def test_expectations_are_judged_by_the_figures_of_the_answer(small: Answer) -> None:
    assert [(each.arm, each.result) for each in small.expectations] == [("both", "met"), ("one_only", "missed")]


def test_as_many_rounds_give_the_same_bytes_for_any_number_of_workers(small: Answer, tmp_path: Path) -> None:
    again = des.answer(SMALL, rounds=3, workers=2, out=tmp_path / "again")
    assert json.dumps(again.as_json()) == json.dumps(small.as_json())
    assert json.loads((tmp_path / "again" / "answer.json").read_text()) == json.loads(json.dumps(small.as_json()))
    manifest = json.loads((tmp_path / "again" / "manifest.json").read_text())
    assert manifest["rounds"] == 3
    assert "wall_s" not in small.as_json()


def test_as_many_rounds_give_the_same_bytes_whatever_time_there_is(small: Answer) -> None:
    assert des.answer(SMALL, rounds=3, within="1ms", workers=1).as_json() == small.as_json()


def test_the_first_round_gives_every_figure_an_interval() -> None:
    found = des.answer(SMALL, rounds=1, workers=1)
    for of in found.arms.values():
        assert of.basis.replications == 2
        for metric in ("cost_usd_per_request", "latency_s_p50", "latency_s_p99", "attempts_per_request"):
            figure = of.figure(metric)
            assert figure is not None
            assert figure.low is not None or metric != "latency_s_p99"
            assert figure.n == 2


def test_a_first_round_longer_than_the_time_is_said_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Forecast] = []
    forecast = [Forecast(seconds=1_000.0, processes=1, replications=4)]
    monkeypatch.setattr("des.study.late.of_replications", lambda *of: forecast[0])
    des.answer(SMALL, within=0.01, workers=1, before=told.append, arms=["one_only"])
    assert told == forecast
    des.answer(SMALL, rounds=1, within=0.01, workers=1, before=told.append, arms=["one_only"])
    forecast = [Forecast(seconds=0.1, processes=1, replications=4)]
    des.answer(SMALL, within=0.01, workers=1, before=told.append, arms=["one_only"])
    assert len(told) == 1


def test_a_first_round_of_windows_longer_than_the_time_is_said_once_it_has_begun() -> None:
    told: list[Forecast] = []
    found = des.answer(BUSY, within=0.01, workers=1, before=told.append, arms=["one_only"])
    (one,) = told
    assert one.unit == "windows"
    assert one.replications > 10
    assert one.seconds > 0.0
    assert found.rounds == 1
    assert "the first round of windows is the least that an answer takes" in found.overran
    des.answer(BUSY, rounds=1, within=0.01, workers=1, before=told.append, arms=["one_only"])
    des.answer(BUSY, within=3_600.0, rounds=1, workers=1, before=told.append, arms=["one_only"])
    assert len(told) == 1


def test_an_answer_that_took_longer_than_its_time_says_so_and_why(tmp_path: Path) -> None:
    late = des.answer(SMALL, within=0.01, workers=1, arms=["one_only"], out=tmp_path / "late")
    assert late.rounds == 1
    assert "more than the 0.01 s given: the first round is the least that an answer takes" in late.overran
    assert late.overran in " ".join(answer_text(late, 200).split("\n"))
    assert load_answer(tmp_path / "late").overran.partition(" s, ")[2] == late.overran.partition(" s, ")[2]
    fixed = des.answer(SMALL, rounds=1, within=0.01, workers=1, arms=["one_only"])
    assert fixed.overran == ""
    assert fixed.as_json() == late.as_json()
    in_time = replace(late, within_s=late.wall_s)
    assert in_time.overran == ""
    later = replace(late, rounds=3)
    assert later.overran.endswith("the last round took longer than those before it let expect")


def test_differences_of_arms_have_intervals(small: Answer) -> None:
    (step,) = small.steps
    assert step.spends.low is not None
    assert step.worth.low is not None
    assert step.worth.high is not None
    assert step.worth.low < step.worth.known < step.worth.high
    assert step.from_lost_request is not None
    assert step.from_lost_request.low is not None
    assert small.cheapest == Cheapest(arm="both")
    assert "both saves $" in small.sentence
    assert "a year (between $" in small.sentence


def test_another_seed_gives_another_answer(small: Answer) -> None:
    other = des.answer(SMALL, rounds=1, workers=1, seed=4)
    assert other.as_json()["seed"] == 4
    assert other.arms["both"].figure("cost_usd_per_request") != small.arms["both"].figure("cost_usd_per_request")


def test_an_existing_directory_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="exists already"):
        des.answer(SMALL, out=tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"within": "a while"}, "--within: expected a duration"),
        ({"within": "60"}, "write 60s for seconds"),
        ({"within": 0.0}, "above 0"),
        ({"rounds": 0}, "--rounds 0: at least 1"),
        ({"arms": ["tow"]}, "unknown arm 'tow'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DesError, match=message):
        des.answer(SMALL, **options)


def test_the_table_has_a_row_per_arm_with_ends(small: Answer) -> None:
    assert list(small.table.index) == ["both", "one_only"]
    assert {"availability", "latency_s_p99_low", "objective"} <= set(small.table.columns)


def test_arms_that_are_the_same_model_are_answered_once() -> None:
    found = des.answer(SMALL | {"arms": {"both": {}, "again": {}}, "expect": {}}, rounds=1, workers=1)
    assert found.same == {"again": "both"}
    assert found.arms["again"] is found.arms["both"]


@pytest.fixture(scope="module")
def rotting() -> Answer:
    rot = {"time_to_rot": {"kind": "exponential", "mean": "150y"}, "repair": "1d"}
    chain = [SMALL["chain"][0], SMALL["chain"][1] | {"silent_rot": rot}]
    soon = {"chain[1].silent_rot.time_to_rot": {"kind": "constant", "value": "20d"}}
    arms = {"both": {}, "soon": soon, "one_only": {"chain": ["one"]}}
    return des.answer(SMALL | {"chain": chain, "arms": arms, "expect": {"availability": ">= 50%"}}, rounds=1, workers=1)


def test_legs_that_rot_and_never_did_are_not_seen(rotting: Answer) -> None:
    rare = rotting.arms["both"]
    (missed,) = (each for each in rare.not_seen.incidents if each.component == "two/m")
    assert missed.words == "0 of at most 0.013 expected breaks of two/m (silent rot) met"
    assert rare.not_seen.between
    assert rare.lost is not None
    assert rare.lost.low is None
    assert [each.result for each in rotting.expectations] == ["inconclusive"]
    assert not [each for each in rotting.arms["soon"].not_seen.incidents if each.component == "two/m"]


def test_a_difference_without_what_was_not_seen_is_unresolved(rotting: Answer) -> None:
    step = next(step for step in rotting.steps if step.next == "both")
    assert step.worth.low is None
    assert rotting.cheapest is not None
    assert rotting.cheapest.rivals
    assert "is not resolved: 0 of at most 0.013 expected breaks" in rotting.sentence


def test_expectations_of_arms_that_were_not_chosen_are_not_judged() -> None:
    found = des.answer(SMALL, rounds=1, workers=1, arms=["both"])
    assert [(each.arm, each.result) for each in found.expectations] == [("both", "met"), ("one_only", "not judged")]
    assert found.expectations[1].reason == "the arm is not among those chosen"


def way(scenario: dict[str, Any]) -> tuple[bool, bool]:
    from des.estimate.availability import choose

    found = plans(from_mapping(scenario))
    chosen = chosen_way(found, [choose(plan) for plan in found.values()])
    return chosen.replications, bool(chosen.why_not_windows)


def test_windows_are_taken_where_replications_are_too_long_for_their_incidents() -> None:
    assert way(SMALL) == (True, False)
    assert way(BUSY) == (False, False)


def test_recorded_incidents_are_replicated_while_the_horizon_is_short() -> None:
    schedule = {"incidents": [{"kind": "schedule", "windows": [{"start": "10min", "duration": "5min"}]}]}
    providers = {"one": schedule | {"models": {"m": MODEL}}, "two": {"models": {"m": DEAR}}}
    assert way(BUSY | {"horizon": "1h", "providers": providers}) == (True, False)


def test_what_neither_covers_is_refused_by_name_and_shows_what_is_known() -> None:
    """Popular keys are remembered for a week, in which a million requests come."""
    cache = {"kind": "zipf", "keys": 1_000_000, "exponent": 1.0, "ttl": "7d"}
    scenario = BUSY | {"policy": {"response_cache": cache}, "arms": {}, "expect": {"availability": ">= 1%"}}
    found = des.answer(scenario, within="10s", workers=1)
    only = found.arms["as_modelled"]
    assert "cache" in only.refused
    assert only.figure("cost_usd_per_request") is None
    assert only.all_down is not None
    assert only.between is not None
    assert 5_000 < only.between.requests < 200_000
    assert [each.result for each in found.expectations] == ["not judged"]


def test_windows_answer_limits_and_objectives_together() -> None:
    found = answered(from_mapping(BUSY), Clock(600.0, 1), workers=1)
    both = found.arms["both"]
    assert both.basis.requests == BY_WINDOWS
    assert both.basis.segments
    drawn, figures = found.pictured["both"], (both.figure("cost_usd_per_request"), both.figure("latency_s_p95"))
    assert drawn.cost is not None
    assert drawn.latency is not None
    assert drawn.cost.mean == pytest.approx(figures[0].mean, rel=2e-3)  # type: ignore[union-attr]
    assert drawn.latency.quantile(0.95) == pytest.approx(figures[1].mean, rel=1e-9)  # type: ignore[union-attr]
    lost = both.lost
    assert lost is not None
    assert lost.low is not None
    assert lost.high is not None
    assert lost.low < 1e-4 < lost.high or lost.known == pytest.approx(1e-4, rel=1.0)
    assert both.objective is not None
