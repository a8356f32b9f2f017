"""Limits that the load exceeds: always, in a failover, or with each batch."""

from collections.abc import Collection, Iterator
from typing import Final

from des.estimate.call import output_tokens
from des.estimate.foresight.foreseen import Foretold
from des.estimate.foresight.load import (
    Settled,
    calls_while,
    granted_per_s,
    hedged,
    holds_back,
    is_budget,
    is_steady,
    limit_legs,
    settled,
)
from des.estimate.foresight.outlook import Outlook
from des.estimate.foresight.words import down, duration, listed, number, rate, share
from des.rules.limits import turned_away
from des.scenario.plan import BatchArrivals, Group, Limit, Plan
from des.scenario.schema.limits import Limits
from des.scenario.text.places import Path

_NOTABLE: Final = 0.01
"""By how much retries must raise the share refused to be mentioned."""
_UNITS: Final = {"input_tokens": "input tokens", "output_tokens": "output tokens"}


def limit_exceeded(outlook: Outlook) -> Iterator[Foretold]:
    """Limits below the load, first with nothing down, then in an outage of the entries before."""
    if outlook.busiest_per_s is None or isinstance(outlook.plan.workload.arrivals, BatchArrivals):
        return
    struck: set[int] = set()
    some = any(is_steady(limit) for limit in outlook.plan.limits)
    for failed in _failovers(outlook) if some else ():
        gone = frozenset(endpoint for group in failed for endpoint in outlook.endpoints_of(group))
        state = settled(outlook, outlook.busiest_per_s, gone)
        first = _first_calls_per_s(outlook, gone)
        for limit in outlook.plan.limits:
            over = state.offered.get(limit.index, 0.0) / granted_per_s(limit) if limit.index in state.offered else 0.0
            if limit.index in struck or over <= 1.0 or _is_of_down(outlook, limit, gone) or _evades(outlook, limit):
                continue
            if first.get(limit.index, 0.0) <= granted_per_s(limit):
                continue  # only the retries of calls that fail otherwise exceed it
            struck.add(limit.index)
            yield _exceeded(outlook, limit, failed, state, first.get(limit.index, 0.0))


def _failovers(outlook: Outlook) -> Iterator[tuple[Group, ...]]:
    """The entries that are down together, from none to all but the last, as far as outages can come."""
    yield ()
    for before, _ in outlook.entries_before():
        if not outlook.may_fail(before[-1]):
            return
        yield before


def _is_of_down(outlook: Outlook, limit: Limit, gone: frozenset[int]) -> bool:
    """Whether only legs that are down are behind it: what it refuses would fail anyway."""
    return all(outlook.legs[leg].endpoint in gone for leg in limit_legs(outlook, limit))


def _evades(outlook: Outlook, limit: Limit) -> bool:
    """Whether guards send calls to another leg of the group once the limit refuses some."""
    groups = [outlook.group_of(outlook.legs[leg]) for leg in limit_legs(outlook, limit)]
    return any(len(group.legs) > 1 and holds_back(outlook, leg) for group in groups for leg in group.legs)


def _first_calls_per_s(outlook: Outlook, gone: frozenset[int]) -> dict[int, float]:
    """The load of each limit, in its unit, before any call is refused and retried."""
    calls, _ = calls_while(outlook, gone)
    assert outlook.busiest_per_s is not None
    return {
        limit.index: outlook.busiest_per_s
        * outlook.mean_tokens(limit.metric)
        * sum(calls.get(leg, 0.0) * hedged(outlook, outlook.legs[leg]) for leg in limit_legs(outlook, limit))
        for limit in outlook.plan.limits
    }


def _exceeded(
    outlook: Outlook, limit: Limit, failed: tuple[Group, ...], state: Settled, first_per_s: float
) -> Foretold:
    unit, granted = _UNITS.get(limit.metric, limit.metric), granted_per_s(limit)
    at_first = max(0.0, 1.0 - granted / first_per_s)
    figures = {"first_calls_per_s": first_per_s, "granted_per_s": granted, "refused_at_first_share": at_first}
    when = f"while {down([group.name for group in failed])}, " if failed else ""
    busy = " at the busiest hour" if outlook.plan.workload.arrivals.weekly is not None else ""
    whose = "the budget" if is_budget(outlook, limit) else "the limit of"
    return Foretold(
        code="limit_exceeded_in_failover" if failed else "limit_exceeded",
        path=limit_path(outlook, limit),
        sentence=f"{when}{rate(first_per_s, unit)}{busy} meet {whose} {limit.name}, {rate(granted, unit)}: at least "
        f"{share(at_first)} of the calls are refused" + _with_retries(outlook, limit, state, unit, at_first, figures),
        remedy=f"{limit.metric}: {_as_written(first_per_s)} or more, a leg before it or behind it, or less load",
        figures=figures,
    )


def _with_retries(
    outlook: Outlook, limit: Limit, state: Settled, unit: str, at_first: float, figures: dict[str, float]
) -> str:
    """What the retries of refused calls add. Nothing is known of clients that hold back calls of a failing leg."""
    if any(holds_back(outlook, leg) for leg in limit_legs(outlook, limit)):
        return ""
    offered, refused = state.offered[limit.index], 1.0 - state.admitted[limit.index]
    figures |= {"offered_per_s": offered, "refused_share": refused}
    if refused < at_first + _NOTABLE:
        return ""
    return f"; their retries make it up to {rate(offered, unit)}, of which {share(refused)} are refused"


def _as_written(per_s: float) -> str:
    return f"{number(60.0 * per_s).replace(',', '')}/min"


def limit_path(outlook: Outlook, limit: Limit) -> Path:
    """The field of a limit's metric, in the scenario."""
    scenario = outlook.scenario
    if is_budget(outlook, limit):
        return ("budgets", _named(limit, scenario.budgets), limit.metric)
    places: dict[str, tuple[Path, tuple[Limits, ...]]] = {}
    for name, provider in scenario.providers.items():
        places[name] = ("providers", name, "limits"), provider.limits or ()
        for model_name, model in provider.models.items():
            places[f"{name}/{model_name}"] = ("providers", name, "models", model_name, "limits"), model.limits or ()
    where, specs = places[_named(limit, places)]
    having = [position for position, spec in enumerate(specs) if limit.metric in spec.metrics]
    same = [position for position in having if getattr(specs[position], limit.metric) == limit.rate_per_s]
    return (*where, (same or having)[0], limit.metric)


def _named(limit: Limit, names: Collection[str]) -> str:
    """Whose limit it is, from its name: `a`, `a tokens`, `a/m requests#2`, or of a budget `ours/a`."""
    fitting = [name for name in names if (limit.name + " ").startswith((f"{name} ", f"{name}#", f"{name}/"))]
    return max(fitting, key=len)


def batch_exceeds_burst(outlook: Outlook) -> Iterator[Foretold]:
    """A batch calls at once, and a limit admits fewer at once. The rest waits, by retries, for what it grants."""
    arrivals = outlook.plan.workload.arrivals
    if not isinstance(arrivals, BatchArrivals):
        return
    first = outlook.plan.client.groups[0]
    for limit in outlook.plan.limits:
        if limit.algorithm != "token_bucket" or not limit_legs(outlook, limit) & set(first.legs):
            continue
        amount = arrivals.size * outlook.mean_tokens(limit.metric)
        if amount <= limit.burst:
            continue
        refused, rest_s = 1.0 - limit.burst / amount, (amount - limit.burst) / limit.rate_per_s
        unit = _UNITS.get(limit.metric, limit.metric)
        yield Foretold(
            code="batch_exceeds_burst",
            path=limit_path(outlook, limit),
            sentence=f"a batch brings {number(amount)} {unit} at once and {limit.name} admits {number(limit.burst)}: "
            f"{share(refused)} of its first calls are refused, and the rest takes at least {duration(rest_s)}",
            remedy=f"a burst of {number(amount)}, or smaller and more frequent batches",
            figures={"refused_share": refused, "rest_s": rest_s},
        )


def capacity_exceeded(outlook: Outlook) -> Iterator[Foretold]:
    """Places for calls at once that are fewer than the load needs (Little's law), with nothing down."""
    if outlook.busiest_per_s is None or isinstance(outlook.plan.workload.arrivals, BatchArrivals):
        return
    calls, _ = calls_while(outlook)
    for name, places, legs, path in _places(outlook):
        needed = outlook.busiest_per_s * sum(
            calls.get(leg, 0.0) * hedged(outlook, outlook.legs[leg]) * answer_s(outlook.plan, leg) for leg in legs
        )
        if needed <= places:
            continue
        yield Foretold(
            code="capacity_exceeded",
            path=path,
            sentence=f"{number(needed)} calls are in progress at {name} on average, which has {places} places: about "
            f"{share(1.0 - places / needed)} of its calls are refused",
            remedy=f"{int(needed * 1.2) + 1} places, another leg, or fewer calls",
            figures={"needed": needed, "places": float(places), "refused_share": 1.0 - places / needed},
        )


def _places(outlook: Outlook) -> Iterator[tuple[str, int, frozenset[int], Path]]:
    """(name, places, legs, path) of each capacity and limit on concurrency."""
    plan = outlook.plan
    for capacity in plan.capacities:
        legs = frozenset(leg.index for leg in plan.chain if plan.endpoints[leg.endpoint].capacity == capacity.index)
        if legs:
            provider, _, model = capacity.name.partition("/")
            where: Path = ("providers", provider, *(("models", model) if model else ()), "capacity")
            yield capacity.name, capacity.concurrent, legs, where
    for limit in plan.limits:
        if limit.metric == "concurrency" and (legs := limit_legs(outlook, limit)):
            yield limit.name, int(limit.burst), legs, limit_path(outlook, limit)


def answer_s(plan: Plan, leg: int) -> float:
    """Mean time of an answer, no incident open. The mean of a sum; a speed that varies counts with its mean."""
    latency = plan.endpoints[plan.chain[leg].endpoint].latency
    parts = [part.mean for part in (latency.whole, latency.connect, latency.first_token) if part is not None]
    if latency.tokens_per_s is not None and latency.tokens_per_s.mean > 0.0:
        parts.append(output_tokens(plan).mean / latency.tokens_per_s.mean)
    return sum(parts)


def surge_overloads_fallback(outlook: Outlook) -> Iterator[Foretold]:
    """The market's failover: while others' load moves to a leg, it turns away what exceeds its capacity."""
    per_s = outlook.busiest_per_s
    if per_s is None:
        return
    for surge in outlook.plan.surges:
        gone = frozenset(surge.when)
        legs = [leg for leg in outlook.legs if leg.endpoint in surge.to and leg.endpoint not in gone]
        if not legs or not gone & {leg.endpoint for leg in outlook.legs}:
            continue
        calls, _ = calls_while(outlook, gone)
        own = 0.0
        if surge.capacity_per_s is not None:
            own = per_s * sum(calls.get(leg.index, 0.0) for leg in legs) / surge.capacity_per_s
        refused = turned_away(surge.load + own, 1.0)
        if refused <= _NOTABLE:
            continue
        names = [leg.name for leg in legs]
        endpoints = outlook.plan.endpoints
        moved = down([f"{endpoints[index].provider}/{endpoints[index].model}" for index in surge.when])
        yield Foretold(
            code="surge_overloads_fallback",
            path=outlook.retry_path(outlook.group_of(legs[0]), "retries"),
            sentence=f"while {moved}, other customers come to {listed(names)} too: it turns away "
            f"{share(refused)} of its calls",
            remedy="retries with a back-off here, or a further leg that the surge does not reach",
            figures={"refused_share": refused},
        )


CHECKS: Final = (limit_exceeded, batch_exceeds_burst, capacity_exceeded, surge_overloads_fallback)
