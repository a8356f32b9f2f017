"""The figures of its author that a new scenario has in place of placeholders: rate, limits, shared outages, aims."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from des.scenario.checks.consistency import MOST_REQUESTS
from des.scenario.text.units import YEAR_S, read_duration, read_rate, read_share, read_usd
from des.words import unknown

_HORIZONS: Final = ("10y", "1y", "90d", "30d", "7d", "1d", "6h", "2h", "1h")
_PLENTY: Final = 1e8
"""Requests of a replication that are more than enough: a horizon that has more is replaced by a shorter one."""
_RAREST_PER_S: Final = 0.01 / YEAR_S
_LEADING_NUMBER: Final = re.compile(r"\s*([0-9.]+(?:[eE][-+]?[0-9]+)?)")


@dataclass(frozen=True, slots=True)
class OwnFigures:
    """Texts as a scenario writes them, each None where the author gives none. `limits` are by provider."""

    rate: str | None = None
    limits: Mapping[str, str] = field(default_factory=dict)
    shared: str | None = None
    objective: str | None = None
    lost_request: str | None = None

    def horizon(self, usual: str) -> str:
        """The usual horizon of a question, or a shorter one where the rate would fill it with too many requests."""
        if self.rate is None:
            return usual
        rate_per_s = read_rate(self.rate)
        fitting = (
            each
            for each in _HORIZONS
            if read_duration(each) <= read_duration(usual) and rate_per_s * read_duration(each) <= _PLENTY
        )
        return next(fitting, _HORIZONS[-1])

    def doubled_rate(self, usual: str) -> str:
        """Twice the rate, in the same unit."""
        rate = usual if self.rate is None else self.rate
        return _LEADING_NUMBER.sub(lambda number: f"{2.0 * float(number[1]):.15g}", rate, count=1)


def own_figures(
    providers: Sequence[str],
    *,
    rate: str | None,
    limit: Sequence[str],
    shared: str | None,
    objective: str | None,
    lost_request: str | None,
) -> tuple[OwnFigures, list[str]]:
    """The figures, and everything that is wrong with them. A `limit` is a rate of requests of all these providers, or
    of the one that it names: `openai=500/min`.
    """
    problems = [
        *_problems("rate", rate, _read_arrival_rate),
        *_problems("shared", shared, _read_shared),
        *_problems("objective", objective, _read_objective),
        *_problems("lost-request", lost_request, _read_cost),
    ]
    of_all: dict[str, str] = {}
    of_one: dict[str, str] = {}
    for each in limit:
        provider, equals, text = (part.strip() for part in each.rpartition("="))
        problems += _problems("limit", text, _read_positive_rate)
        if not equals:
            of_all = dict.fromkeys(providers, text)
        elif provider in providers:
            of_one[provider] = text
        else:
            problems.append(f"--limit {unknown('provider', provider, providers)}")
    if shared is not None and len(providers) < 2:
        problems.append("--shared needs two providers: name models of several in --models")
    return OwnFigures(rate, {**of_all, **of_one}, shared, objective, lost_request), problems


def _problems(option: str, text: str | None, read: Callable[[object], object]) -> list[str]:
    try:
        if text is not None:
            read(text)
    except ValueError as error:
        return [f"--{option} {error}"]
    return []


def _read_positive_rate(text: object) -> None:
    if read_rate(text) <= 0.0:
        raise ValueError(f"expected a rate above zero, such as 4000/min; got '{text}'")


def _read_arrival_rate(text: object) -> None:
    rate_per_s = read_rate(text)
    if rate_per_s < _RAREST_PER_S:
        raise ValueError(f"expected a rate above zero, such as 5/s or 100/d; got '{text}'")
    most_per_s = MOST_REQUESTS / 2.0 / read_duration(_HORIZONS[-1])  # an arm may have twice the rate
    if rate_per_s > most_per_s:
        raise ValueError(f"expected a rate of at most {most_per_s:,.0f}/s; got '{text}'")


def _read_shared(text: object) -> None:
    if read_share(text) <= 0.0:
        raise ValueError(f"expected a share above zero, such as 10%; got '{text}'")


def _read_objective(text: object) -> None:
    if read_share(text) <= 0.0:
        raise ValueError(f"expected an availability above zero, such as 99.95%; got '{text}'")


def _read_cost(text: object) -> None:
    if read_usd(text) <= 0.0:
        raise ValueError(f"expected an amount above zero, such as $0.10; got '{text}'")
