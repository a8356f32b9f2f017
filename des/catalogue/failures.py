"""How often and how long providers are down, until their own figures are known: each with its source and date."""

from dataclasses import dataclass
from typing import Final

ASSUMED_ON: Final = "2026-11-29"


@dataclass(frozen=True, slots=True)
class FailureFigures:
    """The availability of a provider (a share of one) and its outages a year, with `source` and `date` (ISO).

    They are of all its outages, those of causes that it shares with others among them. `assumed` ones are placeholders.
    """

    availability: float
    episodes_per_year: float
    source: str
    date: str
    assumed: bool = False

    @property
    def availability_text(self) -> str:
        """As a scenario has it: `99.58%`."""
        return f"{100.0 * self.availability:.12g}%"


_HISTORY: Final = (
    "status page from 2021-03 to 2025-01 (data set after FAILS, AtLarge Research): the API had an incident open {open} "
    "of the time, one every {gap} days from 2024 on; a ninth of the open time counts as outage, as pages report 5 to "
    "13 times less outage than open time"
)
_FIGURES: Final = {
    "openai": FailureFigures(0.9976, 99, _HISTORY.format(open="2.17 %", gap="3.7"), "2025-01"),
    "anthropic": FailureFigures(0.9958, 136, _HISTORY.format(open="3.78 %", gap="2.7"), "2025-01"),
}
_ASSUMED: Final = FailureFigures(
    0.995,
    10,
    "assumed: outages of some four and a half hours, similar to what status pages show",
    ASSUMED_ON,
    assumed=True,
)


def failure_figures(provider: str) -> FailureFigures:
    """Those of the provider's own history, or what is assumed of any."""
    return _FIGURES.get(provider, _ASSUMED)
