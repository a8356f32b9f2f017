"""Every call costs what its scenario's prices and billing table say, recomputed in decimal."""

from decimal import Decimal
from typing import Any

from engine.traced import Traced

from des.engine.marks import RequestMarks
from properties.runs import run
from properties.whole_scenarios import of_whole_scenarios

Scenario = dict[str, Any]
PICO = Decimal(10) ** 12
OUTCOMES = (
    "ok",
    "server_error",
    "overloaded",
    "rate_limited",
    "timeout",
    "connection_error",
    "client_error",
    "invalid_output",
    "cancelled",
    "broken_stream",
)
BY_PROVIDER = dict.fromkeys(OUTCOMES, "none") | {
    "ok": "full",
    "invalid_output": "full",
    "timeout": "partial",
    "cancelled": "partial",
    "broken_stream": "partial",
}


def table(scenario: Scenario, provider: str, model: str) -> dict[str, str]:
    offered = scenario["providers"][provider]
    said = offered["models"][model]["billing"] or offered["billing"] or scenario["policy"]["billing"] or "provider"
    if said == "per_attempt":
        return dict.fromkeys(OUTCOMES, "full")
    return BY_PROVIDER if said == "provider" else BY_PROVIDER | said


def usd(price: dict[str, Any], name: str, default: str = "0") -> Decimal:
    given = price.get(name)
    return Decimal(str(given)) if given is not None else Decimal(default)


def possible_costs(
    mode: str, price: dict[str, Any], cached: int, written: int, call: Any, full_output: int, units: Decimal
) -> tuple[Decimal, Decimal]:
    """Picodollars, from and to: a partial call's share of a flat price is known to a token only."""
    if mode == "none":
        return Decimal(0), Decimal(0)
    per_input = usd(price, "input_per_mtok")
    tokens = (
        (call.input_tokens - cached - written) * per_input
        + cached * usd(price, "cached_input_per_mtok", str(per_input))
        + written * usd(price, "cache_write_per_mtok", str(per_input))
    )
    per_output = usd(price, "output_per_mtok")
    flat = usd(price, "per_request") + usd(price, "per_unit") * units
    low = high = Decimal(0)
    if mode == "full":
        tokens += full_output * per_output
        low = high = flat
    elif mode == "partial":
        tokens += call.output_tokens * per_output
        high = flat
        if full_output > 0:
            low = flat * call.output_tokens / full_output
            high = flat * min(call.output_tokens + 1, full_output) / full_output
    return tokens * 10**6 + low * PICO, tokens * 10**6 + high * PICO


def modes(billing: dict[str, str], call: Any) -> set[str]:
    """A connection error by chance is a broken stream if it has output, and may be one if it has none."""
    if call.outcome != "connection_error" or call.cause != "random":
        return {billing[call.outcome]}
    broken = {billing["broken_stream"]}
    return broken if call.output_tokens > 0 else broken | {billing["connection_error"]}


def every_call_costs_what_the_table_says(scenario: Scenario, of: Traced) -> None:
    if scenario["workload"]["arrivals"]["kind"] == "closed":
        return  # whose n-th request a row is, and so how much it asked for, is not in the trace
    marks = RequestMarks(of.plan, 0)
    prefix = {leg.name: leg.prompt_cache.share for leg in of.plan.chain if leg.prompt_cache is not None}
    calls = of.attempts[of.attempts.kind == "call"]
    for call in calls.itertuples():
        input_tokens, full_output, units, _ = marks(call.request_id)
        assert call.input_tokens == input_tokens
        assert call.output_tokens <= full_output
        if call.outcome == "ok" or (call.outcome, call.cause) == ("invalid_output", "random"):
            assert call.output_tokens == full_output
        price = scenario["providers"][call.provider]["models"][call.model]["price"]
        common = int(prefix.get(call.leg, 0) * input_tokens)
        assert call.cached_tokens in (0, common)
        written = common - call.cached_tokens
        billing = table(scenario, call.provider, call.model)
        ranges = [
            possible_costs(mode, price, call.cached_tokens, written, call, full_output, Decimal(units))
            for mode in modes(billing, call)
        ]
        assert any(low - 1 <= call.cost_picousd <= high + 1 for low, high in ranges), (call, ranges)


def a_prompt_cache_is_warm_only_within_its_time_to_live_of_an_answer(scenario: Scenario, of: Traced) -> None:
    for leg in of.plan.chain:
        own = of.attempts[of.attempts.leg == leg.name]
        if leg.prompt_cache is None:
            assert (own.cached_tokens == 0).all()
            continue
        used_s = own.end_s[own.outcome.isin(["ok", "invalid_output"]) & (own.kind == "call")].to_numpy(dtype=float)
        for call in own.itertuples():
            warm = bool(((used_s <= call.start_s) & (call.start_s < used_s + leg.prompt_cache.ttl_s)).any())
            at_this_instant = bool((used_s == call.start_s).any())
            common = int(leg.prompt_cache.share * call.input_tokens)
            if call.cached_tokens:
                assert warm
            elif call.outcome == "ok" and is_billed(of, call) and not at_this_instant:
                assert not warm or common == 0


def is_billed(of: Traced, call: Any) -> bool:
    endpoint = next(e for e in of.plan.endpoints if (e.provider, e.model) == (call.provider, call.model))
    return endpoint.billing[call.outcome] != "none"


@of_whole_scenarios
def test_calls_cost_what_the_scenario_says(scenario: Scenario) -> None:
    of = run(scenario)
    every_call_costs_what_the_table_says(scenario, of)
    a_prompt_cache_is_warm_only_within_its_time_to_live_of_an_answer(scenario, of)
