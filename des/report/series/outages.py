"""When components and legs were down or impaired, from one replication's incidents."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from des.report.series.rows import batches
from des.traces import Run

DOWN: Final = "down"
IMPAIRED: Final = "impaired"
_COLUMNS: Final = ("component", "shared", "start_s", "end_s", "error_rate", "latency_factor", "hang", "endpoints")

Incident = tuple[str, bool, bool, float, float, Sequence[str]]
"""Component, whether shared, whether down, start and end in seconds, and the endpoints of the chain that it reaches."""


@dataclass(frozen=True, slots=True)
class Spell:
    """A maximal time in which an entity was down, or impaired: a brownout, slower or hanging."""

    entity: str
    state: str
    start_s: float
    end_s: float
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Outages:
    """Spells of components and of endpoints, cut to the horizon, in order of time."""

    components: tuple[Spell, ...]
    endpoints: tuple[Spell, ...]


def outages(run: Run, arm: str, replication: int, horizon_s: float, endpoints_of_chain: Collection[str]) -> Outages:
    """Incidents of a replication as spells, of components that reach the chain and of its endpoints.

    Those of one state that touch or overlap are one.
    """
    return spells_of(_incidents(run, arm, replication, horizon_s, endpoints_of_chain))


def _incidents(
    run: Run, arm: str, replication: int, horizon_s: float, endpoints_of_chain: Collection[str]
) -> Iterator[Incident]:
    for batch in batches(run, "incidents", arm, _COLUMNS, replication):
        for row in batch.to_pylist():
            start, end = max(0.0, row["start_s"]), min(horizon_s, row["end_s"])
            reached = [name for name in row["endpoints"] if name in endpoints_of_chain]
            if start < end and reached:
                yield row["component"], row["shared"], row["error_rate"] >= 1.0, start, end, reached


def spells_of(incidents: Iterable[Incident]) -> Outages:
    """Of incidents that reach the chain."""
    components: dict[tuple[str, str, bool], list[tuple[float, float]]] = {}
    endpoints: dict[tuple[str, str, bool], list[tuple[float, float]]] = {}
    for component, shared, down, start_s, end_s, reached in incidents:
        state = DOWN if down else IMPAIRED
        components.setdefault((component, state, shared), []).append((start_s, end_s))
        for endpoint in reached:
            endpoints.setdefault((endpoint, state, shared), []).append((start_s, end_s))
    return Outages(_spells(components), _spells(endpoints))


def merged(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Sorted and disjoint; touching ones are one."""
    found: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _spells(spans: dict[tuple[str, str, bool], list[tuple[float, float]]]) -> tuple[Spell, ...]:
    found = [
        Spell(entity, state, start, end, shared)
        for (entity, state, shared), of in spans.items()
        for start, end in merged(of)
    ]
    return tuple(sorted(found, key=lambda spell: (spell.start_s, spell.entity, spell.state, spell.shared)))
