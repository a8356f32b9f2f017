"""A scenario with a bit of everything, for claims about whole runs; run as a program it prints a digest of one."""

from typing import Any

from engine.traced import plan_of, trace

EXPONENTIAL_20S = {"kind": "exponential", "mean": "20s"}


def rich_scenario(arrivals: dict[str, Any] | None = None, horizon: str = "20min") -> dict[str, Any]:
    shocks = {"kind": "poisson", "rate": "30/h", "duration": EXPONENTIAL_20S}
    brownouts = {**shocks, "error_rate": 0.4, "latency_factor": 2, "hang": 0.1, "outcome": "overloaded"}
    kills = {**shocks, "error_rate": 0.7, "kills_in_flight": True}
    lognormal = {"kind": "lognormal", "median": "1s", "p95": "4s"}
    streaming = {"connect": "50ms", "first_token": {"kind": "exponential", "mean": "500ms"}, "tokens_per_second": 60}
    price = {"input_per_mtok": 3, "output_per_mtok": 15, "cached_input_per_mtok": 0.3, "per_request": 0.001}
    errors = {
        "server_error": {"rate": 0.05, "latency": EXPONENTIAL_20S},
        "overloaded": 0.02,
        "client_error": 0.01,
        "invalid_output": 0.03,
        "hang": 0.01,
        "mid_stream": {"rate": 0.05, "after": {"kind": "uniform", "low": 0, "high": 1}},
    }
    return {
        "title": "A bit of everything",
        "horizon": horizon,
        "seed": 3,
        "workload": {
            "arrivals": arrivals or {"kind": "poisson", "rate": "1/s"},
            "tokens": {
                "input": {"kind": "lognormal", "median": 500, "p95": 2000},
                "output": {"kind": "lognormal", "median": 100, "p95": 400},
            },
            "requirements": [{"share": 0.2, "tags": {"region": "eu"}}],
        },
        "components": {
            "cloud": {"incidents": [shocks]},
            "cdn": {"depends_on": [{"cloud": 0.5}], "incidents": [brownouts]},
        },
        "providers": {
            "a": {
                "depends_on": ["cdn"],
                "latency": streaming,
                "errors": errors,
                "limits": {"requests": "1/s", "burst": 5},
                "models": {
                    "x": {"price": price, "incidents": [kills]},
                    "y": {"price": price, "tags": {"region": "eu"}},
                },
            },
            "b": {
                "depends_on": [{"cdn": 0.3}],
                "incidents": [{"kind": "renewal", "up": {"kind": "exponential", "mean": "5min"}, "down": "30s"}],
                "latency": lognormal,
                "errors": errors,
                "tags": {"region": "eu"},
                "models": {"z": {"price": {"per_request": 0.01}, "quality": 0.5}},
            },
        },
        "chain": [
            {
                "provider": "a",
                "model": "x",
                "timeout": {"first_token": "2s", "total": "10s"},
                "retries": 1,
                "prompt_cache": {"share": 0.5, "ttl": "3s"},
            },
            {
                "provider": "b",
                "timeout": "8s",
                "retries": 2,
                "silent_rot": {
                    "time_to_rot": {"kind": "exponential", "mean": "5min"},
                    "repair": "1min",
                    "probe_every": "90s",
                },
            },
            {"provider": "a", "model": "y", "timeout": "20s"},
        ],
        "policy": {
            "rounds": 2,
            "backoff": {"kind": "exponential", "base": "200ms", "cap": "2s", "jitter": "decorrelated"},
            "retry_after": "honour",
            "deadline": "12s",
            "response_cache": {"kind": "zipf", "keys": 1000, "exponent": 1, "ttl": "30s"},
        },
    }


if __name__ == "__main__":
    print(trace(plan_of(rich_scenario()), 0).digest())  # noqa: T201
