"""Draws the scenarios of drawn_scenarios.jsonl, each with features of its own switched on; only the documents count.

`python -m tests.guard.drawn` draws them anew and prints how many have each feature; with `--count` it only counts.
"""

import contextlib
import json
import math
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.guard.shipped import GUARD
from tests.guard.simulator import simulate

FILE = GUARD / "drawn_scenarios.jsonl"
COUNT = 300
MOST_REQUESTS = 900  # of all arms
MOST_ATTEMPTS = 6000
MOST_S = 0.3

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


class Drawer:
    """One scenario: a switch that is on gives its feature a place in it, if there is one."""

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

    def effect(self) -> Entry:
        effect: Entry = {}
        if "brownout" in self.on and self.chance(0.7):
            effect |= {"error_rate": self.one([0.3, 0.6]), "latency_factor": self.one([1, 2, 5.5])}
        if "hang" in self.on and self.chance(0.5):
            effect |= {"hang": self.one([0.2, 0.6]), "error_rate": effect.get("error_rate", 0.4)}
        if "kill" in self.on and self.chance(0.7):
            effect |= {"kills_in_flight": True}
        if self.chance(0.4):
            effect |= {"outcome": self.one([*OUTCOMES, "invalid_output"])}
        if "status" in self.on and self.chance(0.7):
            outcome = self.one(["server_error", "overloaded", "client_error"])
            effect |= {
                "outcome": outcome,
                "status": {"server_error": 502, "overloaded": 503, "client_error": 404}[outcome],
            }
        if self.chance(0.4):
            effect |= {"error_latency": self.distribution(0.05, 2.0)}
        return effect

    def incidents(self) -> Entry:
        """Of a component, a provider or a model."""
        kind = self.kind("incidents", INCIDENTS, "poisson")
        if kind == "intent":
            rate = self.one([150_000, 300_000]) // self.wide
            said: Entry = {"availability": self.one(["90%", "80%"]), "episodes_per_year": rate}
            if self.chance(0.5):
                said |= {"duration": {"kind": "exponential", "mean": "1s"}}
            return said | ({"effect": effect} if (effect := self.effect()) else {})
        if kind == "mttf":
            said = {"mttf": self.seconds(30, 90, True), "mttr": self.seconds(5, 30, True)}
            return said | ({"effect": effect} if (effect := self.effect()) else {})
        listed = [self.incident_class(str(kind))]
        if self.chance(0.3):
            listed.append(self.incident_class("poisson"))
        return {"incidents": listed}

    def incident_class(self, kind: str) -> Entry:
        effect = self.effect()
        match kind:
            case "poisson":
                said: Entry = {"rate": f"1/{self.seconds(40, 120, True)}", "duration": self.distribution(3, 25, True)}
                if "incident profile" in self.on or self.chance(0.1):
                    said |= {"profile": {"hours": [3, 1] * 12}}
            case "renewal":
                said = {"up": self.distribution(20, 90, True), "down": self.distribution(3, 30, True)}
            case "marked_renewal":
                said = {"between": self.distribution(20, 90, True), "duration": self.distribution(3, 30, True)}
            case "schedule":
                edges = sorted(self.random.choice(200, size=4, replace=False))
                said = {
                    "windows": [
                        {"start": f"{edges[0] * self.wide}s", "end": f"{edges[1] * self.wide}s"},
                        {"start": f"{edges[2] * self.wide}s", "duration": f"{(edges[3] - edges[2]) * self.wide}s"},
                    ]
                }
            case _:
                self.on.add("start")
                said = {
                    "file": "incidents.csv",
                    "columns": {"start": "began", "end": "ended", "severity": "level"},
                    "where": {"provider": self.one(["a", "b", ["a", "b"]])},
                    "effects": {
                        "1": {"error_rate": 0.2},
                        "2": {"error_rate": 0.5, "latency_factor": 2},
                        "3": {"error_rate": 1},
                    },
                }
        return {"kind": kind, **said, **effect}

    def limits(self) -> Any:
        drawn = []
        for _ in range(2 if "several limits" in self.on else 1):
            pairs = [f"{algorithm} {counting}" for algorithm in ALGORITHMS for counting in COUNTINGS]
            algorithm, counting = str(self.kind("limit", pairs, self.one(pairs))).split()
            per_minute = f"{self.one([12, 25, 60])}/min"
            limit: Entry = {"requests": per_minute}
            if "tokens limit" in self.on or counting == "estimate":
                metric = "tokens" if counting == "estimate" else self.one(["input_tokens", "output_tokens", "tokens"])
                limit |= {metric: f"{self.one([8000, 20000])}/min"}
            if algorithm != "token_bucket":
                limit |= {"algorithm": {algorithm: self.one(["10s", "30s", "1min"])}}
            elif self.chance(0.5):
                plain = len(limit) == 1
                limit |= {"burst": self.one([2, 5]) if plain else {"requests": self.one([2, 5])}}
            if counting == "estimate":
                limit |= {"counting": {"estimate": self.one([50, 400])}}
            elif counting == "success":
                limit |= {"counting": "success"}
            if "counts" in self.on and counting != "success":
                limit |= {"counts_refused": self.chance(0.6), "counts_failed": self.chance(0.5)}
                if {"input_tokens", "tokens"} & limit.keys():
                    limit |= {"counts_cached": self.chance(0.5)}
            if "concurrency" in self.on:
                limit |= {"concurrency": self.one([2, 4])}
            if "acceleration" in self.on:
                limit |= {"acceleration": {"growth": 1.5, "over": "20s", "floor": "12/min"}}
            if self.chance(0.3):
                limit |= {"retry_after": False}
            if self.chance(0.3):
                limit |= {"refusal_latency": self.distribution(0.0, 0.5)}
            drawn.append(limit)
        return drawn[0] if len(drawn) == 1 else drawn

    def has_limits(self) -> bool:
        words = ("limit ", "counts", "concurrency", "tokens limit", "acceleration", "several limits")
        return any(switch.startswith(words) for switch in self.on)

    def errors(self) -> Entry:
        errors: Entry = {}
        if "errors" in self.on:
            for outcome in self.random.choice(OUTCOMES, size=2, replace=False):
                detailed = {"rate": 0.1, "latency": self.distribution(0.05, 1.0)}
                errors[str(outcome)] = self.one([0.05, 0.2, detailed])
        if "invalid_output" in self.on:
            errors["invalid_output"] = 0.1
        if "hang" in self.on and self.chance(0.4):
            errors["hang"] = 0.03
        if "mid_stream" in self.on:
            errors["mid_stream"] = {"rate": 0.2, "after": self.one([0.5, {"kind": "uniform", "low": 0, "high": 1}])}
        return errors

    def billing(self) -> Any:
        if "billing table" in self.on and (self.forced == "billing table" or self.chance(0.6)):
            keys = ["ok", *HANDLED, "cancelled", "broken_stream"]
            chosen = self.random.choice(keys, size=4, replace=False)
            return {str(key): self.one(["none", "input", "partial", "full"]) for key in chosen}
        return "per_attempt" if "billing per_attempt" in self.on else None

    def model(self) -> Entry:
        price: Entry = {"input_per_mtok": self.one([0.3, 3]), "output_per_mtok": self.one([2, 15])}
        if "cached" in self.on or "prompt_cache" in self.on:
            price |= {"cached_input_per_mtok": 0.3, "cache_write_per_mtok": 3.75}
        if "per_unit" in self.on:
            price = {"per_request": self.one([0.01, 0.04]), "per_unit": 0.002}
        streamed = {
            "connect": self.distribution(0.02, 0.2),
            "first_token": self.distribution(0.1, 1.5),
            "tokens_per_second": self.one([40, {"kind": "uniform", "low": 10, "high": 90}]),
        }
        model: Entry = {"price": price, "latency": streamed if self.chance(0.5) else self.distribution(0.2, 4.0)}
        if errors := self.errors():
            model["errors"] = errors
        if "quality" in self.on:
            model["quality"] = self.one([0.4, 0.9])
        if self.has_limits() and self.chance(0.4):
            model["limits"] = self.limits()
        if "tags" in self.on or "requirements" in self.on:
            model["tags"] = {"region": self.one(["eu", "us"])}
        if self.chance(0.2):
            model |= self.incidents()
        if "capacity" in self.on and self.chance(0.3):
            model["capacity"] = self.one([2, 5])
        if self.chance(0.3) and (billing := self.billing()):
            model["billing"] = billing
        return model

    def providers(self, components: Sequence[str]) -> Entry:
        drawn: Entry = {}
        cause = "common_cause" in self.on
        for name in "abcd"[: int(self.random.integers(2, 5))]:
            provider: Entry = {"models": {model: self.model() for model in "xy"[: int(self.random.integers(1, 3))]}}
            if components and self.chance(0.8):
                target = self.one(components)
                partly = "partly" in self.on and (self.forced == "partly" or self.chance(0.7))
                provider["depends_on"] = [{target: self.one([0.3, "80%"])} if partly else target]
            if cause:
                provider |= {"availability": "85%", "episodes_per_year": 200_000 // self.wide}
            elif self.chance(0.6) or (self.forced.startswith("incidents") and name == "a"):
                provider |= self.incidents()
            if self.has_limits() and (name == "a" or self.chance(0.5)):
                provider["limits"] = self.limits()
            if "capacity queue" in self.on and self.chance(0.7):
                provider["capacity"] = {"concurrent": self.one([2, 4]), "queue": self.one([1, 5])}
            elif "capacity" in self.on and self.chance(0.8):
                provider["capacity"] = self.one([2, 4])
            if self.chance(0.5) and (billing := self.billing()):
                provider["billing"] = billing
            drawn[name] = provider
        return drawn

    def backoff(self) -> Any:
        pairs = [f"{kind} {jitter}" for kind in BACKOFFS for jitter in JITTERS]
        kind, jitter = str(self.kind("backoff", pairs, self.one(pairs))).split()
        said: Entry = {"kind": kind, "base": self.seconds(0.05, 1.0), "jitter": jitter}
        if self.chance(0.6):
            said["cap"] = self.seconds(2, 6)
        if kind == "envoy" or (kind == "exponential" and self.chance(0.5)):
            said["factor"] = self.one([1.5, 3])
        if jitter == "additive":
            said["spread"] = self.seconds(0.1, 1.0)
        if jitter == "scaled":
            said |= {"low": 0.75, "high": self.one([1, 1.25])}
        if jitter in ("additive", "scaled") and "cap" in said and self.chance(0.5):
            said["cap_jitter"] = True
        return said

    def leg_settings(self, of_group: bool) -> Entry:
        """What a policy, a group or a leg may say of calls; ejections where there is a group."""
        said: Entry = {}
        counts = {"counts": list(map(str, self.random.choice(HANDLED[:4], size=2, replace=False)))}
        if kind := self.kind("breaker", BREAKERS):
            own: Entry = {
                "consecutive": {"failures": self.one([2, 4])},
                "count_window": {"calls": 10, "failure_share": 0.4, "minimum": self.one([4, 10])},
                "time_window": {"window": "20s", "failure_share": 0.4, "minimum": 4},
            }[kind]
            said["breaker"] = {"kind": kind, **own, "open": self.seconds(2, 15)}
            said["breaker"] |= {"half_open": self.one([1, 3])} if self.chance(0.7) else {}
            said["breaker"] |= {"all_open": "bypass"} if self.chance(0.4) else {}
            said["breaker"] |= counts if self.chance(0.3) else {}
        if "cooldown allowed" in self.on:
            said["cooldown"] = {"allowed_fails": self.one([0, 2]), "for": self.seconds(3, 20)}
        elif "cooldown also" in self.on:
            said["cooldown"] = {
                "also_on": ["rate_limited", "5xx"],
                "all_failed": 4,
                "window": "30s",
                "retry_after": True,
            }
        elif "cooldown" in self.on and of_group:
            said["cooldown"] = {"on": ["rate_limited"], "share": 0.4, "minimum": 4, "for": self.seconds(3, 20)}
        if of_group and "ejection share" in self.on:
            said["ejection"] = {
                "share": 0.4,
                "minimum": 5,
                "window": "20s",
                "for": "5s",
                "longest": "20s",
                "every": "3s",
            }
        elif of_group and "ejection" in self.on:
            said["ejection"] = {"consecutive": 3, "for": self.seconds(3, 12), "on_rate_limited": "4s", "most": 0.5}
        if "probes" in self.on:
            said["probes"] = {
                "every": self.seconds(5, 12, True),
                "timeout": "3s",
                "unhealthy_after": 2,
                "healthy_after": 1,
            }
        if "shaping chain" in self.on or "shaping leg" in self.on:
            scope = "leg" if "shaping leg" in self.on and self.forced != "shaping chain" else "chain"
            said["shaping"] = {"rate": f"{self.one([20, 45])}/min", "burst": self.one([1, 3]), "scope": scope}
            said["shaping"] |= self.one([{"queue": 5}, {"max_wait": "4s"}, {"queue": 10, "max_wait": "6s"}])
        if "bulkhead queue" in self.on:
            said["bulkhead"] = {"concurrent": self.one([1, 2]), "queue": 3, "max_wait": "3s"}
        elif "bulkhead" in self.on:
            said["bulkhead"] = {"concurrent": self.one([1, 3])}
        if "adaptive_throttling" in self.on:
            said["adaptive_throttling"] = {"k": self.one([1.1, 2]), "window": "30s"}
        hedges = {
            "hedge same": {"to": "same", "at_most": self.one([1, 2])},
            "hedge next": {"to": "next", "billed": self.chance(0.5)},
            "hedge run": {"loser": "run"},
        }
        if hedging := [hedges[switch] for switch in hedges if switch in self.on]:
            chosen = hedges.get(self.forced) or self.one(hedging)
            said["hedge"] = {"after": self.seconds(0.2, 1.2), **chosen}
        return said

    def ramp(self) -> Entry:
        return {"start": self.one(["10%", 0.4]), "over": self.seconds(10, 30), "reset_after": self.seconds(3, 10)}

    def timeout(self) -> Any:
        if "streaming timeouts" in self.on:
            return {"connect": "150ms", "first_token": self.seconds(0.8, 2), "idle": "2s", "total": self.seconds(4, 12)}
        return self.seconds(4, 12)

    def clients(self) -> list[Any]:
        layers: list[Any] = []
        if name := self.kind("client", CLIENTS[:4]):
            layers.append(self.one([name, {"preset": name, "retries": 1}]))
        if "client own" in self.on:
            own: Entry = {"retries": 1, "retry_on": ["5xx", "rate_limited", "timeout"], "backoff": self.backoff()}
            layers.append(own | {"retry_after": "honour", "attempt_timeout": self.seconds(2, 3), "timeout": "9s"})
        return layers

    def leg(self, endpoints: Sequence[tuple[str, str]], in_group: bool) -> Entry:
        provider, model = self.one(endpoints)
        leg: Entry = {"provider": provider, "model": model}
        if self.chance(0.8):
            leg["timeout"] = self.timeout()
        if "prompt_cache" in self.on:
            leg["prompt_cache"] = {"share": 0.6, "ttl": self.seconds(3, 20)}
        if "silent_rot" in self.on or "rot probes" in self.on:
            rot = {"time_to_rot": self.distribution(20, 120, True), "repair": self.distribution(2, 20, True)}
            leg["silent_rot"] = rot | ({"outcome": self.one(OUTCOMES)} if self.chance(0.4) else {})
            if "rot probes" in self.on:
                leg["silent_rot"] |= {"probe_every": self.seconds(10, 30, True), "error_latency": "100ms"}
        if "invalid_output" in self.on and self.chance(0.5):
            leg["invalid_output"] = 0.1
        if "leg settings" in self.on and self.chance(0.5):
            leg |= self.one([self.leg_settings(in_group), {"breaker": "none", "hedge": "none"}])
        weighted = "routing weighted" in self.on or "order weighted" in self.on
        if weighted and "rpm" not in self.on:
            leg["weight"] = self.one([1, 3, 0.5])
        if "rpm" in self.on:
            leg |= self.one([{"rpm": 30}, {"rpm": 60, "tpm": 20_000}])
        if in_group and "tier" in self.on:
            leg["tier"] = self.one([1, 2])
        return leg

    def retrying(self) -> Entry:
        said: Entry = {"retries": int(self.random.integers(0, 4))}
        if "retry_on" in self.on:
            said["retry_on"] = list(map(str, self.random.choice([*HANDLED, "429", "5xx"], size=4, replace=False)))
            said["fallback_on"] = list(map(str, self.random.choice([*HANDLED, "4xx", "503"], size=5, replace=False)))
        return said

    def chain(self, endpoints: Sequence[tuple[str, str]]) -> list[Entry]:
        words = ("group", "ejection", "routing ", "cooldown", "tier")
        grouped = any(switch.startswith(words) for switch in self.on)
        chain: list[Entry] = []
        for position in range(int(self.random.integers(2, 4))):
            if grouped and (position == 0 or ("groups" in self.on and position == 1)):
                legs = [self.leg(endpoints, True) for _ in range(int(self.random.integers(2, 4)))]
                group: Entry = {"group": f"g{position}", "legs": legs, **self.retrying()}
                if kind := self.kind("routing", ROUTINGS):
                    group["routing"] = self.routing(kind)
                chain.append(group)
            else:
                chain.append({**self.leg(endpoints, False), **self.retrying()})
        if "ramp" in self.on and self.chance(0.3):
            chain[-1]["ramp"] = self.ramp()
        return chain

    def routing(self, kind: str) -> Any:
        said: Entry = {"kind": kind}
        if kind == "least_latency" and self.chance(0.6):
            said |= {"buffer": 0.5, "samples": 5}
        if kind == "least_busy" and self.chance(0.5):
            said |= {"choices": 2}
        if kind != "round_robin" and self.chance(0.25):
            said |= {"once": True}
        return said if len(said) > 1 else kind

    def policy(self, grouped: bool) -> Entry:
        policy: Entry = {}
        named = self.forced.removeprefix("preset ")
        preset = named if named != self.forced else self.one([*CLIENTS, *POLICIES])
        if named != self.forced or (not self.forced.startswith("backoff") and self.chance(0.35)):
            policy["preset"] = preset
        elif self.chance(0.8) or self.forced.startswith("backoff"):
            policy["retry_backoff"] = self.backoff()
            if "throttled" in self.on and isinstance(policy["retry_backoff"], dict):
                policy["retry_backoff"] |= {"throttled": {"base": "1s", "cap": "10s"}}
            if self.chance(0.5):
                policy["round_backoff"] = self.backoff()
        if "rounds" in self.on:
            policy["rounds"] = self.one([2, 3])
        if "deadline" in self.on:
            policy["deadline"] = self.seconds(5, 20)
        if "retry_after mapping" in self.on:
            policy["retry_after"] = {
                "mode": "honour",
                "cap": "5s",
                "above": self.one(["clip", "refuse", "ignore"]),
                "combine": self.one(["max", "replace"]),
                "spread": "1s",
                **self.one([{}, {"on": ["rate_limited"]}, {"total": "8s"}]),
            }
        elif "retry_after honour" in self.on:
            policy["retry_after"] = "honour"
        if kind := self.kind("retry_budget", BUDGETS):
            own: Entry = {
                "active": {"share": 0.2, "minimum": 1},
                "ratio": {"share": 0.1, "per_second": 0.05, "ttl": "10s"},
                "quota": {"capacity": 20, "retry_cost": 5, "throttle_cost": 3, "success": 0.5},
                "throttle": {"max_tokens": 8, "token_ratio": 0.2},
            }[kind]
            policy["retry_budget"] = {"kind": kind, **own, "scope": self.one(["chain", "leg"])}
        if "wait_after_last" in self.on:
            policy["wait_after_last"] = True
        if "healthy_peer" in self.on:
            policy["wait_with_healthy_peer"] = False
        if "fallback_depth" in self.on:
            policy["fallback_depth"] = 1
        if kind := self.kind("order", ROUTINGS[1:]):
            policy["order"] = self.routing(kind)
        if "application" in self.on:
            policy["application"] = {"retries": 2, "backoff": self.backoff(), "timeout": "60s"}
            if self.chance(0.5):
                policy["application"] |= {"attempt_timeout": "8s", "retry_on": ["failed", "rejected", "deadline"]}
        if "ramp" in self.on:
            policy["ramp"] = self.ramp()
        if "cache zipf" in self.on:
            policy["response_cache"] = {"kind": "zipf", "keys": 30, "exponent": 1.1, "ttl": "30s", "latency": "10ms"}
        elif "cache share" in self.on:
            policy["response_cache"] = {"kind": "share", "hit_rate": 0.3, "latency": self.distribution(0.01, 0.05)}
        if billing := self.billing():
            policy["billing"] = billing
        if clients := self.clients():
            policy["clients"] = clients
        if self.chance(0.5):
            policy["timeout"] = self.timeout()
        return policy | self.leg_settings(grouped)

    def workload(self) -> Entry:
        per = f"{round(60 * self.wide)}s"
        rate = f"{self.one([20, 40])}/{per}"
        profile = {"profile": {"days": [3, 1, 1, 1, 1, 0, 0]}} if "profile" in self.on else {}
        arrivals: Entry = {
            "poisson": {"rate": rate, **profile},
            "bursty": {"rate": rate, "cv": self.one([2, 4]), "clients": self.one([1, 3]), **profile},
            "batch": {"every": self.seconds(7, 15, True), "size": 5, "first": "1s"},
            "closed": {"users": self.one([2, 6]), "think": self.distribution(2, 8, True)},
            "replay": {
                "file": "arrivals.csv",
                "columns": {"time": "t", "input_tokens": "input", "output_tokens": "output"},
                "stretch": self.one([0.5, 1.5]) * self.wide,
                "loop": self.chance(0.7),
            },
        }
        kind = str(self.kind("arrivals", ARRIVALS, "poisson"))
        if self.forced == "profile" and kind not in ("poisson", "bursty"):
            kind = "poisson"
        workload: Entry = {"arrivals": {"kind": kind, **arrivals[kind]}}
        if kind != "replay":
            distribution = {"kind": "lognormal", "median": 300, "p95": 900}
            workload["tokens"] = {"input": self.one([200, distribution]), "output": self.one([60, distribution])}
        if "per_unit" in self.on:
            workload["units"] = self.one([2, {"kind": "uniform", "low": 1, "high": 4}])
        if "requirements" in self.on:
            workload["requirements"] = [{"share": 0.4, "tags": {"region": "eu"}}]
        return workload

    def scenario(self) -> Entry:
        names = ["cdn", "cloud"][: int(self.random.integers(1, 3))] if "depends" in self.on or self.chance(0.2) else []
        if not names and {"partly", "twin", "half shared"} & self.on:
            names = ["cdn"]
        components: Entry = {}
        for position, name in enumerate(names):
            below = {"depends_on": [names[0]]} if position and self.chance(0.4) else {}
            components[name] = {**below, **self.incidents()}
        providers = self.providers(names)
        endpoints = [(name, model) for name, said in providers.items() for model in said["models"]]
        chain = self.chain(endpoints)
        grouped = any("group" in entry for entry in chain)
        used = list(dict.fromkeys(leg["provider"] for entry in chain for leg in entry.get("legs", [entry])))
        said: Entry = {
            "title": f"Drawn for {self.forced}",
            "horizon": f"{self.one([90, 150, 240]) * self.wide}s",
            "seed": int(self.random.integers(2**31)),
            "workload": self.workload(),
            "providers": providers,
            "chain": chain,
            "policy": self.policy(grouped),
        }
        if components:
            said["components"] = components
        if "start" in self.on:
            said["start"] = "2025-01-06T00:00Z"
        if "up" in self.on:
            said["start_state"] = "up"
        if "drain" in self.on:
            said["drain"] = self.one(["0s", "3s"])
        if "common_cause" in self.on:
            members = list(providers)[: int(self.random.integers(2, len(providers) + 1))]
            said["common_cause"] = {"members": members, "fraction": self.one(["20%", 0.6])}
        if ("surge" in self.on or "surge capacity" in self.on) and len(used) > 1:
            surge = {"when": used[0], "to": used[1], "load": self.one([1.4, 3])}
            own = "surge capacity" in self.on and (self.forced == "surge capacity" or self.chance(0.5))
            said["surge"] = surge | ({"capacity": f"30/{60 * self.wide}s"} if own else {})
        splits = {"budget shared": "shared", "budget equal": "equal", "budget shares": "shares"}
        if split := [splits[switch] for switch in splits if switch in self.on]:
            parts = splits.get(self.forced) or self.one(split)
            budget = {"requests": f"{self.one([20, 40])}/min", "burst": 6, "legs": used}
            if self.chance(0.4):
                budget |= {"algorithm": {self.one(ALGORITHMS[1:]): "20s"}}
                del budget["burst"]
            shares = dict(
                zip(used, {1: [1.0], 2: [0.7, 0.3], 3: [0.5, 0.3, 0.2]}.get(len(used), [0.25] * 4), strict=True)
            )
            said["budgets"] = {"own": budget | {"split": shares if parts == "shares" else parts}}
        arms: Entry = {"as_modelled": {}}
        if "twin" in self.on:
            arms["independent"] = {"shared": 0}
        if "half shared" in self.on:
            arms["half"] = {"shared": 0.5}
        if "other arm" in self.on:
            arms["other"] = {"chain[0].retries": 2, "workload.tokens.input": 150, "policy.rounds": 2}
        if len(arms) > 1:
            said["arms"] = arms
        return said


def drawn(count: int = COUNT) -> Iterator[tuple[Entry, Counter[str]]]:
    """Scenarios that run, within bounds, with what was seen in their traces."""
    for number in range(count):
        forced = SWITCHES[number % len(SWITCHES)]
        for attempt in range(400):
            scenario = Drawer(np.random.default_rng([2026, number, attempt]), forced).scenario()
            seen = tried(scenario)
            if seen is not None:
                yield scenario, seen
                break
        else:
            sys.exit(f"no scenario with {forced} could be drawn")


def tried(scenario: Entry, most_s: float = MOST_S) -> Counter[str] | None:
    """What the traces hold, by name; nothing where the scenario is refused, or is too large or too small."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        try:
            run = simulate(scenario, Path(folder) / "run", [], None)
        except Exception:  # refused
            return None
        if time.process_time() - started > most_s:
            return None
        requests, attempts, transitions = run.requests, run.attempts, run.transitions
        if not 20 <= len(requests) <= MOST_REQUESTS or len(attempts) > MOST_ATTEMPTS:
            return None
        seen: Counter[str] = Counter()
        for word, column in (
            ("request", requests["outcome"]),
            ("lost to", requests["error_type"]),
            ("attempt", attempts["outcome"]),
            ("cause", attempts["cause"]),
            ("call", attempts["kind"]),
            ("incident", run.incidents["kind"]),
            ("state", transitions["kind"].astype(str) + " " + transitions["to"].astype(str)),
        ):
            seen.update({f"{word}: {name}": 1 for name in column.dropna().unique()})
        return seen


def features(value: Any, key: str = "") -> Iterator[str]:
    """What a document has: its keys and the words that say which kind."""
    if isinstance(value, dict):
        for name, below in value.items():
            inner = f"{key}.{name}" if key in ("policy", "root", "workload") or name in WORDS else name
            yield inner
            yield from features(below, name)
    elif isinstance(value, list):
        for below in value:
            yield from features(below, key)
    elif key in WORDS and isinstance(value, str):
        yield f"{key}={value}"


WORDS = {"kind", "jitter", "preset", "routing", "order", "split", "counting", "loser", "scope", "all_open", "mode"}
"""Keys whose words say which kind."""


def table(scenarios: Sequence[Entry]) -> Counter[str]:
    """How many scenarios have each feature."""
    return Counter(name for scenario in scenarios for name in set(features(scenario, "root")))


def main() -> None:
    """Draws them anew, or with `--count` says what those drawn have."""
    scenarios: list[Entry] = []
    observed = Counter[str]()
    with contextlib.chdir(GUARD / "replayed"):
        if "--count" in sys.argv:
            scenarios = [json.loads(line) for line in FILE.read_text().splitlines()]
            for scenario in scenarios:
                observed += tried(scenario, math.inf) or Counter()
        else:
            for scenario, seen in drawn():
                scenarios.append(scenario)
                observed += seen
    if "--count" not in sys.argv:
        FILE.write_text("".join(json.dumps(each) + "\n" for each in scenarios))
    for title, counted in (("written", table(scenarios)), ("seen in traces", observed)):
        lines = (f"{count:5d}  {name}" for name, count in sorted(counted.items()))
        print(f"{title}\n" + "\n".join(lines))  # noqa: T201


if __name__ == "__main__":
    main()
