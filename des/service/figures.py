"""Estimates as the service answers them: numbers, and the text for people."""

from collections.abc import Callable

from des.digits import percent
from des.estimate.estimate import EXACT, RARE, TIMELINE, Estimate
from des.report import figures
from des.service import answers as parts
from des.study.answered import ArmAnswer


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


def availability_figure(of: ArmAnswer) -> parts.Figure:
    """As many digits as tell it from 1; where none was lost of those simulated, how many those were."""
    figure = of.figure("availability")
    found = shown_figure(figure, percent, scale=100.0)
    if none_met(of):
        return found.model_copy(update={"shown": f"all of {of.basis.simulated:,} simulated"})
    return found.model_copy(update={"shown": figures.availability(figure, of.lost)})


def none_met(of: ArmAnswer) -> bool:
    """Whether none was lost of the requests that were simulated, which says little of those that were not."""
    return of.lost is not None and not of.lost.mean and of.basis.availability not in (EXACT, TIMELINE, RARE)
