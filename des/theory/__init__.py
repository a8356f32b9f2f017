"""Closed forms: references for the simulation, and answers that need none.

Pure functions of numbers. Times are seconds and rates are per second unless a function allows any consistent unit.
Probabilities and shares are in [0, 1].
"""
