"""Inheritance of settings: those of a leg itself, else of its group, else of the policy."""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from des.scenario.schema.calls import UNBOUNDED, Timeout
from des.scenario.schema.chain import GroupSpec, LegSpec, legs_of
from des.scenario.schema.policy import PolicySpec
from des.scenario.schema.retries import NO_BACKOFF, Backoff, ClientSpec
from des.scenario.schema.scenario import Scenario
from des.scenario.text.places import Path


class Said(NamedTuple):
    """A setting, and where it is written."""

    value: Any
    path: Path


def legs_with_paths(scenario: Scenario, position: int) -> Iterator[tuple[Path, LegSpec]]:
    """The legs of an entry, each with its path."""
    entry = scenario.chain[position]
    here: Path = ("chain", position)
    for within, leg in enumerate(legs_of(entry)):
        yield ((*here, "legs", within) if isinstance(entry, GroupSpec) else here), leg


def retry_setting(scenario: Scenario, position: int, field: str) -> Said:
    """The value of a field of `RetrySettings` for an entry; None if nothing sets it."""
    value = getattr(scenario.chain[position], field)
    if value is not None:
        return Said(value, ("chain", position, field))
    return Said(getattr(scenario.policy, field), ("policy", field))


def retries_of(scenario: Scenario, position: int) -> int:
    return retry_setting(scenario, position, "retries").value or 0


def retry_backoff_of(scenario: Scenario, position: int) -> Backoff:
    return scenario.chain[position].retry_backoff or policy_backoff(scenario.policy, "retry_backoff")


def policy_backoff(policy: PolicySpec, field: Literal["retry_backoff", "round_backoff"]) -> Backoff:
    own: Backoff | None = getattr(policy, field)
    return own or policy.backoff or NO_BACKOFF


def call_setting(scenario: Scenario, position: int, path: Path, leg: LegSpec, field: str) -> Said:
    """The value of a field of `CallSettings` for a leg; None if nothing sets it, or if it is `none`."""
    entry = scenario.chain[position]
    said = Said(getattr(leg, field), (*path, field))
    if said.value is None and isinstance(entry, GroupSpec):
        said = Said(getattr(entry, field), ("chain", position, field))
    if said.value is None:
        said = Said(getattr(scenario.policy, field), ("policy", field))
    return Said(None, said.path) if said.value == "none" else said


def clients_of(scenario: Scenario, position: int, leg: LegSpec) -> tuple[ClientSpec, ...]:
    """The clients inside each attempt on a leg, outermost first."""
    said = call_setting(scenario, position, (), leg, "clients").value
    return tuple(said or ())


def timeout_of(scenario: Scenario, position: int, leg: LegSpec) -> Timeout:
    """The timeout of a leg's calls: its own, else its innermost client's, else the policy's."""
    if leg.timeout is not None:
        return leg.timeout
    clients = clients_of(scenario, position, leg)
    if clients and clients[-1].attempt_timeout is not None:
        return clients[-1].attempt_timeout
    return policy_timeout(scenario.policy)


def policy_timeout(policy: PolicySpec) -> Timeout:
    return policy.timeout if isinstance(policy.timeout, Timeout) else UNBOUNDED


def deadline_of(policy: PolicySpec) -> float | None:
    return policy.deadline if isinstance(policy.deadline, float) else None
