"""From intent (availability, episodes a year) to the Poisson class of outages that has it.

Outages start as a Poisson process of rate L, last d on average and may overlap. In equilibrium the number of open
incidents is that of an infinite-server queue: Poisson with mean L d. So the component is up with probability
A = exp(-L d), and L A maximal down intervals (episodes) start per unit of time. E episodes a year at availability A
therefore need L = E / A incidents a year of mean duration -ln A / L. The part of the shared components is subtracted
from both.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from des.distributions import Lognormal
from des.scenario.text.units import YEAR_S

DEFAULT_SIGMA = 1.3
"""Default sigma of lognormal outage durations. Fits to status-page history give 1.2 to 1.7."""

_MOST_UNCERTAIN_EDGES: Final = 16
Edges = Mapping[str, Sequence[tuple[str, float]]]
"""For each component, the (component, share of its incidents) that it depends on."""

_ROUNDING = 1e-12  # relative; a smaller remainder counts as zero


def default_duration(mean_s: float) -> Lognormal:
    """The default shape of outage durations, at this mean."""
    return Lognormal(math.log(mean_s) - DEFAULT_SIGMA**2 / 2.0, DEFAULT_SIGMA)


def private_class(
    availability: float,
    episodes_per_year: float,
    shared: Sequence[tuple[float, float, float]] = (),
) -> tuple[float, float]:
    """Rate (per second) and mean duration (seconds) of a component's own outages, beside the shared ones.

    `shared` has (rate_per_s, share that reaches the component, mean_s) of every Poisson class of outages that it
    depends on. Returns (0, 0) if these account for everything. Raises ValueError, with the numbers, if they account
    for more incidents or more time down than stated, or if no own outages can make up the difference.
    """
    if not 0.0 < availability < 1.0:
        raise ValueError(
            f"availability must lie between 0 and 100 %, both excluded, not {availability:.10g}; "
            "a component that never fails needs neither availability nor episodes_per_year"
        )
    if not (episodes_per_year > 0.0 and math.isfinite(episodes_per_year)):
        raise ValueError(f"episodes_per_year must be positive and finite, not {episodes_per_year:.10g}")
    total_rate = episodes_per_year / availability / YEAR_S
    total_load = -math.log(availability)  # mean number of open incidents
    shared_rate = math.fsum(rate * share for rate, share, _ in shared)
    shared_load = math.fsum(rate * share * mean for rate, share, mean in shared)
    rate = _remainder(total_rate, shared_rate)
    load = _remainder(total_load, shared_load)
    if rate == 0.0 and load == 0.0:
        return 0.0, 0.0
    if rate <= 0.0 or load <= 0.0:
        raise ValueError(
            f"availability {availability:.8g} with {episodes_per_year:g} episodes a year "
            f"is {_in_words(total_rate, total_load)}; "
            f"shared components alone bring {_in_words(shared_rate, shared_load)}, "
            f"which leaves {_in_words(rate, load)} for its own: "
            f"{_remedy(rate, load, shared_rate, shared_load)}"
        )
    return rate, load / rate


def _remainder(total: float, part: float) -> float:
    rest = total - part
    return 0.0 if abs(rest) <= _ROUNDING * total else rest


def _in_words(rate_per_s: float, load: float) -> str:
    return f"{rate_per_s * YEAR_S:.4g} incidents and {load * YEAR_S / 3600.0:.4g} h of outage a year"


def _remedy(rate: float, load: float, shared_rate: float, shared_load: float) -> str:
    lower = f"lower availability below {math.exp(-shared_load):.8g}"
    higher = f"raise episodes_per_year above {shared_rate * YEAR_S * math.exp(-shared_load):.4g}"
    if rate <= 0.0 and load <= 0.0:
        return f"{lower} and {higher}"
    return higher if rate <= 0.0 else lower


def sources_behind(name: str, edges: Edges) -> list[str]:
    """Everything that a component depends on, directly or not."""
    found: dict[str, None] = {}
    waiting = [target for target, _ in edges[name]]
    while waiting:
        target = waiting.pop(0)
        if target not in found:
            found[target] = None
            waiting += [further for further, _ in edges[target]]
    return list(found)


def reach_probability(edges: Edges, target: str, source: str) -> float:
    """Probability that an incident of `source` reaches `target`, if each edge passes it on with its share.

    By factoring: condition on one uncertain edge after the other, until a certain path exists or none is left.
    """
    behind = {target, *sources_behind(target, edges)}
    on_the_way = {name for name in behind if name == source or source in sources_behind(name, edges)}
    relevant = [
        (name, further, share) for name in on_the_way for further, share in edges[name] if further in on_the_way
    ]
    uncertain = [(name, further, share) for name, further, share in relevant if 0.0 < share < 1.0]
    if len(uncertain) > _MOST_UNCERTAIN_EDGES:
        raise ValueError(
            f"{len(uncertain)} dependencies with shares lead from '{target}' to '{source}': at most "
            f"{_MOST_UNCERTAIN_EDGES} can be counted towards availability"
        )
    certain = {(name, further) for name, further, share in relevant if share >= 1.0}
    return _factored(certain, uncertain, target, source)


def _factored(
    certain: set[tuple[str, str]], uncertain: list[tuple[str, str, float]], target: str, source: str
) -> float:
    if _connected(certain, target, source):
        return 1.0
    if not _connected(certain | {(name, further) for name, further, _ in uncertain}, target, source):
        return 0.0
    (name, further, share), *rest = uncertain
    passed = _factored(certain | {(name, further)}, rest, target, source)
    return share * passed + (1.0 - share) * _factored(certain, rest, target, source)


def _connected(edges: set[tuple[str, str]], target: str, source: str) -> bool:
    reached = {target}
    waiting = [target]
    while waiting:
        name = waiting.pop()
        for start, further in edges:
            if start == name and further not in reached:
                reached.add(further)
                waiting.append(further)
    return source in reached
