"""The least that each definition needs, and what its fields need elsewhere in the scenario to act."""

from collections.abc import Mapping
from typing import Any, Final

S20: Final = {"kind": "exponential", "mean": "20s"}
CONSECUTIVE: Final = {"kind": "consecutive", "failures": 2, "open": "5s"}
TIMED: Final = {"kind": "schedule", "windows": [{"start": "5s", "end": "25s"}]}
BUSY: Final = {"workload.arrivals": {"kind": "poisson", "rate": "4/s"}}
HARSH: Final = {f"providers.{name}.errors": {"server_error": 0.7, "rate_limited": 0.2} for name in "abc"}
"""Nearly every call fails."""
ZONE: Final = {"providers.b.tags": {"zone": "x"}, "workload.requirements": [{"share": 0.5, "tags": {"zone": "x"}}]}
BY_SEVERITY: Final = {"major": {"error_rate": 1}, "minor": {"error_rate": 0.1}}
CACHED: Final = [{"provider": "a", "prompt_cache": {"share": 0.5, "ttl": "5s"}}]
UNBURST: Final = {"Limits": {"requests": "30/min"}, "Budget": {"requests": "30/min", "legs": ["a", "b"]}}
OTHERS_TOO: Final[dict[str, dict[str, Any]]] = {
    name: {"policy.routing": "round_robin", f"policy.{name}": {**guard, "all_open": "bypass"}, **HARSH}
    for name, guard in {
        "breaker": CONSECUTIVE,
        "ejection": {"consecutive": 2, "for": "9s"},
        "cooldown": {"allowed_fails": 0, "for": "9s"},
    }.items()
}
"""The other legs are taken out of use as well."""
NO_RETRIES: Final = {"policy.retries": 0, "policy.rounds": 1}

INSTANCES: dict[str, Any] = {
    "PoissonArrivals": {"kind": "poisson", "rate": "1/s"},
    "BurstyArrivals": {"kind": "bursty", "rate": "1/s", "cv": 3},
    "BatchArrivals": {"kind": "batch", "every": "5s", "size": 2},
    "ClosedArrivals": {"kind": "closed", "users": 3, "think": "2s"},
    "ArrivalFile": {"kind": "replay", "file": "arrivals.csv", "columns": {"time": "at"}},
    "ArrivalColumns": {"time": "at"},
    "Profile": {"hours": [*range(1, 25)]},
    "Requirement": {"share": 0.5, "tags": {"region": "us"}},
    "Component": {},
    "Dependency": {"component": "cdn"},
    "PoissonIncidents": {"kind": "poisson", "rate": "120/h", "duration": S20},
    "RenewalIncidents": {"kind": "renewal", "up": S20, "down": S20},
    "MarkedRenewalIncidents": {"kind": "marked_renewal", "between": S20, "duration": S20},
    "Schedule": TIMED,
    "Window": {"start": "5s", "end": "25s"},
    "IncidentFile": {
        "kind": "replay",
        "file": "incidents.csv",
        "columns": {"start": "began", "end": "ended", "severity": "level"},
    },
    "IncidentColumns": {"start": "began", "end": "ended", "severity": "level"},
    "Effect": {"error_rate": 1.0},
    "RandomError": {"rate": 0.2},
    "BrokenStreams": {"rate": 0.2},
    "Limits": {"requests": "30/min", "burst": 3},
    "Budget": {"requests": "30/min", "burst": 3, "legs": ["a", "b"]},
    "Burst": {"requests": 3},
    "Windows": {"fixed_window": "10s"},
    "Estimate": {"estimate": 50},
    "RoundedUp": {"round_up": "1s"},
    "Acceleration": {"growth": 1.5, "over": "5s", "floor": "24/min"},
    "Capacity": {"concurrent": 1},
    "CommonCause": {"members": ["a", "b"], "fraction": 0.5},
    "Surge": {"when": "a", "to": "c", "load": 2},
    "ConsecutiveBreaker": CONSECUTIVE,
    "CountWindowBreaker": {"kind": "count_window", "calls": 4, "failure_share": 0.5, "open": "5s"},
    "TimeWindowBreaker": {"kind": "time_window", "window": "5s", "failure_share": 0.5, "open": "5s"},
    "Cooldown": {"allowed_fails": 1, "for": "4s"},
    "Ejection": {"consecutive": 2, "for": "4s"},
    "Hedge": {"after": "500ms"},
    "Probes": {"every": "2s"},
    "Shaping": {"rate": "20/min", "queue": 2},
    "Bulkhead": {"concurrent": 1},
    "ActiveBudget": {"kind": "active", "share": 0.1, "minimum": 1},
    "RatioBudget": {"kind": "ratio", "share": 0.1, "ttl": "10s"},
    "QuotaBudget": {"kind": "quota", "capacity": 10, "retry_cost": 5},
    "ThrottleBudget": {"kind": "throttle", "max_tokens": 4, "token_ratio": 0.5},
    "BucketBudget": {"kind": "bucket", "capacity": 2, "deposit": 0.1},
    "AdaptiveThrottling": {"k": 1.1},
    "Ramp": {"start": 0.2, "over": "20s", "reset_after": "3s"},
    "Client": {"retries": 2, "backoff": "300ms"},
    "Backoff": {"kind": "exponential", "base": "300ms"},
    "ThrottledBackoff": {"base": "200ms"},
    "RetryAfter": {"mode": "honour"},
    "Timeout": {"total": "3s"},
    "PromptCache": {"share": 0.5, "ttl": "5s"},
    "SilentRot": {"time_to_rot": S20, "repair": "5s"},
    "Routing": {"kind": "weighted"},
    "Application": {"retries": 2},
    "ShareCache": {"kind": "share", "hit_rate": 0.3},
    "ZipfCache": {"kind": "zipf", "keys": 20, "exponent": 1, "ttl": "10s"},
    "Latency": {"first_token": "1s"},
}

WORLDS: dict[str, Mapping[str, Any]] = {
    "Hedge": {"policy.timeout": "8s"},
    "Bulkhead": BUSY,
    "Capacity": BUSY,
    "CommonCause": {
        f"providers.{name}.{field}": value
        for name in "abc"
        for field, value in (("availability", 0.8), ("episodes_per_year", 500_000))
    },
    "Surge": {
        "providers.a.incidents": [TIMED],
        "providers.b.incidents": [{**TIMED, "windows": [{"start": "30s", "end": "50s"}]}],
    },
    **{
        f"{kind}Budget": {"policy.routing": "round_robin"}
        for kind in ("Active", "Ratio", "Quota", "Throttle", "Bucket")
    },
    "Shaping": {"policy.routing": "round_robin"},
    "Ramp": HARSH,
    "Application": {
        **NO_RETRIES,
        "policy.timeout": "9s",
        **{f"providers.{name}.errors": {"rate_limited": 0.5, "hang": 0.3} for name in "abc"},
    },
    "ThrottledBackoff": {
        "policy.timeout": "20s",
        "providers.a.errors": {"rate_limited": 0.5},
        "providers.b.errors": {"rate_limited": 0.5},
    },
    "RetryAfter": {
        "policy.timeout": "20s",
        "providers.a.errors": {"rate_limited": {"rate": 0.3, "retry_after": "1300ms"}, "server_error": 0.2},
        "providers.b.errors": {"rate_limited": {"rate": 0.3, "retry_after": "1300ms"}, "server_error": 0.2},
    },
    "Dependency": {"components.cdn.incidents": [INSTANCES["PoissonIncidents"]]},
    "Component": {"providers.a.depends_on": ["cloud"]},
    "PromptCache": {"providers.a.models.m.price": {"input_per_mtok": 3, "cached_input_per_mtok": 0.3}},
}

FAILING: Final = {"mttf": "10s", "mttr": "10s"}
PLACE_WORLDS: dict[str, Mapping[str, Any]] = {
    "policy.retry_backoff": {"policy.backoff": None},
    "policy.round_backoff": {"policy.backoff": None, "policy.rounds": 4, **HARSH},
    "effect<Effect>": {
        f"{of}.{field}": value
        for of in ("components.cloud", "providers.a", "providers.a.models.m")
        for field, value in FAILING.items()
    },
}
"""What a place needs elsewhere, whatever is set there."""
