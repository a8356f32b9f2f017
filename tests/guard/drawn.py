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

from tests.guard.drawing import ALGORITHMS, ARRIVALS, SWITCHES, Entry
from tests.guard.drawn_clients import ClientDraws
from tests.guard.drawn_providers import ProviderDraws
from tests.guard.shipped import GUARD
from tests.guard.simulator import simulate

FILE = GUARD / "drawn_scenarios.jsonl"
COUNT = 300
MOST_REQUESTS = 900  # of all arms
MOST_ATTEMPTS = 6000
MOST_S = 0.3


class Drawer(ProviderDraws, ClientDraws):
    """One whole scenario."""

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
