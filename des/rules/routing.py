"""Routing: which of several deployments takes a call. Every pick uses at most one uniform `u` in [0, 1)."""

from collections.abc import Sequence


def among(candidates: Sequence[int], u: float) -> int:
    """One of the candidates, all equally likely."""
    return candidates[int(u * len(candidates))]


def weighted(weights: Sequence[float], u: float) -> int:
    """Index picked with probability weight / sum; equally likely where every weight is 0.

    litellm 1.109 (simple shuffle: by weight, else rpm, else tpm), portkey 2026-05 (load balance).
    """
    left = u * sum(weights)
    last = -1
    for index, weight in enumerate(weights):
        if weight > 0.0:
            if left < weight:
                return index
            left -= weight
            last = index
    return last if last >= 0 else int(u * len(weights))


def next_in_turn(candidates: Sequence[int], last: int) -> int:
    """Position of the first candidate after the last one picked, else of the first of all.

    `candidates` are numbers in order, `last` the number that was picked, -1 at first. Kong AI 3.13: each call, and so
    each retry, goes to the next target.
    """
    for place, number in enumerate(candidates):
        if number > last:
            return place
    return 0


def least(values: Sequence[float], u: float) -> int:
    """Index of the least value. Equals are equally likely; a `u` of 0 takes the first (litellm 1.109, least busy)."""
    lowest = min(values)
    return among([index for index, value in enumerate(values) if value == lowest], u)


def mean_s(values: Sequence[float]) -> float:
    """The mean of several numbers, summed in their order."""
    total_s = 0.0
    for value in values:
        total_s += value
    return total_s / len(values)


def lowest_latency(means_s: Sequence[float], buffer: float, u: float) -> int:
    """Index among those within (1 + buffer) x the lowest mean, equally likely. A deployment without samples has mean 0.

    litellm 1.109: seconds per output token over the last 10 samples, a time-out counts 1000; the buffer is 0.
    """
    limit = min(means_s) * (1.0 + buffer)
    return among([index for index, mean_s in enumerate(means_s) if mean_s <= limit], u)


def usage_based(
    tokens: Sequence[float],
    requests: Sequence[int],
    input_tokens: float,
    tpm: Sequence[float],
    rpm: Sequence[float],
    u: float,
) -> int:
    """Index with the least tokens in the current clock minute, equals equally likely; -1 where all are excluded.

    litellm 1.109: `tokens` counts calls that succeeded, `requests` those dispatched. Excluded are deployments with
    tokens + input above the tpm, or requests at the rpm, so that many calls a minute are admitted. Infinite bounds mean
    none.
    """
    open_ones = [
        index
        for index, used in enumerate(tokens)
        if used + input_tokens <= tpm[index] and requests[index] + 1.0 <= rpm[index]
    ]
    if not open_ones:
        return -1
    lowest = min([tokens[index] for index in open_ones])
    return among([index for index in open_ones if tokens[index] == lowest], u)


def cost_per_success(success: float, success_cost: float, failure_cost: float) -> float:
    """s + f (1 - p)/p: ascending, it gives the cheapest order of independent legs.

    Infinite for a leg that never serves. `min` over the legs takes the first of equals.
    """
    if success <= 0.0:
        return float("inf")
    return success_cost + failure_cost * (1.0 - success) / success


def best_of_choices(busy: Sequence[float], choices: int, u: float) -> int:
    """The least busy of `choices` different ones picked at random (two: Mitzenmacher 2001; helicone 2025-07).

    One uniform makes all picks: each uses the remainder of the one before. Of equals the first picked wins, which is
    any of them with equal chance.
    """
    left = list(range(len(busy)))
    best = -1
    for _ in range(min(choices, len(busy))):
        scaled = u * len(left)
        place = int(scaled)
        u = scaled - place
        picked = left.pop(place)
        if best < 0 or busy[picked] < busy[best]:
            best = picked
    return best
