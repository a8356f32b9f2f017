"""Types of the public API, checked by `mypy --strict`: nothing here is run.

Each `type: ignore` names a mistake that a type checker must find; mypy reports one that finds nothing.
"""

from pathlib import Path
from typing import assert_type

import pandas as pd

import des
from des import extend
from des.study.answered import Answer
from des.study.arms import Available
from des.study.compare import Comparison
from des.study.explanation import Explained
from des.study.optimised import Optimised
from des.study.recorded import Run
from des.study.store import Stored
from des.study.sweep_record import Sweep
from des.study.verify import Verified


def a_run_takes_a_path_or_a_mapping_and_gives_frames() -> None:
    run = des.run("two_stage.yaml", seed=1, replications=2, workers=2, precision={"availability": 0.1})
    assert_type(run, Run)
    assert_type(des.run(Path("two_stage.yaml"), out="results/mine", overrides=["policy.rounds=3"]), Run)
    assert_type(des.run({"horizon": "1h"}), Run)
    assert_type(run.requests, pd.DataFrame)
    assert_type(run.attempts, pd.DataFrame)
    assert_type(des.load("results/two_stage-0123456789ab"), Run)


def a_comparison_and_a_sweep_give_frames() -> None:
    compared = des.compare("shared_cdn.yaml", arms=["as_modelled", "independent"], traces=False)
    assert_type(compared, Comparison)
    assert_type(compared.joint, pd.DataFrame)
    swept = des.sweep("two_stage.yaml", {"policy.rounds": [1, 2, 3]}, workers=2)
    assert_type(swept, Sweep)
    assert_type(swept.table, pd.DataFrame)
    assert_type(swept.figures, pd.DataFrame)
    des.sweep("two_stage.yaml", ["shared=0:1:0.1"], metrics=["availability"], rounds=2)
    des.sweep("two_stage.yaml", {("a", "b"): [(1, 2)]}, estimator="request level", replications=3)


def results_are_listed_and_removed() -> None:
    stored = des.results("results", verify=True)
    assert_type(stored, tuple[Stored, ...])
    assert_type(stored[0].bytes, int)
    stored[0].remove()


def a_result_is_verified() -> None:
    found = des.verify("results/two_stage-0123456789ab", folder="scenarios")
    assert_type(found, Verified)
    assert_type(found.holds, bool)
    assert_type(found.differences[0].file, str)


def a_service_is_served() -> None:
    assert_type(des.serve(port=0, token="long-enough-to-be-a-token", allow_hosts=["des.example"]), None)


def an_answer_gives_a_frame() -> None:
    found = des.answer("two_stage.yaml", within="30s", arms=["as_modelled"], workers=2)
    assert_type(found, Answer)
    assert_type(des.answer({"horizon": "1h"}, within=5.0, rounds=2, seed=3, out="answers/mine"), Answer)
    assert_type(found.table, pd.DataFrame)


def a_search_gives_a_frame() -> None:
    found = des.optimise("two_stage.yaml", maximise="availability", subject_to=["latency_s_p95 <= 9s"], workers=2)
    assert_type(found, Optimised)
    assert_type(des.optimise({"horizon": "1h"}, over={"policy.rounds": [1, 2]}, legs=["a"], most=1), Optimised)
    assert_type(found.table, pd.DataFrame)


def other_commands_give_frames() -> None:
    assert_type(des.availability("two_stage.yaml", years=100.0, workers=2), Available)
    assert_type(des.availability({"horizon": "1h"}).table, pd.DataFrame)
    assert_type(des.explain(Path("two_stage.yaml"), precision=0.2), Explained)
    assert_type(des.fit("incidents.csv", since="2024-01-01").table, pd.DataFrame)
    assert_type(des.validate("two_stage.yaml", overrides=["policy.rounds=3"]), tuple[str, ...])


def a_scenario_is_built_read_and_changed() -> None:
    built = des.Scenario(horizon="1h", workload={}, providers={}, chain=[], seed=7)
    assert_type(built.with_("policy.rounds", 3).with_(seed=8), des.Scenario)
    assert_type(des.Scenario.load("two_stage.yaml").to_yaml(), str)
    des.run(built)
    des.answer(built)


def a_run_answers_questions() -> None:
    run = des.load("results/two_stage-0123456789ab")
    assert_type(run.scenario, des.Scenario)
    for frame in (run.availability(by="1h"), run.months(), run.monthly_objective("99.9%"), run.episodes(of="chain")):
        assert_type(frame, pd.DataFrame)
    assert_type(run.cost_breakdown(by=["leg"]), pd.DataFrame)
    assert_type(run.latency_quantiles(by="provider", quantiles=[0.5]), pd.DataFrame)
    assert_type(run.fallback_reasons(), pd.DataFrame)
    assert_type(run.compare("as_modelled", "primary_only"), pd.DataFrame)
    assert_type(run.compare(run), pd.DataFrame)


def errors_have_places(error: des.ScenarioError) -> None:
    assert_type(error.problems[0].line, int | None)


def mistakes_are_found() -> None:
    des.Scenario(horizon="1h", workload={}, providers={})  # type: ignore[call-arg]
    des.Scenario(horizon="1h", workload={}, providers={}, chain=[], polcy={})  # type: ignore[call-arg]
    des.load("results/two_stage-0123456789ab").availability(by=3600)  # type: ignore[arg-type]
    des.optimise("two_stage.yaml", minimize="cost")  # type: ignore[call-arg]
    des.answer("two_stage.yaml", seconds=5)  # type: ignore[call-arg]
    des.run("two_stage.yaml", sead=1)  # type: ignore[call-arg]
    des.run("two_stage.yaml", seed="1")  # type: ignore[arg-type]
    des.run(5)  # type: ignore[arg-type]
    des.compare("two_stage.yaml", arms=5)  # type: ignore[arg-type]
    des.sweep("two_stage.yaml")  # type: ignore[call-arg]
    des.sweep("two_stage.yaml", ["shared=0,1"], metrics=5)  # type: ignore[arg-type]


assert_type(des.__version__, str)


class Fibonacci(extend.Backoff):
    base_s: extend.Duration
    cap_s: extend.Bound = 60.0

    def wait_s(self, retry: extend.Retry) -> float:
        assert_type(retry.outcome, str | None)
        return min(self.cap_s, self.base_s * (retry.number + 1)) * retry.u


class First(extend.Routing):
    def pick(self, pick: extend.Pick) -> int:
        assert_type(pick.legs[0], extend.Candidate)
        return 0


class Wrong(extend.Distribution):
    def quantile(self, share: str) -> float:  # type: ignore[override]
        return 1.0


def classes_of_users_are_registered_and_told() -> None:
    des.register("fibonacci", Fibonacci)
    des.register("nothing", int)  # type: ignore[arg-type]
    assert_type(extend.uses_extensions({"policy": {"backoff": {"kind": "my_rules:Fibonacci"}}}), tuple[str, ...])


def a_report_takes_results_and_places() -> None:
    run = des.load("results/two_stage-0123456789ab")
    assert_type(des.report(run).page, Path | None)
    des.report([run, "results/other"], out="page.html", png=Path("charts"))
    des.report(3)  # type: ignore[arg-type]
