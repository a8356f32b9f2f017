"""What limiters, queues, cooldowns and circuit breakers refuse, and how long calls wait for them."""

import decimal
import math
from dataclasses import dataclass


def token_bucket_refused(load: float, burst: int) -> float:
    """P(a Poisson call finds no token): the bucket holds `burst` tokens, `load` is arrival rate / refill rate.

    (1 + (rho - 1) G)/(1 + rho G), G = sum_{k<B} (-rho (B - 1 - k))^k / k! e^{rho (B - 1 - k)}. The missing tokens are
    the customers of an M/D/1 queue with room for B (Brun and Garcia 2000). The GCRA with increment 1/r and limit (B -
    1)/r is the same limiter. The terms alternate and reach e^{2 rho B}, so they are summed with enough digits for that.
    """
    with decimal.localcontext() as context:
        context.prec = 60 + int(0.87 * load * burst)
        rho = decimal.Decimal(load)
        growth = rho.exp()
        powers = [decimal.Decimal(1)]
        for _ in range(burst - 1):
            powers.append(powers[-1] * growth)
        total, factorial = decimal.Decimal(0), decimal.Decimal(1)
        for k in range(burst):
            if k:
                factorial *= k
            rest = burst - 1 - k
            base = decimal.Decimal(1) if k == 0 else (-rho * rest) ** k
            total += base / factorial * powers[rest]
        return float((1 + (rho - 1) * total) / (1 + rho * total))


def fixed_window_refused(rate: float, calls: int, window: float) -> float:
    """Share of Poisson calls refused by at most `calls` in each fixed window (any one unit of time).

    [a P(K >= N) - N P(K >= N + 1)] / a with K ~ Poisson(a = rate x window): the mean excess over N per window.
    """
    mean = rate * window
    return (mean * _poisson_at_least(calls, mean) - calls * _poisson_at_least(calls + 1, mean)) / mean


def sliding_log_refused(rate: float, calls: int, window: float) -> float:
    """Share of Poisson calls refused by at most `calls` accepted ones in the window that ends now.

    This is Erlang B, with each accepted call holding a server for exactly one window.
    """
    return erlang_b(calls, rate * window)


def erlang_b(servers: int, load: float) -> float:
    """P(all servers busy) where calls that find them busy are lost, for any service time; `load` in erlangs.

    The usual recursion 1/B(c) = 1 + c/(a B(c - 1)) (Cooper 1981, section 3.3).
    """
    blocked = 1.0
    for server in range(1, servers + 1):
        blocked = load * blocked / (server + load * blocked)
    return blocked


def overflow_refused(first: int, second: int, load: float) -> float:
    """P(a pool of `first` and then one of `second` servers refuse), services alike: Erlang B of both together."""
    return erlang_b(first + second, load)


def erlang_c(servers: int, load: float) -> float:
    """P(a call has to wait) where calls queue for exponential servers; `load` must be below `servers`."""
    blocked = erlang_b(servers, load)
    return servers * blocked / (servers - load * (1.0 - blocked))


def erlang_c_mean_wait(servers: int, load: float, mean_service: float) -> float:
    """Mean wait of all calls in the same system, in the unit of `mean_service`: C(c, a) E[S] / (c - a)."""
    return erlang_c(servers, load) * mean_service / (servers - load)


def bounded_queue_refused(servers: int, room: int, load: float) -> float:
    """P(a call is refused) by exponential servers with `room` places to wait (M/M/c/c+K)."""
    return _bounded_queue(servers, room, load)[-1]


def bounded_queue_mean_wait(servers: int, room: int, load: float, mean_service: float) -> float:
    """Mean wait of the calls that the same system admits, by Little's law, in the unit of `mean_service`."""
    states = _bounded_queue(servers, room, load)
    queued = math.fsum(number * share for number, share in enumerate(states[servers:]))
    return queued * mean_service / (load * (1.0 - states[-1]))


def _bounded_queue(servers: int, room: int, load: float) -> list[float]:
    """P(n calls present), n = 0 .. servers + room, of the birth and death chain; any load."""
    weights = [1.0]
    for present in range(1, servers + room + 1):
        weights.append(weights[-1] * load / min(present, servers))
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def pollaczek_khinchine_wait(rate: float, mean_service: float, second_moment: float) -> float:
    """Mean wait before one server under Poisson calls and any service time: rate E[S^2] / (2 (1 - rate E[S]))."""
    return rate * second_moment / (2.0 * (1.0 - rate * mean_service))


def little_mean_number(rate: float, mean_time: float) -> float:
    """Little's law: the mean number present is the arrival rate times the mean time in the system."""
    return rate * mean_time


def _poisson_at_least(count: int, mean: float) -> float:
    from scipy.special import gammainc

    return 1.0 if count <= 0 else float(gammainc(count, mean))


def blackout_share(deployments: int, call_rate: float, refusal: float, cooldown: float) -> float:
    """Long-run share of time, and of Poisson calls, with every deployment of a group cooling down.

    Each call goes to some deployment that is not cooling down, and is refused with probability `refusal` by any of
    them. The deployment that refused then cools down. So refusals come at rate call_rate x refusal while one is left,
    and each takes a deployment for a cooldown: Erlang B at load call_rate x refusal x cooldown, for cooldowns of any
    distribution with that mean. Calls take no time and are not retried, since retries would come in clusters. Any
    consistent unit of time.
    """
    return erlang_b(deployments, call_rate * refusal * cooldown)


def cooldown_lost_share(deployments: int, call_rate: float, refusal: float, cooldown: float) -> float:
    """Share of calls refused, by a deployment or because all are cooling down. Without cooldowns it is `refusal`."""
    blackout = blackout_share(deployments, call_rate, refusal, cooldown)
    return blackout + (1.0 - blackout) * refusal


@dataclass(frozen=True, slots=True)
class BreakerCycle:
    """Mean numbers of calls from one closing of the breaker to the next."""

    successes: float
    failures: float
    refusals: float

    @property
    def calls(self) -> float:
        return self.successes + self.failures + self.refusals

    @property
    def availability(self) -> float:
        """Share of all calls that succeed (renewal-reward)."""
        return self.successes / self.calls


def breaker_cycle(mttf_s: float, mttr_s: float, call_rate: float, failures: int, open_s: float) -> BreakerCycle:
    """Instantaneous Poisson calls; `failures` in a row open the breaker for `open_s`, then the next call probes.

    With lambda = 1/MTTF, mu = 1/MTTR, s = lambda + mu and calls at rate a: a failure follows a success with probability
    pf = lambda/(a + s), another failure with q = 1 - mu/(a + s), and a probe finds the component still down with d = U
    + (1 - U) e^{-s tau} a/(a + s). A streak of failures reaches n with x = q^{n-1}, so a cycle has 1/x streaks, each
    after 1/pf successes. The breaker opens 1/(1 - d) times a cycle. The successful probe is a cycle's first success.
    """
    s = 1.0 / mttf_s + 1.0 / mttr_s
    u = mttr_s / (mttf_s + mttr_s)
    starts = (1.0 / mttf_s) / (call_rate + s)
    ends = (1.0 / mttr_s) / (call_rate + s)
    goes_on = 1.0 - ends
    still_down = u + (1.0 - u) * math.exp(-s * open_s) * call_rate / (call_rate + s)
    reaches = goes_on ** (failures - 1)
    openings = 1.0 / (1.0 - still_down)
    return BreakerCycle(
        successes=1.0 / (starts * reaches),
        failures=(1.0 - goes_on**failures) / ends / reaches + openings - 1.0,
        refusals=call_rate * open_s * openings,
    )
