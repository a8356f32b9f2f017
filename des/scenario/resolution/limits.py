"""From limits, capacities and budgets to the plan's, each metric a limit of its own."""

from collections.abc import Sequence

from des.scenario.plan import Capacity, Limit
from des.scenario.schema.limits import Budget, Limits
from des.scenario.schema.limits import Capacity as Served
from des.scenario.text.units import MINUTE_S


def add_limits(
    specs: Sequence[Limits],
    name: str,
    limits: list[Limit],
    share: float = 1.0,
) -> tuple[int, ...]:
    """Appends the limits that specs state, of which a `share` is granted; the indices of the new ones.

    The first limit of requests is called by the plain name, others with their metric, repeats with #2.
    """
    added = []
    for spec in specs:
        for metric in spec.metrics:
            added.append(_limit(spec, metric, len(limits), _free_name(name, metric, limits), share))
            limits.append(added[-1])
        if spec.acceleration is not None:
            added.append(_acceleration(spec, len(limits), _free_name(name, "acceleration", limits), share))
            limits.append(added[-1])
    return tuple(limit.index for limit in added)


def _free_name(name: str, metric: str, limits: Sequence[Limit]) -> str:
    wanted = name if metric == "requests" else f"{name} {metric}"
    taken = {limit.name for limit in limits}
    return next(each for each in (wanted, *(f"{wanted}#{n}" for n in range(2, len(limits) + 3))) if each not in taken)


def _limit(spec: Limits, metric: str, index: int, name: str, share: float) -> Limit:
    if metric == "concurrency":
        rate_per_s, burst, window_s, algorithm = 0.0, _at_once(spec, share), None, "concurrency"
    else:
        rate_per_s, window_s = getattr(spec, metric) * share, spec.window_s
        algorithm = _algorithm(spec)
        burst = _burst(spec, metric, rate_per_s, share) if window_s is None else _whole(rate_per_s * window_s)
    counted, estimated = "dispatch", None
    if spec.counting == "success" and metric != "concurrency":
        counted = "success"
    elif metric in ("output_tokens", "tokens") and spec.estimated_output is not None:
        counted, estimated = "estimate", spec.estimated_output
    return Limit(
        index=index,
        name=name,
        metric=metric,
        algorithm=algorithm,
        rate_per_s=rate_per_s,
        burst=burst,
        window_s=window_s,
        counted=counted,
        estimated_output=estimated,
        counts_refused=spec.counts_refused,
        counts_failed=spec.counts_failed,
        counts_cached=spec.counts_cached,
        sends_retry_after=spec.retry_after,
        refusal_latency=spec.refusal_latency,
    )


def _acceleration(spec: Limits, index: int, name: str, share: float) -> Limit:
    of = spec.acceleration
    assert of is not None
    return Limit(
        index=index,
        name=name,
        metric="requests",
        algorithm="acceleration",
        rate_per_s=of.floor_per_s * share,
        burst=max(1.0, _whole(of.floor_per_s * of.over_s * share)),
        window_s=of.over_s,
        growth=of.growth,
        counts_refused=spec.counts_refused,
        sends_retry_after=spec.retry_after,
        refusal_latency=spec.refusal_latency,
    )


def _algorithm(spec: Limits) -> str:
    if isinstance(spec.algorithm, str):
        return spec.algorithm
    return "fixed_window" if spec.algorithm.fixed_window_s is not None else "sliding_log"


def _burst(spec: Limits, metric: str, rate_per_s: float, share: float) -> float:
    written = spec.burst_of(metric)
    if written is not None:
        return max(1.0, written * share)
    return max(1.0, rate_per_s if metric == "requests" else rate_per_s * MINUTE_S)


def _at_once(spec: Limits, share: float) -> float:
    return max(1.0, _whole((spec.concurrency or 0) * share))


def _whole(number: float) -> float:
    """Whole, but for the rounding of rates: 60 a minute are 60 in a minute."""
    return float(int(number + 1e-6))


def add_capacity(capacity: Served | None, name: str, capacities: list[Capacity]) -> int | None:
    """Appends the capacity; its index."""
    if capacity is None:
        return None
    capacities.append(Capacity(index=len(capacities), name=name, **dict(capacity)))
    return capacities[-1].index


def add_budget(name: str, spec: Budget, limits: list[Limit]) -> dict[str, tuple[int, ...]]:
    """Appends the budget's limits; their indices by the names that it is over."""
    if spec.split == "shared":
        return dict.fromkeys(spec.legs, add_limits((spec,), name, limits))
    return {over: add_limits((spec,), f"{name}/{over}", limits, share) for over, share in spec.shares.items()}
