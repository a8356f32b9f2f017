"""Small plans of components whose distributions are simple enough for closed forms, and a sink for their requests."""

from typing import Any

from des.scenario import from_mapping, plans
from des.scenario.plan import Plan
from des.vocabulary import REQUEST_OK


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
    times = {"up": {"kind": "exponential", "mean": up}, "down": {"kind": "exponential", "mean": down}}
    return {"kind": "renewal", **times, **effect}


class Lost:
    """A sink that counts requests, and those that were not served."""

    def __init__(self) -> None:
        self.count = self.all = 0

    def requests(self, block: Any) -> None:
        self.count += int((block["outcome"] != REQUEST_OK).sum())
        self.all += len(block["outcome"])

    def attempts(self, block: Any) -> None: ...
    def transitions(self, block: Any) -> None: ...
    def incidents(self, block: Any) -> None: ...
    def refusals(self, block: Any) -> None: ...
