"""Plans with limits, capacities and arrivals written out, where a test wants them to the second."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from des.scenario.plan import Capacity, Limit, Plan, ReplayedArrivals
from engine.traced import Traced, plan_of, provider, scenario


def limit(metric: str = "requests", **rest: Any) -> Limit:
    """Limit 0; `limited_by` gives it its index and its name."""
    return Limit(index=0, name="", metric=metric, **rest)


def limited_by(plan: Plan, *limits: Limit) -> Plan:
    """The plan with these limits on every endpoint, named limit 0, 1, ..."""
    named = tuple(replace(each, index=index, name=str(index)) for index, each in enumerate(limits))
    every = tuple(range(len(named)))
    return replace(plan, limits=named, endpoints=tuple(replace(each, limits=every) for each in plan.endpoints))


def serving(plan: Plan, concurrent: int, queue: int = 0) -> Plan:
    """The plan with one capacity for all endpoints."""
    capacity = Capacity(index=0, name="c", concurrent=concurrent, queue=queue)
    return replace(plan, capacities=(capacity,), endpoints=tuple(replace(each, capacity=0) for each in plan.endpoints))


def arriving(plan: Plan, at_s: Sequence[float], inputs: Sequence[int] = (), outputs: Sequence[int] = ()) -> Plan:
    """The plan with requests at these times, and of these sizes."""
    arrivals = ReplayedArrivals(
        arrival_s=np.array(at_s, dtype=np.float64),
        input_tokens=np.array(inputs, dtype=np.int64) if len(inputs) else None,
        output_tokens=np.array(outputs, dtype=np.int64) if len(outputs) else None,
        period_s=None,
    )
    horizon_s = max(plan.horizon_s, float(max(at_s)) + 1.0)
    return replace(plan, horizon_s=horizon_s, workload=replace(plan.workload, arrivals=arrivals))


def one_endpoint(latency: Any = "1s", *, chain: Sequence[Any] | None = None, policy: Any = None, **rest: Any) -> Plan:
    """Provider `a`, and a chain of it."""
    policies = {} if policy is None else {"policy": policy}
    return plan_of(scenario({"a": provider(latency, **rest)}, chain=chain, **policies))


def first_calls(of: Traced) -> list[Any]:
    """The first attempt of each request, in order."""
    firsts = of.attempts[of.attempts.attempt == 0]
    return list(firsts.sort_values("request_id").itertuples())


def admitted(of: Traced) -> list[bool]:
    """Whether no limit refused each request's first attempt."""
    return [call.cause != "limit" for call in first_calls(of)]


def retry_afters(of: Traced) -> list[float | None]:
    """Retry-After of each request's first attempt, to the microsecond."""
    told = [call.retry_after_s for call in first_calls(of)]
    return [None if np.isnan(seconds) else round(seconds, 6) for seconds in told]
