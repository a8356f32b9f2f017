"""Scenarios whose results the tests of reports look at."""

from typing import Any, Final

from study.small_scenario import small

HOSTILE: Final = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u202eevil\u2066"
"""Markup that runs if it is not escaped, and direction marks that turn text around."""


def run_scenario() -> dict[str, Any]:
    """1,440 requests a replication. The first leg is down for half an hour, and the second has too low a limit."""
    found = small(replications=2, expect={"availability": ">= 97%", "primary_only.availability": ">= 99%"})
    found["workload"]["arrivals"]["rate"] = "2/min"
    found["providers"]["second"]["limits"] = {"requests": "1/min", "burst": 1}
    return found


def comparison_scenario() -> dict[str, Any]:
    """Outages long and frequent enough for a week to have some."""
    shared = {"kind": "poisson", "rate": "20/y", "duration": {"kind": "exponential", "mean": "2h"}}
    own = {"depends_on": ["cdn"], "availability": "98%", "episodes_per_year": 60}
    models = {"latency": "1s", "price": {"per_request": 0.01}}
    return {
        "title": "Two peers behind one CDN",
        "question": "How many nines do they have together?",
        "horizon": "30d",
        "replications": 3,
        "seed": 7,
        "workload": {"arrivals": {"kind": "poisson", "rate": "20/d"}},
        "components": {"cdn": {"incidents": [shared]}},
        "providers": {"one": own | {"models": {"a": models}}, "two": own | {"models": {"b": models}}},
        "chain": [{"provider": "one"}, {"provider": "two"}],
        "arms": {"as_modelled": {}, "independent": {"shared": 0}, "primary_only": {"chain": ["one"]}},
    }


def hostile_scenario() -> dict[str, Any]:
    """The small scenario with `HOSTILE` wherever a user may write text."""
    legs = [{"provider": "first", "name": "<b>leg</b>"}, {"provider": "second"}]
    return small(title=HOSTILE, question=HOSTILE, chain=legs, arms={"as_modelled": {}}, horizon="3h")
