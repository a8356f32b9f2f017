"""The order of events at one instant."""

INCIDENT_END, INCIDENT_START, ATTEMPT_END, TIMER, ARRIVAL, HORIZON, CUT = range(10, 17)
"""SimPy's own events (successes) have priorities 0 and 1, so they take effect before anything else that is due."""

FIRST_ORDER = -(1 << 62)
"""Timers without a request come before those of requests at the same instant, in the order in which they were set."""
