"""What scenarios are drawn from: the switches of their features, and draws that both sides of a call need."""

from collections.abc import Sequence
from typing import Any

import numpy as np

Entry = dict[str, Any]

OUTCOMES = ["server_error", "overloaded", "rate_limited", "connection_error", "client_error"]
HANDLED = [*OUTCOMES, "timeout", "invalid_output"]
ARRIVALS = ["poisson", "bursty", "batch", "closed", "replay"]
INCIDENTS = ["poisson", "renewal", "marked_renewal", "schedule", "replay", "intent", "mttf"]
DISTRIBUTIONS = ["constant", "uniform", "exponential", "lognormal", "gamma", "weibull", "empirical"]
ROUTINGS = ["ordered", "round_robin", "weighted", "cheapest", "least_latency", "least_busy", "usage_based"]
BACKOFFS = ["constant", "linear", "exponential", "envoy"]
JITTERS = ["none", "full", "equal", "decorrelated", "additive", "scaled"]
BREAKERS = ["consecutive", "count_window", "time_window"]
BUDGETS = ["active", "ratio", "quota", "throttle"]
ALGORITHMS = ["token_bucket", "fixed_window", "sliding_log"]
COUNTINGS = ["dispatch", "estimate", "success"]
CLIENTS = [
    "openai-python@3.54",
    "anthropic-sdk@2.12",
    "google-genai@3.4",
    "google-genai-retries@3.4",
    "aws-standard@1.44",
]
POLICIES = [
    "litellm@1.109",
    "portkey@2026-05",
    "portkey-hosted@2026-05",
    "bifrost@2026",
    "kong-ai@3.13",
    "cloudflare-ai@2026",
    "helicone@2025-07",
    "envoy-retry@2026",
    "envoy-retry-budget@2026",
    "envoy-outlier-detection@2026",
    "grpc-throttling@A6",
    "finagle-retry-budget@2026",
    "sre-adaptive-throttling@2016",
    "resilience4j-breaker@2",
    "polly-breaker@8",
    "polly-hedging@8",
    "hedged-requests@2013",
]
SWITCHES = [
    *[f"arrivals {kind}" for kind in ARRIVALS],
    *[f"incidents {kind}" for kind in INCIDENTS],
    *[f"limit {algorithm} {counting}" for algorithm in ALGORITHMS for counting in COUNTINGS],
    *[f"breaker {kind}" for kind in BREAKERS],
    *[f"retry_budget {kind}" for kind in BUDGETS],
    *[f"routing {kind}" for kind in ROUTINGS],
    *[f"order {kind}" for kind in ROUTINGS[1:]],
    *[f"preset {name}" for name in [*CLIENTS, *POLICIES]],
    *[f"client {name}" for name in CLIENTS[:4]],
    *[f"backoff {kind} {jitter}" for kind in BACKOFFS for jitter in JITTERS],
    *["group", "groups", "brownout", "hang", "kill", "status", "errors", "mid_stream", "invalid_output", "latency"],
    *["capacity", "capacity queue", "surge", "surge capacity", "budget shared", "budget equal", "budget shares"],
    *["cooldown", "cooldown allowed", "cooldown also", "ejection", "ejection share", "probes", "acceleration"],
    *["concurrency", "tokens limit", "counts", "shaping chain", "shaping leg", "bulkhead", "bulkhead queue"],
    *["adaptive_throttling", "ramp", "hedge same", "hedge next", "hedge run", "throttled", "client own"],
    *["retry_after honour", "retry_after mapping", "wait_after_last", "healthy_peer", "fallback_depth", "retry_on"],
    *["application", "deadline", "rounds", "drain", "billing per_attempt", "billing table", "per_unit", "cached"],
    *["cache share", "cache zipf", "prompt_cache", "silent_rot", "rot probes", "profile", "common_cause", "partly"],
    *["twin", "half shared", "depends", "requirements", "tags", "start", "up", "quality", "streaming timeouts"],
    *["other arm", "tier", "rpm", "leg settings", "incident profile", "several limits", "weeks"],
]


class Draws:
    """The draws of one scenario: a switch that is on gives its feature a place in it, if there is one."""

    def __init__(self, random: np.random.Generator, forced: str) -> None:
        self.random = random
        density = float(random.choice([0.06, 0.12, 0.25]))
        self.on = {switch for switch in SWITCHES if random.random() < density} | {forced}
        self.forced = forced
        self.wide = 1 if "weeks" not in self.on else 12_000

    def chance(self, share: float) -> bool:
        return bool(self.random.random() < share)

    def one(self, values: Sequence[Any]) -> Any:
        return values[int(self.random.integers(len(values)))]

    def kind(self, word: str, kinds: Sequence[str], otherwise: str | None = None) -> str | None:
        """A kind that is switched on, the forced one first."""
        on = [kind for kind in kinds if f"{word} {kind}" in self.on]
        for kind in on:
            if f"{word} {kind}" == self.forced:
                return kind
        return self.one(on) if on else otherwise

    def seconds(self, low: float, high: float, wide: bool = False) -> str:
        return f"{round(float(self.random.uniform(low, high)), 2) * (self.wide if wide else 1):.10g}s"

    def distribution(self, low: float, high: float, wide: bool = False) -> Any:
        kind = self.one(DISTRIBUTIONS)
        first, second = self.seconds(low, (low + high) / 2, wide), self.seconds((low + high) / 2, high, wide)
        return {
            "constant": first,
            "uniform": {"kind": kind, "low": first, "high": second},
            "exponential": {"kind": kind, "mean": second},
            "lognormal": self.one(
                [
                    {"kind": kind, "median": second, "sigma": 0.8},
                    {"kind": kind, "mean": second, "cv": 1.5},
                    {"kind": kind, "median": first, "p95": self.seconds(high * 2, high * 3, wide)},
                ]
            ),
            "gamma": {"kind": kind, "mean": second, "cv": 0.7},
            "weibull": {"kind": kind, "shape": 0.8, "scale": second},
            "empirical": {"kind": kind, "values": [first, second]},
        }[kind]

    def billing(self) -> Any:
        if "billing table" in self.on and (self.forced == "billing table" or self.chance(0.6)):
            keys = ["ok", *HANDLED, "cancelled", "broken_stream"]
            chosen = self.random.choice(keys, size=4, replace=False)
            return {str(key): self.one(["none", "input", "partial", "full"]) for key in chosen}
        return "per_attempt" if "billing per_attempt" in self.on else None
