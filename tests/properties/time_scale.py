"""A plan in which everything takes twice as long: its figures are exact doubles, since two is a power of two."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from des.distributions import Constant, Distribution, Empirical, Exponential, Gamma, Lognormal, Uniform, Weibull
from des.scenario.plan import Plan
from des.scenario.schema.setting import Setting

INCIDENT_LAWS = {"duration", "up", "down", "between", "error_latency"}
CALL_LAWS = {"whole", "connect", "first_token", "latency", "refusal_latency"}
LAWS_OF_DURATIONS = {*INCIDENT_LAWS, *CALL_LAWS, "think", "time_to_rot", "repair"}
"""Fields that hold a distribution of seconds, without saying so in their names."""


def doubled(distribution: Distribution) -> Distribution:
    match distribution:
        case Constant(value):
            return Constant(2.0 * value)
        case Uniform(low, high):
            return Uniform(2.0 * low, 2.0 * high)
        case Exponential(mean):
            return Exponential(2.0 * mean)
        case Gamma(shape, scale):
            return Gamma(shape, 2.0 * scale)
        case Weibull(shape, scale):
            return Weibull(shape, 2.0 * scale)
        case Empirical(values):
            return Empirical(tuple(2.0 * value for value in values))
        case Lognormal():
            raise ValueError("the exponential of a sum is not exactly a product")


def halved(distribution: Distribution) -> Distribution:
    """Of a speed; those that scenarios draw are constant or uniform."""
    if isinstance(distribution, Constant):
        return Constant(distribution.value / 2.0)
    assert isinstance(distribution, Uniform)
    return Uniform(distribution.low / 2.0, distribution.high / 2.0)


def slowed(part: Any, name: str = "") -> Any:
    """`part` with every duration doubled and every rate halved; `name` is the field that holds it."""
    if part is None or isinstance(part, str | bool):
        return part
    if name == "tokens_per_s":
        return halved(part)
    if name in LAWS_OF_DURATIONS and isinstance(part, Distribution):
        return doubled(part)
    if isinstance(part, Distribution):
        return part
    if name.endswith("_per_s"):
        return part / 2.0
    if name.endswith("_s"):
        return tuple(2.0 * time_s for time_s in part) if isinstance(part, tuple) else 2.0 * part
    if is_dataclass(part):
        return replace(part, **{f.name: slowed(getattr(part, f.name), f.name) for f in fields(part)})
    if isinstance(part, Setting):
        slow = {name: slowed(getattr(part, name), name) for name in type(part).model_fields}
        return part.model_copy(update=slow)
    if isinstance(part, tuple):
        return tuple(slowed(each) for each in part)
    return part


def twice_as_slow(plan: Plan) -> Plan:
    """Raises ValueError where a distribution of the plan cannot be scaled exactly."""
    slow: Plan = slowed(plan)
    return slow


TIMES = {
    "requests": ["arrival_s", "end_s", "latency_s", "backoff_s"],
    "attempts": ["start_s", "end_s", "duration_s", "retry_after_s"],
    "transitions": ["time_s"],
    "incidents": ["start_s", "end_s"],
}


def in_half_time(table: str, frame: Any) -> Any:
    return frame.assign(**{name: frame[name].astype(np.float64) / 2.0 for name in TIMES[table]})
