"""The marks of requests: tokens, priced units and the requirement on legs."""

import math

import numpy as np
from numpy.typing import NDArray

from des.distributions import Constant, Distribution, sample
from des.draws import ReusedGenerator
from des.scenario.plan import ClosedArrivals, FloatArray, IntArray, Plan, ReplayedArrivals, Requirement

BLOCK = 4096
KEPT_BLOCKS = 256
MOST_TOKENS = 2**31 - 1  # the traces' int32

TokenArray = NDArray[np.int32]
Columns = tuple[TokenArray, TokenArray, FloatArray, NDArray[np.int16]]


class RequestMarks:
    """Marks of any request, by its draw index: the request's id, or n * users + user in a closed workload.

    A pure function of (seed, replication, draw index). Tokens are whole and fit an int32; a positive mean gives at
    least one. Recorded tokens are in the order of the recording and repeat with it; draw index 0 has those of the
    recorded request `first`.
    """

    __slots__ = (
        "_blocks",
        "_first",
        "_generators",
        "_kept",
        "_plan",
        "_recorded",
        "_replication",
        "_requirement_edges",
    )

    def __init__(self, plan: Plan, replication: int, first: int = 0) -> None:
        arrivals = plan.workload.arrivals
        users = arrivals.users if isinstance(arrivals, ClosedArrivals) else 0
        self._plan = plan
        self._replication = replication
        self._first = first
        self._generators = ReusedGenerator()
        self._recorded = _recorded_tokens(arrivals) if isinstance(arrivals, ReplayedArrivals) else (None, None)
        self._requirement_edges = requirement_edges(plan.workload.requirements)
        # Users advance at different speeds, so the block of the slowest must stay for several passes over all users.
        self._kept = KEPT_BLOCKS + 4 * users // BLOCK
        self._blocks: dict[int, tuple[memoryview, ...]] = {}

    def __call__(self, draw: int) -> tuple[int, int, float, int]:
        """(input tokens, output tokens, units, index of the requirement or -1)."""
        block, at = divmod(draw, BLOCK)
        try:
            input_tokens, output_tokens, units, requirement = self._blocks[block]
        except KeyError:
            input_tokens, output_tokens, units, requirement = self._keep(block)
        return input_tokens[at], output_tokens[at], units[at], requirement[at]

    def columns(self, block: int) -> Columns:
        """The marks of requests block * 4096 up to the next block. Not cached."""
        workload = self._plan.workload
        recorded_input, recorded_output = self._recorded
        return (
            self._tokens("input_tokens", workload.input_tokens, recorded_input, block),
            self._tokens("output_tokens", workload.output_tokens, recorded_output, block),
            sample(workload.units, self._generator("units", block), BLOCK),
            self._requirements(block),
        )

    def _keep(self, block: int) -> tuple[memoryview, ...]:
        if len(self._blocks) >= self._kept:
            del self._blocks[min(self._blocks)]
        self._blocks[block] = tuple(column.data for column in self.columns(block))
        return self._blocks[block]

    def _generator(self, mark: str, block: int) -> np.random.Generator:
        """Good until the next one."""
        return self._generators(self._plan.seed, self._replication, f"workload/{mark}", block)

    def _tokens(self, mark: str, distribution: Distribution, recorded: TokenArray | None, block: int) -> TokenArray:
        if recorded is not None:
            return recorded[np.arange(self._first + block * BLOCK, self._first + (block + 1) * BLOCK) % recorded.size]
        least = 1 if distribution.mean > 0.0 else 0
        if isinstance(distribution, Constant):
            return np.full(BLOCK, round(min(max(distribution.value, least), MOST_TOKENS)), np.int32)
        drawn = sample(distribution, self._generator(mark, block), BLOCK)
        tokens: TokenArray = np.rint(drawn.clip(least, MOST_TOKENS)).astype(np.int32)
        return tokens

    def _requirements(self, block: int) -> NDArray[np.int16]:
        if self._requirement_edges is None:
            return np.full(BLOCK, -1, dtype=np.int16)
        uniforms = self._generator("requirement", block).random(BLOCK)
        index = self._requirement_edges.searchsorted(uniforms, side="right").astype(np.int16)
        index[index == self._requirement_edges.size] = -1
        return index


def _recorded_tokens(arrivals: ReplayedArrivals) -> tuple[TokenArray | None, TokenArray | None]:
    return _whole(arrivals.input_tokens), _whole(arrivals.output_tokens)


def _whole(recorded: IntArray | None) -> TokenArray | None:
    if recorded is None or recorded.size == 0:
        return None
    return recorded.clip(0, MOST_TOKENS).astype(np.int32)


def requirement_edges(requirements: tuple[Requirement, ...]) -> FloatArray | None:
    """Upper ends of the requirements' parts of [0, 1). The other requests have no requirement."""
    if not requirements:
        return None
    edges = np.cumsum([requirement.share for requirement in requirements])
    if math.isclose(edges[-1], 1.0, rel_tol=1e-9):
        edges[-1] = 1.0  # shares that add up to one cover every request in spite of rounding
    return edges
