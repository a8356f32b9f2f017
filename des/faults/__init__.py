"""From incident classes to what each endpoint suffers when. NumPy only: no SimPy here."""

from des.faults.intervals import Intervals
from des.faults.timeline import Timeline, draw_timeline

__all__ = ["Intervals", "Timeline", "draw_timeline"]
