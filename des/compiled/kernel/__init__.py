"""The event loop over arrays, in the subset of Python that Numba compiles. It runs as it stands too.

Its functions have the names of the engine's: `walk`, `dispatch`, `ended`, `learn`. State is in the records of `World`.
Nothing here imports Numba: `des.compiled.compiling` compiles every function of these modules, and the rules they call.
For the same bytes as the engine: only + - x / min max and comparisons, sums in the engine's order, money as integers.
"""
