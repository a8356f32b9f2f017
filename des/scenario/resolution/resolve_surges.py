"""From surges between providers to the plan's surges between endpoints."""

from collections.abc import Sequence

from des.scenario.plan import Endpoint, Surge
from des.scenario.schema.scenario import Scenario


def resolve_surges(scenario: Scenario, endpoints: Sequence[Endpoint]) -> tuple[Surge, ...]:
    """The surges, with the endpoints that their names mean."""
    return tuple(
        Surge(
            when=_meant(spec.when, endpoints),
            to=_meant(spec.to, endpoints),
            load=spec.load,
            capacity_per_s=spec.capacity,
        )
        for spec in scenario.surge
    )


def _meant(names: Sequence[str], endpoints: Sequence[Endpoint]) -> tuple[int, ...]:
    return tuple(each.index for each in endpoints if each.provider in names or f"{each.provider}/{each.model}" in names)
