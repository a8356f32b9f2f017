"""Settings that a scenario writes and that do nothing in it, as remarks; here the client's own.

They are no errors: a policy written for many chains has settings that some chains do not use, and a sweep may set
retries to 0. Only what is written counts, not what a preset adds. What can never do anything is refused elsewhere.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from des.scenario.checks.idle_world import CHECKS as WORLD_CHECKS
from des.scenario.resolution.inheritance import (
    call_setting,
    clients_of,
    legs_with_paths,
    policy_timeout,
    retries_of,
    retry_backoff_of,
    retry_setting,
    timeout_of,
)
from des.scenario.schema.chain import GroupSpec, LegSpec, legs_of
from des.scenario.schema.load_control import ORDERED, CallSettings, Routing
from des.scenario.schema.retries import Backoff, ClientSpec, RetrySettings, waits
from des.scenario.schema.scenario import Scenario
from des.scenario.text.names import as_written, at
from des.scenario.text.places import Path
from des.scenario.text.problems import Finding

Remarks = Iterator[Finding]

_OFF: Final[tuple[object, ...]] = ("none", "ignore", "ordered", [], False)
"""Values that switch a setting off, whose doing nothing is what they say."""
_OFF_SWITCHES: Final = ("wait_with_healthy_peer", "always_eject_one", "counts_cached", "shared")
"""Fields whose `false` or 0 is the setting."""
_ANY_WEIGHT: Final = frozenset({"weight", "rpm", "tpm"})
_WEIGHING: Final = ("weighted", "usage_based")
"""Routings that use some of them."""
_PARTS: Final = ("connect", "first_token", "idle")
"""Bounds on parts of a call."""
_NO_RETRIES: Final = "without retries nothing is tried again: write retries: 2, for example"
_ONE_LEG: Final = "it is about legs of a group of several, and there is none here"


def idle_settings(scenario: Scenario, content: Mapping[str, Any]) -> list[Finding]:
    """Remarks on what is written in a content, before presets, of which this is the typed scenario."""
    remarks = [remark for check in (*_CHECKS, *WORLD_CHECKS) for remark in check(scenario)]
    placed = [Finding(as_written(content, remark.path), f"does nothing here: {remark.message}") for remark in remarks]
    return [remark for remark in dict.fromkeys(placed) if _is_said(content, remark.path)]


def _is_said(content: Mapping[str, Any], path: Path) -> bool:
    """Whether a setting is written, and switches something on."""
    value = at(content, path)
    return value is not None and (value not in _OFF or path[-1] in _OFF_SWITCHES)


def _acts_on_waits(scenario: Scenario, position: int) -> bool:
    """Whether the client waits, or would with a back-off, after a failed attempt on an entry."""
    return retries_of(scenario, position) > 0 or retry_setting(scenario, position, "wait_after_last").value is True


def _is_waited(scenario: Scenario, position: int) -> bool:
    """Whether the client ever waits after a failed attempt on an entry."""
    retry_after = retry_setting(scenario, position, "retry_after").value
    honours = retry_after is not None and retry_after.honours
    return _acts_on_waits(scenario, position) and (honours or waits(retry_backoff_of(scenario, position)))


def _positions(scenario: Scenario) -> range:
    return range(len(scenario.chain))


def _retries(scenario: Scenario) -> Remarks:
    idle = [position for position in _positions(scenario) if not _acts_on_waits(scenario, position)]
    for position in idle:
        for field in ("retry_on", "retry_backoff", "retry_after"):
            yield Finding(("chain", position, field), _NO_RETRIES)
    if len(idle) == len(scenario.chain):
        for field in ("retry_on", "retry_backoff", "retry_after"):
            yield Finding(("policy", field), _NO_RETRIES)
        if scenario.policy.rounds == 1:
            yield Finding(("policy", "backoff"), "without retries and further rounds there is no wait")


def _overridden(scenario: Scenario) -> Remarks:
    """Settings of the policy or of a group that everything below it replaces by its own."""
    for field in RetrySettings.model_fields:
        if all(getattr(entry, field) is not None for entry in scenario.chain):
            yield Finding(("policy", field), "each entry of the chain has its own")
    for field in CallSettings.model_fields:
        of_entries = []
        for position, entry in enumerate(scenario.chain):
            own = all(getattr(leg, field) is not None for leg in legs_of(entry))
            if own and isinstance(entry, GroupSpec):
                yield Finding(("chain", position, field), "each leg of the group has its own")
            of_entries.append(own or getattr(entry, field) is not None)
        if all(of_entries):
            yield Finding(("policy", field), "each entry of the chain has its own")
    if all(isinstance(entry, GroupSpec) and entry.routing is not None for entry in scenario.chain):
        yield Finding(("policy", "routing"), "each group has its own")


def _timeouts(scenario: Scenario) -> Remarks:
    """Timeouts of the policy and of clients that the legs' own replace."""
    legs = [(position, leg) for position in _positions(scenario) for _, leg in legs_with_paths(scenario, position)]
    if all(leg.timeout is not None and not clients_of(scenario, position, leg) for position, leg in legs):
        yield Finding(("policy", "timeout"), "each leg has its own")
    if all(timeout_of(scenario, position, leg) is not policy_timeout(scenario.policy) for position, leg in legs):
        for part in _PARTS:
            yield Finding(("policy", "timeout", part), "the calls of each leg are bounded by its own timeout or client")
    for path, said in _call_settings(scenario, "clients"):
        clients: tuple[ClientSpec, ...] = said[0].value
        for depth in range(len(clients) - 1):
            for part in _PARTS:
                message = "only the innermost client bounds the parts of a call: give total"
                yield Finding((*path, depth, "attempt_timeout", part), message)
        if clients and all(each.leg.timeout is not None for each in said):
            for part in _PARTS:
                yield Finding((*path, len(clients) - 1, "attempt_timeout", part), "each leg has its own timeout")


def _rounds(scenario: Scenario) -> Remarks:
    if scenario.policy.rounds == 1:
        yield Finding(("policy", "round_backoff"), "there is one round: write rounds: 2, for example")


def _waits_after_last(scenario: Scenario) -> Remarks:
    reasons = [_idle_wait_after_last(scenario, position) for position in _positions(scenario)]
    for position, reason in enumerate(reasons):
        if reason and scenario.chain[position].wait_after_last:
            yield Finding(("chain", position, "wait_after_last"), reason)
    if scenario.policy.wait_after_last and all(reasons):
        yield Finding(("policy", "wait_after_last"), reasons[0])


def _idle_wait_after_last(scenario: Scenario, position: int) -> str:
    after_last = retry_setting(scenario, position, "wait_after_last").value
    if after_last == "after_retries" and not retries_of(scenario, position):
        return "after_retries waits only where there are retries"
    return "" if _is_waited(scenario, position) else "there is no wait: write retry_backoff: 1s, for example"


def _healthy_peers(scenario: Scenario) -> Remarks:
    reasons = [_idle_peer(scenario, position) for position in _positions(scenario)]
    for position, reason in enumerate(reasons):
        if reason and scenario.chain[position].wait_with_healthy_peer is False:
            yield Finding(("chain", position, "wait_with_healthy_peer"), reason)
    if scenario.policy.wait_with_healthy_peer is False and all(reasons):
        yield Finding(("policy", "wait_with_healthy_peer"), reasons[0])


def _idle_peer(scenario: Scenario, position: int) -> str:
    if len(legs_of(scenario.chain[position])) == 1:
        return _ONE_LEG
    return "" if _is_waited(scenario, position) else "there is no wait: write retries and retry_backoff, for example"


def _fallbacks(scenario: Scenario) -> Remarks:
    policy, last = scenario.policy, len(scenario.chain) - 1
    if policy.fallback_depth is not None and policy.fallback_depth >= last:
        yield Finding(("policy", "fallback_depth"), f"entries after the first one: {last}")
    if policy.rounds > 1:
        return
    nothing = "nothing follows the last entry: there is one round"
    if policy.order in (None, ORDERED):
        yield Finding(("chain", last, "fallback_on"), nothing)
    if last == 0:
        yield Finding(("policy", "fallback_on"), nothing)


def _routing(scenario: Scenario) -> Remarks:
    groups = [(position, entry) for position, entry in enumerate(scenario.chain) if isinstance(entry, GroupSpec)]
    for position, group in groups:
        if len(group.legs) == 1:
            yield Finding(("chain", position, "routing"), "the group has one leg")
    if all(len(group.legs) == 1 for _, group in groups):
        yield Finding(("policy", "routing"), "no group has several legs")
    busy = [_routing_of(scenario, group) for _, group in groups if len(group.legs) > 1]
    if scenario.policy.ties == "first" and not any(
        routing.kind == "least_busy" and routing.choices is None for routing in busy
    ):
        yield Finding(("policy", "ties"), "no group of several legs is routed by least_busy among all of them")


def _routing_of(scenario: Scenario, group: GroupSpec) -> Routing:
    return group.routing or scenario.policy.routing or ORDERED


def _order(scenario: Scenario) -> Remarks:
    order = scenario.policy.order
    if len(scenario.chain) == 1:
        yield Finding(("policy", "order"), "the chain has one entry")
    elif order is not None and order.once:
        yield Finding(("policy", "order", "once"), "each entry is tried once a round in any case")


def _weights(scenario: Scenario) -> Remarks:
    """Weights, rpm and tpm that no routing uses. In the order of entries, a group has those of its first leg."""
    order = scenario.policy.order or ORDERED
    alone = [entry for entry in scenario.chain if isinstance(entry, LegSpec)]
    by_order = _weights_used(order, alone)
    for position, entry in enumerate(scenario.chain):
        grouped = isinstance(entry, GroupSpec)
        routing = _routing_of(scenario, entry) if isinstance(entry, GroupSpec) else order
        by_routing = _weights_used(routing, legs_of(entry)) if grouped else by_order
        for number, (path, _) in enumerate(legs_with_paths(scenario, position)):
            used = by_routing | (_ANY_WEIGHT if grouped and number == 0 and order.kind in _WEIGHING else frozenset())
            for name in _ANY_WEIGHT - used:
                by = "weighted" if name == "weight" else "weighted or usage_based"
                field = "routing" if grouped else "policy.order"
                yield Finding((*path, name), f"{field}: {routing.kind} does not use it{_instead(routing, used, by)}")


def _instead(routing: Routing, used: frozenset[str], by: str) -> str:
    if routing.kind == "weighted":
        return f", because {min(used)} is given"
    return f"; {by} does"


def _weights_used(routing: Routing, peers: Sequence[LegSpec]) -> frozenset[str]:
    """The fields by which legs are picked."""
    if routing.kind == "usage_based":
        return frozenset({"rpm", "tpm"})
    if routing.kind != "weighted":
        return frozenset()
    fields = (field for field in ("weight", "rpm", "tpm") if any(getattr(leg, field) for leg in peers))
    return frozenset({next(fields, "weight")})


class _Applied(NamedTuple):
    """A setting of calls in effect for a leg, and the number of legs of its entry."""

    value: Any
    leg: LegSpec
    legs: int


def _call_settings(scenario: Scenario, field: str) -> Iterator[tuple[Path, list[_Applied]]]:
    """Where a setting is written, and each leg that it applies to."""
    found: dict[Path, list[_Applied]] = {}
    for position, entry in enumerate(scenario.chain):
        for path, leg in legs_with_paths(scenario, position):
            said = call_setting(scenario, position, path, leg, field)
            if said.value is not None:
                found.setdefault(said.path, []).append(_Applied(said.value, leg, len(legs_of(entry))))
    yield from found.items()


def _cooldowns(scenario: Scenario) -> Remarks:
    for path, said in _call_settings(scenario, "cooldown"):
        cooldown = said[0].value
        several = cooldown.one_of_several or any(each.legs > 1 for each in said)
        counted = cooldown.all_failed is not None or (cooldown.failure_share is not None and several)
        if not several:
            for field in ("on", "share", "minimum"):
                yield Finding((*path, field), f"{_ONE_LEG}: write one_of_several: true to treat a leg as one")
        if cooldown.one_of_several and all(each.legs > 1 for each in said):
            yield Finding((*path, "one_of_several"), "each leg is one of several already")
        if cooldown.spares_fallbacks and cooldown.allowed_fails is None:
            yield Finding((*path, "spares_fallbacks"), "it is about allowed_fails, which is not given")
        elif cooldown.spares_fallbacks and several:
            yield Finding((*path, "spares_fallbacks"), "it is about legs outside of groups")
        if not counted or cooldown.allowed_fails is not None:
            message = "it is about share and all_failed, of which none is in effect"
            yield Finding((*path, "counted_only"), message)
            if cooldown.own_windows and cooldown.allowed_fails is not None:
                yield Finding((*path, "own_windows"), message)


def _ejections(scenario: Scenario) -> Remarks:
    for path, said in _call_settings(scenario, "ejection"):
        ejection = said[0].value
        if (ejection.consecutive, ejection.failure_share) == (None, None):
            yield Finding((*path, "counts"), "on_rate_limited alone counts no failures: give consecutive or share")
        if ejection.most >= 1.0 and not ejection.always_eject_one:
            yield Finding((*path, "always_eject_one"), "most lets all legs be ejected: write most: 50%, for example")
        if all(each.legs == 1 for each in said):
            yield Finding((*path, "panic"), _ONE_LEG)


def _scopes(scenario: Scenario) -> Remarks:
    for field in ("retry_budget", "shaping"):
        for path, said in _call_settings(scenario, field):
            if len(said) == 1:
                yield Finding((*path, "scope"), "it is written for one leg, which has one of its own either way")


def _breakers(scenario: Scenario) -> Remarks:
    for path, said in _call_settings(scenario, "breaker"):
        breaker = said[0].value
        if breaker.stops == "retries" and breaker.all_open == "bypass":
            yield Finding((*path, "all_open"), "a breaker that stops retries refuses no call")


def _clients(scenario: Scenario) -> Remarks:
    for path, said in _call_settings(scenario, "clients"):
        layers: tuple[ClientSpec, ...] = said[0].value
        for depth, client in enumerate(layers):
            if client.retries == 0:
                for field in ("retry_on", "backoff", "retry_after"):
                    yield Finding((*path, depth, field), _NO_RETRIES)
            if client.backoff is not None:
                yield from _backoff(client.backoff, (*path, depth, "backoff"))


def _backoffs(scenario: Scenario) -> Remarks:
    policy = scenario.policy
    for field in ("backoff", "retry_backoff", "round_backoff"):
        backoff = getattr(policy, field)
        if backoff is not None:
            yield from _backoff(backoff, ("policy", field))
    for position, entry in enumerate(scenario.chain):
        if entry.retry_backoff is not None:
            yield from _backoff(entry.retry_backoff, ("chain", position, "retry_backoff"))


def _backoff(backoff: Backoff, path: Path) -> Remarks:
    if backoff.jitter == "decorrelated":
        yield Finding((*path, "factor"), "decorrelated jitter draws between base and three times the wait before")


_CHECKS: Final[tuple[Callable[[Scenario], Remarks], ...]] = (
    _overridden,
    _timeouts,
    _retries,
    _rounds,
    _waits_after_last,
    _healthy_peers,
    _fallbacks,
    _routing,
    _order,
    _weights,
    _cooldowns,
    _ejections,
    _scopes,
    _breakers,
    _clients,
    _backoffs,
)
