"""From intent (availability, episodes a year) to the Poisson class of outages that has it.

Outages that start as a Poisson process of rate L and last d on average, overlapping as they please, leave a
component up with probability A = exp(-L d) and begin L A maximal down intervals (episodes) per unit of time: the
infinite-server queue, whose number of open incidents is Poisson with mean L d in equilibrium. So E episodes a year
at availability A need L = E / A incidents a year of mean duration -ln A / L. What the shared components contribute
comes off both.
"""

import math
from collections.abc import Sequence

from des.distributions import Lognormal
from des.scenario.text.units import YEAR_S

DEFAULT_SIGMA = 1.3
"""Shape of outage durations where a scenario gives none: lognormal; status-page history fits 1.2 to 1.7."""

_ROUNDING = 1e-12  # relative; a remainder this small is nothing


def default_duration(mean_s: float) -> Lognormal:
    """The default shape of outage durations, at this mean."""
    return Lognormal(math.log(mean_s) - DEFAULT_SIGMA**2 / 2.0, DEFAULT_SIGMA)


def private_class(
    availability: float,
    episodes_per_year: float,
    shared: Sequence[tuple[float, float, float]] = (),
) -> tuple[float, float]:
    """Rate (per second) and mean duration (seconds) of the outages that shared causes leave to a component.

    `shared` has (rate_per_s, share that reaches the component, mean_s) of every Poisson class of outages behind it.
    (0, 0) where they already account for everything. Raises ValueError, with the numbers, where they account for
    more incidents or for more time down than asked for, or where the rest cannot have both.
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
            f"which leaves {_in_words(rate, load)} to private ones: "
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
