"""Rules that users write: each does what it says in a run, in any process."""

import linecache
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import des
from des.compiled.supported import reasons_against
from des.scenario.extensions import own_classes
from des.scenario.loading import load_scenario
from des.scenario.resolution.plans import plans
from tests.engine.own_classes.own_scenario import own, scenario
from tests.patience import PATIENCE_S


def waits(attempts: pd.DataFrame) -> list[float]:
    """Seconds from the end of each failed attempt to the next attempt of its request."""
    found: list[float] = []
    for _, each in attempts.groupby("request_id"):
        found += (each["start_s"].to_numpy()[1:] - each["end_s"].to_numpy()[:-1]).tolist()
    return found


def test_a_back_off_waits_as_it_says_and_is_told_the_outcome(folder: Path, tmp_path: Path) -> None:
    rule = {"kind": "more_rules:Told", "at_most": "5s"}
    run = des.run(scenario(folder, policy={"retry_backoff": rule}), out=tmp_path / "run")
    assert sorted({round(wait, 6) for wait in waits(run.attempts)}) == [7.0, 8.0]


def test_an_infinite_wait_ends_the_retries(folder: Path, tmp_path: Path) -> None:
    refusing = {"requests": "6/min", "burst": 1}
    rule = {"kind": "more_rules:Told", "at_most": "5s"}
    changes = {"policy": {"retry_backoff": rule}, "providers__a__limits": refusing}
    run = des.run(scenario(folder, **changes), out=tmp_path / "run")
    attempts = run.attempts
    refused = attempts[attempts["outcome"] == "rate_limited"]
    last = attempts.groupby("request_id")["attempt"].max()
    assert len(refused) > 100
    assert (refused["attempt"].to_numpy() == last.loc[refused["request_id"]].to_numpy()).all()


def test_a_routing_picks_the_leg(folder: Path, tmp_path: Path) -> None:
    legs = [{"provider": "a", "name": "one"}, {"provider": "a", "name": "two"}]
    group = {"group": "both", "legs": legs, "routing": {"kind": "more_rules:Second"}}
    run = des.run(scenario(folder, chain=[group]), out=tmp_path / "run")
    assert set(run.attempts["leg"]) == {"two"}


def test_a_limiter_lets_through_what_it_says(folder: Path, tmp_path: Path) -> None:
    limits = {"requests": "6/min", "algorithm": {"kind": "my_rules:Leaky", "size": 2}}
    run = des.run(scenario(folder, providers__a__limits=limits, chain=[{"provider": "a"}]), out=tmp_path / "run")
    attempts = run.attempts
    admitted = attempts.loc[attempts["outcome"] != "rate_limited", "start_s"].to_numpy()
    refused = attempts[attempts["outcome"] == "rate_limited"]
    for start_s in admitted:
        assert ((admitted >= start_s) & (admitted < start_s + 60.0)).sum() <= 2 + 6
    assert refused["retry_after_s"].between(0.0, 20.0).all()
    assert len(refused) > 100


def test_a_breaker_keeps_calls_away_and_its_changes_are_traced(folder: Path, tmp_path: Path) -> None:
    rule = {"kind": "my_rules:Patient", "pause": "30s"}
    run = des.run(scenario(folder, policy={"breaker": rule}, chain=[{"provider": "a"}]), out=tmp_path / "run")
    failed = run.attempts.loc[run.attempts["outcome"] != "ok", "start_s"].to_numpy()
    assert len(failed) < 8
    assert np.diff(failed)[1:].min() >= 30.0  # the first two may be under way at once
    changes = run.transitions[run.transitions["kind"] == "breaker"]
    assert set(changes["to"]) == {"open", "closed"}


def test_a_breaker_learns_nothing_of_a_call_that_the_client_gave_up(folder: Path, tmp_path: Path) -> None:
    """Its user's deadline says nothing about a leg; a timeout of the leg's own does."""
    slow = {"providers__a__models__m__latency": "3s", "providers__a__incidents": [], "chain": [{"provider": "a"}]}
    late = scenario(folder, policy={"breaker": own("Strict"), "deadline": "2s"}, **slow)
    calls = des.run(late, out=tmp_path / "late").attempts
    assert set(calls["outcome"]) == {"cancelled"}
    assert len(calls) > 100
    timed_out = scenario(folder, policy={"breaker": own("Strict")}, **slow).with_(**{"chain[0].timeout": "2s"})
    calls = des.run(timed_out, out=tmp_path / "timed_out").attempts
    assert set(calls["outcome"]) == {"timeout"}
    assert len(calls) < 10


def test_a_distribution_draws_its_quantiles(folder: Path, tmp_path: Path) -> None:
    latency = {"kind": "more_rules:Every", "low": "2s"}
    run = des.run(scenario(folder, providers__a__models__m__latency=latency, horizon="3h"), out=tmp_path / "run")
    taken = run.attempts.loc[run.attempts["outcome"] == "ok", "duration_s"]
    assert taken.between(2.0, 3.0).all()
    assert abs(taken.mean() - 2.5) < 4.0 * (1.0 / 12.0 / len(taken)) ** 0.5


def test_arrivals_follow_their_class_and_a_longer_run_only_appends(folder: Path, tmp_path: Path) -> None:
    arrivals = {"kind": "my_rules:Tide", "mean": "2/min"}
    short = des.run(scenario(folder, workload={"arrivals": arrivals}, horizon="12h"), out=tmp_path / "short")
    long = des.run(scenario(folder, workload={"arrivals": arrivals}, horizon="18h"), out=tmp_path / "long")
    times = np.sort(short.requests["arrival_s"].to_numpy())
    assert (np.sort(long.requests["arrival_s"].to_numpy())[: len(times)] == times).all()
    first, second = (times < 21_600.0).sum(), (times >= 21_600.0).sum()
    expected = 720.0 * (1.0 + 2.0 / np.pi), 720.0 * (1.0 - 2.0 / np.pi)
    assert abs(first - expected[0]) < 4.0 * expected[0] ** 0.5
    assert abs(second - expected[1]) < 4.0 * expected[1] ** 0.5


def test_incidents_come_when_their_class_says_and_a_twin_has_its_own(folder: Path, tmp_path: Path) -> None:
    content = scenario(folder).to_dict()
    content["components"] = {"cdn": {"incidents": [{"kind": "my_rules:Deployments", "lasts": "10min"}]}}
    content["providers"]["b"] = {"depends_on": ["cdn"], "models": {"m": {"latency": "1s", "price": {"per_request": 0}}}}
    content["providers"]["a"] |= {"depends_on": ["cdn"], "incidents": []}
    content["chain"] = [{"provider": "a"}, {"provider": "b"}]
    content["horizon"] = "3d"
    content["arms"] = {"as_modelled": {}, "apart": {"shared": 0}}
    run = des.run(des.Scenario.from_dict(content, folder=folder), out=tmp_path / "run")
    incidents = run.incidents
    together = incidents[incidents["arm"] == "as_modelled"]
    apart = incidents[incidents["arm"] == "apart"]
    assert len(together) == 3
    assert len(apart) == 6
    assert np.allclose(together["end_s"] - together["start_s"], 600.0)
    assert (together["start_s"] // 86_400.0).tolist() == [0.0, 1.0, 2.0]
    assert len(set(apart["start_s"])) == 6


def traces(run: Path) -> Mapping[str, bytes]:
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in sorted(run.rglob("*.parquet"))}


def test_traces_are_the_same_in_this_process_and_in_workers(folder: Path, tmp_path: Path) -> None:
    made = load_scenario(folder / "all_of_them.yaml", ["horizon=6h"])
    content = made.document.content
    one = des.run(des.Scenario.from_dict(content, folder), out=tmp_path / "one", replications=2, workers=1)
    two = des.run(des.Scenario.from_dict(content, folder), out=tmp_path / "two", replications=2, workers=2)
    assert one.path != two.path
    assert traces(tmp_path / "one") == traces(tmp_path / "two")


def test_incidents_that_never_stop_are_read_to_the_horizon(folder: Path, tmp_path: Path) -> None:
    run = des.run(scenario(folder, providers__a__incidents=[own("Endless")]), out=tmp_path / "run")
    assert len(run.incidents) == 7  # from 0 to 1h: the last requests end after the horizon


def test_a_registered_class_is_recorded_by_its_module(folder: Path) -> None:
    scenario(folder, policy={"retry_backoff": {"kind": "more_rules:Told", "at_most": "5s"}})
    import more_rules  # type: ignore[import-not-found]  # made importable by the scenario beside it

    des.register("as_told", more_rules.Told)
    made = scenario(folder, policy={"retry_backoff": {"kind": "as_told", "at_most": "5s"}})
    assert made.to_dict()["policy"]["retry_backoff"]["kind"] == "more_rules:Told"
    assert own_classes(plans(made.loaded)["as_modelled"]) == ("more_rules:Told",)
    with pytest.raises(ValueError, match="a kind that scenarios have already"):
        des.register("exponential", more_rules.Told)
    with pytest.raises(ValueError, match="a short name has lower-case letters"):
        des.register("Told", more_rules.Told)
    with pytest.raises(ValueError, match="derives from no class"):
        des.register("told", dict)  # type: ignore[arg-type]


def test_the_key_of_a_run_changes_with_the_source(folder: Path, tmp_path: Path) -> None:
    module = tmp_path / "changing_rule.py"
    source = "import des.extend\n\n\nclass One(des.extend.Backoff):\n    def wait_s(self, retry):\n        return 1.0\n"
    module.write_text(source, encoding="utf-8")
    content = {**scenario(folder).to_dict(), "policy": {"retry_backoff": {"kind": "changing_rule:One"}}}
    before = des.Scenario.from_dict(content, tmp_path).loaded.files()
    module.write_text(source.replace("1.0", "2.0"), encoding="utf-8")
    after = des.Scenario.from_dict(content, tmp_path).loaded.files()
    assert before.keys() == after.keys() == {"changing_rule:One"}
    assert before != after


@pytest.mark.parametrize(
    ("path", "value", "name"),
    [
        ("policy", {"retry_backoff": {"kind": "more_rules:Told", "at_most": "5s"}}, "more_rules:Told"),
        ("providers.a.models.m.latency", {"kind": "more_rules:Every", "low": "2s"}, "more_rules:Every"),
        ("workload", {"arrivals": {"kind": "my_rules:Tide", "mean": "2/min"}}, "my_rules:Tide"),
        ("providers.a.incidents", [{"kind": "my_rules:Deployments", "lasts": "10min"}], "my_rules:Deployments"),
    ],
)
def test_the_compiled_engine_leaves_a_plan_with_a_class_to_simpy(
    folder: Path, path: str, value: object, name: str
) -> None:
    plain = plans(scenario(folder).loaded)["as_modelled"]
    own = plans(scenario(folder).with_(path, value).loaded)["as_modelled"]
    assert f"kind: {name}" in reasons_against(own)
    assert not any(reason.startswith("kind:") for reason in reasons_against(plain))


SCRIPT = """
import sys
import des
import des.extend as extend


class Mine(extend.Backoff):
    def wait_s(self, retry):
        return 3.0


des.register("mine", Mine)
scenario = des.Scenario.load(sys.argv[1]).with_("policy", {"retry_backoff": {"kind": "mine"}})
run = des.run(scenario, out=sys.argv[2], replications=2, workers=2)
print(len(run.attempts), scenario.loaded.files())
"""


def test_a_class_of_a_script_runs_without_its_guard(folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "plain.yaml").write_text(scenario(folder).to_yaml(), encoding="utf-8")
    arguments = [sys.executable, str(script), str(tmp_path / "plain.yaml"), str(tmp_path / "run")]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    assert "__main__:Mine" in done.stdout


def test_a_class_of_a_notebook_is_known_by_its_text(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "import des.extend\n\n\nclass Cell(des.extend.Backoff):\n    def wait_s(self, retry):\n        return 1.0\n"
    module = ModuleType("a_notebook")
    monkeypatch.setitem(sys.modules, "a_notebook", module)
    exec(compile(text, "<cell>", "exec"), module.__dict__)
    made = scenario(folder, policy={"retry_backoff": {"kind": "a_notebook:Cell"}})
    with pytest.raises(des.ScenarioError, match="its source is in no file"):
        made.loaded.files()
    monkeypatch.setitem(linecache.cache, "<cell>", (len(text), None, text.splitlines(keepends=True), "<cell>"))
    assert made.loaded.files().keys() == {"a_notebook:Cell"}


def test_no_fast_estimator_takes_a_plan_with_a_class(folder: Path) -> None:
    latency = {"kind": "more_rules:Every", "low": "2s"}
    answer = des.explain(scenario(folder, providers__a__models__m__latency=latency, chain=[{"provider": "a"}]))
    choice = answer.arms["as_modelled"].choice
    assert choice.estimator == "request level"
    assert "more_rules:Every: a class of your own, which only a simulation in SimPy runs" in choice.reason
