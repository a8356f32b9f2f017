"""Closed forms: what a simulation must agree with, and what a question can be answered by without one.

Pure functions of numbers, one idea a file. Times are seconds and rates per second unless a function says that any
consistent unit will do; probabilities and shares lie in [0, 1].
"""
