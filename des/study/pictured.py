"""What the page of an answer draws beyond figures: distributions over requests, and one drawn year of incidents.

It stands in a file of its own beside answer.json, as no figure is read from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from pydantic import TypeAdapter

from des.estimate.estimate import as_json
from des.estimate.shape import Shape
from des.faults import draw_timeline
from des.faults.marginals import chain_endpoints
from des.scenario.plan import Plan
from des.scenario.text.units import YEAR_S

_MOST_INCIDENTS: Final = 2000


@dataclass(frozen=True, slots=True)
class DrawnIncident:
    """An incident, and the endpoints of the chain that it reaches. `down` where every call fails."""

    component: str
    shared: bool
    down: bool
    start_s: float
    end_s: float
    endpoints: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnYear:
    """The incidents of the first replication that reach the chain: of a year, or of a shorter horizon.

    `endpoints` are those of the chain, in its order. Of many incidents the longest are kept, and `left_out` counts the
    others.
    """

    length_s: float
    endpoints: tuple[str, ...]
    incidents: tuple[DrawnIncident, ...]
    left_out: int = 0

    @classmethod
    def of(cls, plan: Plan) -> "DrawnYear":
        length_s = min(plan.horizon_s, YEAR_S)
        timeline = draw_timeline(plan, 0, length_s)
        chain = list(dict.fromkeys(chain_endpoints(plan)))
        names = {index: f"{plan.endpoints[index].provider}/{plan.endpoints[index].model}" for index in chain}
        reach = timeline.hits[:, chain].any(axis=1) & (timeline.end_s > 0.0)
        numbers = np.flatnonzero(reach)
        start_s, end_s = np.maximum(timeline.start_s, 0.0), np.minimum(timeline.end_s, length_s)
        longest = np.argsort(start_s[numbers] - end_s[numbers], kind="stable")[:_MOST_INCIDENTS]
        outage = timeline.outage
        incidents = [
            DrawnIncident(
                component=plan.components[timeline.component[number]].name,
                shared=bool(timeline.shared[number]),
                down=bool(outage[number]),
                start_s=round(float(start_s[number]), 3),
                end_s=round(float(end_s[number]), 3),
                endpoints=tuple(names[index] for index in chain if timeline.hits[number, index]),
            )
            for number in np.sort(numbers[longest]).tolist()
        ]
        return cls(
            length_s=length_s,
            endpoints=tuple(names.values()),
            incidents=tuple(incidents),
            left_out=len(numbers) - len(incidents),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictured:
    """Of one arm. `latency` is of served requests in seconds, `cost` of all in USD; None where none were simulated."""

    latency: Shape | None = None
    cost: Shape | None = None
    year: DrawnYear | None = None


def with_years(found: Mapping[str, Pictured], plans: Mapping[str, Plan]) -> dict[str, Pictured]:
    """Each arm with its drawn year."""
    return {arm: replace(of, year=DrawnYear.of(plans[arm])) for arm, of in found.items()}


_BY_ARM: Final = TypeAdapter(dict[str, Pictured])


def pictured_json(found: Mapping[str, Pictured]) -> dict[str, Any]:
    return {arm: as_json(of) for arm, of in found.items()}


def read_pictured(content: Any) -> dict[str, Pictured]:
    """Raises ValidationError, which is a ValueError, for anything else than `pictured_json` returns."""
    return _BY_ARM.validate_python(content)
