"""Plans with a workload and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

from des.scenario.plan import Arrivals, Plan, Policy, Workload

PlanOf = Callable[..., Plan]


@pytest.fixture
def plan_of() -> PlanOf:
    def build(arrivals: Arrivals, horizon_s: float = 1000.0, seed: int = 11, **workload: Any) -> Plan:
        return Plan(
            arm="as_modelled",
            horizon_s=horizon_s,
            start=None,
            seed=seed,
            start_up=False,
            drain_s=None,
            workload=Workload(arrivals=arrivals, **workload),
            components=(),
            endpoints=(),
            limits=(),
            chain=(),
            policy=Policy(),
        )

    return build
