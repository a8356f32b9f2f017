"""Vectorised workload sources: when requests arrive, what they carry, how long users think.

Arrival times and marks come from separate streams, and marks are indexed by request, so another law of arrivals
moves no mark and a longer horizon only appends.
"""

from des.engine.arrivals.blocks import ArrivalBlock, open_arrivals
from des.engine.arrivals.closed import think_time
from des.engine.arrivals.marks import RequestMarks

__all__ = ["ArrivalBlock", "RequestMarks", "open_arrivals", "think_time"]
