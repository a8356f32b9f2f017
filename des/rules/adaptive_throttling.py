"""Client-side adaptive throttling: calls that would probably be refused are not made."""


def rejection_probability(requests: float, accepts: float, k: float) -> float:
    """max(0, (requests - K x accepts) / (requests + 1)), both counted over the window (two minutes).

    `requests` counts attempts, those throttled here too; `accepts` those that the backend served. K = 2 by default
    (Beyer et al. 2016, Site Reliability Engineering, chapter 21, "Handling Overload").
    """
    return max(0.0, (requests - k * accepts) / (requests + 1.0))
