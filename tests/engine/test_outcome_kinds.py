"""Outcomes with a status of their own: traced with it, retried and billed as the outcome they are of."""

from dataclasses import replace

import pytest

from des.engine.codes import Kinds
from des.scenario.plan import Plan, RandomError, RecordedIncidents
from des.scenario.schema.statuses import BROKEN_STREAM
from engine.clients import with_rule
from engine.serving import one_endpoint
from engine.traced import Traced, at, provider, run, scenario, tokens, trace

STREAM = {"first_token": "1s", "tokens_per_second": 100}


def unauthorised(plan: Plan) -> Plan:
    """Every call fails with a 401."""
    error = RandomError(outcome="client_error", rate=1.0, status=401)
    endpoints = tuple(replace(endpoint, errors=(error,)) for endpoint in plan.endpoints)
    return replace(plan, endpoints=endpoints, statuses=(("server_error", 503), ("client_error", 401)))


def retrying(plan: Plan, outcome: str) -> Plan:
    """Two retries after an outcome, whatever its status."""
    return with_rule(plan, retries=2, retry_on=(outcome,))


def told(traced: Traced) -> set[tuple[str, int]]:
    return set(zip(traced.attempts.outcome, traced.attempts.http_status, strict=True))


def test_a_status_of_its_own_is_traced_with_its_outcome() -> None:
    traced = trace(unauthorised(one_endpoint()))
    assert told(traced) == {("client_error", 401)}
    assert set(traced.requests.error_type) == {"client_error"}
    assert set(traced.requests.lost_to) == {"random_error"}


def test_a_kind_is_retried_as_its_outcome_is() -> None:
    for retry_on, attempts in (("client_error", 3), ("server_error", 1)):
        traced = trace(retrying(unauthorised(one_endpoint()), retry_on))
        assert set(traced.requests.attempts) == {attempts}


def test_a_kind_is_billed_as_its_outcome_is() -> None:
    plan = unauthorised(one_endpoint(price={"per_request": 0.5}, billing={"client_error": "full"}))
    assert set(trace(plan).attempts.cost_usd) == {0.5}


def test_an_incident_may_have_a_status_too() -> None:
    incident = {"kind": "schedule", "windows": [{"start": "0s", "end": "1d"}]}
    plan = one_endpoint(incidents=[incident])

    def with_status(incidents: RecordedIncidents) -> RecordedIncidents:
        return replace(
            incidents, effects=tuple(effect.model_copy(update={"status": 503}) for effect in incidents.effects)
        )

    components = tuple(
        replace(part, incidents=tuple(with_status(each) for each in part.incidents)) for part in plan.components
    )
    traced = trace(replace(plan, components=components, statuses=(("server_error", 503),)))
    assert told(traced) == {("server_error", 503)}


def attempts_after(errors: dict[str, object], word: str | int) -> set[int]:
    """How many calls requests make whose every call fails so, retried twice after what the word says."""
    broken = provider(STREAM, errors=errors)
    policy = {"retries": 2, "retry_on": [word]}
    traced = run(scenario({"a": broken}, arrivals=at("0s"), workload=tokens(10, 100), policy=policy))
    return set(traced.requests.attempts)


@pytest.mark.parametrize(
    ("word", "broken", "refused"),
    [("connection_error", 3, 3), ("broken_stream", 3, 1), ("connection_refused", 1, 3), ("5xx", 1, 1)],
)
def test_connection_errors_are_retried_together_or_each_kind_alone(word: str, broken: int, refused: int) -> None:
    never = {"mid_stream": {"rate": 0, "after": 0.5}}
    assert attempts_after({"mid_stream": {"rate": 1, "after": 0.5}}, word) == {broken}
    assert attempts_after({"connection_error": 1}, word) == {refused}
    assert attempts_after({"connection_error": 1} | never, word) == {refused}


def test_broken_streams_are_the_last_kind_where_there_are_any() -> None:
    plan = one_endpoint(errors={"mid_stream": {"rate": 0.1}, "server_error": {"rate": 0.1, "status": 502}})
    assert plan.statuses == (("server_error", 502), BROKEN_STREAM)
    kinds = Kinds(plan)
    assert (kinds.broken_stream, kinds.code("connection_error")) == (10, 5)
    assert (kinds.outcomes[10], kinds.statuses[10]) == (5, -1)
    assert Kinds(one_endpoint()).broken_stream == 5


def test_codes_are_the_standard_ones_where_the_status_is_usual() -> None:
    kinds = Kinds(unauthorised(one_endpoint()))
    assert kinds.code("server_error") == kinds.code("server_error", 500) == 1
    assert kinds.code("server_error", 503) == 9
    assert kinds.code("client_error", 401) == 10
    assert kinds.code("hang") == kinds.code("timeout") == 4
    assert kinds.outcomes[9:] == [1, 6]
    assert kinds.statuses[9:] == [503, 401]
    assert kinds.of_outcomes({6})[6:] == [True, False, False, False, True]
