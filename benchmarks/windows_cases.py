"""Scenarios for windows against brute force, and how much of each is simulated.

Incidents are so frequent that request level runs through thousands of them.
"""

from collections.abc import Mapping
from typing import Any, Final

DAYS: Final = 1.0
REPLICATIONS: Final = 30

Scenario = dict[str, Any]


def scenarios() -> dict[str, Scenario]:
    """By name; each says what it has beside two providers behind one network."""
    cooldown = {"all_failed": 4, "window": "60s", "for": "30s"}
    backoff = {"kind": "exponential", "base": "1s", "factor": 2, "cap": "10s", "jitter": "full"}
    weekly = {"hours": [0.3] * 7 + [1.5] * 12 + [0.7] * 5}
    drawn = {
        "limits and cooldown": _scenario(policy={"cooldown": cooldown, "backoff": backoff}),
        "fixed windows": _scenario(
            limits=({"requests": "60/min", "algorithm": {"fixed_window": "1min"}}, _SLIDING),
            policy={"backoff": backoff, "retry_after": {"mode": "honour", "cap": "20s"}},
        ),
        "breakers": _scenario(
            policy={
                "breaker": {
                    "kind": "time_window",
                    "window": "60s",
                    "failure_share": 0.5,
                    "minimum": 5,
                    "open": "30s",
                    "half_open": 2,
                },
                "backoff": backoff,
            }
        ),
        "retry budget": _scenario(
            retries=3, policy={"retry_budget": {"kind": "ratio", "share": 0.1, "per_second": 0.02, "ttl": "60s"}}
        ),
        "quota": _scenario(
            retries=3,
            policy={
                "retry_budget": {"kind": "quota", "capacity": 20, "retry_cost": 5, "success": 1},
                "backoff": backoff,
            },
        ),
        "bulkhead": _scenario(policy={"bulkhead": {"concurrent": 2, "queue": 3, "max_wait": "5s"}, "deadline": "40s"}),
        "capacity": _scenario(capacity={"concurrent": 3, "queue": 4}, limits=(None, None), hang=0.3),
        "shaping": _scenario(policy={"shaping": {"rate": "40/min", "burst": 3, "max_wait": "15s"}}, retries=2),
        "profile": _scenario(profile=weekly, policy={"cooldown": cooldown}),
        "bursts": _scenario(
            arrivals={"kind": "bursty", "rate": "0.3/s", "cv": 3, "clients": 4}, policy={"backoff": backoff}
        ),
        "batches": _scenario(
            arrivals={"kind": "batch", "every": "2min", "size": 30}, policy={"backoff": backoff}, retries=2
        ),
        "hedges and throttling": _scenario(
            policy={"hedge": {"after": "4s"}, "adaptive_throttling": {"k": 2, "window": "60s"}}
        ),
        "ramp and application": _scenario(
            policy={
                "ramp": {"start": 0.2, "over": "90s", "reset_after": "60s"},
                "application": {"retries": 1, "backoff": {"kind": "constant", "base": "10s"}},
            }
        ),
        "token limits and probes": _scenario(
            limits=({"tokens": "30000/min"}, {"output_tokens": "3000/min"}),
            policy={"probes": {"every": "15s", "timeout": "5s"}, "backoff": backoff},
        ),
    }
    # Seeds of their own, or chance would favour the same figures of all.
    return {name: said | {"seed": 101 + number} for number, (name, said) in enumerate(drawn.items())}


_BUCKET: Final = {"requests": "40/min", "burst": 10}
_SLIDING: Final = {"requests": "12/min", "algorithm": {"sliding_log": "1min"}}


def _scenario(
    *,
    arrivals: Mapping[str, Any] | None = None,
    limits: tuple[Mapping[str, Any] | None, Mapping[str, Any] | None] = (_BUCKET, {"requests": "12/min", "burst": 4}),
    policy: Mapping[str, Any] | None = None,
    profile: Mapping[str, Any] | None = None,
    retries: int = 1,
    capacity: Mapping[str, Any] | None = None,
    hang: float = 0.1,
) -> Scenario:
    poisson = {"kind": "poisson", "rate": "0.3/s"} | ({} if profile is None else {"profile": profile})
    common = {"depends_on": ["cdn"]} | ({} if capacity is None else {"capacity": capacity})
    return {
        "title": "windows against brute force",
        "horizon": f"{DAYS:g}d",
        "workload": {
            "arrivals": arrivals or poisson,
            "tokens": {"input": {"kind": "lognormal", "median": 400, "p99": 3000}, "output": 150},
        },
        "components": {"cdn": {"incidents": [_incidents("16/d", {"kind": "exponential", "mean": "2min"})]}},
        "providers": {
            "a": common
            | ({} if limits[0] is None else {"limits": limits[0]})
            | {
                "incidents": [
                    _incidents("28/d", {"kind": "lognormal", "median": "3min", "p95": "15min"}),
                    _incidents(
                        "24/d",
                        {"kind": "exponential", "mean": "5min"},
                        error_rate=0.5 - hang / 2,
                        hang=hang,
                        latency_factor=1.5,
                    ),
                ],
                "models": {
                    "m": {"latency": {"kind": "lognormal", "median": "2s", "p99": "8s"}, "price": {"per_request": 0.01}}
                },
            },
            "b": common
            | ({} if limits[1] is None else {"limits": limits[1]})
            | {
                "incidents": [_incidents("24/d", {"kind": "exponential", "mean": "4min"})],
                "models": {
                    "m": {
                        "latency": {"kind": "lognormal", "median": "3s", "p99": "12s"},
                        "price": {"per_request": 0.02},
                        "errors": {"server_error": 0.01},
                    }
                },
            },
        },
        "chain": [
            {"provider": "a", "timeout": "15s", "retries": retries},
            {"provider": "b", "timeout": "20s", "retries": retries},
        ],
        "policy": dict(policy or {}),
    }


def _incidents(rate: str, duration: Mapping[str, Any], **effect: Any) -> Scenario:
    return {"kind": "poisson", "rate": rate, "duration": dict(duration), **effect}
