"""The reference workload in Ciw, by three classes of its own: the model of `handwritten_simpy.py`, with its constants.

Ciw has neither token buckets nor back-off, and its reneging leaves a queue, not a service. Its ways to extend it are
enough: a node with servers without end for each provider, a distribution of service times that decides how a call
ends, and a routing that decides on the next call. The back-off after a failed call is part of its service time.
"""

import random
from typing import Any

import ciw

from benchmarks.handwritten_simpy import (
    BACKOFF_S,
    BURST,
    DOWN_S,
    ERROR_S,
    MU,
    RATE_PER_S,
    REFILL_PER_S,
    REFUSAL_S,
    SIGMA,
    TIMEOUT_S,
    UP_S,
)

LEGS = 3


class Request(ciw.Individual):
    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.came_s = self.simulation.current_time
        self.attempt = 0
        self.served = False


class Calls(ciw.dists.Distribution):
    """Of one provider: how long its calls last. Services begin in order of time, so its state follows the calls."""

    def __init__(self) -> None:
        self.up = random.random() < UP_S / (UP_S + DOWN_S)
        self.changes_s = random.expovariate(1.0 / (UP_S if self.up else DOWN_S))
        self.tokens = BURST
        self.refilled_s = 0.0
        self.attempts = 0

    def sample(self, t: float, ind: Request) -> float:
        while self.changes_s <= t:
            self.up = not self.up
            self.changes_s += random.expovariate(1.0 / (UP_S if self.up else DOWN_S))
        self.attempts += 1
        self.tokens = min(BURST, self.tokens + (t - self.refilled_s) * REFILL_PER_S)
        self.refilled_s = t
        if self.tokens < 1.0:
            lasts_s = REFUSAL_S
        else:
            self.tokens -= 1.0
            lasts_s = ERROR_S
            if self.up:
                latency_s = random.lognormvariate(MU, SIGMA)
                ind.served = latency_s <= TIMEOUT_S
                lasts_s = min(latency_s, TIMEOUT_S)
        if not ind.served and ind.attempt < len(BACKOFF_S):
            lasts_s += BACKOFF_S[ind.attempt]
        return lasts_s


class Arrivals(ciw.dists.Distribution):
    """Poisson, until enough came."""

    def __init__(self, requests: int) -> None:
        self.left = requests

    def sample(self, t: float | None = None, ind: Request | None = None) -> float:
        self.left -= 1
        return random.expovariate(RATE_PER_S) if self.left >= 0 else float("inf")


class Fallback(ciw.routing.NodeRouting):
    """The same provider again, the next one, or the exit."""

    def __init__(self) -> None:
        self.ok = 0
        self.latency_s = 0.0

    def next_node(self, ind: Request) -> Any:
        nodes = self.simulation.nodes
        if ind.served:
            self.ok += 1
            self.latency_s += self.simulation.current_time - ind.came_s
            return nodes[-1]
        if ind.attempt < len(BACKOFF_S):
            ind.attempt += 1
            return self.node
        ind.attempt = 0
        return nodes[-1] if self.node.id_number == LEGS else nodes[self.node.id_number + 1]


def simulate(requests: int, seed: int) -> tuple[int, int, float]:
    """(ok, attempts, latency of the ok requests in all) once every request has ended."""
    ciw.seed(seed)
    routing = [Fallback() for _ in range(LEGS)]
    network = ciw.create_network(
        arrival_distributions=[Arrivals(requests), None, None],
        service_distributions=[Calls() for _ in range(LEGS)],
        number_of_servers=[float("inf")] * LEGS,
        routing=ciw.routing.NetworkRouting(routers=routing),
    )
    simulation = ciw.Simulation(network, individual_class=Request)
    simulation.simulate_until_max_customers(requests, method="Finish")
    attempts = sum(times["Customer"].attempts for times in simulation.service_times.values())
    return sum(each.ok for each in routing), attempts, sum(each.latency_s for each in routing)
