"""The reference workload in Cimba's Python package: the model of `handwritten_simpy.py`, with its constants.

A request is a model that `spawn` creates during the run and `release` retires, and each of its waits is an event of
Cimba's engine. A process for each request says the same in fewer lines but has 0.6 of the speed, for each process has
a stack of its own. A pool of processes has the same speed but must be as large as the most requests that are open at
once. Cimba has no records of requests to leave out; its outputs here are three sums.
"""

import cimba as cb
import numpy as np
from cimba import random

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


class Provider(cb.Model):
    """Up or down, behind a token bucket."""

    up: bool = True
    tokens: float = BURST
    refilled_s: float = 0.0
    attempts: int = 0

    @cb.on_start
    def begin(self) -> None:
        self.up = random.uniform(0.0, 1.0) < UP_S / (UP_S + DOWN_S)

    @cb.process
    def fail_and_recover(self) -> None:
        while True:
            cb.hold(random.exponential(UP_S if self.up else DOWN_S))
            self.up = not self.up

    @cb.function
    def admits(self) -> bool:
        self.attempts += 1
        now_s = cb.now()
        self.tokens = min(BURST, self.tokens + (now_s - self.refilled_s) * REFILL_PER_S)
        self.refilled_s = now_s
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True


class Client(cb.Model):
    """Sends requests until enough came, and ends the run once each has ended."""

    requests: cb.Param[int] = 1
    providers: list[Provider]
    ok: int = 0
    failed: int = 0
    latency_s: float = 0.0
    served: cb.Output[float]
    attempts: cb.Output[float]
    latency_of_served_s: cb.Output[float]

    @cb.process
    def arrivals(self) -> None:
        for _ in range(self.requests):
            cb.hold(random.exponential(1.0 / RATE_PER_S))
            request = cb.spawn(Request, client=self, came_s=cb.now())
            request.call()

    @cb.on_end
    def measure(self) -> None:
        attempts = 0
        for leg in range(LEGS):
            attempts += self.providers[leg].attempts
        self.served = self.ok
        self.attempts = attempts
        self.latency_of_served_s = self.latency_s


class Request(cb.Model):
    """Calls its legs in turn, each up to three times."""

    client: cb.Ref[Client]
    came_s: float
    leg: int = 0
    attempt: int = 0
    served: bool = False

    @cb.function
    def call(self) -> None:
        provider = self.client.providers[self.leg]
        lasts_s = ERROR_S
        if not provider.admits():
            lasts_s = REFUSAL_S
        elif provider.up:
            latency_s = random.lognormal(MU, SIGMA)
            self.served = latency_s <= TIMEOUT_S
            lasts_s = min(latency_s, TIMEOUT_S)
        cb.schedule(self.call_ends, lasts_s)

    @cb.event
    def backed_off(self) -> None:
        self.call()

    @cb.event
    def call_ends(self) -> None:
        client = self.client
        ended = True
        if self.served:
            client.ok += 1
            client.latency_s += cb.now() - self.came_s
        elif self.attempt < len(BACKOFF_S):
            cb.schedule(self.backed_off, BACKOFF_S[self.attempt])
            self.attempt += 1
            ended = False
        elif self.leg < LEGS - 1:
            self.leg += 1
            self.attempt = 0
            self.call()
            ended = False
        else:
            client.failed += 1
        if ended:
            if client.ok + client.failed == client.requests:
                cb.end_trial()
            cb.release(self)


def simulate(requests: int, seed: int) -> tuple[int, int, float]:
    """(ok, attempts, latency of the ok requests in all) once every request has ended."""
    client = Client()
    client.requests = requests
    client.providers = [Provider() for _ in range(LEGS)]
    results = cb.Experiment(client, replications=1, seed=seed).run(workers=1, on_failure="raise")
    found = results[client]
    ok, attempts, latency_s = (
        float(np.sum(each)) for each in (found.served, found.attempts, found.latency_of_served_s)
    )
    return round(ok), round(attempts), latency_s
