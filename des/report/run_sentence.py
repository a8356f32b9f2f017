"""The sentence above the table of a run: how many of its requests were answered, and at what cost."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from des import digits
from des.report import figures
from des.report.figures import read

_MOST_ARMS: Final = 3
"""Arms that a sentence can name one by one; of more, the best and the worst."""


def run_sentence(summary: Mapping[str, Any], arms: Sequence[str]) -> str:
    """`As_modelled answers 99.955 % of the requests at $4.12 per 1,000; primary_only 98.955 % at $4.12.`

    Of the simulated requests; an arm that met too few incidents to tell is said to be between outages. Empty where no
    arm has an availability.
    """
    same = (summary.get("comparison") or {}).get("same", {})
    known = [arm for arm in arms if arm not in same and _available(summary, arm) is not None]
    if not known:
        return ""
    if len(known) == 1:
        (arm,) = known
        return (
            f"{_answered(summary, arm)} of the requests are answered{_between(summary, arm)}{_at(summary, arm, True)}."
        )
    if len(known) > _MOST_ARMS:
        ranked = sorted(known, key=lambda arm: _available(summary, arm) or 0.0)
        most, least = ranked[-1], ranked[0]
        if _available(summary, most) == _available(summary, least):
            return f"All {len(known)} arms answer {_answered(summary, most)} of the requests."
        return (
            f"Of {len(known)} arms, {most} answers most, {_answered(summary, most)} of the requests"
            f"{_between(summary, most)}{_at(summary, most, True)}, and {least} least, {_answered(summary, least)}"
            f"{_between(summary, least)}{_at(summary, least)}."
        )
    return f"{'; '.join(_parts(summary, known))}."


def _parts(summary: Mapping[str, Any], arms: Sequence[str]) -> Iterator[str]:
    for number, arm in enumerate(arms):
        first = number == 0
        opening = f"With {arm}, " if first else f"with {arm}, "
        requests = " of the requests are answered" if first else ""
        yield f"{opening}{_answered(summary, arm)}{requests}{_between(summary, arm)}{_at(summary, arm, first)}"


def _available(summary: Mapping[str, Any], arm: str) -> float | None:
    figure = read(summary["arms"][arm].get("availability"))
    return None if figure is None else figure.mean


def _answered(summary: Mapping[str, Any], arm: str) -> str:
    """`99.955 % (3.35 nines)`, or `all` where none was lost."""
    available = _available(summary, arm)
    assert available is not None
    if available >= 1.0:
        return "all"
    lost, figure = 1.0 - available, read(summary["arms"][arm]["availability"])
    assert figure is not None
    found = figure.complement()
    nines = digits.nines_of_lost(lost)
    words = f" ({nines:.2f} nines)" if nines >= 1.0 else ""
    return f"{digits.percent(available, digits.of_availability(lost, found.low, found.high))}{words}"


def _between(summary: Mapping[str, Any], arm: str) -> str:
    """Where the run met too few outages to say more."""
    return " between outages" if (summary.get("unseen") or {}).get(arm) else ""


def _at(summary: Mapping[str, Any], arm: str, first: bool = False) -> str:
    cost = read(summary["arms"][arm].get("cost_usd_per_request"))
    if cost is None or cost.mean is None:
        return ""
    usd = figures.scaled(cost, 1000.0)
    return f", at {figures.money(usd.known, usd.low, usd.high)}{' per 1,000 requests' if first else ''}"
