"""The engine as a loop over arrays that Numba compiles: the same rows as SimPy's, many times faster.

`simulate` and `simulate_window` are those of the engine that is chosen, SimPy's or this one.
"""

from des.compiled.carrying import carried
from des.compiled.choice import ENGINES, chosen, engine_for, prepare, simulate, simulate_window, using
from des.compiled.supported import reasons_against

__all__ = [
    "ENGINES",
    "carried",
    "chosen",
    "engine_for",
    "prepare",
    "reasons_against",
    "simulate",
    "simulate_window",
    "using",
]
