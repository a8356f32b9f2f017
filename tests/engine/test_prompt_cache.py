"""A common prefix of the input is written once and read cheaply while it is used within its time to live."""

from typing import Any

from engine.traced import Traced, provider, run, scenario, tokens

PRICE = {"input_per_mtok": 4, "cached_input_per_mtok": 1, "cache_write_per_mtok": 5, "output_per_mtok": 0}
COLD = 400 * 4_000_000 + 600 * 5_000_000
WARM = 400 * 4_000_000 + 600 * 1_000_000


def traced(ttl: str, *, horizon: str = "50s", **rest: Any) -> Traced:
    chain = [{"provider": "a", "prompt_cache": {"share": 0.6, "ttl": ttl}}]
    priced = provider(price=PRICE, **rest)
    return run(scenario({"a": priced}, horizon=horizon, chain=chain, workload=tokens(1000, 10)))


def bills(of: Traced) -> list[tuple[int, int]]:
    rows = of.attempts.sort_values(["request_id", "attempt"])
    return list(zip(rows.cached_tokens, rows.cost_picousd, strict=True))


def test_the_first_call_writes_the_prefix_and_the_next_ones_read_it() -> None:
    assert bills(traced("15s")) == [(0, COLD)] + [(600, WARM)] * 4


def test_each_use_keeps_the_prefix_warm() -> None:
    """Used every 10 s, it outlives 25 s by far; the calls end 1 s after they start."""
    assert bills(traced("10s")) == [(0, COLD)] + [(600, WARM)] * 4


def test_a_prefix_is_cold_once_its_time_to_live_has_passed() -> None:
    assert bills(traced("9s")) == [(0, COLD)] * 5  # used at 1 s, expired at 10 s
    assert bills(traced("5s")) == [(0, COLD)] * 5


def test_an_error_does_not_warm_the_cache() -> None:
    of = traced("15s", incidents=[{"kind": "schedule", "windows": [{"start": "0s", "end": "5s"}]}], horizon="30s")
    assert bills(of) == [(0, 0), (0, COLD), (600, WARM)]


def test_a_rejected_answer_warms_the_cache() -> None:
    of = traced("15s", errors={"invalid_output": 1}, horizon="30s")
    assert bills(of) == [(0, COLD), (600, WARM), (600, WARM)]


def test_each_leg_has_a_cache_of_its_own() -> None:
    cached = {"prompt_cache": {"share": 0.6, "ttl": "15s"}}
    chain = [{"provider": "a", "timeout": "1s", **cached}, {"provider": "a", "timeout": "9s", **cached}]
    priced = provider("2s", price=PRICE)
    of = run(scenario({"a": priced}, horizon="20s", chain=chain, workload=tokens(1000, 10)))
    rows = of.attempts.sort_values(["request_id", "attempt"])
    assert list(rows.outcome) == ["timeout", "ok"] * 2
    assert list(rows.cached_tokens) == [0, 0, 0, 600]


def test_a_leg_without_a_prompt_cache_pays_the_plain_price() -> None:
    priced = provider(price=PRICE)
    of = run(scenario({"a": priced}, horizon="20s", workload=tokens(1000, 10)))
    assert bills(of) == [(0, 1000 * 4_000_000)] * 2
