"""Draws incident classes and computes what each endpoint suffers when. NumPy only, no SimPy."""

from des.faults.independent_twin import SharedClass, Sharing, sharing
from des.faults.intervals import Intervals
from des.faults.marginals import Downtime, Marginals, marginals, marginals_over
from des.faults.timeline import Timeline, draw_timeline, drawn_class, one_after_the_other

__all__ = [
    "Downtime",
    "Intervals",
    "Marginals",
    "SharedClass",
    "Sharing",
    "Timeline",
    "draw_timeline",
    "drawn_class",
    "marginals",
    "marginals_over",
    "one_after_the_other",
    "sharing",
]
