"""What is sound piece by piece of a client's policy, but not together: budgets of nothing, hedges that never come."""

from collections.abc import Iterator
from math import prod
from typing import Final

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
from des.scenario.schema.groups import GroupSpec
from des.scenario.schema.limits import Limits
from des.scenario.schema.retries import ApplicationSpec, BackoffSpec
from des.scenario.schema.scenario import Scenario
from des.scenario.text.document import Path
from des.scenario.text.problems import Finding
from des.scenario.text.units import MINUTE_S

MOST_AT_ONCE: Final = 1000
"""Attempts of a request without a wait between them: more would be a loop that never lets the clock go on."""


def client_findings(scenario: Scenario) -> list[Finding]:
    """What contradicts in the client's policy, its budgets, and limits against the workload, once a place."""
    found = [
        *_hedges(scenario),
        *_retry_budgets(scenario),
        *_ramps(scenario),
        *_probes(scenario),
        *_weights(scenario),
        *_tiers(scenario),
        *_attempts_at_once(scenario),
        *_buckets(scenario),
        *(finding for name, spec in scenario.budgets.items() for finding in budget_findings(name, spec)),
    ]
    first = {finding.path: finding for finding in reversed(found)}
    return [finding for finding in found if first[finding.path] is finding]


def _settings(scenario: Scenario, field: str) -> Iterator[tuple[Said, int, str, float | None]]:
    """(setting, position of the entry, name of the leg in words, total timeout) of each leg that has one."""
    for position in range(len(scenario.chain)):
        for path, leg in legs_with_paths(scenario, position):
            said = call_setting(scenario, position, path, leg, field)
            if said.value is not None:
                timeout = timeout_of(scenario, position, leg)
                name = leg.name or f"{leg.provider}/{leg.model}" if leg.model else leg.provider
                yield said, position, name, None if timeout is None else timeout.total


def _hedges(scenario: Scenario) -> Iterator[Finding]:
    deadline_s = deadline_of(scenario.policy)
    for said, _, name, total_s in _settings(scenario, "hedge"):
        hedge = said.value
        last_s = hedge.after * hedge.at_most
        for bound_s, what in ((total_s, f"timeout of {name}"), (deadline_s, "deadline")):
            if bound_s is None or last_s < bound_s:
                continue
            if hedge.after >= bound_s:
                message = f"the {what} strikes after {bound_s:g} s, before any copy: hedge earlier"
                yield Finding((*said.path, "after"), message)
            else:
                message = f"the {what} strikes after {bound_s:g} s, before copy {hedge.at_most}: allow fewer"
                yield Finding((*said.path, "at_most"), message)
            break
        if hedge.to == "next" and len(scenario.legs) == 1:
            yield Finding((*said.path, "to"), "the chain has no other leg: write to: same")


def _retry_budgets(scenario: Scenario) -> Iterator[Finding]:
    retried = [retries_of(scenario, position) > 0 for position in range(len(scenario.chain))]
    for said, position, _, _ in _settings(scenario, "retry_budget"):
        if not (any(retried) if said.path[0] == "policy" else retried[position]):
            field = "policy.retry_budget" if said.path[0] == "policy" else "retry_budget"
            message = f"a retry budget, but no retries: write retries: 2 beside it, for example, or {field}: none"
            yield Finding(said.path, message)


def _ramps(scenario: Scenario) -> Iterator[Finding]:
    if len(scenario.chain) > 1:
        return
    for said, _, _, _ in _settings(scenario, "ramp"):
        yield Finding(said.path, "nothing fails over to the only entry of the chain: write ramp: none")


def _probes(scenario: Scenario) -> Iterator[Finding]:
    for said, _, _, _ in _settings(scenario, "probes"):
        if (probes := scenario.horizon / said.value.every) > MOST_REQUESTS:
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
            message = "tiers are among the legs of a group: write {group: main, legs: [...]}; entries have their order"
            yield Finding(("chain", position, "tier"), message)


def _attempts_at_once(scenario: Scenario) -> Iterator[Finding]:
    policy = scenario.policy
    per_entry = [_of_entry(scenario, position) for position in range(len(scenario.chain))]
    factors: list[tuple[int, Path]] = [(sum(per_entry), ())]
    if not _waits(policy_backoff(policy, "round_backoff")):
        factors.append((policy.rounds, ("policy", "rounds")))
    if isinstance(policy.application, ApplicationSpec) and not _waits(policy.application.backoff):
        factors.append((1 + policy.application.retries, ("policy", "application", "retries")))
    attempts = prod(count for count, _ in factors)
    if attempts <= MOST_AT_ONCE:
        return
    _, path = max(factors, key=lambda factor: factor[0])
    if path == ():
        position = per_entry.index(max(per_entry))
        retries = retry_setting(scenario, position, "retries")
        path = retries.path if retries.value else ("chain", position)
    yield Finding(
        path,
        f"a request may make {attempts} attempts without waiting once, more than {MOST_AT_ONCE}: give a back-off, such "
        "as {kind: exponential, base: 500ms, cap: 30s, jitter: full}, or fewer attempts",
    )


def _of_entry(scenario: Scenario, position: int) -> int:
    """Attempts on an entry, in one round, that no wait keeps apart."""
    legs = list(legs_with_paths(scenario, position))
    waits = _waits(retry_backoff_of(scenario, position)) and (
        len(legs) == 1 or retry_setting(scenario, position, "wait_with_healthy_peer").value
    )
    retries = 0 if waits else retries_of(scenario, position)
    return (1 + retries) * max(
        prod(1 + (0 if _waits(client.backoff) else client.retries) for client in clients_of(scenario, position, leg))
        for _, leg in legs
    )


def _waits(backoff: BackoffSpec | None) -> bool:
    return backoff is not None and ((backoff.base or 0.0) > 0.0 or (backoff.spread or 0.0) > 0.0)


def _buckets(scenario: Scenario) -> Iterator[Finding]:
    """Buckets of tokens that the mean request does not fit into."""
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
                message = f"a mean request has {needed:.6g} {metric}, but at most {holds:.6g} are ever granted at once"
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
