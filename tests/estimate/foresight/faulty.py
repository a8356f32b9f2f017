"""What is foretold of a small scenario, and the run that it is held against."""

from collections.abc import Mapping
from typing import Any

from engine.traced import Traced, trace

from des.estimate.exact import exact_or_none
from des.estimate.foresight.foresee import foretold
from des.estimate.foresight.foreseen import Foretold
from des.estimate.foresight.outlook import Outlook
from des.scenario import from_mapping, plans


def faults(scenario: Mapping[str, Any]) -> dict[str, Foretold]:
    """The faults foretold of its arm `as_modelled`, by code; each code once."""
    loaded = from_mapping(scenario)
    plan = plans(loaded)["as_modelled"]
    found = list(foretold(Outlook(loaded.arms["as_modelled"].scenario, plan, exact_or_none(plan))))
    by_code = {one.code: one for one in found}
    assert len(by_code) == len(found), [one.code for one in found]
    return by_code


def only_fault(scenario: Mapping[str, Any]) -> Foretold:
    """The one fault that is foretold of a scenario made to have it."""
    found = faults(scenario)
    assert len(found) == 1, list(found)
    return next(iter(found.values()))


def run(scenario: Mapping[str, Any], replication: int = 0) -> Traced:
    return trace(plans(from_mapping(scenario))["as_modelled"], replication)


def share_of(traced: Traced, leg: str, outcome: str, attempt: int | None = None) -> float:
    """The share of a leg's calls that end so; of the attempts with that number alone, if given."""
    calls = traced.attempts[traced.attempts.leg == leg]
    if attempt is not None:
        calls = calls[calls.attempt == attempt]
    return float((calls.outcome == outcome).mean())


def lost_share(traced: Traced, after_s: float = 0.0) -> float:
    """Of the requests that arrive later than that."""
    late = traced.requests[traced.requests.arrival_s >= after_s]
    return float((late.outcome != "ok").mean())
