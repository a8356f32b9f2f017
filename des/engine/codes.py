"""Codes inside the engine: outcome kinds, and the declared values of each column that holds names."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from des import vocabulary
from des.scenario.plan import Plan
from des.scenario.schema.statuses import broken_stream_kind, kinds_handled
from des.vocabulary import ATTEMPT_OUTCOMES, TIMEOUT


class Kinds:
    """The outcome kinds of one plan: the standard outcomes, then those with an HTTP status of the plan's own.

    Where there are broken streams, they are the last kind; traces call them connection errors.
    Inside the engine an outcome is the code of its kind, and tables by outcome have an entry for each kind. Traces
    separate outcome and status. `outcomes` holds the standard outcome's code of each kind, `statuses` the HTTP status,
    -1 where there is none.
    """

    __slots__ = ("_codes", "_own", "broken_stream", "names", "outcomes", "statuses")

    def __init__(self, plan: Plan) -> None:
        self._own = plan.statuses
        self.broken_stream = broken_stream_kind(plan.statuses)
        self.names = [*ATTEMPT_OUTCOMES, *(name for name, _ in plan.statuses)]
        self.outcomes = [ATTEMPT_OUTCOMES.index(name) for name in self.names]
        standard = [-1 if status is None else status for status in vocabulary.HTTP_STATUS]
        self.statuses = [*standard, *(status for _, status in plan.statuses)]
        self._codes: dict[tuple[str, int | None], int] = {("hang", None): TIMEOUT}
        for code, name in enumerate(ATTEMPT_OUTCOMES):
            self._codes[name, None] = self._codes[name, self.statuses[code]] = code
        for position, named in enumerate(plan.statuses):
            self._codes[named] = len(ATTEMPT_OUTCOMES) + position

    def code(self, outcome: str, status: int | None = None) -> int:
        """The kind of an outcome with this HTTP status; None means the outcome's own status."""
        return self._codes[outcome, status]

    def table(self, handled: Collection[str]) -> list[bool]:
        """Whether each kind is one of these failures, which settings name by outcome, status or hundred."""
        codes = kinds_handled(handled, self._own)
        return [kind in codes for kind in range(len(self.names))]

    def of_outcomes(self, outcomes: Collection[int]) -> list[bool]:
        """Whether each kind belongs to one of these standard outcomes, whatever its status."""
        return [outcome in outcomes for outcome in self.outcomes]


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
"""What a lost request is attributed to if no component, limit or capacity caused the loss."""


@dataclass(frozen=True, slots=True)
class Names:
    """Values in the order of their codes, the same for every replication of an arm."""

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
    """Table -> dictionary column -> its values in the order of their codes."""
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
