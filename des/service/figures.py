"""Estimates as the service answers them: numbers, and the text for people."""

from collections.abc import Callable
from typing import Final

from des.digits import percent, plain, significant
from des.estimate.estimate import EXACT, RARE, TIMELINE, Estimate
from des.report import figures
from des.service import answers as parts
from des.service.printed import AVAILABILITY, Printed
from des.study.answered import ArmAnswer

_NOT_KNOWN: Final = "what requests are lost to is not known"
_MORE: Final = "; at a higher rate more are simulated"
_ENOUGH_LOST: Final = 30
"""Lost requests whose causes are much like those of all."""


def shown_figure(figure: Estimate | None, write: Callable[[float, int], str], *, scale: float = 1.0) -> parts.Figure:
    """As JSON, with its text; `write` multiplies by `scale`."""
    if figure is None:
        return parts.Figure(mean=None, low=None, high=None, estimator="", shown=figures.NOTHING)
    return parts.Figure(
        mean=figure.mean,
        low=figure.low,
        high=figure.high,
        estimator=figure.estimator,
        shown=figures.shown(figure, write, scale=scale),
    )


def availability_figure(printed: Printed, arm: str, of: ArmAnswer) -> parts.Figure:
    """As many digits as tell it from 1; where none was lost of those simulated, how many those were."""
    figure = of.figure("availability")
    found = shown_figure(figure, percent, scale=100.0)
    if none_met(of):
        return found.model_copy(update={"shown": f"all of {of.basis.simulated:,} simulated"})
    return printed.of(found.model_copy(update={"shown": figures.availability(figure, of.lost)}), arm, AVAILABILITY)


def lost_to_note(of: ArmAnswer) -> str:
    """Why no cause is known, or how few lost requests the causes rest on; empty where neither needs saying."""
    simulated, lost = of.basis.simulated, of.lost
    if lost is not None and not lost.mean and not none_met(of):
        return ""  # none is ever lost
    if lost is None or not simulated:
        return f"{_NOT_KNOWN}: no request was simulated"
    shares = [cause.mean or 0.0 for cause in of.by_name("lost_by_cause").values()]
    if of.basis.window_years is not None:  # windows are where requests are lost, so shares do not count those met
        return "" if any(shares) else f"{_NOT_KNOWN}: of {simulated:,} simulated requests none was lost"
    met = round(sum(shares) / (of.causes_factor or 1.0) * simulated)
    if met >= _ENOUGH_LOST:
        return ""
    expected = lost.known * simulated
    about = f", where {plain(expected, significant(expected, 2))} are expected to be" if expected else ""
    if not met:
        return f"{_NOT_KNOWN}: of {simulated:,} simulated requests none was lost{about}{_MORE}"
    return f"the causes rest on {met} lost of {simulated:,} simulated requests{about}{_MORE}"


def none_met(of: ArmAnswer) -> bool:
    """Whether none was lost of the requests that were simulated, which says little of those that were not."""
    return of.lost is not None and not of.lost.mean and of.basis.availability not in (EXACT, TIMELINE, RARE)
