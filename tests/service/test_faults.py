"""Faults of bodies: all that can be told are told at once, each at its place, in words that say what to write."""

from typing import Any

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from des.service.bodies import SimulateBody
from des.service.bounds import Bounds
from des.service.partial import every_fault

LEG = {"provider": "anthropic", "model": "claude-sonnet-4-6"}
OPENAI = {"provider": "openai", "model": "gpt-5-mini"}


def told(body: Any) -> dict[str, str]:
    with pytest.raises(ValidationError) as refused:
        SimulateBody.model_validate(body)
    found = every_fault(body, refused.value, Bounds())
    assert len({fault.pointer for fault in found}) == len(found), "one fault a place"
    return {fault.pointer: fault.detail for fault in found}


def test_faults_of_fields_names_and_bounds_come_together(client: TestClient) -> None:
    body = {
        "chain": [
            {"provider": "anthropc", "model": "claude-sonnet-4-6", "timout": 30},
            {**OPENAI, "model": "gpt-5-mni", "retries": 101, "server_error": "often"},
        ],
        "polcy": {},
        "policy": {"preset": "opnai-python"},
    }
    response = client.post("/simulate", json=body)
    assert response.status_code == 422
    found = {each["pointer"]: each["detail"] for each in response.json()["errors"]}
    assert "did you mean 'timeout'" in found["/chain/0/timout"]
    assert "did you mean 'policy'" in found["/polcy"]
    assert "did you mean 'anthropic'" in found["/chain/0/provider"]
    assert "did you mean 'gpt-5-mini'" in found["/chain/1/model"]
    assert "did you mean 'openai-python" in found["/policy/preset"]
    assert found["/chain/1/retries"] == "at most 10 retries; got 101"
    assert "got 'often'" in found["/chain/1/server_error"]
    assert len(found) == 7


def test_no_fault_is_in_the_words_of_a_library() -> None:
    body = {
        "chain": [
            {"provider": 5, "model": "", "timeout": None, "retries": "2", "tokens_per_second": "fast", "x": 1},
            {"model": "m", "price": []},
            7,
        ],
        "shared": [{"members": "all", "fraction": 0.1, "name": "1"}, {"members": ["a"]}],
        "workload": {"rate": 3, "input_tokens": 1.5},
        "policy": [],
        "objective": {"availability": "99.9%", "per": "mnth"},
        "seed": True,
    }
    found = told(body)
    assert found["/chain/0/provider"] == "expected a name of letters, digits, spaces and ._:@/#-; got 5"
    assert found["/chain/0/retries"] == "expected a whole number; got '2'"
    assert found["/chain/1/provider"] == "is required, but missing"
    assert found["/chain/1/price"] == "expected an object of fields; got a list"
    assert found["/chain/2"] == "expected an object of fields; got 7"
    assert found["/shared/0/members"] == "expected a list; got 'all'"
    assert found["/shared/1/members"] == "expected at least 2 in the list; got 1"
    assert found["/objective/per"] == "expected 'month' or '30d'; got 'mnth'; did you mean 'month'?"
    assert found["/policy"] == "expected an object of fields; got a list"
    for detail in found.values():
        assert not any(words in detail for words in ("Input should", "not permitted", "Field required", "validation"))


def test_places_are_those_of_the_body_though_a_part_is_left_out() -> None:
    wrong = {"model": "gpt-5-mini"}
    cause = {"members": ["anthropic", "openai"], "fraction": 0.1}
    body = {"chain": [wrong, wrong, LEG, {**OPENAI, "model": "gpt-5-mni"}], "x": 1}
    found = told(body)
    assert set(found) == {"/chain/0/provider", "/chain/1/provider", "/chain/3/model", "/x"}
    body = {"chain": [LEG, OPENAI], "shared": [{"members": []}, {**cause, "members": ["anthropic", 5, "gogle"]}]}
    found = told(body)
    assert set(found) == {"/shared/0/members", "/shared/0/fraction", "/shared/1/members/1", "/shared/1/members/2"}
    assert found["/shared/1/members/2"].startswith("unknown provider 'gogle'")


def test_members_are_not_blamed_for_a_leg_that_cannot_be_read() -> None:
    cause = {"members": ["anthropic", "openai"], "fraction": 0.1}
    assert set(told({"chain": [LEG, {"provider": "openai"}], "shared": [cause]})) == {"/chain/1/model"}


@pytest.mark.parametrize(
    "body", [[], None, {}, {"chain": []}, {"chain": 5}, {"chain": [5]}, {"chain": [{}], "shared": 1}]
)
def test_a_body_of_which_nothing_is_left_has_the_faults_of_its_shape(body: Any) -> None:
    assert told(body)


def test_a_scenario_is_fields_or_text(client: TestClient) -> None:
    problem = client.post("/scenarios/validate", json={"scenario": 5, "kind": "run"}).json()
    assert [each["pointer"] for each in problem["errors"]] == ["/scenario", "/kind"]
    assert problem["errors"][0]["detail"] == "expected the fields of a scenario, or its YAML text; got 5"
    problem = client.post("/runs", json={"scenario": "title: x", "kind": "rn"}).json()
    assert "did you mean 'run'" in problem["errors"][0]["detail"]
