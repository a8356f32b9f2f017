"""Small plans of components whose laws are simple enough for closed forms."""

from typing import Any

from des.scenario import from_mapping, plans
from des.scenario.plan import Plan


def plan_of(**rest: Any) -> Plan:
    providers = rest.pop("providers")
    content = {
        "title": "exact",
        "horizon": "1y",
        "workload": {"arrivals": {"kind": "poisson", "rate": "1/h"}},
        "providers": providers,
        "chain": [{"provider": name} for name in providers],
        **rest,
    }
    (plan,) = plans(from_mapping(content)).values()
    return plan


def provider(**rest: Any) -> dict[str, Any]:
    return {"latency": 0, "models": {"model": {"price": {"per_request": 0}}}, **rest}


def outages(rate: str, mean: str, **effect: Any) -> dict[str, Any]:
    return {"kind": "poisson", "rate": rate, "duration": {"kind": "exponential", "mean": mean}, **effect}


def up_down(up: str, down: str, **effect: Any) -> dict[str, Any]:
    laws = {"up": {"kind": "exponential", "mean": up}, "down": {"kind": "exponential", "mean": down}}
    return {"kind": "renewal", **laws, **effect}
