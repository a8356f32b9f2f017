"""From the policy and the entries of the chain to the plan's client: what legs inherit and what they share."""

from collections.abc import Iterator, Sequence
from typing import Any

from des.scenario import plan
from des.scenario.resolution.inheritance import (
    call_setting,
    clients_of,
    legs_with_paths,
    policy_timeout,
    retries_of,
    retry_backoff_of,
    retry_setting,
)
from des.scenario.schema.chain import GroupSpec, LegSpec
from des.scenario.schema.load_control import ORDERED
from des.scenario.schema.retries import IGNORED, NO_BACKOFF, ApplicationSpec, ClientSpec
from des.scenario.schema.scenario import Scenario
from des.scenario.text.places import Path
from des.vocabulary import DEFAULT_RETRIED


def resolve_client(scenario: Scenario, chain: Sequence[plan.Leg]) -> plan.Client:
    """The client of the plan."""
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
            legs.append(_leg(index, settings, pools, weights[index]))
        members = tuple(range(first, len(legs)))
        routing = entry.routing or policy.routing if isinstance(entry, GroupSpec) else None
        groups.append(
            plan.Group(
                index=position,
                name=entry.group if isinstance(entry, GroupSpec) else chain[first].name,
                legs=members,
                routing=routing or ORDERED,
                ties_first=policy.ties == "first",
                retry=_retry(scenario, position, any(legs[member].inner for member in members)),
                fallback_on=_handled(scenario, position, "fallback_on"),
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
    """The settings in effect for one leg."""

    def __init__(self, scenario: Scenario, position: int, path: Path, leg: LegSpec) -> None:
        self.scenario, self.position, self._path, self.leg = scenario, position, path, leg

    def of(self, field: str) -> Any:
        return call_setting(self.scenario, self.position, self._path, self.leg, field).value

    @property
    def ramp(self) -> plan.Ramp | None:
        """The leg's ramp. That of the policy does not apply to the first entry, to which nothing fails over."""
        said = call_setting(self.scenario, self.position, self._path, self.leg, "ramp")
        ramp: plan.Ramp | None = said.value
        return None if said.path[0] == "policy" and self.position == 0 else ramp


class _Pools:
    """Pools shared by legs: one budget or bucket for all legs set by one place of the scenario, unless scope is leg."""

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


def _leg(index: int, settings: _Settings, pools: _Pools, weight: float) -> plan.LegClient:
    leg = settings.leg
    clients = clients_of(settings.scenario, settings.position, leg)
    innermost = len(clients) - 1
    guards = (settings.of(field) for field in ("breaker", "cooldown", "ejection"))
    return plan.LegClient(
        leg=index,
        inner=tuple(
            _layer(spec, bounds_call=depth == innermost and leg.timeout is None) for depth, spec in enumerate(clients)
        ),
        guards=tuple(guard for guard in guards if guard is not None),
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


def _layer(spec: ClientSpec, *, bounds_call: bool) -> plan.RetryRule:
    """A client inside each attempt. If it `bounds_call`, its attempt timeout is the call's own timeout."""
    backoff = spec.backoff or NO_BACKOFF
    return plan.RetryRule(
        retries=spec.retries,
        retry_on=DEFAULT_RETRIED if spec.retry_on is None else spec.retry_on,
        backoff=backoff.usual,
        throttled_backoff=backoff.after_throttling,
        retry_after=_retry_after(spec.retry_after),
        timeout_s=spec.timeout_s,
        attempt_timeout_s=None if bounds_call or spec.attempt_timeout is None else spec.attempt_timeout.total_s,
    )


def _retry(scenario: Scenario, position: int, has_clients: bool) -> plan.RetryRule:
    backoff = retry_backoff_of(scenario, position)
    after_last = retry_setting(scenario, position, "wait_after_last").value
    retries = retries_of(scenario, position)
    return plan.RetryRule(
        retries=retries,
        retry_on=_handled(scenario, position, "retry_on"),
        backoff=backoff.usual,
        throttled_backoff=backoff.after_throttling,
        retry_after=_retry_after(retry_setting(scenario, position, "retry_after").value),
        waits_after_last=after_last is True or (after_last == "after_retries" and retries > 0),
        waits_with_healthy_peer=retry_setting(scenario, position, "wait_with_healthy_peer").value,
        ends_when_all_out=retry_setting(scenario, position, "end_when_all_out").value,
        attempt_timeout_s=policy_timeout(scenario.policy).total_s if has_clients else None,
    )


def _application(spec: ApplicationSpec) -> plan.RetryRule:
    return plan.RetryRule(
        retries=spec.retries,
        retry_on=spec.retry_on,
        backoff=(spec.backoff or NO_BACKOFF).usual,
        timeout_s=spec.timeout_s,
        attempt_timeout_s=spec.attempt_timeout_s,
    )


def _handled(scenario: Scenario, position: int, field: str) -> tuple[str, ...]:
    """`retry_on` or `fallback_on` of an entry."""
    said: tuple[str, ...] | None = retry_setting(scenario, position, field).value
    return DEFAULT_RETRIED if said is None else said


def _retry_after(said: plan.RetryAfter | None) -> plan.RetryAfter:
    return said if said is not None and said.honours else IGNORED


def _weights(scenario: Scenario) -> Iterator[float]:
    """Each leg's weight within its group, or among the legs that are entries themselves.

    The first of `weight`, rpm and tpm that any of them has is used. Legs without it weigh 1, or 0 for rpm and tpm.
    """
    alone = [entry for entry in scenario.chain if isinstance(entry, LegSpec)]
    for entry in scenario.chain:
        peers = entry.legs if isinstance(entry, GroupSpec) else alone
        for leg in entry.legs if isinstance(entry, GroupSpec) else (entry,):
            field = next((each for each in ("weight", "rpm", "tpm") if any(getattr(p, each) for p in peers)), "")
            missing = 1.0 if field in ("weight", "") else 0.0
            own = getattr(leg, field) if field else None
            yield missing if own is None else own
