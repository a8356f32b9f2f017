"""What chains cost and which leg serves, against the closed forms for independent attempts."""

from typing import Any

import numpy as np
import pytest

from des.theory import chains
from des.theory.chains import ChainLeg, paid_per_attempt
from oracles.conftest import Agree
from oracles.replications import (
    Run,
    attempts_per_request,
    availability,
    cost_per_request,
    provider,
    replicate,
    scenario,
    served_share,
)

IMAGE_CHAIN = [(0.97, 0.04), (0.94, 0.03), (0.91, 0.05)]
LEGS = [paid_per_attempt(success, cost) for success, cost in IMAGE_CHAIN]


def failing(share: float) -> dict[str, Any]:
    return {"server_error": {"rate": round(share, 10), "latency": 0}}


def image_chain(**policy: Any) -> dict[str, Any]:
    return scenario(
        horizon="2500s",
        rate="1/s",
        providers={
            name: provider(price=cost, errors=failing(1.0 - success))
            for name, (success, cost) in zip("abc", IMAGE_CHAIN, strict=True)
        },
        policy={"rounds": 3, "billing": "per_attempt", **policy},
    )


def costs_exactly_004(run: Run) -> float:
    return float((run.requests["cost_usd"] == 0.04).mean())


def test_the_published_image_chain_costs_what_it_is_said_to(agree: Agree) -> None:
    got = replicate(
        image_chain(),
        {
            "cost": cost_per_request,
            "exactly 0.04": costs_exactly_004,
            "attempts": attempts_per_request,
            "first": served_share(0),
            "second": served_share(1),
            "wasted": lambda run: float(run.requests["wasted_cost_usd"].mean()),
        },
    )
    agree("cost", got["cost"], 0.04099664)
    agree("exactly 0.04", got["exactly 0.04"], 0.97)
    agree("attempts", got["attempts"], chains.expected_attempts(LEGS, 3))
    by_leg = chains.served_by(LEGS, 3)
    agree("served by the first", got["first"], by_leg[0])
    agree("served by the second", got["second"], by_leg[1])
    served = sum(share * cost for share, (_, cost) in zip(by_leg, IMAGE_CHAIN, strict=True))
    agree("wasted", got["wasted"], chains.expected_cost(LEGS, 3) - served)


def test_a_response_cache_of_080_leaves_a_fifth_of_the_cost(agree: Agree) -> None:
    cached = image_chain(response_cache={"kind": "share", "hit_rate": "80%"})
    got = replicate(
        cached,
        {
            "cost": cost_per_request,
            "hits": lambda run: float(run.requests["response_cache_hit"].mean()),
        },
    )
    agree("cost", got["cost"], 0.04099664 / 5.0)
    agree("hits", got["hits"], 0.8)


WEAK = [(0.6, 0.05), (0.3, 0.02), (0.8, 0.4)]


@pytest.mark.parametrize("rounds", [1, 3])
def test_failures_are_free_under_provider_billing(agree: Agree, rounds: int) -> None:
    chain = scenario(
        horizon="1200s",
        rate="1/s",
        providers={
            name: provider(price=cost, errors=failing(1.0 - success))
            for name, (success, cost) in zip("abc", WEAK, strict=True)
        },
        policy={"rounds": rounds, "billing": "provider"},
    )
    legs = [ChainLeg(success, cost, 0.0) for success, cost in WEAK]
    got = replicate(chain, {"cost": cost_per_request, "availability": availability, "attempts": attempts_per_request})
    agree("cost", got["cost"], chains.expected_cost(legs, rounds))
    agree("availability", got["availability"], chains.served_probability(legs, rounds))
    agree("attempts", got["attempts"], chains.expected_attempts(legs, rounds))


def test_failures_cost_what_the_billing_table_says(agree: Agree) -> None:
    # invalid outputs are billed in full, server errors at nothing: f = c P(invalid | failed)
    chain = scenario(
        horizon="1200s",
        rate="1/s",
        providers={
            "a": provider(price=0.05, errors={**failing(0.2), "invalid_output": "25%"}),
            "b": provider(
                price=0.02, errors={**failing(0.5), "invalid_output": "10%"}, billing={"server_error": "full"}
            ),
        },
        policy={"rounds": 2},
    )
    a_ok, b_ok = 0.8 * 0.75, 0.5 * 0.9
    legs = [ChainLeg(a_ok, 0.05, 0.05 * (0.8 * 0.25) / (1.0 - a_ok)), ChainLeg(b_ok, 0.02, 0.02)]
    got = replicate(chain, {"cost": cost_per_request, "second": served_share(1)})
    agree("cost", got["cost"], chains.expected_cost(legs, 2))
    agree("served by the second", got["second"], chains.served_by(legs, 2)[1])


def test_the_cheapest_order_is_cheaper_by_as_much_as_the_closed_form_says(agree: Agree) -> None:
    legs = [paid_per_attempt(success, cost) for success, cost in WEAK]
    best = chains.cheapest_order(legs)
    assert best != (0, 1, 2)

    def cost(order: tuple[int, ...]) -> np.ndarray[Any, Any]:
        providers = {f"p{k}": provider(price=WEAK[k][1], errors=failing(1.0 - WEAK[k][0])) for k in range(len(WEAK))}
        chain = [{"provider": f"p{k}"} for k in order]
        arm = scenario(
            horizon="1200s", rate="1/s", providers=providers, chain=chain, policy={"billing": "per_attempt"}, seed=3
        )
        return replicate(arm, {"cost": cost_per_request})["cost"]

    gain = chains.expected_cost(legs) - chains.expected_cost([legs[k] for k in best])
    agree("gain", cost((0, 1, 2)) - cost(best), gain)


def test_keys_of_a_response_cache_hit_as_renewal_theory_says(agree: Agree) -> None:
    # a key asked for at rate a and kept for t after it was filled is hit a t times in a t + 1 questions
    keys, exponent, rate, ttl_s, warm_s = 20, 1.1, 2.0, 10.0, 100.0
    weights = np.arange(1, keys + 1) ** -exponent
    rates = rate * weights / weights.sum()
    exact = float((rates / rate * (rates * ttl_s) / (1.0 + rates * ttl_s)).sum())
    cached = scenario(
        horizon="1100s",
        rate="2/s",
        providers={"p": provider()},
        policy={"response_cache": {"kind": "zipf", "keys": keys, "exponent": exponent, "ttl": "10s"}},
    )
    got = replicate(
        cached,
        {"hits": lambda run: float(run.requests["response_cache_hit"][run.requests["arrival_s"] >= warm_s].mean())},
    )
    agree("hits", got["hits"], exact)


def test_a_prompt_cache_is_warm_while_it_is_used_within_its_time_to_live(agree: Agree) -> None:
    # P(the last of Poisson requests came within the time to live) = 1 - e^{-a t}
    one = scenario(
        horizon="3000s",
        rate="1/2s",
        providers={"p": provider()},
        chain=[{"provider": "p", "prompt_cache": {"share": "75%", "ttl": "3s"}}],
    )
    one["workload"]["tokens"] = {"input": 1000, "output": 1}
    one["providers"]["p"]["models"]["model"]["price"] = {
        "input_per_mtok": 10,
        "cached_input_per_mtok": 1,
        "output_per_mtok": 0,
    }
    got = replicate(one, {"cached": lambda run: float(run.attempts["cached_tokens"].mean()), "cost": cost_per_request})
    warm = -np.expm1(-0.5 * 3.0)
    agree("cached tokens", got["cached"], 750.0 * warm)
    agree("cost", got["cost"], (1000.0 - 750.0 * warm) * 10e-6 + 750.0 * warm * 1e-6)
