"""From the policy and what entries of the chain say beside it to the plan's client: what legs inherit and share."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from des.scenario import plan
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
from des.scenario.schema.chain import GroupSpec, LegSpec
from des.scenario.schema.load_control import ORDERED
from des.scenario.schema.retries import IGNORED, NO_BACKOFF, ApplicationSpec, ClientSpec
from des.scenario.schema.scenario import Scenario
from des.scenario.schema.setting import Setting
from des.scenario.schema.statuses import HANDLED_OUTCOMES, Statuses, kinds_handled, said_by_outcomes
from des.scenario.text.document import Path
from des.vocabulary import DEFAULT_RETRIED, REQUEST_OUTCOMES

_PLAIN_BACKOFFS = ("none", "constant", "linear", "exponential")
_FAILURES = ("on", "counts", "at_once", "always")
"""Attributes of settings that are `Failures`."""
S = TypeVar("S", bound=Setting)


def resolve_client(scenario: Scenario, chain: Sequence[plan.Leg], statuses: Statuses) -> plan.Client:
    """What the client does, and whether the plain walk does the same."""
    client = _client(scenario, chain, statuses)
    return replace(client, plain=_is_plain(client, scenario, statuses))


def handled(scenario: Scenario, position: int, field: str, statuses: Statuses) -> frozenset[int]:
    """Outcome kinds of `retry_on` or `fallback_on` of an entry."""
    said = retry_setting(scenario, position, field).value
    return kinds_handled(DEFAULT_RETRIED if said is None else said, statuses)


def _in_codes(setting: S, statuses: Statuses) -> S:
    """The setting with its failures as codes of outcome kinds."""
    names = [name for name in _FAILURES if name in type(setting).model_fields]
    return setting.model_copy(update={name: kinds_handled(getattr(setting, name), statuses) for name in names})


def _client(scenario: Scenario, chain: Sequence[plan.Leg], statuses: Statuses) -> plan.Client:
    policy = scenario.policy
    pools = _Pools()
    weights = list(_weights(scenario))
    legs: list[plan.LegClient] = []
    groups = []
    for position, entry in enumerate(scenario.chain):
        first = len(legs)
        for path, leg in legs_with_paths(scenario, position):
            index = len(legs)
            settings = _Settings(scenario, position, path, leg)
            legs.append(_leg(index, settings, pools, statuses, weights[index]))
        members = tuple(range(first, len(legs)))
        routing = entry.routing or policy.routing if isinstance(entry, GroupSpec) else None
        groups.append(
            plan.Group(
                index=position,
                name=entry.group if isinstance(entry, GroupSpec) else chain[first].name,
                legs=members,
                routing=routing or ORDERED,
                retry=_retry(scenario, position, statuses, any(legs[member].inner for member in members)),
                fallback_on=handled(scenario, position, "fallback_on", statuses),
            )
        )
    return plan.Client(
        groups=tuple(groups),
        legs=tuple(legs),
        application=_application(policy.application) if isinstance(policy.application, ApplicationSpec) else None,
        retry_budgets=tuple(pools.retry_budgets),
        shapings=tuple(pools.shapings),
        order=policy.order or ORDERED,
        fallback_depth=policy.fallback_depth,
    )


class _Settings:
    """The settings that hold of one leg."""

    def __init__(self, scenario: Scenario, position: int, path: Path, leg: LegSpec) -> None:
        self.scenario, self.position, self._path, self.leg = scenario, position, path, leg

    def of(self, field: str) -> Any:
        return call_setting(self.scenario, self.position, self._path, self.leg, field).value

    @property
    def ramp(self) -> plan.Ramp | None:
        """A policy's ramp is for what is failed over to."""
        said = call_setting(self.scenario, self.position, self._path, self.leg, "ramp")
        ramp: plan.Ramp | None = said.value
        return None if said.path[0] == "policy" and self.position == 0 else ramp


class _Pools:
    """What legs share: one budget or bucket for all that one place of the scenario sets, unless each has its own."""

    def __init__(self) -> None:
        self.retry_budgets: list[plan.RetryBudget] = []
        self.shapings: list[plan.Shaping] = []
        self._known: dict[tuple[int, int], int] = {}

    def retry_budget(self, budget: plan.RetryBudget | None, leg: int) -> int | None:
        return None if budget is None else self._shared(self.retry_budgets, budget, leg)

    def shaping(self, shaping: plan.Shaping | None, leg: int) -> int | None:
        return None if shaping is None else self._shared(self.shapings, shaping, leg)

    def _shared(self, pools: list[Any], pool: Any, leg: int) -> int:
        key = (id(pool), leg if pool.scope == "leg" else -1)  # settings of the scenario, which outlives this
        if key not in self._known:
            self._known[key] = len(pools)
            pools.append(pool)
        return self._known[key]


def _leg(index: int, settings: _Settings, pools: _Pools, statuses: Statuses, weight: float) -> plan.LegClient:
    leg = settings.leg
    clients = clients_of(settings.scenario, settings.position, leg)
    innermost = len(clients) - 1
    guards = (settings.of(field) for field in ("breaker", "cooldown", "ejection"))
    return plan.LegClient(
        leg=index,
        inner=tuple(
            _layer(spec, statuses, bounds_call=depth == innermost and leg.timeout is None)
            for depth, spec in enumerate(clients)
        ),
        guards=tuple(_in_codes(guard, statuses) for guard in guards if guard is not None),
        hedge=settings.of("hedge"),
        probes=settings.of("probes"),
        shaping=pools.shaping(settings.of("shaping"), index),
        bulkhead=settings.of("bulkhead"),
        throttle=settings.of("adaptive_throttling"),
        retry_budget=pools.retry_budget(settings.of("retry_budget"), index),
        ramp=settings.ramp,
        weight=weight,
        tier=1 if leg.tier is None else leg.tier,
        rpm=leg.rpm,
        tpm=leg.tpm,
    )


def _layer(spec: ClientSpec, statuses: Statuses, *, bounds_call: bool) -> plan.RetryRule:
    """A client inside each attempt; the bounds of its attempts are the call's own if it `bounds_call`."""
    backoff = spec.backoff or NO_BACKOFF
    return plan.RetryRule(
        retries=spec.retries,
        retry_on=kinds_handled(DEFAULT_RETRIED if spec.retry_on is None else spec.retry_on, statuses),
        backoff=backoff.usual,
        throttled_backoff=backoff.after_throttling,
        retry_after=_retry_after(spec.retry_after, statuses),
        timeout_s=spec.timeout_s,
        attempt_timeout_s=None if bounds_call or spec.attempt_timeout is None else spec.attempt_timeout.total_s,
    )


def _retry(scenario: Scenario, position: int, statuses: Statuses, has_clients: bool) -> plan.RetryRule:
    backoff = retry_backoff_of(scenario, position)
    return plan.RetryRule(
        retries=retries_of(scenario, position),
        retry_on=handled(scenario, position, "retry_on", statuses),
        backoff=backoff.usual,
        throttled_backoff=backoff.after_throttling,
        retry_after=_retry_after(retry_setting(scenario, position, "retry_after").value, statuses),
        waits_after_last=retry_setting(scenario, position, "wait_after_last").value,
        waits_with_healthy_peer=retry_setting(scenario, position, "wait_with_healthy_peer").value,
        attempt_timeout_s=policy_timeout(scenario.policy).total_s if has_clients else None,
    )


def _application(spec: ApplicationSpec) -> plan.RetryRule:
    return plan.RetryRule(
        retries=spec.retries,
        retry_on=frozenset(REQUEST_OUTCOMES.index(outcome) for outcome in spec.retry_on),
        backoff=(spec.backoff or NO_BACKOFF).usual,
        timeout_s=spec.timeout_s,
        attempt_timeout_s=spec.attempt_timeout_s,
    )


def _retry_after(said: plan.RetryAfter | None, statuses: Statuses) -> plan.RetryAfter:
    return _in_codes(said, statuses) if said is not None and said.honours else IGNORED


def _weights(scenario: Scenario) -> Iterator[float]:
    """Each leg's weight among those of its group, or among the legs that are entries themselves.

    By `weight`, else by rpm, else by tpm, whichever any of them has; legs without it then weigh 1, or nothing.
    """
    alone = [entry for entry in scenario.chain if isinstance(entry, LegSpec)]
    for entry in scenario.chain:
        peers = entry.legs if isinstance(entry, GroupSpec) else alone
        for leg in entry.legs if isinstance(entry, GroupSpec) else (entry,):
            field = next((each for each in ("weight", "rpm", "tpm") if any(getattr(p, each) for p in peers)), "")
            missing = 1.0 if field in ("weight", "") else 0.0
            own = getattr(leg, field) if field else None
            yield missing if own is None else own


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
        and _is_plain_backoff(policy_backoff(scenario.policy, "round_backoff"))
    )


def _is_plain_leg(leg: plan.LegClient) -> bool:
    return replace(leg, weight=1.0, rpm=None, tpm=None) == plan.LegClient(leg=leg.leg)


def _is_plain_retry(group: plan.Group, scenario: Scenario, statuses: Statuses) -> bool:
    """Whether its retries are told by outcomes alone, and wait as the policy says for all."""
    policy, rule = scenario.policy, group.retry
    every = plan.RetryAfter(on=kinds_handled(HANDLED_OUTCOMES, statuses))
    waits = (rule.backoff, rule.throttled_backoff, rule.retry_after, rule.waits_after_last, rule.attempt_timeout_s)
    of_policy = policy_backoff(policy, "retry_backoff").usual
    return (
        said_by_outcomes(rule.retry_on, statuses)
        and said_by_outcomes(group.fallback_on, statuses)
        and waits == (of_policy, None, _retry_after(policy.retry_after, statuses), False, None)
        and _is_plain_backoff(rule.backoff)
        and rule.retry_after in (IGNORED, every)
    )


def _is_plain_backoff(backoff: plan.Backoff) -> bool:
    return backoff.kind in _PLAIN_BACKOFFS and backoff.jitter != "scaled" and backoff.most_s == float("inf")
