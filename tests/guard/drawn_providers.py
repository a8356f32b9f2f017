"""The providers of drawn scenarios: their incidents, limits, errors, prices and models."""

from collections.abc import Sequence
from typing import Any

from tests.guard.drawing import ALGORITHMS, COUNTINGS, INCIDENTS, OUTCOMES, Draws, Entry


class ProviderDraws(Draws):
    """What can fail, and what limits it."""

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
