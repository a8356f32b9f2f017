"""Policies of general resilience libraries and proxies, and of the literature."""

from typing import Any, Final

from des.catalogue.presets.preset import Preset

READ: Final = "2026-11-22"
BROOKER: Final = (
    "Brooker 2022, Fixing retries with token buckets and circuit breakers; "
    "repository mbrooker/simulator_example: retry_sim/retry_strategy.py"
)

ENVOY_RETRY: Final[dict[str, Any]] = {
    "retries": 1,
    "retry_on": ["5xx", "timeout", "connection_error"],
    "backoff": {"kind": "envoy", "base": "25ms", "factor": 2, "cap": "250ms", "jitter": "full"},
    "retry_after": "ignore",
    "deadline": "15s",
}

RESILIENCE: Final = (
    Preset(
        name="envoy-retry",
        version="2026",
        kind="resilience",
        title="Envoy's retry policy",
        policy=ENVOY_RETRY,
        source="documentation envoyproxy.io: configuration/http/http_filters/router_filter",
        date=READ,
        not_modelled=(
            "Envoy retries nothing unless configured: here it has retry_on: 5xx.",
            "Envoy's route timeout of 15 s, retries included, is the deadline of the whole request here.",
        ),
    ),
    Preset(
        name="envoy-retry-budget",
        version="2026",
        kind="resilience",
        title="Envoy's retry policy with a retry budget",
        policy={**ENVOY_RETRY, "retry_budget": {"kind": "active", "share": "20%", "minimum": 3, "scope": "leg"}},
        source="documentation envoyproxy.io: api-v3/config/cluster/v3/circuit_breaker.proto",
        date=READ,
    ),
    Preset(
        name="envoy-outlier-detection",
        version="2026",
        kind="resilience",
        title="Envoy's outlier detection",
        policy={
            "ejection": {
                "consecutive": 5,
                "for": "30s",
                "longest": "300s",
                "every": "10s",
                "most": "10%",
                "always_eject_one": False,
                "panic": "50%",
            }
        },
        source="documentation envoyproxy.io: intro/arch_overview/upstream/outlier, .../load_balancing/panic_threshold",
        date=READ,
        not_modelled=("Ejection by success rate and by failure percentage.",),
    ),
    Preset(
        name="grpc-throttling",
        version="A6",
        kind="resilience",
        title="gRPC retries with retry throttling",
        policy={
            "retries": 3,
            "retry_on": [503, "connection_error"],
            "backoff": {
                "kind": "exponential",
                "base": "100ms",
                "factor": 2,
                "cap": "1s",
                "jitter": "scaled",
                "low": 0.8,
                "high": 1.2,
            },
            "retry_budget": {"kind": "throttle", "max_tokens": 10, "token_ratio": 0.1, "scope": "leg"},
        },
        source="repository grpc/proposal: A6-client-retries.md",
        date=READ,
        not_modelled=("In gRPC, retries, back-off and tokens have no default: here they are those of its examples.",),
    ),
    Preset(
        name="finagle-retry-budget",
        version="2026",
        kind="resilience",
        title="Finagle's retry budget",
        policy={
            "retries": 1,
            "backoff": "none",
            "retry_budget": {"kind": "ratio", "share": "20%", "per_second": 10, "ttl": "10s", "scope": "leg"},
        },
        source="repository twitter/finagle: finagle-core/src/main/scala/com/twitter/finagle/service/RetryBudget.scala",
        date=READ,
        not_modelled=(
            "In Finagle, the application decides how often a request is retried: here once, without a wait.",
        ),
    ),
    Preset(
        name="retry-bucket",
        version="2022",
        kind="resilience",
        title="Brooker's adaptive retries, by a token bucket",
        policy={
            "retries": 3,
            "backoff": "none",
            "retry_budget": {"kind": "bucket", "capacity": 5, "deposit": 0.1},
        },
        source=BROOKER,
        date="2026-11-28",
        not_modelled=("Brooker has many clients, each with its own bucket: here a replication is one client.",),
    ),
    Preset(
        name="retry-breaker",
        version="2022",
        kind="resilience",
        title="Brooker's circuit breaker that stops retries only",
        policy={
            "retries": 3,
            "backoff": "none",
            "breaker": {
                "kind": "count_window",
                "calls": 1000,
                "minimum": 1,
                "failure_share": "10%",
                "open": "1d",
                "stops": "retries",
            },
        },
        source=BROOKER,
        date="2026-11-28",
        not_modelled=(
            "Brooker has many clients, each with its own breaker: here a replication is one client.",
            "Brooker's share is of all calls so far and is checked at each failure: here the breaker stays open for a "
            "day.",
        ),
    ),
    Preset(
        name="sre-adaptive-throttling",
        version="2016",
        kind="resilience",
        title="Client-side throttling of Google's SRE book",
        policy={"adaptive_throttling": {"k": 2, "window": "2min"}},
        source="Beyer et al., Site Reliability Engineering (2016), chapter 21",
        date=READ,
    ),
    Preset(
        name="resilience4j-breaker",
        version="2",
        kind="resilience",
        title="resilience4j's circuit breaker",
        policy={
            "breaker": {
                "kind": "count_window",
                "calls": 100,
                "failure_share": "50%",
                "minimum": 100,
                "open": "60s",
                "half_open": 10,
            }
        },
        source="documentation resilience4j.readme.io: circuitbreaker",
        date=READ,
        not_modelled=("Slow calls as failures; by default no call counts as slow.",),
    ),
    Preset(
        name="polly-breaker",
        version="8",
        kind="resilience",
        title="Polly's circuit breaker",
        policy={
            "breaker": {
                "kind": "time_window",
                "window": "30s",
                "failure_share": "10%",
                "minimum": 100,
                "open": "5s",
                "half_open": 1,
            }
        },
        source="documentation pollydocs.org: strategies/circuit-breaker",
        date=READ,
    ),
    Preset(
        name="polly-hedging",
        version="8",
        kind="resilience",
        title="Polly's hedging",
        policy={"hedge": {"after": "2s", "at_most": 1, "loser": "cancel", "to": "same"}},
        source="documentation pollydocs.org: strategies/hedging",
        date=READ,
        not_modelled=("In Polly, a failure before the delay starts the second copy at once.",),
    ),
    Preset(
        name="hedged-requests",
        version="2013",
        kind="resilience",
        title="Hedged requests of The Tail at Scale",
        policy={"hedge": {"after": "10s", "at_most": 1, "loser": "cancel", "to": "same"}},
        source="Dean and Barroso, The Tail at Scale, CACM 56(2), 2013",
        date=READ,
        not_modelled=(
            "The delay should be the 95th percentile of latency: set hedge.after to yours; 10 s is assumed.",
        ),
    ),
)
