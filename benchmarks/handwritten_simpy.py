"""The reference workload as an expert would write it by hand in SimPy: the yardstick for the engine's speed.

One generator a request, one timeout of min(latency, limit) an attempt, the standard library's `random`,
`__slots__`, no traces and no costs. The same model as `reference.yaml`:

100,000 Poisson requests at 50/s over three providers, each alternating exponential up times (mean 400 s) and
down times (mean 100 s). A down provider answers an error after 0.2 s; a token bucket of 25/s with a burst of 50
stands before each (refusal after 0.05 s); latency is lognormal (median 1 s, sigma 0.8) under a timeout of 10 s;
up to three attempts a leg with back-offs of 0.5 and 1.0 s, then on to the next leg.

    python benchmarks/handwritten_simpy.py [REQUESTS] [SEED]
"""

import random
import sys
import time
from collections.abc import Generator

import simpy

RATE_PER_S = 50.0
UP_S, DOWN_S = 400.0, 100.0
REFILL_PER_S, BURST = 25.0, 50.0
ERROR_S, REFUSAL_S, TIMEOUT_S = 0.2, 0.05, 10.0
MU, SIGMA = 0.0, 0.8
BACKOFF_S = (0.5, 1.0)

Process = Generator[simpy.Event, None, None]


class Provider:
    __slots__ = ("attempts", "env", "refilled_at", "tokens", "up")

    def __init__(self, env: simpy.Environment, rng: random.Random) -> None:
        self.env = env
        self.up = rng.random() < UP_S / (UP_S + DOWN_S)
        self.tokens = BURST
        self.refilled_at = 0.0
        self.attempts = 0
        env.process(self.fail_and_recover(rng))

    def fail_and_recover(self, rng: random.Random) -> Process:
        while True:
            yield self.env.timeout(rng.expovariate(1.0 / (UP_S if self.up else DOWN_S)))
            self.up = not self.up

    def admit(self) -> bool:
        now = self.env.now
        self.tokens = min(BURST, self.tokens + (now - self.refilled_at) * REFILL_PER_S)
        self.refilled_at = now
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True


class Totals:
    __slots__ = ("failed", "latency_s", "ok")

    def __init__(self) -> None:
        self.ok = 0
        self.failed = 0
        self.latency_s = 0.0


def request(env: simpy.Environment, rng: random.Random, providers: list[Provider], totals: Totals) -> Process:
    arrived = env.now
    for provider in providers:
        for attempt in range(3):
            provider.attempts += 1
            if not provider.admit():
                yield env.timeout(REFUSAL_S)
            elif not provider.up:
                yield env.timeout(ERROR_S)
            else:
                latency = rng.lognormvariate(MU, SIGMA)
                yield env.timeout(min(latency, TIMEOUT_S))
                if latency <= TIMEOUT_S:
                    totals.ok += 1
                    totals.latency_s += env.now - arrived
                    return
            if attempt < 2:
                yield env.timeout(BACKOFF_S[attempt])
    totals.failed += 1


def arrivals(
    env: simpy.Environment, rng: random.Random, providers: list[Provider], totals: Totals, count: int, done: simpy.Event
) -> Process:
    last = None
    for _ in range(count):
        yield env.timeout(rng.expovariate(RATE_PER_S))
        last = env.process(request(env, rng, providers, totals))
    if last is not None:
        yield last
    yield env.timeout(120.0)
    done.succeed()


def simulate(requests: int = 100_000, seed: int = 1) -> tuple[Totals, list[Provider]]:
    """Run the model until every request has ended."""
    rng = random.Random(seed)
    env = simpy.Environment()
    providers = [Provider(env, rng) for _ in range(3)]
    totals = Totals()
    done = env.event()
    env.process(arrivals(env, rng, providers, totals, requests, done))
    env.run(done)
    assert totals.ok + totals.failed == requests, "a request was lost"
    return totals, providers


def main() -> None:
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    began = time.perf_counter()
    totals, providers = simulate(requests, seed)
    took = time.perf_counter() - began
    attempts = sum(provider.attempts for provider in providers)
    print(
        f"{requests} requests, {attempts} attempts, availability {totals.ok / requests:.4f}, "
        f"mean latency of successes {totals.latency_s / max(1, totals.ok):.4f} s, "
        f"{took:.3f} s, {requests / took:.0f} requests/s"
    )


if __name__ == "__main__":
    main()
