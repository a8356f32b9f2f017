"""What requests cost under each billing convention, and how much was wasted."""

from typing import Any

import pytest

from engine.traced import Traced, at, provider, run, scenario, tokens

PRICE = {"input_per_mtok": 3, "output_per_mtok": 15, "per_request": 0.01, "per_unit": 0.002}
OK = 100 * 3_000_000 + 40 * 15_000_000 + 10_000_000_000 + 2_000_000_000
"""Picodollars of an answered call: 100 input and 40 output tokens, one request, one unit."""
FAILURES = ["server_error", "overloaded", "rate_limited", "connection_error", "client_error"]


def traced(
    billing: Any = None, *, timeout: str | None = None, policy: dict[str, Any] | None = None, **a: Any
) -> Traced:
    """A request over `a` as given and `b`, which serves."""
    leg = {"provider": "a", "fallback_on": [*FAILURES, "timeout", "invalid_output"]}
    chain = [leg | ({"timeout": timeout} if timeout else {}), {"provider": "b"}]
    billed = {} if billing is None else {"billing": billing}
    providers = {"a": provider("4s", price=PRICE, **billed, **a), "b": provider("4s", price=PRICE)}
    return run(scenario(providers, arrivals=at("0s"), chain=chain, workload=tokens(100, 40), policy=policy or {}))


@pytest.mark.parametrize("outcome", FAILURES)
def test_failed_attempts_cost_nothing_under_provider_billing(outcome: str) -> None:
    of = traced(errors={outcome: 1})
    assert [call.cost_picousd for call in of.calls()] == [0, OK]
    assert (of.request().cost_picousd, of.request().wasted_picousd) == (OK, 0)


@pytest.mark.parametrize("outcome", FAILURES)
def test_every_attempt_costs_as_much_as_an_answered_one_under_per_attempt_billing(outcome: str) -> None:
    of = traced("per_attempt", errors={outcome: 1})
    assert [call.cost_picousd for call in of.calls()] == [OK, OK]
    assert (of.request().cost_picousd, of.request().wasted_picousd) == (2 * OK, OK)


def test_a_call_refused_by_a_limit_is_billed_as_rate_limited() -> None:
    limits = {"requests": "1/d", "burst": 1}
    providers = {"a": provider(price=PRICE, limits=limits, billing={"rate_limited": "input"})}
    of = run(scenario(providers, arrivals=at("0s", size=2), workload=tokens(100, 40)))
    assert [call.cost_picousd for call in of.calls(1)] == [100 * 3_000_000]


def test_invalid_output_costs_the_full_price() -> None:
    of = traced(errors={"invalid_output": 1})
    assert [call.cost_picousd for call in of.calls()] == [OK, OK]
    assert of.request().wasted_picousd == OK


def test_a_timeout_costs_the_input_and_what_was_made() -> None:
    """A quarter of the response, of its call and of its unit."""
    of = traced(timeout="1s")
    assert of.calls()[0].cost_picousd == 100 * 3_000_000 + 10 * 15_000_000 + 12_000_000_000 // 4


@pytest.mark.parametrize(("mode", "cost"), [("none", 0), ("input", 100 * 3_000_000), ("full", OK)])
def test_a_table_says_what_each_outcome_costs(mode: str, cost: int) -> None:
    assert traced({"server_error": mode}, errors={"server_error": 1}).calls()[0].cost_picousd == cost
    assert traced({"timeout": mode}, timeout="1s").calls()[0].cost_picousd == cost


def test_the_policys_billing_holds_for_providers_without_their_own() -> None:
    failing = {"errors": {"server_error": 1}}
    assert traced(policy={"billing": "per_attempt"}, **failing).calls()[0].cost_picousd == OK
    assert traced("provider", policy={"billing": "per_attempt"}, **failing).calls()[0].cost_picousd == 0


def test_a_lost_request_wastes_all_it_cost() -> None:
    failing = provider(price=PRICE, errors={"server_error": 1}, billing="per_attempt")
    chain = [{"provider": "a", "retries": 2}]
    of = run(scenario({"a": failing}, arrivals=at("0s"), chain=chain, workload=tokens(100, 40)))
    assert of.request().cost_picousd == of.request().wasted_picousd == 3 * OK


def test_units_are_priced_per_request() -> None:
    per_unit = provider(price={"per_unit": 0.04})
    of = run(scenario({"a": per_unit}, arrivals=at("0s"), workload={"units": 3}))
    assert of.request().cost_picousd == 120_000_000_000
    assert of.request().cost_usd == 0.12


def test_dollars_are_the_picodollars() -> None:
    of = traced("per_attempt", errors={"server_error": 1})
    assert (of.requests.cost_usd == of.requests.cost_picousd / 1e12).all()
    assert (of.requests.wasted_cost_usd == of.requests.wasted_picousd / 1e12).all()
    assert (of.attempts.cost_usd == of.attempts.cost_picousd / 1e12).all()


def test_output_is_counted_on_the_request_only_where_it_was_served() -> None:
    of = traced(errors={"server_error": 1})
    assert (of.request().input_tokens, of.request().output_tokens) == (100, 40)
    failing = provider(price=PRICE, errors={"invalid_output": 1})
    lost = run(scenario({"a": failing}, arrivals=at("0s"), workload=tokens(100, 40))).request()
    assert (lost.input_tokens, lost.output_tokens) == (100, 0)


def test_quality_is_that_of_the_model_that_served() -> None:
    models = {
        "a": provider(model={"quality": 0.9}, errors={"server_error": 0.5}),
        "b": provider(model={"quality": 0.4}),
    }
    of = run(scenario(models, arrivals=at("0s", size=50))).requests
    served = of.groupby("provider").quality.unique()
    assert served["a"] == pytest.approx([0.9])
    assert served["b"] == pytest.approx([0.4])
