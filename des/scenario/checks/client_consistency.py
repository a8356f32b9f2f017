"""Client settings that contradict each other, and client settings that have no effect.

Each check yields its findings. The checks of `client_findings` read the typed scenario. Those of `idle_findings` read
the content as written, because a preset may set fields anywhere, and overriding one of them is not a mistake.
"""

from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import Any, Final

from des.scenario.checks.consistency import MOST_REQUESTS, budget_findings
from des.scenario.resolution.inheritance import (
    Said,
    call_setting,
    clients_of,
    deadline_of,
    legs_with_paths,
    policy_backoff,
    retries_of,
    retry_backoff_of,
    retry_setting,
    timeout_of,
)
from des.scenario.schema.chain import GroupSpec
from des.scenario.schema.limits import Limits
from des.scenario.schema.retries import ApplicationSpec, waits
from des.scenario.schema.scenario import Scenario
from des.scenario.text.names import at, chain_legs, group_names, is_group, items, leg_names, mapping
from des.scenario.text.places import Path
from des.scenario.text.problems import Finding
from des.scenario.text.units import MINUTE_S

_MOST_AT_ONCE: Final = 1000
"""Attempts of a request without a wait between them. More would be a loop in which time does not advance."""
_OF_THE_WINDOW: Final = ("share", "minimum", "all_failed", "window")
"""Fields that a cooldown by `allowed_fails` ignores."""
_OF_ANY_LEG: Final = ("also_on", "all_failed", "allowed_fails")
"""Fields that also cool a leg outside groups; `allowed_fails: 0` counts as set."""
_GUARDS: Final = ("breaker", "cooldown", "ejection", "probes")
"""Settings that take legs out of use."""
_A_GROUP: Final = "write chain: [{group: main, legs: [...]}]"


def client_findings(scenario: Scenario) -> list[Finding]:
    """Contradictions in the client's policy and budgets, and limits too small for the workload, once per place."""
    first: dict[Path, Finding] = {}
    for check in _CHECKS:
        for finding in check(scenario):
            first.setdefault(finding.path, finding)
    return list(first.values())


def idle_findings(content: Mapping[str, Any]) -> Iterator[Finding]:
    """Settings without effect, and legs that a budget names twice."""
    for place in _places(content):
        yield from _cooldown(content, place)
        yield from _ejection(content, place)
    yield from _routing(content)
    yield from _ends(content)
    yield from _doubled_legs(content)


def _settings(scenario: Scenario, field: str) -> Iterator[tuple[Said, int, str, float | None]]:
    """(setting, position of the entry, leg's name for messages, total timeout) of each leg that has the setting."""
    for position in range(len(scenario.chain)):
        for path, leg in legs_with_paths(scenario, position):
            said = call_setting(scenario, position, path, leg, field)
            if said.value is not None:
                timeout = timeout_of(scenario, position, leg)
                name = leg.name or f"{leg.provider}/{leg.model}" if leg.model else leg.provider
                yield said, position, name, timeout.total_s


def _hedges(scenario: Scenario) -> Iterator[Finding]:
    deadline_s = deadline_of(scenario.policy)
    for said, _, name, total_s in _settings(scenario, "hedge"):
        hedge = said.value
        last_s = hedge.after_s * hedge.at_most
        for bound_s, what in ((total_s, f"timeout of {name}"), (deadline_s, "deadline")):
            if bound_s is None or last_s < bound_s:
                continue
            if hedge.after_s >= bound_s:
                message = f"the {what} expires after {bound_s:g} s, before the first copy is sent: hedge earlier"
                yield Finding((*said.path, "after"), message)
            else:
                message = f"the {what} expires after {bound_s:g} s, before copy {hedge.at_most} is sent: allow fewer"
                yield Finding((*said.path, "at_most"), message)
            break
        if hedge.to == "next" and len(scenario.legs) == 1:
            yield Finding((*said.path, "to"), "the chain has no other leg: write to: same")


def _retry_budgets(scenario: Scenario) -> Iterator[Finding]:
    retried = [retries_of(scenario, position) > 0 for position in range(len(scenario.chain))]
    for said, position, _, _ in _settings(scenario, "retry_budget"):
        if not (any(retried) if said.path[0] == "policy" else retried[position]):
            field = "policy.retry_budget" if said.path[0] == "policy" else "retry_budget"
            message = f"a retry budget needs retries: write retries: 2 beside it, for example, or {field}: none"
            yield Finding(said.path, message)


def _breakers_of_retries(scenario: Scenario) -> Iterator[Finding]:
    for said, position, _, _ in _settings(scenario, "breaker"):
        positions = range(len(scenario.chain)) if said.path[0] == "policy" else [position]
        if said.value.stops == "retries" and not any(retries_of(scenario, each) for each in positions):
            yield Finding((*said.path, "stops"), "stops: retries needs retries: write retries: 2, for example")


def _ramps(scenario: Scenario) -> Iterator[Finding]:
    for said, _, _, _ in _settings(scenario, "ramp"):
        ramp = said.value
        if len(scenario.chain) == 1:
            yield Finding(said.path, "nothing fails over to the only entry of the chain: write ramp: none")
        if ramp.start <= 0.0 and ramp.over_s > scenario.horizon:
            message = (
                f"a ramp from 0 % over {ramp.over_s:g} s, longer than the horizon of {scenario.horizon:g} s, admits "
                "hardly any request: start higher, such as start: 10%, or ramp faster"
            )
            yield Finding((*said.path, "start"), message)


def _probes(scenario: Scenario) -> Iterator[Finding]:
    for said, _, _, _ in _settings(scenario, "probes"):
        if (probes := scenario.horizon / said.value.every_s) > MOST_REQUESTS:
            message = f"about {probes:.3g} probes until the horizon: at most {MOST_REQUESTS:.0e} are possible"
            yield Finding((*said.path, "every"), message)


def _weights(scenario: Scenario) -> Iterator[Finding]:
    order = scenario.policy.order
    weights = [None if isinstance(entry, GroupSpec) else entry.weight for entry in scenario.chain]
    if order is not None and order.kind == "weighted" and all(weight == 0.0 for weight in weights):
        yield Finding(("chain", 0, "weight"), "all weights are 0, so no leg is ever picked")


def _tiers(scenario: Scenario) -> Iterator[Finding]:
    for position, entry in enumerate(scenario.chain):
        if not isinstance(entry, GroupSpec) and entry.tier is not None:
            message = "tier ranks legs of a group: write {group: main, legs: [...]}; entries are tried in their order"
            yield Finding(("chain", position, "tier"), message)


def _attempts_at_once(scenario: Scenario) -> Iterator[Finding]:
    policy = scenario.policy
    per_entry = [_of_entry(scenario, position) for position in range(len(scenario.chain))]
    factors: list[tuple[int, Path]] = [(sum(per_entry), ())]
    if not waits(policy_backoff(policy, "round_backoff")):
        factors.append((policy.rounds, ("policy", "rounds")))
    if isinstance(policy.application, ApplicationSpec) and not waits(policy.application.backoff):
        factors.append((1 + policy.application.retries, ("policy", "application", "retries")))
    attempts = prod(count for count, _ in factors)
    if attempts <= _MOST_AT_ONCE:
        return
    _, path = max(factors, key=lambda factor: factor[0])
    if path == ():
        position = per_entry.index(max(per_entry))
        retries = retry_setting(scenario, position, "retries")
        path = retries.path if retries.value else ("chain", position)
    yield Finding(
        path,
        f"a request may make {attempts} attempts without waiting once, more than {_MOST_AT_ONCE}: give a back-off, "
        "such as {kind: exponential, base: 500ms, cap: 30s, jitter: full}, or allow fewer attempts",
    )


def _of_entry(scenario: Scenario, position: int) -> int:
    """Attempts on an entry, in one round, without a wait between them."""
    legs = list(legs_with_paths(scenario, position))
    waited = waits(retry_backoff_of(scenario, position)) and (
        len(legs) == 1 or retry_setting(scenario, position, "wait_with_healthy_peer").value
    )
    retries = 0 if waited else retries_of(scenario, position)
    return (1 + retries) * max(
        prod(1 + (0 if waits(client.backoff) else client.retries) for client in clients_of(scenario, position, leg))
        for _, leg in legs
    )


def _buckets(scenario: Scenario) -> Iterator[Finding]:
    """Token buckets that are smaller than a mean request."""
    tokens = scenario.workload.tokens
    mean = {
        "input_tokens": tokens.input.mean,
        "output_tokens": tokens.output.mean,
    }
    mean["tokens"] = mean["input_tokens"] + mean["output_tokens"]
    for path, spec in _limits(scenario):
        for metric, needed in mean.items():
            rate = getattr(spec, metric)
            if rate is None:
                continue
            window_s = spec.window_s
            holds = spec.burst_of(metric) or rate * (MINUTE_S if window_s is None else window_s)
            if needed > holds:
                message = f"a mean request has {needed:.6g} {metric}, but at most {holds:.6g} are granted at once"
                yield Finding((*path, metric), message)


def _limits(scenario: Scenario) -> Iterator[tuple[Path, Limits]]:
    for name, provider in scenario.providers.items():
        for position, spec in enumerate(provider.limits or ()):
            yield ("providers", name, "limits", position), spec
        for model_name, model in provider.models.items():
            for position, spec in enumerate(model.limits or ()):
                yield ("providers", name, "models", model_name, "limits", position), spec
    for name, budget in scenario.budgets.items():
        yield ("budgets", name), budget


def _budgets(scenario: Scenario) -> Iterator[Finding]:
    for name, budget in scenario.budgets.items():
        yield from budget_findings(name, budget)


_CHECKS: Final[tuple[Callable[[Scenario], Iterator[Finding]], ...]] = (
    _hedges,
    _retry_budgets,
    _breakers_of_retries,
    _ramps,
    _probes,
    _weights,
    _tiers,
    _attempts_at_once,
    _buckets,
    _budgets,
)


def _places(content: Mapping[str, Any]) -> Iterator[Path]:
    """Paths where settings of calls may stand."""
    yield ("policy",)
    chain = items(content.get("chain"))
    yield from (("chain", position) for position, entry in enumerate(chain) if is_group(entry))
    yield from (("chain", *path) for path, _ in chain_legs(chain))


def _is_outside_groups(content: Mapping[str, Any], place: Path) -> bool:
    """Whether settings at a path apply only to legs outside groups."""
    chain = items(content.get("chain"))
    if place == ("policy",):
        return bool(chain) and not any(map(is_group, chain))
    return len(place) == 2 and not is_group(chain[int(place[1])])


def _cooldown(content: Mapping[str, Any], place: Path) -> Iterator[Finding]:
    here: Path = (*place, "cooldown")
    cooldown = mapping(at(content, here))
    alone = _is_outside_groups(content, place) and mapping(content.get("policy")).get("preset") is None
    if cooldown and alone and all(cooldown.get(field) in (None, [], ()) for field in _OF_ANY_LEG):
        message = "on and share cool only legs in a group of several; there is none here: give also_on, all_failed or "
        yield Finding(here, f"{message}allowed_fails, or {_A_GROUP}")
    idle = [field for field in _OF_THE_WINDOW if cooldown.get(field) is not None]
    if cooldown.get("allowed_fails") is not None and idle:
        message = f"allowed_fails replaces {', '.join(_OF_THE_WINDOW)}: leave out one or the other"
        yield Finding((*here, idle[0]), message)


def _ejection(content: Mapping[str, Any], place: Path) -> Iterator[Finding]:
    here: Path = (*place, "ejection")
    if _is_outside_groups(content, place) and isinstance(at(content, here), dict):
        of_policy = place == ("policy",)
        legs = "legs are ejected from their group" if of_policy else "a leg is ejected from its group"
        without = "the chain has none" if of_policy else "this one has none"
        yield Finding(here, f"{legs}, and {without}: {_A_GROUP}, or a breaker")


def _routing(content: Mapping[str, Any]) -> Iterator[Finding]:
    """Routing without a group to route in."""
    chain = items(content.get("chain"))
    said = mapping(content.get("policy")).get("routing")
    if said not in (None, "ordered", {"kind": "ordered"}) and chain and not any(is_group(entry) for entry in chain):
        message = (
            "routing picks among legs of a group, and the chain has none: write chain: [{group: main, legs: [...]}], "
            "or order, which routes among the entries of the chain"
        )
        yield Finding(("policy", "routing"), message)


def _ends(content: Mapping[str, Any]) -> Iterator[Finding]:
    """`end_when_all_out` where nothing takes a leg out of use."""
    places = [*_places(content)]
    if any(mapping(at(content, place)).keys() & {"preset", *_GUARDS} for place in places):
        return
    for place in places:
        if mapping(at(content, place)).get("end_when_all_out") is True:
            message = f"nothing takes a leg out of use: add {', '.join(_GUARDS[:-1])} or {_GUARDS[-1]}"
            yield Finding((*place, "end_when_all_out"), message)


def _doubled_legs(content: Mapping[str, Any]) -> Iterator[Finding]:
    """Legs named twice in a split budget, which then have no definite part of it."""
    chain = items(content.get("chain"))
    words: list[tuple[str, ...]] = []
    groups = group_names(chain)
    for (path, leg), name in zip(chain_legs(chain), leg_names(content, chain), strict=True):
        own = (name, mapping(leg).get("provider"), groups[int(path[0])])
        words.append(tuple(word for word in own if isinstance(word, str) and word))
    for budget_name, budget in mapping(content.get("budgets")).items():
        if mapping(budget).get("split", "shared") == "shared":
            continue
        legs = [word for word in items(mapping(budget).get("legs")) if isinstance(word, str)]
        for of_leg in words:
            named = [word for word in dict.fromkeys(legs) if word in of_leg]
            if len(named) > 1:
                message = (
                    f"'{named[1]}' and '{named[0]}' both mean the leg {of_leg[0]}, but a leg has one part of a split "
                    "budget: name it once"
                )
                yield Finding(("budgets", budget_name, "legs", legs.index(named[1])), message)
                break
