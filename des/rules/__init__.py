"""The semantics as pure functions of scalars and small arrays: + - x / min max and comparisons, no state, no I/O."""
