"""Estimates as the service answers them: numbers, and the text for people."""

from collections.abc import Callable

from des.digits import percent
from des.estimate.estimate import Estimate
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
    """As many digits as tell it from 1."""
    figure = of.figure("availability")
    found = shown_figure(figure, percent, scale=100.0)
    return found.model_copy(update={"shown": figures.availability(figure, of.lost)})
