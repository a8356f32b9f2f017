"""The words of the project: outcomes, causes and kinds as they appear in scenario files, code and traces.

Each tuple is the declared, fixed set of values of a dictionary column. The position of a value is its code inside the
engine. Every room may import this module; it imports nothing.
"""

from collections.abc import Mapping
from typing import Final

ATTEMPT_OUTCOMES: Final = (
    "ok",
    "server_error",
    "overloaded",
    "rate_limited",
    "timeout",
    "connection_error",
    "client_error",
    "invalid_output",
    "cancelled",
)
OK, SERVER_ERROR, OVERLOADED, RATE_LIMITED, TIMEOUT = range(5)
CONNECTION_ERROR, CLIENT_ERROR, INVALID_OUTPUT, CANCELLED = range(5, 9)

HTTP_STATUS: Final = (200, 500, 529, 429, None, None, 400, 200, None)
"""The status a client sees with each attempt outcome; None where no response is complete."""

REQUEST_OUTCOMES: Final = ("ok", "failed", "deadline", "rejected", "in_flight")
REQUEST_OK, REQUEST_FAILED, REQUEST_DEADLINE, REQUEST_REJECTED, REQUEST_IN_FLIGHT = range(5)

ERROR_TYPES: Final = (*ATTEMPT_OUTCOMES[1:], "hang", "no_eligible_leg", "circuit_open", "client_limit")
"""Last failure of a request that was not served: the outcome of its last attempt, `hang` for a call that can never
end, `no_eligible_leg` for a request that no leg may serve. The code of an attempt outcome is its own less one.

If the client itself refused and no leg was called, it is `circuit_open` if every leg was out (a breaker, a cooldown, an
ejection, probes), and `client_limit` if a queue, a throttle or a ramp refused, or if every leg had reached its usage
bounds."""

ATTEMPT_KINDS: Final = ("call", "hedge", "probe")
CALL, HEDGE, PROBE = range(3)

CAUSES: Final = ("incident", "limit", "capacity", "random", "deadline", "hedge_lost", "silent_rot")
"""Why an attempt did not serve: an open incident, a rate limit, the endpoint's capacity, a random error, the
request's deadline, a hedge that lost the race, a leg that had rotted silently."""
BY_INCIDENT, BY_LIMIT, BY_CAPACITY, BY_CHANCE, BY_DEADLINE, BY_HEDGE, BY_ROT = range(7)

INCIDENT_KINDS: Final = ("poisson", "renewal", "marked_renewal", "schedule", "replay")

COMPONENT_STATES: Final = ("up", "degraded", "down")
"""A component is down while an outage (error rate 1) is open, degraded while only brownouts are."""

LEG_STATES: Final = ("working", "broken", "in_repair")
"""A leg that rots silently is broken until a call or a probe fails, and then in repair."""

ENTITY_KINDS: Final = (
    "component",
    "provider",
    "model",
    "leg",
    "breaker",
    "limit",
    "capacity",
    "cooldown",
    "ejection",
    "health",
)
"""The kinds of entities in `transitions`."""

GUARD_STATES: Final = ("closed", "open", "half_open", "cooling", "ejected", "unhealthy", "healthy")
"""States of a breaker (the first three), of a cooldown and an ejection (closed again after them), of probes."""

LIMIT_STATES: Final = ("admitting", "refusing")
"""States of a limit and of a capacity: refusing from its first refusal until it admits again."""

DEFAULT_RETRIED: Final = (
    "server_error",
    "overloaded",
    "rate_limited",
    "timeout",
    "connection_error",
    "invalid_output",
)
"""Outcomes that are retried and that fall back by default."""

METRICS: Final = (
    "requests",
    "availability",
    "cost_usd",
    "cost_usd_per_request",
    "cost_usd_per_success",
    "wasted_cost_share",
    "latency_s_mean",
    "latency_s_p50",
    "latency_s_p95",
    "latency_s_p99",
    "fallback_share",
    "attempts_per_request",
    "rate_limited_share",
)
"""Headline figures of an arm, for which a scenario may expect values."""

METRICS_IN_OTHER_WORDS: Final[Mapping[str, str]] = {
    "nines": "availability",
    "uptime": "availability",
    "cost": "cost_usd_per_request",
    "price": "cost_usd_per_request",
    "latency": "latency_s_mean",
    "p50": "latency_s_p50",
    "p95": "latency_s_p95",
    "p99": "latency_s_p99",
    "slo": "objective",
    "objective_chance": "objective",
}
"""What is asked for by a word that no spelling connects with the metric."""

HEADLINES: Final = (
    "availability",
    "cost_usd_per_request",
    "cost_usd_per_success",
    "latency_s_mean",
    "latency_s_p50",
    "latency_s_p95",
    "latency_s_p99",
    "fallback_share",
    "attempts_per_request",
)
"""Those by which arms and chains are told apart, whatever estimator they come from."""

CASCADE_METRICS: Final = (
    "retry_amplification",
    "goodput_per_minute",
    "peak_calls_per_minute",
    "refused_by_budget_share",
    "refused_by_limit_share",
    "refused_by_capacity_share",
    "refused_by_client_share",
    "time_to_recover_s",
    "metastable",
    "blackout",
)
"""Figures of cascades. A scenario may expect values for them; they are then measured in runs without limits too."""

TRACE_LEVELS: Final = ("full", "requests", "sampled", "none")
"""Which rows a run keeps: all, no attempts, those of a share of the requests, none. Its figures are of all requests."""
FULL_TRACES, REQUEST_TRACES, SAMPLED_TRACES, NO_TRACES = TRACE_LEVELS
