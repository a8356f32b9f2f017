"""The semantics as pure functions of scalars: + - x / min max and comparisons, no state, no I/O, no imports."""
