"""A small scenario with arms, incidents, limits and costs, as plain data."""

import copy
import json
from pathlib import Path
from typing import Any

SMALL: dict[str, Any] = {
    "title": "Two small peers",
    "question": "Does it work?",
    "horizon": "12h",
    "seed": 7,
    "workload": {
        "arrivals": {"kind": "poisson", "rate": "1/min"},
        "tokens": {"input": 1000, "output": {"kind": "exponential", "mean": 100}},
    },
    "providers": {
        "first": {
            "incidents": [{"kind": "schedule", "windows": [{"start": "1h", "duration": "30min"}]}],
            "models": {
                "a": {
                    "latency": {"kind": "lognormal", "median": "1s", "sigma": 0.8},
                    "errors": {"server_error": "5%"},
                    "price": {"input_per_mtok": 1, "output_per_mtok": 5},
                }
            },
        },
        "second": {
            "limits": {"requests": "10/min", "burst": 3},
            "models": {"b": {"latency": "2s", "price": {"input_per_mtok": 2, "output_per_mtok": 8}}},
        },
    },
    "chain": [{"provider": "first", "timeout": "5s", "retries": 1}, {"provider": "second", "timeout": "10s"}],
    "arms": {"as_modelled": {}, "primary_only": {"chain": ["first"]}},
}

ENDLESS = {
    "horizon": "10y",
    "workload": {"arrivals": {"kind": "poisson", "rate": "2/s"}},
    "traces": {"sampled": "1%"},
}
"""Laid over it, a run that somebody has to stop. It writes little, so that it is not refused where little is free."""


def small(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(SMALL) | changes


def write_small(folder: Path, name: str = "small", **changes: Any) -> Path:
    """The scenario as a file: JSON is YAML."""
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(small(**changes)), encoding="utf-8")
    return path
