"""Availability of one repairable component and of simple groups of them.

Any unit of time will do, as long as it is the same throughout. `mttf` and `mttr` are the mean up and down times.
"""

import math
from collections.abc import Sequence


def unavailability(mttf: float, mttr: float) -> float:
    """Long-run share of time down of alternating up and down times of any laws: MTTR / (MTTF + MTTR)."""
    return mttr / (mttf + mttr)


def episode_rate(mttf: float, mttr: float) -> float:
    """Episodes of being down per unit of time, for any laws: 1 / (MTTF + MTTR)."""
    return 1.0 / (mttf + mttr)


def all_down_if_independent(unavailabilities: Sequence[float]) -> float:
    """P(every one is down) = the product of the members' unavailabilities."""
    return math.prod(unavailabilities)


def all_down_episode_rate_if_independent(unavailabilities: Sequence[float], episode_rates: Sequence[float]) -> float:
    """Episodes of total outage per unit of time: each member's episodes times the chance that the rest are down."""
    return math.fsum(
        rate * math.prod(unavailabilities[:i]) * math.prod(unavailabilities[i + 1 :])
        for i, rate in enumerate(episode_rates)
    )


def mean_overlap_if_independent(mttr_1: float, mttr_2: float) -> float:
    """Mean length of an interval in which two independent components are both down: R1 R2 / (R1 + R2)."""
    return mttr_1 * mttr_2 / (mttr_1 + mttr_2)


def all_down_with_shared_component(shared: float, private: Sequence[float]) -> float:
    """P(all down) of members that need one shared component (down with probability `shared`) and a part of their
    own (down with probability `private[i]`): u0 + (1 - u0) u1 u2 ..."""
    return shared + (1.0 - shared) * math.prod(private)


def pair_down_with_common_fraction(load: float, fraction: float) -> float:
    """P(both down) of a pair of shock ledgers, a `fraction` phi of each one's incidents common to both.

    `load` is incident rate x mean duration, the same for both: 1 - 2 e^{-rho} + e^{-(2 - phi) rho}.
    """
    # 1 - 2x + x^2 = (1 - x)^2 and the common part apart: no cancellation at small loads
    down = -math.expm1(-load)
    return down * down + math.exp(-2.0 * load) * math.expm1(fraction * load)


def mean_joint_share_over_circular_shifts(shares: Sequence[float]) -> float:
    """Mean share of time in which all of several recorded timelines are down, over independent shifts of each that are
    uniform on the whole circle: the product of the realised shares. (Whole-week shifts keep the time of week and have
    another mean.)"""
    return math.prod(shares)


def effective_redundancy(all_down: float, unavailabilities: Sequence[float]) -> float:
    """k_eff = ln P(all down) / mean ln U_i: the number of independent members that would be as good."""
    mean_log = math.fsum(math.log(u) for u in unavailabilities) / len(unavailabilities)
    return math.log(all_down) / mean_log
