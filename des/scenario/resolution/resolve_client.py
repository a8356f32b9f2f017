"""From the policy and what entries of the chain say beside it to the plan's client; none where the plain walk does."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from des.scenario import plan
from des.scenario.resolution import resolve_rules as rules
from des.scenario.resolution.inheritance import (
    call_setting,
    clients_of,
    legs_with_paths,
    policy_backoff,
    policy_timeout,
    retries_of,
    retry_backoff_of,
    retry_setting,
)
from des.scenario.schema.chain import LegSpec
from des.scenario.schema.groups import GroupSpec
from des.scenario.schema.retries import ApplicationSpec
from des.scenario.schema.scenario import Scenario
from des.scenario.schema.statuses import HANDLED_OUTCOMES, Statuses, kinds_handled, said_by_outcomes
from des.scenario.text.document import Path
from des.vocabulary import DEFAULT_RETRIED

PLAIN_BACKOFFS = ("none", "constant", "linear", "exponential")


def resolve_client(scenario: Scenario, chain: Sequence[plan.Leg], statuses: Statuses) -> plan.Client:
    """What the client does, and whether the plain walk does the same."""
    client = _client(scenario, chain, statuses)
    return replace(client, plain=_is_plain(client, scenario, statuses))


def handled(scenario: Scenario, position: int, field: str, statuses: Statuses) -> frozenset[int]:
    """Outcome kinds of `retry_on` or `fallback_on` of an entry."""
    said = retry_setting(scenario, position, field).value
    return kinds_handled(DEFAULT_RETRIED if said is None else said, statuses)


def _client(scenario: Scenario, chain: Sequence[plan.Leg], statuses: Statuses) -> plan.Client:
    policy = scenario.policy
    pools = _Pools(scenario)
    weights = _weights(scenario)
    legs: list[plan.LegClient] = []
    groups = []
    for position, entry in enumerate(scenario.chain):
        first = len(legs)
        for path, leg in legs_with_paths(scenario, position):
            index = len(legs)
            settings = _Settings(scenario, position, path, leg)
            legs.append(_leg(index, settings, pools, statuses, weights[index]))
        members = tuple(range(first, len(legs)))
        spec = entry.routing or policy.routing if isinstance(entry, GroupSpec) else None
        groups.append(
            plan.Group(
                index=position,
                name=entry.group if isinstance(entry, GroupSpec) else chain[first].name,
                legs=members,
                routing=rules.routing(spec),
                retry=_retry(scenario, position, statuses, any(legs[member].inner for member in members)),
                fallback_on=handled(scenario, position, "fallback_on", statuses),
            )
        )
    return plan.Client(
        groups=tuple(groups),
        legs=tuple(legs),
        application=rules.application(policy.application) if isinstance(policy.application, ApplicationSpec) else None,
        retry_budgets=tuple(pools.retry_budgets),
        shapings=tuple(pools.shapings),
        order=rules.routing(policy.order),
        fallback_depth=policy.fallback_depth,
    )


class _Settings:
    """The settings that hold of one leg."""

    def __init__(self, scenario: Scenario, position: int, path: Path, leg: LegSpec) -> None:
        self.scenario, self.position, self._path, self.leg = scenario, position, path, leg

    def of(self, field: str) -> Any:
        return call_setting(self.scenario, self.position, self._path, self.leg, field).value

    @property
    def ramp(self) -> Any:
        """A policy's ramp is for what is failed over to."""
        said = call_setting(self.scenario, self.position, self._path, self.leg, "ramp")
        return None if said.path[0] == "policy" and self.position == 0 else said.value


class _Pools:
    """What legs share: one budget or bucket for all that one place of the scenario sets, unless each has its own."""

    def __init__(self, scenario: Scenario) -> None:
        self.retry_budgets: list[plan.RetryBudget] = []
        self.shapings: list[plan.Shaping] = []
        self._known: dict[tuple[str, int, int], int] = {}
        self._scenario = scenario  # keeps the specs, by whose identity pools are told apart, alive

    def retry_budget(self, spec: Any, leg: int) -> int | None:
        return None if spec is None else self._shared(self.retry_budgets, rules.retry_budget(spec), spec, leg)

    def shaping(self, spec: Any, leg: int) -> int | None:
        return None if spec is None else self._shared(self.shapings, rules.shaping(spec), spec, leg)

    def _shared(self, pools: list[Any], pool: Any, spec: Any, leg: int) -> int:
        key = (type(pool).__name__, id(spec), leg if spec.scope == "leg" else -1)
        if key not in self._known:
            self._known[key] = len(pools)
            pools.append(pool)
        return self._known[key]


def _leg(index: int, settings: _Settings, pools: _Pools, statuses: Statuses, weight: float) -> plan.LegClient:
    leg = settings.leg
    clients = clients_of(settings.scenario, settings.position, leg)
    innermost = len(clients) - 1
    hedge, probes, bulkhead = settings.of("hedge"), settings.of("probes"), settings.of("bulkhead")
    throttle, ramp = settings.of("adaptive_throttling"), settings.ramp
    return plan.LegClient(
        leg=index,
        inner=tuple(
            rules.layer(spec, statuses, bounds_call=depth == innermost and leg.timeout is None)
            for depth, spec in enumerate(clients)
        ),
        guards=tuple(_guards(settings, statuses)),
        hedge=None if hedge is None else rules.hedge(hedge),
        probes=None
        if probes is None
        else plan.Probes(
            every_s=probes.every,
            timeout_s=probes.timeout,
            unhealthy_after=probes.unhealthy_after,
            healthy_after=probes.healthy_after,
        ),
        shaping=pools.shaping(settings.of("shaping"), index),
        bulkhead=None if bulkhead is None else rules.bulkhead(bulkhead),
        throttle=None if throttle is None else plan.AdaptiveThrottling(k=throttle.k, window_s=throttle.window),
        retry_budget=pools.retry_budget(settings.of("retry_budget"), index),
        ramp=None if ramp is None else plan.Ramp(start=ramp.start, over_s=ramp.over, reset_after_s=ramp.reset_after),
        weight=weight,
        tier=1 if leg.tier is None else leg.tier,
        rpm=leg.rpm,
        tpm=leg.tpm,
    )


def _guards(settings: _Settings, statuses: Statuses) -> Iterator[plan.Guard]:
    if (breaker := settings.of("breaker")) is not None:
        yield rules.breaker(breaker, statuses)
    if (cooldown := settings.of("cooldown")) is not None:
        yield rules.cooldown(cooldown, statuses)
    if (ejection := settings.of("ejection")) is not None:
        yield rules.ejection(ejection, statuses)


def _retry(scenario: Scenario, position: int, statuses: Statuses, has_clients: bool) -> plan.RetryRule:
    policy = scenario.policy
    backoff = retry_backoff_of(scenario, position)
    bounds = policy_timeout(policy)
    return plan.RetryRule(
        retries=retries_of(scenario, position),
        retry_on=handled(scenario, position, "retry_on", statuses),
        backoff=rules.backoff(backoff),
        throttled_backoff=rules.throttled_backoff(backoff),
        retry_after=rules.retry_after(retry_setting(scenario, position, "retry_after").value, statuses),
        waits_after_last=retry_setting(scenario, position, "wait_after_last").value,
        waits_with_healthy_peer=retry_setting(scenario, position, "wait_with_healthy_peer").value,
        attempt_timeout_s=bounds.total if bounds is not None and has_clients else None,
    )


def _weights(scenario: Scenario) -> list[float]:
    """Each leg's weight among those of its group, or among the legs that are entries themselves.

    By `weight`, else by rpm, else by tpm, whichever any of them has; legs without it then weigh 1, or nothing.
    """
    weights: list[float] = []
    alone = [entry for entry in scenario.chain if isinstance(entry, LegSpec)]
    for entry in scenario.chain:
        peers = entry.legs if isinstance(entry, GroupSpec) else alone
        for leg in entry.legs if isinstance(entry, GroupSpec) else (entry,):
            field = next((each for each in ("weight", "rpm", "tpm") if any(getattr(p, each) for p in peers)), "")
            missing = 1.0 if field in ("weight", "") else 0.0
            own = getattr(leg, field) if field else None
            weights.append(missing if own is None else own)
    return weights


def _is_plain(client: plan.Client, scenario: Scenario, statuses: Statuses) -> bool:
    last = len(client.groups) - 1
    depth = client.fallback_depth
    return (
        client.application is None
        and client.order.kind == "ordered"
        and (depth is None or depth >= last)
        and not any(isinstance(entry, GroupSpec) for entry in scenario.chain)
        and all(_is_plain_retry(group, scenario, statuses) for group in client.groups)
        and all(_is_plain_leg(leg) for leg in client.legs)
        and _is_plain_backoff(rules.backoff(policy_backoff(scenario.policy, "round_backoff")))
    )


def _is_plain_leg(leg: plan.LegClient) -> bool:
    return replace(leg, weight=1.0, rpm=None, tpm=None) == plan.LegClient(leg=leg.leg)


def _is_plain_retry(group: plan.Group, scenario: Scenario, statuses: Statuses) -> bool:
    """Whether its retries are told by outcomes alone, and wait as the policy says for all."""
    policy, rule, honoured = scenario.policy, group.retry, group.retry.retry_after
    every = kinds_handled(HANDLED_OUTCOMES, statuses)
    waits = (rule.backoff, rule.throttled_backoff, honoured, rule.waits_after_last, rule.attempt_timeout_s)
    of_policy = (rules.backoff(policy_backoff(policy, "retry_backoff")), None)
    return (
        said_by_outcomes(rule.retry_on, statuses)
        and said_by_outcomes(group.fallback_on, statuses)
        and waits == (*of_policy, rules.retry_after(policy.retry_after, statuses), False, None)
        and _is_plain_backoff(rule.backoff)
        and honoured in (plan.RetryAfter(), plan.RetryAfter(honours=True, on=every))
    )


def _is_plain_backoff(backoff: plan.Backoff) -> bool:
    return backoff.kind in PLAIN_BACKOFFS and backoff.jitter != "scaled" and backoff.most_s == float("inf")
