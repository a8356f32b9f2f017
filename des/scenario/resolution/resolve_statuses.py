"""The outcome kinds of a scenario: what failures with a status of their own make beside the attempt outcomes."""

from collections.abc import Sequence

from des.scenario.plan import Component, Endpoint
from des.scenario.schema.statuses import Statuses
from des.vocabulary import ATTEMPT_OUTCOMES, HTTP_STATUS


def statuses_of(components: Sequence[Component], endpoints: Sequence[Endpoint]) -> Statuses:
    """(outcome, status) of every failure that has another status than its outcome's usual one, sorted."""
    said = {(error.outcome, error.status) for endpoint in endpoints for error in endpoint.errors}
    for component in components:
        for incidents in component.incidents:
            said |= {(effect.outcome, effect.status) for effect in incidents.every_effect}
    other = {(outcome, status) for outcome, status in said if status is not None and _usual(outcome) != status}
    return tuple(sorted(other, key=lambda kind: (ATTEMPT_OUTCOMES.index(kind[0]), kind[1])))


def _usual(outcome: str) -> int | None:
    return HTTP_STATUS[ATTEMPT_OUTCOMES.index(outcome)]
