"""A scenario for rules of users."""

from pathlib import Path
from typing import Any

import des


def scenario(folder: Path, **changes: Any) -> des.Scenario:
    """One provider that fails for ten minutes, called with two retries; `changes` are by path."""
    content: dict[str, Any] = {
        "horizon": "1h",
        "workload": {"arrivals": {"kind": "poisson", "rate": "10/min"}},
        "providers": {
            "a": {
                "incidents": [{"kind": "schedule", "windows": [{"start": "20min", "duration": "10min"}]}],
                "models": {"m": {"latency": "1s", "price": {"per_request": 0.001}}},
            }
        },
        "chain": [{"provider": "a", "retries": 2}],
    }
    made = des.Scenario.from_dict(content, folder=folder)
    return made.with_(**{path.replace("__", "."): value for path, value in changes.items()})


def own(name: str) -> dict[str, str]:
    return {"kind": f"more_rules:{name}"}
