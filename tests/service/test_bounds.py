"""Every bound refuses with a problem that names it, and nothing of a body reaches out of the service."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from des.service.bodies import EXAMPLE, SCENARIO_EXAMPLE
from des.service.problems import ProblemError
from des.service.reading import _without_repeats

LEG = {"provider": "anthropic", "model": "claude-sonnet-4-6"}
SCENARIO: dict[str, Any] = {
    "horizon": "30d",
    "workload": {"arrivals": {"kind": "poisson", "rate": "2/h"}, "tokens": {"input": 1000, "output": 200}},
    "providers": {"openai": {"models": {"gpt-5-mini": {"latency": "2s"}}}},
    "chain": [{"provider": "openai", "timeout": "30s"}],
}


@pytest.fixture(scope="module")
def small(service: Any) -> TestClient:
    return service(
        body_bytes=4_000,
        legs=2,
        shared=1,
        retries=2,
        rounds=2,
        components=4,
        arms=2,
        replications=3,
        requests=5_000,
        years=2,
        answer_rounds=3,
    )


def refused(response: Any, status: int, limit: str | None) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem.get("limit") == limit
    if limit is not None:
        assert limit in problem["detail"]
    return problem


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        ({"chain": [LEG] * 3}, "legs"),
        ({"chain": [LEG], "shared": [{"members": ["anthropic", "openai"], "fraction": 0.1}] * 2}, "shared"),
        ({"chain": [{**LEG, "retries": 3}]}, "retries"),
        ({"chain": [LEG], "policy": {"rounds": 3}}, "rounds"),
        ({"chain": [LEG], "workload": {"rate": "31/s"}}, "requests_per_s"),
    ],
)
def test_a_chain_beyond_a_bound_is_refused_by_its_name(small: TestClient, body: Any, limit: str) -> None:
    problem = refused(small.post("/simulate", json=body), 422, limit)
    assert problem["errors"][0]["pointer"].startswith(("/chain", "/shared", "/policy", "/workload"))


@pytest.mark.parametrize(
    ("change", "limit"),
    [
        ({"providers": {f"p{n}": {"models": {"m": {"latency": "1s"}}} for n in range(4)}}, "components"),
        ({"arms": {f"a{n}": {} for n in range(3)}}, "arms"),
        ({"chain": [{"provider": "openai"}] * 9}, "legs"),
        ({"replications": 4}, "replications"),
        ({"horizon": "200d", "replications": 2}, "requests"),
        (
            {"horizon": "3y", "workload": {**SCENARIO["workload"], "arrivals": {"kind": "poisson", "rate": "1/d"}}},
            "years",
        ),
    ],
)
@pytest.mark.parametrize("place", ["/runs", "/scenarios/validate"])
def test_a_scenario_beyond_a_bound_is_refused_by_its_name(
    small: TestClient, change: Any, limit: str, place: str
) -> None:
    refused(small.post(place, json={"scenario": {**SCENARIO, **change}}), 422, limit)


@pytest.mark.parametrize(
    ("change", "pointer", "limit"),
    [
        ({"workload": {"rate": "1e10/s"}}, "/workload/rate", "rate_per_s"),
        ({"workload": {"rate": "1/200y"}}, "/workload/rate", "least_rate_per_s"),
        ({"workload": {"input_tokens": 10**30}}, "/workload/input_tokens", "tokens"),
        ({"policy": {"deadline": "900y"}}, "/policy/deadline", "call_s"),
        ({"policy": {"backoff": 3601}}, "/policy/backoff", "call_s"),
        ({"objective": {"availability": 0.4}}, "/objective/availability", "least_availability"),
        ({"value": {"lost_request": "$1000000001"}}, "/value/lost_request", "usd"),
        ({"seed": 2**32}, "/seed", "seed"),
        ({"chain": [{**LEG, "rate_limit": "1001/s"}]}, "/chain/0/rate_limit", "rate_per_s"),
        ({"chain": [{**LEG, "episodes_per_year": 5_001}]}, "/chain/0/episodes_per_year", "outages_per_year"),
        ({"chain": [{**LEG, "episodes_per_year": 0.001}]}, "/chain/0/episodes_per_year", "least_outages_per_year"),
        ({"chain": [{**LEG, "tokens_per_second": 1e7}]}, "/chain/0/tokens_per_second", "tokens_per_second"),
        ({"chain": [{**LEG, "tokens_per_second": 0}]}, "/chain/0/tokens_per_second", "least_tokens_per_second"),
        ({"chain": [{**LEG, "model": "m" * 101}]}, "/chain/0/model", "name_characters"),
        ({"policy": {"preset": "p" * 101}}, "/policy/preset", "name_characters"),
        ({"shared": [{"members": ["anthropic"] * 3, "fraction": 0.1}]}, "/shared/0/members", "legs"),
    ],
)
def test_a_value_beyond_a_bound_is_refused_by_its_name(
    small: TestClient, change: Any, pointer: str, limit: str
) -> None:
    problem = refused(small.post("/simulate", json={"chain": [LEG], **change}), 422, limit)
    fault = next(each for each in problem["errors"] if each["pointer"] == pointer)
    assert fault["limit"] == limit
    known = small.get("/catalogue").json()["limits"][limit]
    side = "least" if limit.startswith("least") else "most"
    assert fault[side] == problem[side] == known


def test_a_text_of_a_scenario_is_bounded(small: TestClient) -> None:
    body = {"scenario": {**SCENARIO, "title": "t" * 2_001}}
    problem = refused(small.post("/scenarios/validate", json=body), 422, "text_characters")
    assert problem["errors"][0]["pointer"] == "/scenario/title"


def test_all_bounds_are_told_at_once(small: TestClient) -> None:
    body = {"chain": [{**LEG, "retries": 3}] * 3, "policy": {"rounds": 3}}
    limits = [each["limit"] for each in refused(small.post("/simulate", json=body), 422, "legs")["errors"]]
    assert limits == ["legs", "rounds", "retries", "retries", "retries"]
    scenario = {**SCENARIO, "replications": 4, "arms": {f"a{n}": {} for n in range(3)}}
    problem = refused(small.post("/runs", json={"scenario": scenario}), 422, "arms")
    assert [each["limit"] for each in problem["errors"]] == ["arms", "replications"]


@pytest.mark.parametrize("place", ["/simulate", "/runs", "/scenarios/validate"])
def test_more_values_than_are_looked_at_are_refused_before_any_is(service: Any, place: str) -> None:
    few = service(values=50)
    for content in (
        {f"k{number}": 0 for number in range(60)},
        {"chain": [{} for _ in range(60)]},
        {"scenario": {"chain": [[0] * 30] * 2}},
    ):
        refused(few.post(place, json=content), 422, "values")
    if place != "/simulate":
        text = "\n".join(f"k{number}: 0" for number in range(60))
        refused(few.post(place, json={"scenario": text}), 422, "values")
        assert few.workers.jobs  # the text is read by a worker, the rest is not


def test_of_many_faults_the_first_are_told(small: TestClient) -> None:
    body = {"chain": [LEG], **{f"k{number}": 0 for number in range(200)}}
    problem = refused(small.post("/simulate", json=body), 422, None)
    assert "200 faults, of which the first 100 are told" in problem["detail"]
    assert len(problem["errors"]) == 100


def test_rounds_of_an_answer_are_bounded(small: TestClient) -> None:
    body = {"scenario": SCENARIO, "kind": "answer", "rounds": 4}
    refused(small.post("/runs", json=body), 422, "answer_rounds")


def test_rounds_belong_to_answers(small: TestClient) -> None:
    body = {"scenario": SCENARIO, "kind": "run", "rounds": 2}
    assert "belongs to kind 'answer'" in refused(small.post("/runs", json=body), 422, None)["detail"]


def test_a_name_that_is_given_twice_is_found_without_comparing_all_with_all() -> None:
    compared = 0

    class Name(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    names = [Name(f"name {number}") for number in range(500)]
    with pytest.raises(ProblemError, match="'name 499' is given twice"):
        _without_repeats([(name, 0) for name in [*names, Name("name 499")]])
    assert compared < 5_000


def test_a_large_body_is_refused_by_its_header(small: TestClient) -> None:
    refused(small.post("/simulate", json={**EXAMPLE, "seed": 7, "x": "y" * 5_000}), 413, "body_bytes")


def test_a_chunked_body_is_refused_while_it_is_read(small: TestClient) -> None:
    read: list[int] = []

    def chunks() -> Iterator[bytes]:
        for number in range(1_000):
            read.append(number)
            yield b" " * 1_000

    response = small.post("/simulate", content=chunks(), headers={"Content-Type": "application/json"})
    refused(response, 413, "body_bytes")


def test_deep_bodies_are_refused(small: TestClient) -> None:
    text = "[" * 1_500 + "]" * 1_500
    json = {"Content-Type": "application/json"}
    refused(small.post("/simulate", content=text, headers=json), 422, "depth")
    refused(small.post("/runs", json={"scenario": text}), 422, "depth")
    refused(small.post("/runs", json={"scenario": f"a: {'[' * 40}{']' * 40}"}), 422, "depth")


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b'{"chain": NaN}', "application/json", 400),
        (b'{"chain": [], "chain": []}', "application/json", 422),
        (b'"\\ud800"', "application/json", 400),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b"{}", "text/plain", 415),
        (b"{}", "application/yaml", 415),
        (b"{}", "", 415),
    ],
)
def test_what_is_no_body_is_refused(small: TestClient, content: bytes, kind: str, status: int) -> None:
    response = small.post("/simulate", content=content, headers={"Content-Type": kind} if kind else {})
    refused(response, status, None)


def test_a_compressed_body_is_refused(small: TestClient) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    refused(small.post("/simulate", content=b"x", headers=headers), 415, None)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"workload": {"arrivals": {"kind": "replay", "file": "/etc/passwd"}}}, "/scenario/workload/arrivals/file"),
        ({"title": "${HOME}"}, "/scenario/title"),
        ({"${HOME}": 1}, "/scenario/${HOME}"),
        ({"arms": {"a": {"workload.arrivals.file": "x"}}}, "/scenario/arms/a/workload.arrivals.file"),
        ({"providers": {"openai": {"incidents": [{"kind": "replay"}]}}}, "/scenario/providers/openai/incidents/0/kind"),
        ({"workload": {"arrivals": {"kind": "my_package:Arrivals"}}}, "/scenario/workload/arrivals/kind"),
        ({"folder": "/tmp"}, "/scenario/folder"),
    ],
)
def test_a_scenario_names_nothing_outside_itself(small: TestClient, change: Any, pointer: str) -> None:
    problem = refused(small.post("/scenarios/validate", json={"scenario": {**SCENARIO, **change}}), 422, None)
    assert pointer in {each["pointer"] for each in problem["errors"]}


def test_aliases_that_multiply_are_refused(small: TestClient) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    headers = {"Content-Type": "application/yaml"}
    refused(small.post("/scenarios/validate", content="\n".join(lines), headers=headers), 422, "values")


def test_faults_of_a_scenario_have_their_places(small: TestClient) -> None:
    body = {"scenario": {**SCENARIO, "chain": [{"provider": "opnai", "timeout": "30s"}]}}
    problem = refused(small.post("/scenarios/validate", json=body), 422, None)
    assert problem["errors"][0]["pointer"] == "/scenario/chain/0/provider"
    text = SCENARIO_EXAMPLE.replace("horizon:", "horizn:")
    problem = refused(small.post("/scenarios/validate", json={"scenario": text}), 422, None)
    assert "did you mean 'horizon'" in str(problem["errors"])


def test_a_valid_scenario_says_what_a_run_simulates(client: TestClient) -> None:
    for sent in (
        client.post("/scenarios/validate", json={"scenario": SCENARIO_EXAMPLE}),
        client.post("/scenarios/validate", content=SCENARIO_EXAMPLE, headers={"Content-Type": "application/yaml"}),
    ):
        assert sent.status_code == 200, sent.text
        assert sent.json()["arms"] == ["as_modelled"]
        assert sent.json()["requests"] == pytest.approx(1_440)
