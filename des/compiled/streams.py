"""The keyed draws as the kernel reads them: blocks of streams at addresses, drawn when it asks for them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from des.compiled.kernel.world import (
    AFTER,
    APPLICATION_BACKOFF,
    APPLICATION_SPREAD,
    BACKOFF,
    BROKEN,
    CACHE_KEY,
    CACHE_LATENCY,
    CONNECT,
    CROWD,
    FIRST_INNER,
    FIRST_TOKEN,
    HANG,
    INCIDENT_ERROR,
    INVALID,
    RAMP,
    RANDOM_ERROR,
    REPAIR,
    ROUND_BACKOFF,
    SPEED,
    SPREAD,
    STREAM,
    TAGS,
    THINK,
    THROTTLE,
    TIME_TO_ROT,
    WHOLE_RESPONSE,
)
from des.compiled.tables import Tables
from des.distributions import Constant, Distribution
from des.draws import BLOCK, ReusedGenerator, Sampler, key_of
from des.engine.draws import uniform
from des.scenario.plan import ClosedArrivals

_UNIFORMS = {
    CROWD: "crowd",
    HANG: "hang",
    INCIDENT_ERROR: "incident",
    RANDOM_ERROR: "error",
    BROKEN: "broken",
    INVALID: "invalid",
    BACKOFF: "backoff",
    SPREAD: "spread",
}
_OF_LEG = {
    RAMP: "leg/{leg}/ramp",
    THROTTLE: "leg/{leg}/throttle/{nth}",
    TIME_TO_ROT: "leg/{leg}/time_to_rot",
    REPAIR: "leg/{leg}/repair",
}
_OF_CLIENT = {
    APPLICATION_BACKOFF: "application/backoff/{nth}",
    APPLICATION_SPREAD: "application/spread/{nth}",
    ROUND_BACKOFF: "round_backoff/{nth}",
    CACHE_KEY: "response_cache/key",
    CACHE_LATENCY: "response_cache/latency",
    THINK: "workload/think",
}
CALLS_KEPT = 64
"""Calls of a leg by one request, and one for its probes, that have places in the table of streams."""


class Streams:
    """The table of streams of a replication, and what their places stand for.

    The place of a stream is (owner, n, purpose): the owner is a leg, the client, or a group that routes, after them.
    """

    def __init__(self, tables: Tables, seed: int, replication: int) -> None:
        plan = tables.plan
        self._tables = tables
        self._seed, self._replication = seed, replication
        self._generator = ReusedGenerator()
        owners = len(plan.chain) + 2 + len(plan.client.groups)
        self.kept = CALLS_KEPT
        self.table: NDArray[Any] = np.zeros(owners * self.kept * tables.purposes, STREAM)
        self._tags: dict[int, NDArray[np.int64]] = {}
        self._blocks: dict[int, tuple[NDArray[np.float64], int]] = {}  # and their address
        self._keys: dict[int, tuple[NDArray[np.uint64], Sampler]] = {}

    def draw_block(self, place: int, block: int) -> None:
        """Put a block where the kernel looks for it."""
        tags = self._tags.get(place)
        if tags is None:
            owner, rest = divmod(place, self.kept * self._tables.purposes)
            nth, purpose = divmod(rest, self._tables.purposes)
            name, distribution = self._named(owner, nth - 1, purpose)
            if isinstance(distribution, Constant):
                self.table[place]["value"] = distribution.value
                self.table[place]["tags"] = -1
                return
            self._keys[place] = key_of(self._seed, self._replication, name), _sampler(distribution)
            tags = self._tags[place] = np.full(2 * TAGS, -1, np.int64)
            blocks = np.empty((TAGS, BLOCK))  # which takes memory as it is written to
            self._blocks[place] = blocks, blocks.ctypes.data
            self.table[place]["tags"] = tags.ctypes.data
        key, sampler = self._keys[place]
        at = block & (TAGS - 1)
        blocks, address = self._blocks[place]
        blocks[at] = sampler(self._generator.at(key, block), BLOCK)
        tags[2 * at] = block
        tags[2 * at + 1] = address + 8 * BLOCK * at

    def draw(self, owner: int, nth: int, purpose: int, index: int) -> float:
        """A draw of a stream without a place in the table."""
        name, distribution = self._named(owner, nth, purpose)
        if isinstance(distribution, Constant):
            return distribution.value
        drawn = self._generator(self._seed, self._replication, name, index // BLOCK)
        return float(_sampler(distribution)(drawn, BLOCK)[index % BLOCK])

    def _named(self, owner: int, nth: int, purpose: int) -> tuple[str, Distribution | None]:
        """The name of a stream, and what it draws from; None for uniforms."""
        tables = self._tables
        plan = tables.plan
        if owner == len(plan.chain):
            return _OF_CLIENT[purpose].format(nth=nth), self._of_client(purpose)
        if owner > len(plan.chain):
            group = owner - len(plan.chain) - 1
            name = "groups" if group == len(plan.client.groups) else plan.client.groups[group].name
            return f"route/{name}/{nth}", None
        leg = plan.chain[owner]
        endpoint = plan.endpoints[leg.endpoint]
        name = f"leg/{leg.name}/{'probe' if nth < 0 else nth}"
        if purpose in _UNIFORMS:
            return f"{name}/{_UNIFORMS[purpose]}", None
        if purpose in _OF_LEG:
            rots = (
                {}
                if leg.silent_rot is None
                else {
                    TIME_TO_ROT: leg.silent_rot.time_to_rot,
                    REPAIR: leg.silent_rot.repair,
                }
            )
            return _OF_LEG[purpose].format(leg=leg.name, nth=nth), rots.get(purpose)
        if purpose >= tables.first_delay:
            delayed, distribution = tables.delays[purpose - tables.first_delay]
            return f"{name}/{delayed}", distribution
        if purpose >= FIRST_INNER:
            place, spreads = divmod(purpose - FIRST_INNER, 2)
            return f"{name}/{'spread' if spreads else 'backoff'}/{place}", None
        latency, streams = endpoint.latency, endpoint.broken_streams
        parts: dict[int, tuple[str, Distribution | None]] = {
            WHOLE_RESPONSE: ("whole", latency.whole),
            CONNECT: ("connect", latency.connect),
            FIRST_TOKEN: ("first_token", latency.first_token),
            SPEED: ("speed", latency.tokens_per_s),
            AFTER: ("after", None if streams is None else streams.after),
        }
        part, drawn_from = parts[purpose]
        return f"{name}/{part}", drawn_from

    def _of_client(self, purpose: int) -> Distribution | None:
        plan = self._tables.plan
        if purpose == CACHE_LATENCY and plan.policy.response_cache is not None:
            return plan.policy.response_cache.latency
        if purpose == THINK and isinstance(plan.workload.arrivals, ClosedArrivals):
            return plan.workload.arrivals.think
        return None


def _sampler(distribution: Distribution | None) -> Sampler:
    if distribution is None:
        return uniform
    return distribution.sample
