"""The shipped scenarios: each is a whole file with its question first, runs by the command, and answers sensibly."""

import json
import math
import os
from functools import cache
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest

from des.distributions import Lognormal
from des.engine.marks import RequestMarks
from des.estimate.exact import ExactAnswer, exact
from des.scenario import load_scenario, plans
from des.scenario.plan import Plan, PoissonIncidents
from des.scenario.text.strict_yaml import read_yaml
from tests.command import des
from tests.guard.shipped import REPLAYED, SCENARIOS, SEEDS, SHORTENED, lacks_data, path_of
from tests.guard.tables import digests_of_run
from tests.guard.write import compared, written
from tests.scenarios.shipped import SCHEMA, Answer, four_errors, mean, of_arm


@cache
def arms_of(name: str) -> dict[str, Plan]:
    return plans(load_scenario(path_of(name)))


def exactly(name: str, arm: str) -> ExactAnswer:
    return exact(arms_of(name)[arm])


def against_chance(name: str, arm: str) -> float:
    """How many times as often everybody is down together as chance would have it."""
    answer = exactly(name, arm)
    return answer.all_down / math.prod(endpoint.unavailability for endpoint in answer.endpoints)


def minutes_a_year(name: str, arm: str) -> float:
    """With every leg down."""
    return exactly(name, arm).all_down * 365.0 * 1440.0


def test_these_scenarios_are_shipped() -> None:
    assert {path.name for path in SCENARIOS.iterdir()} == {f"{name}.yaml" for name in SHORTENED}


@pytest.mark.parametrize("name", SHORTENED)
def test_it_points_the_editor_to_the_schema_and_opens_with_its_question(name: str) -> None:
    text = path_of(name).read_text(encoding="utf-8")
    assert text.splitlines()[0] == "# yaml-language-server: $schema=../des.schema.json"
    content, _, _ = read_yaml(text)
    assert list(content)[:2] == ["title", "question"]
    assert content["title"].strip()
    assert content["question"].strip().endswith("?")


@pytest.mark.parametrize("name", SHORTENED)
def test_it_is_valid_by_the_schema_that_its_first_line_names(name: str) -> None:
    content, _, _ = read_yaml(path_of(name).read_text(encoding="utf-8"))
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert not list(jsonschema.Draft202012Validator(schema).iter_errors(content))


def test_the_schema_file_is_what_the_command_prints() -> None:
    printed = des("schema").stdout
    assert SCHEMA.read_text(encoding="utf-8") == printed, "des schema > des.schema.json brings it up to date"


def test_they_validate() -> None:
    files = [str(path_of(name)) for name in SHORTENED if not lacks_data(REPLAYED.get(name, ()))]
    done = des("validate", *files)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": ok") == len(files)


@pytest.mark.parametrize("name", REPLAYED)
def test_a_replay_without_its_files_says_what_is_missing(name: str, tmp_path: Path) -> None:
    for environment in ({}, {"DES_DATA": str(tmp_path)}):
        done = des("run", path_of(name), folder=tmp_path, env=environment, without=["DES_DATA"])
        assert done.returncode == 2
        assert "DES_DATA" in done.stderr or str(tmp_path) in done.stderr
        assert all(Path(file).name in done.stderr for file in REPLAYED[name])
        assert "Traceback" not in done.stderr
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", SHORTENED)
def test_it_runs_and_leaves_a_whole_run(name: str, answer: Answer) -> None:
    run = answer(name)
    run.verify()
    for arm in run.manifest["arms"]:
        outcomes = of_arm("requests", run, arm, ["outcome"])["outcome"].value_counts()
        assert outcomes.sum() == mean(run, arm, "requests") > 0
        ended = outcomes.sum() - outcomes.get("in_flight", 0)
        assert outcomes["ok"] / ended == pytest.approx(mean(run, arm, "availability"))


@pytest.mark.parametrize("name", SHORTENED)
def test_it_leaves_the_traces_that_the_guard_has_written_down(name: str, answer: Answer) -> None:
    run = answer(name)
    assert compared(f"shipped {name} seed {SEEDS[0]}", written(), digests_of_run(run.path, run.summary)) == []


def test_most_images_cost_exactly_one_attempt(answer: Answer) -> None:
    cost = of_arm("requests", answer("image_chain"), "as_modelled", ["cost_usd"])["cost_usd"]
    assert abs((cost == 0.04).mean() - 0.97) < four_errors(0.97, len(cost))
    assert abs(cost.mean() - 0.04099664) < 4.0 * cost.std() / math.sqrt(len(cost))


def test_the_cache_leaves_a_fifth_of_the_bill(answer: Answer) -> None:
    requests = of_arm("requests", answer("image_chain_cached"), "as_modelled", ["cost_usd", "response_cache_hit"])
    hit, cost = requests["response_cache_hit"], requests["cost_usd"]
    assert abs(hit.mean() - 0.8) < four_errors(0.8, len(hit))
    assert (cost[hit] == 0.0).all()
    assert abs(cost.mean() - 0.04099664 / 5.0) < 4.0 * cost.std() / math.sqrt(len(cost))


def test_popular_prompts_are_answered_from_the_cache(answer: Answer) -> None:
    hits = of_arm("requests", answer("image_chain_cached"), "popular_prompts", ["response_cache_hit"])
    assert 0.05 < hits["response_cache_hit"].mean() < 0.95


def test_the_calculator_succeeds_with_0677(answer: Answer) -> None:
    run = answer("published_calculator")
    assert abs(mean(run, "as_modelled", "availability") - 0.677) < four_errors(0.677, 10_000)
    latency_s = of_arm("requests", run, "as_modelled", ["latency_s"])["latency_s"]
    assert latency_s.max() <= 1.0 + 1e-9


def test_a_second_stage_serves_what_the_first_one_loses(answer: Answer) -> None:
    run = answer("two_stage")
    both, first = (of_arm("requests", run, arm).set_index("request_id") for arm in ("as_modelled", "primary_only"))
    assert (both.sort_index()["arrival_s"] == first.sort_index()["arrival_s"]).all()  # arms share arrivals
    assert mean(run, "as_modelled", "availability") > mean(run, "primary_only", "availability")
    lost = first.index[first["outcome"] != "ok"]
    assert (both.loc[lost, "provider"] == "openai").mean() > 0.9


def test_only_the_shared_cloud_reaches_all_three_at_once(answer: Answer) -> None:
    run = answer("three_stage")
    assert not of_arm("incidents", run, "as_modelled")["shared"].any()
    shared = of_arm("incidents", run, "shared_cloud").query("shared")
    assert set(shared["component"]) == {"cloud"}
    assert all(len(endpoints) == 3 for endpoints in shared["endpoints"])
    assert mean(run, "as_modelled", "availability") >= mean(run, "shared_cloud", "availability")


def test_retries_mend_random_errors_and_no_outages(answer: Answer) -> None:
    arms = answer("single_provider").summary["arms"]
    lost = {arm: {cause: lost["mean"] for cause, lost in arms[arm]["lost_by_cause"].items()} for arm in arms}
    assert lost["no_retries"]["random_error"] > 50 * lost["as_modelled"]["random_error"]
    assert lost["as_modelled"]["openai"] > 0.8 * lost["no_retries"]["openai"] > 0
    assert lost["patient"]["openai"] < lost["as_modelled"]["openai"]


def test_the_fallback_fires_when_the_bound_on_the_call_does(answer: Answer) -> None:
    run = answer("hang_without_timeout", "start=2025-03-08T12:00Z", "horizon=4h")
    hung = of_arm("requests", run, "no_timeout").query("error_type == 'hang'")
    assert len(hung) >= 30  # one a minute in 40 minutes
    assert hung[["end_s", "latency_s"]].isna().all(axis=None)
    for arm, bound_s in (("ten_minutes", 600.0), ("thirty_seconds", 30.0), ("first_token_5s", 5.0)):
        requests = of_arm("requests", run, arm).set_index("request_id")
        caught = requests.loc[hung["request_id"]]
        assert (caught["provider"].dropna() == "openai").all()
        assert (caught["outcome"] == "ok").mean() > 0.9
        assert (caught["latency_s"] >= bound_s).all()
        assert (caught["latency_s"] < bound_s + 60.0).all()
    ended = of_arm("requests", run, "deadline_only").set_index("request_id").loc[hung["request_id"]]
    assert set(ended["outcome"]) == {"deadline"}
    assert np.allclose(ended["latency_s"], 30.0)


def test_batches_are_counted_by_what_their_calls_met(answer: Answer) -> None:
    run = answer("four_hourly_batch")
    for arm in run.manifest["arms"]:
        requests, attempts = of_arm("requests", run, arm), of_arm("attempts", run, arm)
        requests["batch"] = requests["request_id"] // 20
        assert (requests.groupby("batch")["arrival_s"].nunique() == 1).all()
        assert (np.sort(requests["arrival_s"].unique()) == 1800.0 + 14400.0 * np.arange(180)).all()
        done_s = requests.groupby("batch")["latency_s"].max()
        hit = (attempts.loc[attempts["cause"] == "incident", "request_id"] // 20).nunique()
        assert mean(run, arm, "batches") == 180  # of 30 days
        assert mean(run, arm, "batches_hit_by_incident") == hit > 0
        assert mean(run, arm, "batch_lateness_s_mean") == pytest.approx(done_s.mean(), abs=1e-6)
    assert mean(run, "hasty", "availability") <= mean(run, "as_modelled", "availability")


def test_the_later_legs_of_forty_are_hardly_ever_called(answer: Answer) -> None:
    run = answer("forty_providers")
    called = of_arm("attempts", run, "as_modelled", ["chain_position"])["chain_position"]
    assert len(run.summary["arms"]["as_modelled"]["served_share"]) == 40
    assert (called == 0).mean() > 0.9
    assert mean(run, "one_of_each_cloud", "availability") >= mean(run, "first_three", "availability")


def test_no_restricted_request_is_ever_sent_out_of_the_eu(answer: Answer) -> None:
    run = answer("eu_only")
    plan = plans(load_scenario(path_of("eu_only"), SHORTENED["eu_only"]))["as_modelled"]
    marks = RequestMarks(plan, 0)
    for arm in ("as_modelled", "second_eu_leg"):
        calls = of_arm("attempts", run, arm, ["request_id", "provider"])
        restricted = calls["request_id"].map(lambda number: marks(number)[3] == 0)
        in_the_eu = calls["provider"].astype(str).str.endswith("_eu")
        assert in_the_eu[restricted].all()
        assert not in_the_eu[~restricted].all()
        requests = int(mean(run, arm, "requests"))
        share = sum(marks(number)[3] == 0 for number in range(requests)) / requests
        assert abs(share - 0.4) < four_errors(0.4, requests)
    for arm in ("all_in_the_eu", "second_eu_leg_all_in_the_eu"):
        assert set(of_arm("attempts", run, arm, ["provider"])["provider"]) <= {"anthropic_eu", "openai_eu"}


def test_overheads_rise_with_stages_and_roughness_into_the_reported_bands(answer: Answer) -> None:
    run = answer("cost_overhead")
    listed = mean(run, "list_price", "cost_usd_per_success")
    overhead = {arm: mean(run, arm, "cost_usd_per_success") / listed - 1.0 for arm in run.manifest["arms"]}
    assert -0.02 < overhead["calm_two"] < 0.03
    assert 0.03 < overhead["busy_two"] < overhead["busy_three"] < 0.1
    assert 0.05 < overhead["busy_three"] < overhead["rough_two"] < 0.2
    assert 0.1 < overhead["cut_off_free"] < overhead["rough_three"] < overhead["cut_off_in_full"] < 0.4


def test_checks_find_a_rotten_fallback_on_their_day(answer: Answer) -> None:
    run = answer("silent_rot")
    assert not (of_arm("attempts", run, "no_checks", ["kind"])["kind"] == "probe").any()
    probes = of_arm("attempts", run, "monthly_checks").query("kind == 'probe'")
    assert list(probes["start_s"]) == [30 * 86400.0 * n for n in range(1, 13)]  # of 365 days
    assert (probes["outcome"] != "ok").any()
    turns = of_arm("transitions", run, "monthly_checks").query("kind == 'leg'")
    assert set(turns["to"]) == {"broken", "in_repair", "working"}
    assert mean(run, "no_rot", "availability") >= mean(run, "weekly_checks", "availability")
    assert run.summary["arms"]["no_rot"]["lost_by_cause"]["silent_rot"]["mean"] == 0


def test_the_replay_replays_what_the_files_hold(answer: Answer) -> None:
    run = answer("status_page_replay")
    data = Path(os.environ["DES_DATA"])
    recorded = pd.read_csv(data / "incidents/status_page_incidents.csv", parse_dates=["started_at", "resolved_at"])
    first_days = recorded.query(
        "service == 'api' and provider in ('openai', 'anthropic') and resolved_at > started_at"
        " and started_at < '2024-01-21T00:00Z' and resolved_at > '2024-01-01T00:00Z'"
    )
    longer = answer("status_page_replay", "horizon=20d", "workload.arrivals={kind: poisson, rate: 1/d}")
    incidents = of_arm("incidents", longer, "as_modelled").query("start_s < 20 * 86400")
    starts_s = (first_days["started_at"] - pd.Timestamp("2024-01-01T00:00Z")).dt.total_seconds()
    assert sorted(incidents["start_s"]) == sorted(starts_s)
    conversation = pd.read_csv(data / "workloads/AzureLLMInferenceTrace_conv.csv")
    requests = of_arm("requests", run, "as_modelled").sort_values("request_id").head(len(conversation))
    assert (requests["input_tokens"].to_numpy() == conversation["ContextTokens"].to_numpy()).all()
    assert requests["arrival_s"].iloc[-1] == pytest.approx(100 * 3501.721937, abs=1e-3)


def test_fitted_incidents_come_as_often_as_the_fit_says(answer: Answer) -> None:
    incidents = of_arm("incidents", answer("history_fitted"), "as_modelled").query("0 <= start_s < 180 * 86400")
    counts = incidents["component"].value_counts()
    for component, shape, scale_d in (("openai", 0.749, 3.086), ("anthropic", 0.813, 2.392)):
        expected = 180.0 / (scale_d * math.gamma(1.0 + 1.0 / shape))
        cv = math.sqrt(math.gamma(1.0 + 2.0 / shape) / math.gamma(1.0 + 1.0 / shape) ** 2 - 1.0)
        assert abs(counts[component] - expected) < 4.0 * cv * math.sqrt(expected)
    assert set(incidents["error_rate"]) == {0.11}


def test_a_tenth_through_the_cdn_is_a_hundredfold_and_a_hundredth_elevenfold() -> None:
    arms = ("as_modelled", "independent", "one_in_a_hundred")
    shared, independent, hundredth = (exactly("shared_cdn", arm) for arm in arms)
    for endpoint in (*shared.endpoints, *independent.endpoints, *hundredth.endpoints):
        assert endpoint.unavailability == pytest.approx(0.001, rel=1e-9)
        assert endpoint.episodes_per_year == pytest.approx(12.0, rel=1e-9)
        assert endpoint.mean_duration_s == pytest.approx(43.8 * 60.0, rel=1e-6)
    assert independent.all_down == pytest.approx(1e-6, rel=1e-9)
    assert shared.all_down == pytest.approx(1.007e-4, rel=1e-3)
    assert hundredth.all_down == pytest.approx(11e-6, rel=0.01)
    assert hundredth.k_eff == pytest.approx(1.65, abs=0.01)


def test_the_cdn_and_the_providers_have_outages_of_one_distribution() -> None:
    classes = [each for part in arms_of("shared_cdn")["as_modelled"].components for each in part.incidents]
    assert len(classes) == 3
    for incidents in classes:
        assert isinstance(incidents, PoissonIncidents)
        assert isinstance(incidents.duration, Lognormal)
        assert incidents.duration.mean == pytest.approx(43.8 * 60.0, rel=1e-3)
        assert incidents.duration.sigma == pytest.approx(1.3)


def test_two_models_of_a_provider_fail_together_as_often_as_its_services_did() -> None:
    name = "same_provider_fallback"
    assert against_chance(name, "as_modelled") == pytest.approx(19.46, rel=0.01)
    assert against_chance(name, "inside_openai") == pytest.approx(7.60, rel=0.01)
    assert against_chance(name, "other_provider") == pytest.approx(1.0)
    open_share = {end.name: end.unavailability for end in exactly(name, "as_modelled").endpoints}
    assert list(open_share.values()) == pytest.approx([0.0378, 0.0305], rel=1e-3)
    open_share = {end.name: end.unavailability for end in exactly(name, "inside_openai").endpoints}
    assert list(open_share.values()) == pytest.approx([0.0217, 0.0485], rel=2e-3)
    lost = [1.0 - (exactly(name, arm).availability or 0.0) for arm in ("brownouts", "brownouts_apart")]
    assert lost[0] / lost[1] == pytest.approx(19.46, rel=0.02)  # by whichever reading


def test_minutes_with_every_leg_down_are_as_the_scenarios_say() -> None:
    said = {
        ("common_cause_sweep", "none_in_common"): 13.14,
        ("common_cause_sweep", "one_percent"): 39.2,
        ("common_cause_sweep", "five_percent"): 144,
        ("common_cause_sweep", "as_modelled"): 274,
        ("common_cause_sweep", "thirty_percent"): 796,
        ("common_cause_sweep", "all_in_common"): 2628,
        ("aws_region", "as_modelled"): 300,
        ("aws_region", "independent"): 4.7,
        ("aws_region", "two_regions"): 34.2,
        ("aws_region", "two_clouds"): 49,
        ("aws_region", "two_regions_and_openai"): 4.7,
        ("three_stage_correlated", "as_modelled"): 7.5,
        ("three_stage_correlated", "independent"): 2.744e-9 * 365 * 1440,
        ("three_stage_correlated", "two_stages"): 28,
        ("price_of_downtime", "one_stage"): 43_800 * 0.06,  # 1,000 dollars an hour
        ("price_of_downtime", "two_stages"): 2_011 * 0.06,
        ("price_of_downtime", "as_modelled"): 10 * 0.06,
        ("price_of_downtime", "three_behind_the_cdn"): 1_811 * 0.06,
    }
    assert {key: minutes_a_year(*key) for key in said} == pytest.approx(said, rel=0.01)


@pytest.mark.parametrize("name", ["shared_cdn", "aws_region", "common_cause_sweep", "three_stage_correlated"])
def test_its_arms_differ_in_what_is_shared_alone(name: str) -> None:
    arms = list(arms_of(name))
    known = {end.name: end for arm in arms for end in exactly(name, arm).endpoints}
    for arm in arms:
        for endpoint in exactly(name, arm).endpoints:
            assert endpoint.unavailability == pytest.approx(known[endpoint.name].unavailability)
            assert endpoint.episodes_per_year == pytest.approx(known[endpoint.name].episodes_per_year)


def test_the_crowd_is_met_at_the_fallback_while_the_primary_is_down(answer: Answer) -> None:
    run = answer("market_failover_surge", "horizon=3y", "arms.third_stage=null")
    attempts = of_arm("attempts", run, "as_modelled")
    in_outages = attempts.query("provider == 'anthropic' and cause == 'incident'")["request_id"]
    others = attempts.query("provider == 'openai' and cause != 'incident'")
    met = others.loc[others["request_id"].isin(in_outages), "outcome"]
    assert len(met) > 20
    assert abs((met == "overloaded").mean() - 0.4 / 1.4) < four_errors(0.4 / 1.4, len(met))
    alone = of_arm("attempts", run, "nobody_else").query("provider == 'openai'")
    assert not (alone["outcome"] == "overloaded").any()
    lost = [1.0 - mean(run, arm, "availability") for arm in ("patient", "as_modelled", "run_on_the_fallback")]
    assert lost == sorted(lost)
    assert run.summary["arms"]["as_modelled"]["lost_by_cause"]["overload"]["mean"] > 0


def test_the_named_shocks_come_when_and_where_they_came(answer: Answer) -> None:
    run = answer("named_shocks_replay")
    recorded = pd.read_csv(
        Path(os.environ["DES_DATA"]) / "incidents/shared_infrastructure_shocks.csv",
        parse_dates=["started_at", "resolved_at"],
    )
    played = of_arm("incidents", run, "as_modelled").query("kind == 'replay'")
    begin = pd.Timestamp("2024-12-01T00:00Z")
    assert sorted(played["start_s"]) == sorted((recorded["started_at"] - begin).dt.total_seconds())
    assert sorted(played["end_s"]) == sorted((recorded["resolved_at"] - begin).dt.total_seconds())
    assert set(played.loc[played["shared"], "component"]) == {"google_cloud", "cloudflare"}
    assert (
        of_arm("incidents", run, "ordinary_year").query("kind == 'replay' and component == 'openai'")["error_rate"] == 0
    ).all()
    apart = of_arm("incidents", run, "independent").query("component == 'cloudflare'")
    assert len(apart) == 2
    assert not apart["shared"].any()
