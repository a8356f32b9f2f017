"""What an answer recommends: an order of the legs, its reason, and the legs that add nothing that can be told."""

from collections.abc import Iterator
from typing import Final

from des.digits import dollars, money, nines_of_lost, percent, plain, significant
from des.estimate.estimate import Estimate
from des.report import figures
from des.service import answers as parts
from des.service.equivalent import CHEAPEST_FIRST, INDEPENDENT, Equivalent, arms_of
from des.service.figures import availability_figure, none_met, shown_figure
from des.service.printed import Printed
from des.study.answered import Answer

_NOTHING_BELOW: Final = 0.01
"""A leg adds nothing where the share lost without it is at most this share higher."""
_ALIKE: Final = 0.02
"""Relative difference in the share lost up to which two orders answer as many requests."""


def recommendation(asked: Equivalent, found: Answer, printed: Printed) -> parts.Recommendation:
    """The cheapest order of the chain per success, unless it answers fewer requests than their value allows."""
    modelled = found.arms["as_modelled"]
    order, reason = _order(asked, found)
    is_best = order == asked.legs
    idle = list(_idle(asked, found))
    text = f"Keep this order: {reason}" if is_best else f"Call {', then '.join(order)}: {reason}"
    if idle:
        text += f"; {'; '.join(each.text for each in idle)}"
    chains = dict(arms_of(asked))
    return parts.Recommendation(
        text=f"{text}.",
        order=list(order),
        is_best=is_best,
        reason=reason,
        idle=idle,
        arms=[
            parts.ArmFigures(
                arm=arm,
                chain=list(chains[arm]),
                availability=availability_figure(printed, arm, of),
                cost_per_success=shown_figure(of.figure("cost_usd_per_success"), dollars),
            )
            for arm, of in found.arms.items()
            if arm != INDEPENDENT and (arm not in found.same or of is modelled)
        ],
    )


def _order(asked: Equivalent, found: Answer) -> tuple[tuple[str, ...], str]:
    modelled, cheap = found.arms["as_modelled"], found.arms.get(CHEAPEST_FIRST)
    if len(asked.legs) == 1:
        return asked.legs, "it has one leg"
    if cheap is None and CHEAPEST_FIRST in asked.left_out:
        return asked.legs, "no other order was compared, as that takes too long here"
    if cheap is None:
        return asked.legs, "the cheapest leg per success is called first already"
    if modelled.money is not None and cheap.money is not None:
        a_year, instead = modelled.money.total, cheap.money.total
        if _clearly_less(instead, a_year):
            less = a_year.known - instead.known
            saved = money(less)
            return (
                asked.cheapest_first,
                f"counting what failing costs, it saves {saved} a year, if its answers are as good to you",
            )
        if _clearly_less(a_year, instead):
            return asked.legs, "counting what failing costs, the cheapest leg first would cost more a year"
    costs = modelled.figure("cost_usd_per_success"), cheap.figure("cost_usd_per_success")
    if costs[0] is None or costs[1] is None or not _clearly_less(costs[1], costs[0]):
        return asked.legs, "no order that can be told is cheaper per success"
    saved_share = 1.0 - costs[1].known / costs[0].known
    saved = f"{percent(saved_share, significant(100.0 * saved_share, 2))} less per success"
    here, there = (None if of.lost is None else of.lost.mean for of in (modelled, cheap))
    if here is None or there is None or there <= here * (1.0 + _ALIKE):
        as_many = "" if here is None or there is None else " and answers as many requests"
        return asked.cheapest_first, f"the cheapest leg first costs {saved}{as_many}, if its answers are as good to you"
    if not here:
        return asked.legs, f"the cheapest leg first costs {saved}, but it loses requests, and this order none"
    nines = plain(nines_of_lost(here) - nines_of_lost(there), 2)
    return asked.legs, f"the cheapest leg first costs {saved}, but it is not the best: it loses {nines} nines"


def _clearly_less(one: Estimate, other: Estimate) -> bool:
    high = one.known if one.high is None else one.high
    low = other.known if other.low is None else other.low
    return high < low


def _idle(asked: Equivalent, found: Answer) -> Iterator[parts.IdleLeg]:
    """Legs without which as many requests are answered."""
    lost = found.arms["as_modelled"].lost
    if none_met(found.arms["as_modelled"]):
        return
    for arm, leg in asked.without.items():
        other = found.arms[arm].lost
        if lost is None or other is None or lost.mean is None or other.mean is None:
            continue
        if other.mean - lost.mean <= _NOTHING_BELOW * lost.mean:
            share = figures.availability(found.arms[arm].figure("availability"), other)
            yield parts.IdleLeg(leg=leg, text=f"{leg} adds nothing: without it, {share} are answered")
