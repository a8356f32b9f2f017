"""The scenarios in which fields are tried: everything fails now and then, and some of it is limited."""

from typing import Any

ERRORS: dict[str, Any] = {
    "server_error": 0.15,
    "overloaded": {"rate": 0.05, "latency": "50ms"},
    "rate_limited": {"rate": 0.1, "retry_after": "1300ms"},
    "connection_error": 0.05,
    "client_error": 0.05,
    "invalid_output": 0.05,
    "hang": 0.05,
    "mid_stream": {"rate": 0.1},
}
STREAM: dict[str, Any] = {
    "connect": {"kind": "exponential", "mean": "100ms"},
    "first_token": {"kind": "exponential", "mean": "500ms"},
    "tokens_per_second": 60,
}


def provider(tag: str, per_request: float) -> dict[str, Any]:
    """A provider whose calls fail now and then."""
    price = {"input_per_mtok": 3, "output_per_mtok": 15, "per_request": per_request}
    return {"latency": STREAM, "errors": ERRORS, "models": {"m": {"price": price, "tags": {"region": tag}}}}


HORIZON = "60s"
SHORT_HORIZON = "20s"  # in which most fields already show


def base(chain: list[Any]) -> dict[str, Any]:
    return {
        "horizon": HORIZON,
        "seed": 5,
        "workload": {
            "arrivals": {"kind": "poisson", "rate": "1/s"},
            "tokens": {"input": {"kind": "exponential", "mean": 500}, "output": {"kind": "exponential", "mean": 60}},
        },
        "providers": {"a": provider("eu", 0.001), "b": provider("us", 0.002), "c": provider("eu", 0.003)},
        "chain": chain,
        "policy": {
            "rounds": 2,
            "retries": 2,
            "backoff": {"kind": "exponential", "base": "400ms"},
            "timeout": "4s",
            "deadline": "30s",
        },
    }


GROUP_FIRST = base([{"group": "g", "legs": [{"provider": "a"}, {"provider": "b"}]}, {"provider": "c"}])
LEG_FIRST = base([{"provider": "a"}, {"group": "g", "legs": [{"provider": "b"}, {"provider": "c"}]}])
