"""Small scenarios for the windows estimator, with incidents so frequent that brute force is quick too."""

from collections.abc import Mapping
from typing import Any

from des.scenario import from_mapping, plans
from des.scenario.plan import Plan


def incidents(rate: str, mean: str, **effect: Any) -> dict[str, Any]:
    return {"kind": "poisson", "rate": rate, "duration": {"kind": "exponential", "mean": mean}, **effect}


def provider(*own: Mapping[str, Any], latency: Any = "2s", cost: float = 0.01, **rest: Any) -> dict[str, Any]:
    return {"incidents": list(own), "models": {"m": {"latency": latency, "price": {"per_request": cost}}}, **rest}


def arms_of(
    providers: Mapping[str, Any], *, rate: str = "0.05/s", arms: Mapping[str, Any] | None = None, **rest: Any
) -> Mapping[str, Plan]:
    """Requests at random along the providers, each called once unless the policy says otherwise."""
    return plans(
        from_mapping(
            {
                "title": "windows",
                "horizon": "20d",
                "seed": 3,
                "workload": {"arrivals": {"kind": "poisson", "rate": rate}},
                "providers": dict(providers),
                "chain": [{"provider": name} for name in providers],
                **({} if arms is None else {"arms": arms}),
                **rest,
            }
        )
    )


def plan_of(providers: Mapping[str, Any], **rest: Any) -> Plan:
    (plan,) = arms_of(providers, **rest).values()
    return plan


PAIR = {
    "a": provider(incidents("4/d", "15min"), limits={"requests": "4000/min"}),
    "b": provider(incidents("3/d", "20min"), cost=0.03, latency="3s", limits={"requests": "4000/min"}),
}
"""A limit that never binds: windows have a memory, and the closed form still holds."""
