"""Cooldowns that a single refusal starts: how long a group of deployments has none left."""

from des.theory.limiters import erlang_b


def blackout_share(deployments: int, call_rate: float, refusal: float, cooldown: float) -> float:
    """Long-run share of time, and of Poisson calls, with every deployment of a group cooling.

    Each call goes to some deployment that is not cooling and is refused with probability `refusal`, whichever it is;
    that one then cools. So refusals come at call_rate x refusal as long as one is left, and each takes a deployment
    for the cooldown's time: calls lost by servers, Erlang B at load call_rate x refusal x cooldown, for cooldowns of
    any law with that mean. Calls take no time, and no retries: those come in clumps. Any one unit of time.
    """
    return erlang_b(deployments, call_rate * refusal * cooldown)


def lost_share(deployments: int, call_rate: float, refusal: float, cooldown: float) -> float:
    """Share of calls that are refused, by a deployment or since all are cooling: without cooldowns just `refusal`."""
    blackout = blackout_share(deployments, call_rate, refusal, cooldown)
    return blackout + (1.0 - blackout) * refusal
