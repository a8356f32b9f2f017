"""POST /simulate: what a newcomer guesses works, faults have their places, figures are those of `des answer`."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient

from des.report.answer_tables import answer_text
from des.service.bodies import EXAMPLE, EXAMPLE_SHARED, SimulateBody
from des.service.bounds import Bounds
from des.service.charts import _of_answer
from des.service.equivalent import equivalent
from des.service.problems import ProblemError
from des.service.simulating import simulated
from des.study.answer import answer

ANTHROPIC = {"provider": "anthropic", "model": "claude-sonnet-4-6"}
OPENAI = {"provider": "openai", "model": "gpt-5-mini"}


def made(**body: Any) -> dict[str, Any]:
    return equivalent(SimulateBody.model_validate(body), Bounds()).content


def faults(**body: Any) -> dict[str, str]:
    with pytest.raises(ProblemError) as refused:
        made(**body)
    assert refused.value.status == 422
    return {fault.pointer: fault.detail for fault in refused.value.faults}


@pytest.fixture(scope="module")
def answered(client: TestClient) -> dict[str, Any]:
    response = client.post("/simulate", json=EXAMPLE_SHARED)
    assert response.status_code == 200, response.text
    return response.json()


def test_the_body_that_a_newcomer_guesses_is_answered(client: TestClient) -> None:
    found = client.post("/simulate", json=EXAMPLE).json()
    uptime = found["uptime"]
    assert found["sentence"].startswith("The chain answers 99.99")
    assert found["headline"]["down_per_30_days"] in found["sentence"]
    assert 0.99 < uptime["single"]["availability"]["mean"] < uptime["as_modelled"]["availability"]["mean"] < 1.0
    assert uptime["independent"]["same"]
    assert found["cost"]["per_success"]["mean"] >= found["cost"]["per_request"]["mean"] > 0.0
    assert found["latency"]["p50"]["mean"] < found["latency"]["p99"]["mean"]
    assert {each["leg"] for each in found["served"]} == {"anthropic/claude-sonnet-4-6", "openai/gpt-5-mini"}
    assert found["estimators"]["availability"] == "exact"
    assert not found["recommendation"]["is_best"]
    assert found["recommendation"]["order"][0] == "openai/gpt-5-mini"
    assert {(each["pointer"], each["value"]) for each in found["assumed"]} >= {("/chain/0/availability", "99.58%")}
    assert all(each["source"] for each in found["assumed"])


def test_des_answer_on_the_equivalent_file_has_the_same_figures(answered: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / answered["file"]
    file.write_text(answered["scenario"], encoding="utf-8")
    assert answered["command"] == f"des answer {file.name} --rounds 1"
    printed = answer(file, rounds=1, workers=1)
    assert json.loads(json.dumps(printed.as_json())) == answered["answer"]
    modelled = printed.arms["as_modelled"]
    assert modelled.lost is not None
    assert answered["uptime"]["as_modelled"]["lost"]["mean"] == modelled.lost.mean
    assert answered["answer"]["sentence"] == printed.sentence


def test_figures_have_the_digits_that_des_answer_prints(answered: dict[str, Any], tmp_path: Path) -> None:
    """Of the rows of its table, and of no other place."""
    file = tmp_path / answered["file"]
    file.write_text(answered["scenario"], encoding="utf-8")
    terminal = answer_text(answer(file, rounds=1, workers=1), width=200)
    rows = {" ".join(line.split()) for line in terminal.splitlines()}
    uptime, cost, latency = answered["uptime"], answered["cost"], answered["latency"]
    arms = [uptime["as_modelled"], uptime["independent"], uptime["single"]]

    def printed(label: str, texts: list[str]) -> bool:
        return any(row.startswith(" ".join([label, *texts])) for row in rows)

    assert printed("availability", [arm["availability"]["shown"] for arm in arms])
    assert printed("nines", [arm["nines"]["shown"] for arm in arms])
    down = [arm["down_minutes_per_30_days"]["shown"].removesuffix(" minutes") for arm in arms]
    assert printed("minutes down in 30 days", down)
    chances = [arm["objective_chance"]["shown"].partition(" [") for arm in arms]
    assert printed("chance of 99.9 % a month", [value for value, _, _ in chances])
    assert printed("95 % interval", [ends.rstrip("]") or "-" for _, _, ends in chances])
    for label, figure in (
        ("cost per 1,000 requests", cost["per_1000"]),
        ("latency, median", latency["p50"]),
        ("p95", latency["p95"]),
        ("p99", latency["p99"]),
        ("in all", cost["per_year"]["total"]),
    ):
        assert printed(label, [figure["shown"]]), label
    assert answered["headline"]["latency_p95"] == latency["p95"]["shown"]
    shown = {arm["arm"]: arm["availability"]["shown"] for arm in answered["recommendation"]["arms"]}
    assert shown["as_modelled"] == uptime["as_modelled"]["availability"]["shown"]


def test_it_is_said_where_causes_of_loss_are_not_known(client: TestClient) -> None:
    exact = client.post("/simulate", json=EXAMPLE).json()  # availability is exact, and requests are few
    assert exact["uptime"]["as_modelled"]["lost"]["mean"] > 0.0
    assert exact["lost_to"] == []
    assert exact["lost_to_note"].startswith("what requests are lost to is not known: of 3,689 simulated requests none")
    few = client.post("/simulate", json={"chain": [ANTHROPIC]}).json()
    assert few["lost_to"]
    shares = sum(each["share"]["mean"] for each in few["lost_to"])
    assert shares == pytest.approx(few["uptime"]["as_modelled"]["lost"]["mean"])
    said = "the causes rest on ([0-9]+) lost of 3,689 simulated requests, where ([0-9]+) are"
    told = re.match(said, few["lost_to_note"])
    assert told
    assert 0 < int(told[1]) < 30
    assert told[1] != told[2]  # those that were met; the seed is fixed


def test_the_nines_that_sharing_takes_are_the_same_in_words_and_in_the_chart(answered: dict[str, Any]) -> None:
    content = yaml.safe_load(answered["scenario"])
    nines = dict(_of_answer(content, answered["answer"]))["nines"]
    steps = {row.cells[0]: row.cells[1] for row in nines.table.rows}
    assert float(steps["shared causes"]) == pytest.approx(-answered["lost_to_sharing"]["nines"], abs=0.0006)
    total = answered["uptime"]["as_modelled"]["nines"]["mean"]
    assert float(steps["availability of requests"]) == pytest.approx(total, abs=0.0006)


def test_sharing_costs_nines(answered: dict[str, Any]) -> None:
    uptime = answered["uptime"]
    assert uptime["as_modelled"]["nines"]["mean"] < uptime["independent"]["nines"]["mean"]
    assert answered["lost_to_sharing"]["nines"] > 0.0
    assert answered["cost"]["per_year"]["total"]["mean"] > answered["cost"]["per_year"]["answers"]["mean"]


def test_a_repeated_request_is_answered_from_disk(service: Any, tmp_path: Path) -> None:
    first = service(state=tmp_path)
    one = first.post("/simulate", json=EXAMPLE)
    said_otherwise = {"chain": [{**leg, "timeout": "30s"} for leg in EXAMPLE["chain"]], "seed": 7}
    assert first.post("/simulate", json=said_otherwise).content == one.content
    assert first.workers.jobs == ["simulate"]
    again = service(state=tmp_path)
    assert again.post("/simulate", json=EXAMPLE).content == one.content
    assert again.workers.jobs == []


@pytest.mark.parametrize("spelling", ["gemini-2.5-pro", "gemini-2-5-pro", "Gemini 2.5 Pro", "gemini_2_5_pro"])
def test_ids_have_dots_or_dashes(spelling: str) -> None:
    assert made(chain=[{"provider": "Google", "model": spelling}])["chain"][0]["model"] == "gemini-2.5-pro"


@pytest.mark.parametrize(("said", "meant"), [(30, "30s"), ("30s", "30s"), (0.5, "500ms"), ("1.5min", "90s")])
def test_times_are_seconds_or_text(said: Any, meant: str) -> None:
    assert made(chain=[{**ANTHROPIC, "timeout": said}])["chain"][0]["timeout"] == meant


@pytest.mark.parametrize("said", ["99.5%", 0.995, 99.5])
def test_an_availability_is_per_cent_or_a_share(said: Any) -> None:
    content = made(chain=[{**ANTHROPIC, "availability": said, "episodes_per_year": 10}])
    assert content["providers"]["anthropic"]["availability"] == "99.5%"


def test_every_member_of_a_cause_fails_as_often_as_before() -> None:
    content = made(
        chain=[ANTHROPIC, OPENAI], shared=[{"name": "cdn", "members": ["openai", "anthropic"], "fraction": 0.1}]
    )
    alone = made(chain=[ANTHROPIC, OPENAI])
    for name in ("anthropic", "openai"):
        assert content["providers"][name].pop("depends_on") == ["cdn"]
        assert content["providers"][name] == alone["providers"][name]
    assert content["components"]["cdn"]["incidents"][0]["rate"] == "9.9/y"


@pytest.mark.parametrize("fraction", [0.001, 0.5, 0.99, 1.0])
def test_any_share_of_outages_may_be_common(fraction: float) -> None:
    google = {"provider": "google", "model": "gemini-2.5-pro"}
    shared = [{"members": ["openai", "google", "anthropic"], "fraction": fraction}]
    assert "components" in made(chain=[ANTHROPIC, OPENAI, google], shared=shared)


def test_what_a_worker_reads_is_what_the_client_sent() -> None:
    body = SimulateBody.model_validate(
        {
            "chain": [
                {**ANTHROPIC, "timeout": "7s", "rate_limit": "61/min", "availability": "99.7%", "latency": "3.3s"}
            ],
            "workload": {"rate": "3/s", "input_tokens": 17},
            "policy": {"deadline": 61, "backoff": 0},
            "value": {"lost_request": "$0.10"},
        }
    )
    assert SimulateBody.model_validate_json(body.model_dump_json(exclude_none=True)) == body


def test_every_fault_is_told_at_its_place() -> None:
    found = faults(
        chain=[{"provider": "opnai", "model": "gpt-5"}, {"provider": "openai", "model": "gpt-5-mni"}],
    )
    assert "did you mean 'openai'" in found["/chain/0/provider"]
    assert "did you mean 'gpt-5-mini'" in found["/chain/1/model"]
    assert "/policy/preset" in faults(chain=[ANTHROPIC], policy={"preset": "opnai-python"})
    two = [{**ANTHROPIC, "availability": "99%"}, {**ANTHROPIC, "availability": "98%"}]
    assert "/chain/1/availability" in faults(chain=two)
    assert "/shared/0/members/1" in faults(
        chain=[ANTHROPIC, OPENAI], shared=[{"members": ["openai", "google"], "fraction": 0.1}]
    )


def test_unknown_fields_and_wrong_values_are_faults(client: TestClient) -> None:
    body = {"chain": [{**ANTHROPIC, "timeout": "soon", "retrys": 1}], "polcy": {}}
    response = client.post("/simulate", json=body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    pointers = {each["pointer"] for each in response.json()["errors"]}
    assert pointers == {"/chain/0/timeout", "/chain/0/retrys", "/polcy"}


def test_an_own_price_admits_any_model() -> None:
    leg = {"provider": "mine", "model": "llama", "price": {"input_per_mtok": 0.1}, "latency": 2}
    model = made(chain=[leg])["providers"]["mine"]["models"]["llama"]
    assert model["price"] == {"input_per_mtok": 0.1, "output_per_mtok": 0}
    assert model["latency"] == {"kind": "lognormal", "median": "2s", "p99": "8s"}


def test_a_preset_brings_its_own_timeouts_and_retries() -> None:
    content = made(chain=[ANTHROPIC], policy={"preset": "openai-python"})
    assert content["policy"]["preset"].startswith("openai-python@")
    assert "timeout" not in content["chain"][0]


def test_a_leg_that_changes_nothing_is_told() -> None:
    sure = {**ANTHROPIC, "availability": 1.0, "server_error": 0, "timeout": 3600}
    found = simulated(SimulateBody.model_validate({"chain": [sure, OPENAI]}), Bounds())
    assert [each["leg"] for each in found["recommendation"]["idle"]] == ["openai/gpt-5-mini"]


def test_there_are_more_requests_where_they_depend_on_each_other() -> None:
    for preset, rate in (("litellm", "2/min"), ("openai-python", "5/d")):
        content = made(chain=[ANTHROPIC, OPENAI], policy={"preset": preset})
        assert content["workload"]["arrivals"]["rate"] == rate
    said = made(chain=[ANTHROPIC, OPENAI], policy={"preset": "litellm"}, workload={"rate": "7/d"})
    assert said["workload"]["arrivals"]["rate"] == "7/d"


def test_none_lost_of_a_few_is_not_said_to_be_none() -> None:
    body = {"chain": [ANTHROPIC, OPENAI], "policy": {"preset": "grpc-throttling"}}
    found = simulated(SimulateBody.model_validate(body), Bounds())  # windows of it say nothing, so requests are few
    assert found["estimators"]["availability"] == "request level"
    assert found["uptime"]["as_modelled"]["lost"]["mean"] == 0.0
    assert found["sentence"].startswith("The chain answers all 3,689 requests that were simulated,")
    assert found["headline"]["availability"] == "all of 3,689 simulated"
    assert found["recommendation"]["idle"] == []


def test_charts_of_an_answer_are_the_reports(client: TestClient, answered: dict[str, Any]) -> None:
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    found = {each["name"]: each for each in client.get(answered["charts"]).json()["charts"]}
    assert {"nines", "sharing", "cost", "latency", "served", "outages"} <= set(found)
    assert all(each["spec"]["datasets"] and each["table"]["rows"] and each["summary"] for each in found.values())
    unknown = client.get("/simulations/0123456789abcdef01234567/charts")
    assert unknown.status_code == 404
    assert "POST /simulate again" in unknown.json()["detail"]


def test_the_equivalent_scenario_says_where_defaults_are_from(answered: dict[str, Any]) -> None:
    text = answered["scenario"]
    assert "AzureLLMInferenceTrace_conv" in text
    assert "FAILS" in text
    assert yaml.safe_load(text)["value"] == {"lost_request": "$0.1"}
