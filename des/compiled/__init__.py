"""The engine as a loop over arrays that Numba compiles: the same rows as SimPy's, many times faster.

`simulate` and `simulate_window` are those of the engine that is chosen, SimPy's or this one.
"""

from des.compiled.carrying import carried
from des.compiled.choice import (
    COMPILED,
    ENGINES,
    SIMPY,
    chosen,
    engine_for,
    is_to_be_compiled,
    prepare,
    simulate,
    simulate_window,
    using,
)
from des.compiled.supported import reasons_against

__all__ = [
    "COMPILED",
    "ENGINES",
    "SIMPY",
    "carried",
    "chosen",
    "engine_for",
    "is_to_be_compiled",
    "prepare",
    "reasons_against",
    "simulate",
    "simulate_window",
    "using",
]
