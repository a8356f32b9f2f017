"""Contradictions between valid settings: too many attempts, overlapping windows, tags that no leg carries."""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise, repeat
from math import prod
from typing import Final, Literal

from des.scenario.files import components_of
from des.scenario.resolution.inheritance import (
    call_setting,
    clients_of,
    deadline_of,
    legs_with_paths,
    policy_backoff,
    retries_of,
    retry_setting,
)
from des.scenario.schema.chain import LegSpec
from des.scenario.schema.incidents import (
    Incidents,
    MarkedRenewalIncidents,
    PoissonIncidents,
    RenewalIncidents,
    Schedule,
)
from des.scenario.schema.limits import Budget
from des.scenario.schema.retries import ApplicationSpec, Backoff
from des.scenario.schema.scenario import Scenario
from des.scenario.schema.workload import ArrivalFile
from des.scenario.text.places import Path
from des.scenario.text.problems import Finding
from des.scenario.text.units import DAY_S, YEAR_S
from des.words import meant

MOST_LEGS: Final = 127
"""A chain position is an int8 in traces, and so is a round."""
MOST_ATTEMPTS: Final = 32_767
"""The number of an attempt is an int16 in traces."""
_LONGEST_WAIT_S: Final = YEAR_S
"""Longest wait before an attempt of a request without a deadline: the clock runs until every request has ended."""
MOST_REQUESTS: Final = 1e9
"""Most requests of one replication, and most probes of one leg."""
_MOST_INCIDENTS: Final = 2e7
"""Incidents are drawn before the run starts and kept in memory."""


def consistency_findings(scenario: Scenario) -> list[Finding]:
    """Contradictions in a scenario whose settings and names are valid."""
    return [finding for check in _CHECKS for finding in check(scenario)]


def most_attempts(scenario: Scenario) -> int:
    """Attempts of a request that is never served."""
    return _passes(scenario) * sum(map(_attempts_on, repeat(scenario), range(len(scenario.chain))))


def _passes(scenario: Scenario) -> int:
    """Passes over the chain of a request that is never served, including the application's retries."""
    application = scenario.policy.application
    again = 1 + application.retries if isinstance(application, ApplicationSpec) else 1
    return again * scenario.policy.rounds


def _attempts_on(scenario: Scenario, position: int) -> int:
    """Attempts in one round on an entry of the chain, on whichever of its legs makes the most of them."""
    return (1 + retries_of(scenario, position)) * max(
        _calls_of_attempt(scenario, position, path, leg) for path, leg in legs_with_paths(scenario, position)
    )


def _calls_of_attempt(scenario: Scenario, position: int, path: Path, leg: LegSpec) -> int:
    """Most calls of one attempt, counting the clients inside it and hedges."""
    hedge = call_setting(scenario, position, path, leg, "hedge").value
    layers = [1 + client.retries for client in clients_of(scenario, position, leg)]
    return prod(layers) * (1 + hedge.at_most if hedge is not None else 1)


def _attempts(scenario: Scenario) -> Iterator[Finding]:
    if len(scenario.legs) > MOST_LEGS:
        yield Finding(("chain",), f"{len(scenario.legs)} legs: at most {MOST_LEGS} are possible")
    elif scenario.policy.rounds > MOST_LEGS:
        message = f"{scenario.policy.rounds} rounds: at most {MOST_LEGS} are possible"
        yield Finding(("policy", "rounds"), message)
    elif (passes := _passes(scenario)) > MOST_LEGS:
        again = passes // scenario.policy.rounds - 1
        message = (
            f"{again}: with rounds: {scenario.policy.rounds} makes {passes} passes, at most {MOST_LEGS} can be counted"
        )
        yield Finding(("policy", "application", "retries"), message)
    elif (attempts := most_attempts(scenario)) > MOST_ATTEMPTS:
        most_retried = max(range(len(scenario.chain)), key=lambda position: retries_of(scenario, position))
        retries = retry_setting(scenario, most_retried, "retries")
        path: Path = retries.path if retries.value else ("policy", "rounds")
        message = (
            f"a request may come to {attempts} attempts (rounds times legs with their retries): "
            f"at most {MOST_ATTEMPTS} are possible"
        )
        yield Finding(path, message)


def _waits(scenario: Scenario) -> Iterator[Finding]:
    """Waits that grow without a cap soon exceed any clock, so the last of them is bounded."""
    policy = scenario.policy
    if deadline_of(policy) is not None:
        return
    found: set[Path] = set()
    for path, backoff, waits in _all_waits(scenario):
        if backoff is not None and path not in found and _outgrows(backoff, waits):
            found.add(path)
            message = (
                f"waits grow beyond {_LONGEST_WAIT_S / DAY_S:.0f} days before the last attempt: give a cap, such as 60s"
            )
            yield Finding(path, message)


def _all_waits(scenario: Scenario) -> Iterator[tuple[Path, Backoff | None, int]]:
    """(where it is written, back-off, how many waits it makes) of retries, rounds, clients and the application."""
    policy = scenario.policy
    retries = [retries_of(scenario, position) for position in range(len(scenario.chain))]
    waits_of_policy: tuple[tuple[Literal["retry_backoff", "round_backoff"], int], ...] = (
        ("retry_backoff", max(retries)),
        ("round_backoff", policy.rounds - 1),
    )
    for field, waits in waits_of_policy:
        written = "backoff" if policy.backoff is not None else field
        yield ("policy", written), policy_backoff(policy, field), waits
    for position, entry in enumerate(scenario.chain):
        yield ("chain", position, "retry_backoff"), entry.retry_backoff, retries[position]
        for path, leg in legs_with_paths(scenario, position):
            said = call_setting(scenario, position, path, leg, "clients")
            for depth, client in enumerate(said.value or ()):
                yield (*said.path, depth, "backoff"), client.backoff, client.retries
    if isinstance(policy.application, ApplicationSpec):
        yield ("policy", "application", "backoff"), policy.application.backoff, policy.application.retries


def _outgrows(backoff: Backoff, waits: int) -> bool:
    base_s = max(backoff.base_s, backoff.throttled.base_s if backoff.throttled else 0.0)
    if base_s == 0.0:
        return False
    grows = backoff.factor if backoff.kind in ("exponential", "envoy") else 1.0
    if backoff.jitter == "decorrelated":
        grows = max(grows, 3.0)
    wait_s, cap_s = base_s, backoff.cap_s
    for _ in range(waits if backoff.kind == "envoy" else waits - 1):
        wait_s *= grows
        if grows <= 1.0 or wait_s > cap_s or wait_s > _LONGEST_WAIT_S:
            break
    return min(wait_s, cap_s) > _LONGEST_WAIT_S


def _latencies(scenario: Scenario) -> Iterator[Finding]:
    for name, provider in scenario.providers.items():
        for model_name, model in provider.models.items():
            if model.latency is None and provider.latency is None:
                path: Path = ("providers", name, "models", model_name, "latency")
                message = "is required, but missing: say how long a call takes, such as 1.4s"
                yield Finding(path, f"{message} (here, or for all models of {name})")


def _tags(scenario: Scenario) -> Iterator[Finding]:
    """A required tag that no leg carries is a mistake: every such request would be rejected silently."""
    carried: dict[str, dict[str, None]] = {}
    for provider in scenario.providers.values():
        for tags in (provider.tags, *(model.tags for model in provider.models.values())):
            for key, value in tags.items():
                carried.setdefault(key, {})[value] = None
    for placed in scenario.legs:
        for key, value in placed.spec.tags.items():
            carried.setdefault(key, {})[value] = None
    for position, requirement in enumerate(scenario.workload.requirements):
        for key, value in requirement.tags.items():
            path: Path = ("workload", "requirements", position, "tags", key)
            if key not in carried:
                yield Finding(path, f"no provider, model or leg has a tag '{key}'{meant(key, carried)}", at_key=True)
            elif value not in carried[key]:
                message = f"no provider, model or leg has '{key}: {value}'{meant(value, carried[key])}"
                yield Finding(path, message)


def _incidents(scenario: Scenario) -> Iterator[Finding]:
    for _, path, component in components_of(scenario):
        for position, incident in enumerate(component.incidents):
            here: Path = (*path, "incidents", position)
            if isinstance(incident, Schedule):
                yield from _windows(incident, here, scenario.start)
            elif (expected := _expected(incident, scenario.horizon)) > _MOST_INCIDENTS:
                message = (
                    f"about {expected:.3g} incidents until the horizon: at most {_MOST_INCIDENTS:.0e} can be drawn"
                )
                yield Finding(here, message)


def _requests(scenario: Scenario) -> Iterator[Finding]:
    spec = scenario.workload.arrivals
    expected = None if isinstance(spec, ArrivalFile) else spec.expected_requests(scenario.horizon)
    if expected is not None and expected > MOST_REQUESTS:
        message = f"about {expected:.3g} requests until the horizon: at most {MOST_REQUESTS:.0e} are possible"
        yield Finding(("workload", "arrivals"), message)
    for placed in scenario.legs:
        rot = placed.spec.silent_rot
        if rot is None or rot.probe_every_s is None:
            continue
        if (probes := scenario.horizon / rot.probe_every_s) > MOST_REQUESTS:
            message = f"about {probes:.3g} probes until the horizon: at most {MOST_REQUESTS:.0e} are possible"
            yield Finding((*placed.path, "silent_rot", "probe_every"), message)


def _expected(incident: Incidents, horizon_s: float) -> float:
    if isinstance(incident, PoissonIncidents):
        return incident.rate_per_s * horizon_s
    if isinstance(incident, RenewalIncidents):
        return horizon_s / (incident.up.mean + incident.down.mean)
    if isinstance(incident, MarkedRenewalIncidents):
        return horizon_s / incident.between.mean
    return 0.0


def _windows(schedule: Schedule, path: Path, start: datetime | None) -> Iterator[Finding]:
    placed: list[tuple[float, float, int]] = []
    for position, window in enumerate(schedule.windows):
        here: Path = (*path, "windows", position)
        unplaced = [
            field for field in ("start", "end") if isinstance(getattr(window, field), datetime) and start is None
        ]
        for field in unplaced:
            yield Finding((*here, field), "a timestamp needs the scenario's start, such as start: 2025-01-01T00:00Z")
        if unplaced:
            continue
        start_s, end_s = window.bounds(start)
        if end_s <= start_s:
            yield Finding((*here, "end"), "the window ends before it starts")
        else:
            placed.append((start_s, end_s, position))
    placed.sort()
    for (_, end_s, earlier), (start_s, _, later) in pairwise(placed):
        if start_s < end_s:
            yield Finding((*path, "windows", later), f"overlaps windows[{earlier}] of the same schedule")


def budget_findings(name: str, spec: Budget) -> Iterator[Finding]:
    """Parts of a split budget that are too small for a single call."""
    here: Path = ("budgets", name, "split")
    if spec.split == "shared":
        return
    for over, share in spec.shares.items():
        for metric in spec.metrics:
            whole = getattr(spec, metric)
            if metric != "concurrency":
                window_s = spec.window_s
                if window_s is None:
                    burst = spec.burst_of(metric)
                    if burst is None:
                        continue
                    whole = burst
                else:
                    whole *= window_s
            if whole * share < 1.0 - 1e-9:
                yield Finding(here, f"the part of '{over}' comes to {whole * share:.3g} {metric}: less than one")


_CHECKS: Final[tuple[Callable[[Scenario], Iterator[Finding]], ...]] = (
    _attempts,
    _waits,
    _latencies,
    _tags,
    _incidents,
    _requests,
)
