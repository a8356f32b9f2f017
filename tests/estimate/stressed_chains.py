"""Drawn chains under drawn incidents, without limits: what the bounds of the load and of refusals are held against."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from engine.traced import plan_of

from des.estimate.binding import Binding, bindings
from des.scenario.plan import Plan

_EFFECTS: tuple[dict[str, Any], ...] = (
    {},
    {"error_latency": "3s", "outcome": "overloaded"},
    {"error_latency": {"kind": "exponential", "mean": "2s"}},
    {"hang": "100%"},
    {"error_rate": "50%"},
    {"error_rate": "0%", "hang": "60%"},
    {"error_rate": "0%", "latency_factor": 6},
    {"kills_in_flight": True},
    {"outcome": "connection_error", "error_latency": "20ms"},
)
_LATENCIES: tuple[Any, ...] = (
    "1s",
    {"kind": "lognormal", "median": "800ms", "p99": "6s"},
    {"kind": "exponential", "mean": "2s"},
    {"first_token": {"kind": "lognormal", "median": "400ms", "p99": "3s"}, "tokens_per_second": 80},
)
_ERRORS: tuple[dict[str, Any], ...] = (
    {},
    {"server_error": "20%"},
    {"invalid_output": "20%", "rate_limited": "5%"},
    {"mid_stream": {"rate": "20%"}},
    {"hang": "5%", "connection_error": "5%"},
)
_BACKOFFS: tuple[Any, ...] = (
    "none",
    {"kind": "exponential", "base": "500ms", "factor": 2, "cap": "8s", "jitter": "full"},
    {"kind": "exponential", "base": "1s", "factor": 2, "cap": "20s", "jitter": "decorrelated"},
    "2s",
)
_TIMEOUTS: tuple[Any, ...] = ("4s", "10s", {"first_token": "2s", "total": "8s"}, {"idle": "3s"})


def stressed(seed: int, *, horizon_s: int = 90, rate_per_s: float = 4.0, **rest: Any) -> dict[str, Any]:
    """A scenario of one to three legs, any of which fails in several ways within the horizon."""
    rng = np.random.default_rng((seed, 20))

    def one_of(several: Any) -> Any:
        return several[int(rng.integers(len(several)))]

    def windows() -> list[dict[str, Any]]:
        edges = np.sort(rng.uniform(0.1 * horizon_s, 0.9 * horizon_s, 2 * int(rng.integers(1, 4))))
        lasting = zip(edges[::2], edges[1::2], strict=True)
        return [
            {"kind": "schedule", "windows": [{"start": f"{start}s", "end": f"{end}s"}], **one_of(_EFFECTS)}
            for start, end in lasting
        ]

    legs = int(rng.integers(1, 4))
    names = [f"p{number}" for number in range(legs)]
    providers = {
        name: {
            "incidents": windows(),
            "models": {"m": {"latency": one_of(_LATENCIES), "errors": one_of(_ERRORS), "price": {"per_request": 0}}},
        }
        for name in names
    }
    chain = [{"provider": name, "timeout": one_of(_TIMEOUTS)} for name in names]
    if rng.random() < 0.3:
        chain[0]["clients"] = [{"retries": 1, "backoff": "200ms", "attempt_timeout": "5s", "timeout": "9s"}]
    if rng.random() < 0.3:
        chain.append({"provider": names[0], "name": "again", "timeout": "6s"})
    policy: dict[str, Any] = {
        "retries": int(rng.integers(0, 3)),
        "rounds": int(rng.integers(1, 3)),
        "backoff": one_of(_BACKOFFS),
    }
    if rng.random() < 0.3:
        policy["deadline"] = "30s"
    content = {
        "title": "stressed",
        "horizon": f"{horizon_s}s",
        "seed": seed,
        "workload": {
            "arrivals": {"kind": "poisson", "rate": f"{rate_per_s}/s"},
            "tokens": {
                "input": {"kind": "lognormal", "median": 900, "p99": 4000},
                "output": {"kind": "lognormal", "median": 120, "p99": 600},
            },
        },
        "providers": providers,
        "chain": chain,
        "policy": policy,
    }
    return content | rest


def _of_provider(limits: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    def put(content: dict[str, Any]) -> None:
        content["providers"]["p0"]["limits"] = limits

    return put


def _of_model(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def put(content: dict[str, Any]) -> None:
        content["providers"]["p0"]["models"]["m"][name] = value

    return put


def _of_policy(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def put(content: dict[str, Any]) -> None:
        content["policy"][name] = value

    return put


def _of_client(limits: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    def put(content: dict[str, Any]) -> None:
        content["budgets"] = {"shared": {"legs": list(content["providers"]), **limits}}

    return put


def _batches(content: dict[str, Any]) -> None:
    content["workload"]["arrivals"] = {"kind": "batch", "every": "9s", "size": 30, "first": "4s"}


LIMITERS: Mapping[str, Callable[[float], Callable[[dict[str, Any]], None]]] = {
    "bucket": lambda size: _of_provider({"requests": f"{size}/s", "burst": 1.0 + size}),
    "fixed window": lambda size: _of_provider({"requests": f"{size}/s", "algorithm": {"fixed_window": "7s"}}),
    "sliding log": lambda size: _of_provider({"requests": f"{size}/s", "algorithm": {"sliding_log": "5s"}}),
    "all tokens": lambda size: _of_provider({"tokens": f"{1000 * size}/s", "burst": 10_000 * size}),
    "input in windows": lambda size: _of_provider(
        {"input_tokens": f"{2000 * size}/s", "algorithm": {"fixed_window": "10s"}, "counts_failed": False}
    ),
    "output": lambda size: _of_provider({"output_tokens": f"{200 * size}/s", "burst": 2000 * size}),
    "acceleration": lambda size: _of_provider({"acceleration": {"growth": 1.5, "over": "5s", "floor": f"{size}/s"}}),
    "concurrency": lambda size: _of_provider({"concurrency": max(1, int(2 * size))}),
    "capacity": lambda size: _of_model("capacity", {"concurrent": max(1, int(2 * size)), "queue": 5}),
    "budget": lambda size: _of_client({"requests": f"{size}/s", "burst": 1.0 + size}),
    "shaping": lambda size: _of_policy("shaping", {"rate": f"{size}/s", "burst": 1.0 + size, "queue": 50}),
    "bulkhead": lambda size: _of_policy("bulkhead", {"concurrent": max(1, int(2 * size))}),
}
"""Each kind of limiter, the more generous the larger the size."""


def close_to_binding(seed: int, kind: str, *, batches: bool = False) -> tuple[Plan, Binding] | None:
    """A stressed plan with a limiter that is bound to refuse or delay with a chance of about 0.5 to 5 % a run.

    None where no size comes close, since the calls have no bound.
    """

    def of(size: float) -> tuple[Plan, Binding]:
        content = stressed(seed)
        LIMITERS[kind](size)(content)
        if batches:
            _batches(content)
        plan = plan_of(content)
        return plan, max(bindings(plan), key=lambda one: one.chance)

    low, high = 1.0, 1e7
    if of(high)[1].chance > 0.01:
        return None
    for _ in range(40):
        size = float(np.sqrt(low * high))
        plan, found = of(size)
        if 0.005 <= found.chance <= 0.05:
            return plan, found
        low, high = (size, high) if found.chance > 0.05 else (low, size)
    return plan, found
