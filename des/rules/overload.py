"""Overload: the share of calls that a provider at its capacity turns away."""


def turned_away(load: float, capacity: float) -> float:
    """max(0, 1 - capacity / load), in any unit of load: what is beyond the capacity, as a share of all."""
    return 1.0 - capacity / load if load > capacity else 0.0
