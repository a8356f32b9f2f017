"""Numbers beyond what a run can compute, hold or wait for are refused at their place."""

from collections.abc import Callable
from pathlib import Path

import pytest

Problems = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("seed: 7", 'start: "0001-01-01T00:00+23:59"', "between 1700 and 2199"),
        ("seed: 7", 'start: "9999-12-31T23:59:59-23:00"', "between 1700 and 2199"),
        ("kind: poisson, rate: 2/min", "kind: bursty, rate: 2/min, cv: 1e200", "at most 1000.0"),
        ("kind: poisson, rate: 2/min", "kind: bursty, rate: 2/min, cv: 1e-200", "at least 0.01"),
        (
            "kind: poisson, rate: 2/min",
            "kind: replay, file: x.csv, columns: {time: t}, stretch: 1e308",
            "at most 1000000.0",
        ),
        ("tokens_per_second: 60", "tokens_per_second: {kind: gamma, shape: 0.001, scale: 60}", "at least 0.05"),
        ("tokens_per_second: 60", "tokens_per_second: {kind: gamma, mean: 60, cv: 100}", "is at most 4.47; got 100"),
        ("first_token: 900ms", "first_token: {kind: weibull, shape: 0.01, scale: 1s}", "at least 0.05"),
        ("horizon: 30d", "horizon: 1001y", "at most 1000y"),
        ("timeout: 30s", "timeout: 201y", "at most 200y"),
        ("first_token: 900ms", "first_token: {kind: lognormal, mu: 30, sigma: 1}", "a mean of at most 200y"),
        ("requests: 4000/min", "requests: 1/101y", "at least 1/100y"),
        ("rate: 2/min", "rate: 1000/s", "about 2.59e+09 requests"),
        ("kind: poisson, rate: 2/min", "kind: batch, every: 1s, size: 10000", "about 2.59e+10 requests"),
        ("kind: poisson, rate: 2/min", "kind: batch, every: 1y, size: 10000001", "at most 10000000"),
        ("kind: poisson, rate: 2/min", "kind: bursty, rate: 2/min, cv: 1, clients: 100001", "at most 100000"),
        (
            "timeout: 30s,",
            "silent_rot: {time_to_rot: 1d, repair: 1h, probe_every: 1e-9s},",
            "about 2.59e+15 probes",
        ),
        ("timeout: 30s,", 'name: "",', "name is empty"),
        ("  as_modelled: {}\n", f"  as_modelled: {{}}\n  {'a' * 65}: {{}}\n", "at most 64 characters; got 65"),
        ("        errors: {", "        quality: 1e31\n        errors: {", "at most 1e+30"),
    ],
)
def test_numbers_beyond_what_can_be_computed_are_refused(
    old: str, new: str, words: str, two_providers: str, problems: Problems, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text("t\n0\n")
    (line,) = problems(two_providers.replace(old, new))
    assert words in line


def test_a_loop_of_too_many_requests_is_refused(two_providers: str, problems: Problems, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("t\n0\n0.00001\n")
    replay = "kind: replay, file: x.csv, columns: {time: t}, loop: true"
    (line,) = problems(two_providers.replace("kind: poisson, rate: 2/min", replay))
    assert "about 2.59e+11 requests" in line


def test_prices_beyond_what_money_can_hold_are_refused(two_providers: str, problems: Problems) -> None:
    text = two_providers.replace("gpt-5-mini: {", "gpt-5-mini: {price: {per_request: 2e6}, ")
    (line,) = problems(text)
    assert (
        line
        == "s.yaml:28:27: providers.openai.models.gpt-5-mini.price: a call may cost 2e+06 USD: at most 1e6 are possible"
    )


def test_waits_that_double_without_end_are_refused(two_providers: str, problems: Problems) -> None:
    def with_backoff(backoff: str, retries: int, deadline: str = "120s") -> list[str]:
        text = two_providers.replace("retries: 1", f"retries: {retries}")
        text = text.replace("{kind: exponential, base: 500ms, cap: 8s, jitter: full}", backoff)
        return problems(text.replace("deadline: 120s", f"deadline: {deadline}"))

    doubling = "{kind: exponential, base: 1s}"
    (line,) = with_backoff(doubling, 40, "null")
    assert "policy.backoff: waits grow beyond 365 days before the last attempt: give a cap" in line
    assert with_backoff("{kind: exponential, base: 1s, cap: 60s}", 40, "null") == []
    assert with_backoff(doubling, 40, "1h") == []
    assert with_backoff(doubling, 20, "null") == []
