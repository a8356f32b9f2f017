"""The dictionaries of a run's traces: the declared values of each column that holds names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from des import vocabulary
from des.scenario.plan import Plan

OTHER_LOSSES = (
    "random_error",
    "timeout",
    "silent_rot",
    "overload",
    "deadline",
    "no_eligible_leg",
    "hang",
    "circuit_open",
    "client_limit",
)
"""What a lost request is put down to where no component, limit or capacity is to blame."""


@dataclass(frozen=True, slots=True)
class Names:
    """Values in code order; the same for every replication of an arm."""

    providers: tuple[str, ...]
    models: tuple[str, ...]
    legs: tuple[str, ...]
    components: tuple[str, ...]
    limits: tuple[str, ...]
    capacities: tuple[str, ...]
    entities: tuple[str, ...]  # components, then legs, limits and capacities
    entity_kinds: tuple[str, ...]
    states: tuple[str, ...]
    losses: tuple[str, ...]  # components, then limits, then capacities, then OTHER_LOSSES

    @classmethod
    def of(cls, plan: Plan) -> "Names":
        components = tuple(component.name for component in plan.components)
        limits = tuple(f"limit {limit.name}" for limit in plan.limits)
        capacities = tuple(f"capacity {capacity.name}" for capacity in plan.capacities)
        legs = tuple(leg.name for leg in plan.chain)
        return cls(
            providers=_distinct(endpoint.provider for endpoint in plan.endpoints),
            models=_distinct(endpoint.model for endpoint in plan.endpoints),
            legs=legs,
            components=components,
            limits=limits,
            capacities=capacities,
            entities=_distinct((*components, *legs, *limits, *capacities)),
            entity_kinds=vocabulary.ENTITY_KINDS,
            states=(
                *vocabulary.COMPONENT_STATES,
                *vocabulary.LEG_STATES,
                *vocabulary.GUARD_STATES,
                *vocabulary.LIMIT_STATES,
            ),
            losses=(*components, *limits, *capacities, *OTHER_LOSSES),
        )


def names(plan: Plan) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Table -> dictionary column -> its values in code order."""
    of = Names.of(plan)
    return {
        "requests": {
            "outcome": vocabulary.REQUEST_OUTCOMES,
            "error_type": vocabulary.ERROR_TYPES,
            "provider": of.providers,
            "model": of.models,
            "lost_to": of.losses,
        },
        "attempts": {
            "leg": of.legs,
            "provider": of.providers,
            "model": of.models,
            "kind": vocabulary.ATTEMPT_KINDS,
            "outcome": vocabulary.ATTEMPT_OUTCOMES,
            "cause": vocabulary.CAUSES,
        },
        "incidents": {"component": of.components, "kind": vocabulary.INCIDENT_KINDS},
        "transitions": {
            "entity": of.entities,
            "kind": of.entity_kinds,
            "from": of.states,
            "to": of.states,
        },
    }


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
