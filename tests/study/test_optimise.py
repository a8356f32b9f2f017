"""What a search finds, beside what it should; that it says why the rule loses; and what it refuses."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import des
from des.errors import DesError, OutputError, ScenarioError
from des.estimate.estimate import EXACT
from des.report.optimise_tables import optimised_text
from des.scenario import from_mapping
from des.scenario.schema.optimise import Optimise
from des.study.optimised import Optimised, front_of
from des.study.optimising.aim import read_aim
from des.study.optimising.reasons import DEADLINE, DEPENDENCE, REQUESTS
from des.study.optimising.screening import Figures, Task, Walker
from des.study.optimising.searching import MOST, promising, search
from des.study.optimising.selecting import finalists_of
from des.study.optimising.space import AS_WRITTEN, Candidate, space_of


def model(usd: float, **rest: Any) -> dict[str, Any]:
    latency = {"kind": "lognormal", "median": "1s", "p99": "4s"}
    return {"models": {"m": {"latency": latency, "price": {"per_request": usd}}}, **rest}


def peer(usd: float, availability: str = "99.5%", **rest: Any) -> dict[str, Any]:
    return model(usd, availability=availability, episodes_per_year=50, **rest)


def scenario(providers: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {
        "title": "A choice",
        "horizon": "30d",
        "seed": 4,
        "workload": {"arrivals": {"kind": "poisson", "rate": "10/h"}},
        "providers": providers,
        "chain": [{"provider": name, "timeout": "20s"} for name in providers],
        **rest,
    }


FOUR = scenario(
    {
        "a": peer(0.010, "99%"),
        "b": peer(0.012, "98%"),
        "c": peer(0.020, "99.9%"),
        "d": peer(0.030, "99.99%", models={"m": {"latency": "500ms", "price": {"per_request": 0.03}}}),
    }
)
BOUNDS = ["availability >= 99.99%", "latency_s_p95 <= 4s"]
SHARED = scenario(
    {
        "a": peer(0.010, depends_on=["cloud"]),
        "b": peer(0.011, depends_on=["cloud"]),
        "c": peer(0.020),
    },
    components={"cloud": {"incidents": [{"kind": "poisson", "rate": "20/y", "duration": "1h"}]}},
)


def names(found: Optimised) -> tuple[str, ...]:
    assert found.best is not None
    return found.best.chain


@pytest.fixture(scope="module")
def shared() -> Optimised:
    return des.optimise(SHARED, minimise="cost_usd_per_success", subject_to="availability >= 99.99%", most=2)


def test_a_beam_finds_what_trying_everything_finds() -> None:
    """Four legs have 64 chains; a beam that screens half of them finds the same."""
    loaded = from_mapping(FOUR)
    space = space_of(loaded, Optimise(), {}, None, None, None)
    aim = read_aim(loaded.scenario, Optimise(), space.whole(AS_WRITTEN), subject_to=BOUNDS)
    walker = Walker(space, 512)
    tried: set[Candidate] = set()

    def screen(candidates: Sequence[Candidate]) -> dict[Candidate, Figures | str]:
        tried.update(candidates)
        return dict(zip(candidates, walker(Task(0, tuple(candidates))), strict=True))

    best = []
    for most in (MOST, 12):
        tried.clear()
        found = search(space, aim, screen, most)
        best.append(finalists_of(space, found, aim, ())[0][0])
        assert found.complete == (len(tried) >= 64)
        assert found.space == 64
    assert best[0] == best[1]
    assert len(best[0].entries) > 1


def test_the_rule_is_the_first_candidate_and_loses_where_endpoints_share_something(shared: Optimised) -> None:
    assert [name for name, _ in shared.order] == ["a/m", "b/m", "c/m"]
    rule, beside = shared.rule, shared.rule_beside
    assert rule is not None
    assert beside is not None
    assert list(shared.screened.figures)[:2] == [Candidate(AS_WRITTEN, (0,)), Candidate(AS_WRITTEN, (0, 1))]
    assert shared.selected.finalists[0] == shared.rule_candidate
    assert rule.chain == ("a/m", "b/m")
    assert names(shared) == ("a/m", "c/m")
    assert not beside.is_best
    assert beside.misses == ("availability >= 99.99%",)
    assert beside.because == (DEPENDENCE,)


def test_the_table_of_the_front_breaks_no_name(shared: Optimised, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = ("google/gemini-2.5-flash", "anthropic/claude-sonnet-4-6")
    long = tuple(replace(choice, chain=chain) for choice in shared.front)
    monkeypatch.setitem(vars(shared), "front", long)  # a cached property
    lines = optimised_text(shared).splitlines()
    assert sum(line.rstrip().endswith("  google/gemini-2.5-flash >") for line in lines) == len(long)
    assert sum(line.strip() == "anthropic/claude-sonnet-4-6" for line in lines) == len(long)


def test_it_says_how_sure_the_best_is_and_what_the_search_takes_for_granted(shared: Optimised) -> None:
    text = " ".join(optimised_text(shared).split())
    assert "with 95 % confidence it is the best of the" in text
    assert "or within 1 % of the best, and misses no bound by 5 % of it or more (" in text
    assert "the search takes the answers of all entries to be as good as each other" in text


def test_a_chain_that_is_a_value_has_its_own_entries() -> None:
    found = des.optimise(
        SHARED, minimise="cost_usd_per_success", over={"chain": ["[{provider: a}]", "[{provider: b}, {provider: c}]"]}
    )
    assert names(found) == ("a/m",)
    assert set(found.table["chain"]) == {"a/m", "b/m > c/m", "a/m > b/m > c/m"}
    assert "chain=" not in optimised_text(found)


def test_an_exact_availability_is_taken_where_there_is_one(shared: Optimised) -> None:
    assert shared.best is not None
    assert shared.best.figures["availability"].estimator == EXACT
    assert shared.best.figures["availability"].low is None
    assert shared.selected.decided


def test_nothing_shared_makes_the_rule_the_best() -> None:
    found = des.optimise(SHARED, subject_to="availability >= 99.99%", most=2, overrides=["shared=0"])
    assert found.rule_beside is not None
    assert found.rule_beside.is_best
    assert names(found) == ("a/m", "b/m")


def test_the_rule_loses_where_a_deadline_leaves_no_time_for_a_fallback() -> None:
    hanging = model(0.01)
    hanging["models"]["m"]["errors"] = {"hang": "10%"}
    patient = scenario({"cheap": hanging, "dear": model(0.02)}, policy={"deadline": "20.5s"})
    found = des.optimise(patient, subject_to="availability >= 99%")
    assert names(found)[0] == "dear/m"
    assert found.rule_beside is not None
    assert found.rule_beside.because == (DEADLINE,)


def test_the_rule_loses_where_a_limit_refuses_what_the_screen_lets_pass() -> None:
    limited = model(0.01, limits={"requests": "20/min", "burst": 5})
    busy = scenario(
        {"cheap": limited, "dear": model(0.02)},
        horizon="20min",
        workload={"arrivals": {"kind": "poisson", "rate": "60/min"}},
    )
    found = des.optimise(busy, subject_to="availability >= 95%")
    assert found.selected.estimator == "request level"
    assert any("limit cheap" in reason for reason in found.selected.why_simulated)
    assert names(found) == ("cheap/m", "dear/m")
    assert found.rule is not None
    assert found.rule.chain == ("cheap/m",)
    assert found.rule_beside is not None
    assert found.rule_beside.because == (REQUESTS,)


def test_the_nearest_is_named_where_nothing_keeps_the_bounds() -> None:
    found = des.optimise(SHARED, subject_to="availability >= 99.9999999%", most=2)
    assert found.best is None
    assert found.nearest is not None
    assert found.nearest.misses == ("availability >= 99.9999999%",)
    least = min(found.selected.mean(each)["failure_share"] for each in found.selected.figures)
    assert found.nearest.figures["failure_share"].mean == pytest.approx(least)


def test_values_of_fields_vary_alone_and_with_the_chain() -> None:
    failing = model(0.01)
    failing["models"]["m"]["errors"] = {"server_error": "10%"}
    base = scenario({"a": failing, "b": peer(0.02)})
    alone = des.optimise(base, maximise="availability", over={"chain[0].retries": [0, 2], "policy.rounds": [1, 2]})
    assert alone.rule is None
    assert alone.screened.space == 4
    assert alone.best is not None
    assert alone.best.values == {"chain[0].retries": "2", "policy.rounds": "2"}
    both = des.optimise(base, maximise="availability", over=["policy.rounds=1:2:1"], legs=["a", "b"], least=2)
    assert both.screened.space == 4
    assert both.best is not None
    assert both.best.values == {"policy.rounds": "2"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"over": ["policy.deadline=1s,1500ms"]}, "candidates: give --over its values of policy.deadline"),
        ({"most": 1}, "candidates: have its chain allowed by --legs, --least and --most"),
    ],
)
def test_a_scenario_that_is_better_than_all_candidates_is_told(asked: dict[str, Any], said: str) -> None:
    found = des.optimise(FOUR | {"policy": {"deadline": "1min"}}, maximise="availability", **asked)
    assert found.written_is_better
    assert found.as_json()["written_is_better"]
    assert said in " ".join(optimised_text(found).split())


def test_a_scenario_that_is_a_candidate_is_no_better_than_the_best(shared: Optimised) -> None:
    assert not shared.written_is_better
    assert "written_is_better" not in shared.as_json()


def test_the_scenario_says_what_is_looked_for_and_options_take_its_place() -> None:
    said = SHARED | {
        "optimise": {
            "minimise": "cost_usd_per_request",
            "subject_to": {"latency_s_p95": "<= 10s"},
            "legs": {"among": ["a", "c"], "most": 1},
        }
    }
    found = des.optimise(said)
    assert found.aim.words == "minimise cost_usd_per_request subject to latency_s_p95 <= 10s"
    assert found.screened.space == 2
    assert names(found) == ("a/m",)
    other = des.optimise(said, maximise="availability", legs=["c"], subject_to={"latency_s_p95": "<= 9s"})
    assert other.aim.words.startswith("maximise availability subject to latency_s_p95 <= 10s, latency_s_p95 <= 9s")
    assert names(other) == ("c/m",)


def test_a_total_cost_weighs_what_failing_costs() -> None:
    dear_failures, cheap_failures = (
        des.optimise(SHARED | {"value": {"lost_request": usd}}, most=2) for usd in ("$100", "$0.0001")
    )
    assert dear_failures.aim.metric == "total_cost"
    assert len(names(dear_failures)) == 2
    assert names(cheap_failures) == ("a/m",)
    best = dear_failures.best
    assert best is not None
    lost, cost = best.figures["failure_share"].known, best.figures["cost_usd_per_request"].known
    assert best.aimed.known == pytest.approx(87_600 * (cost + 100 * lost), rel=1e-6)


def test_an_arm_can_be_started_from() -> None:
    arms = SHARED | {"arms": {"as_modelled": {}, "apart": {"shared": 0}}}
    found = des.optimise(arms, subject_to="availability >= 99.99%", most=2, arm="apart")
    assert names(found) == ("a/m", "b/m")
    with pytest.raises(ScenarioError, match="did you mean 'apart'"):
        des.optimise(arms, arm="apartt")


def test_results_are_the_same_for_any_number_of_workers(shared: Optimised, tmp_path: Path) -> None:
    again = des.optimise(
        SHARED,
        minimise="cost_usd_per_success",
        subject_to="availability >= 99.99%",
        most=2,
        workers=2,
        out=tmp_path / "found",
    )
    assert again.as_json() == shared.as_json()
    assert json.loads((tmp_path / "found" / "optimise.json").read_text()) == shared.as_json()
    rows = (tmp_path / "found" / "candidates.csv").read_text().splitlines()
    assert len(rows) == 1 + len(shared.screened.figures)
    with pytest.raises(OutputError):
        des.optimise(SHARED, out=tmp_path / "found")


def test_on_the_front_nothing_is_both_cheaper_and_more_available(shared: Optimised) -> None:
    points = [
        (each.figures["cost_usd_per_success"].known, -each.figures["failure_share"].known) for each in shared.front
    ]
    assert points == sorted(points)
    assert len({cost for cost, _ in points}) == len(points) >= 2
    of = {Candidate(0, (number,)): {"cost_usd_per_success": c, "failure_share": f} for number, (c, f) in
          enumerate([(1.0, 0.3), (2.0, 0.3), (2.0, 0.1), (3.0, 0.2), (4.0, 0.0)])}  # fmt: skip
    assert [candidate.entries for candidate in front_of(of)] == [(0,), (2,), (4,)]


def test_a_beam_keeps_what_nothing_else_beats_first(shared: Optimised) -> None:
    of = shared.screened.figures
    kept = promising(dict(of), shared.aim, len(of))
    assert sorted(kept) == sorted(of)
    least = min(of, key=lambda each: (shared.aim.of(of[each]), each))
    assert kept[0] == least


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"minimise": "cost_usd_per_sucess"}, "did you mean 'cost_usd_per_success'"),
        ({"minimise": "availability"}, "write maximise: availability"),
        ({"maximise": "latency_s_p95"}, "write minimise: latency_s_p95"),
        ({"minimise": "total_cost"}, "give value"),
        ({"minimise": "latency_s_p95", "maximise": "availability"}, "two aims"),
        ({"subject_to": "availability"}, "expected a comparison"),
        ({"subject_to": "availability >= many"}, "availability >= many"),
        ({"subject_to": "nines >= 3"}, "unknown metric 'nines'; did you mean 'availability'"),
        ({"legs": ["a", "z"]}, "unknown entry of the chain 'z'"),
        ({"legs": []}, "no entry"),
        ({"most": 1, "least": 2}, "no chain"),
        ({"over": {"policy.roundz": [1]}}, "policy.roundz"),
        ({"over": {"policy.rounds": [1, -2]}}, "policy.rounds=-2"),
        ({"over": {"policy.rounds": []}}, "policy.rounds"),
        (
            {"over": {"policy.rounds": list(range(1, 102)), "policy.deadline": [f"{n}s" for n in range(1, 101)]}},
            "10,100",
        ),
        ({"replications": 0}, "at least 1"),
    ],
)
def test_what_cannot_be_looked_for_is_refused_before_anything_is_drawn(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(DesError) as refused:
        des.optimise(SHARED, **asked)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({"minimise": "costs"}, "optimise.minimise"),
        ({"minimise": "total_cost"}, "optimise.minimise"),
        ({"minimise": "latency_s_p95", "maximise": "availability"}, "optimise.maximise"),
        ({"subject_to": {"availabilty": ">= 99%"}}, "optimise.subject_to.availabilty"),
        ({"subject_to": {"availability": ">= many"}}, "optimise.subject_to.availability"),
        ({"legs": {"among": ["a", "z"]}}, "optimise.legs.among[1]"),
        ({"legs": {"least": 3, "most": 2}}, "optimise.legs.least"),
        ({"over": {"policy.rounds": []}}, "optimise.over"),
        ({"indifference": 0}, "optimise.indifference"),
    ],
)
def test_a_wrong_field_is_reported_at_its_path(said: dict[str, Any], path: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        des.optimise(SHARED | {"optimise": said})
    assert any(problem.path.startswith(path) for problem in refused.value.problems)
