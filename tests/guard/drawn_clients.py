"""The client of drawn scenarios: the chain, its groups and legs, and the policy."""

from collections.abc import Sequence
from typing import Any

from tests.guard.drawing import (
    BACKOFFS,
    BREAKERS,
    BUDGETS,
    CLIENTS,
    HANDLED,
    JITTERS,
    OUTCOMES,
    POLICIES,
    ROUTINGS,
    Draws,
    Entry,
)


class ClientDraws(Draws):
    """Who is called, and what follows a failure."""

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
