"""Hedges that add more load than they are meant to."""

from collections.abc import Iterator
from typing import Final

from des.estimate.foresight.foreseen import Foretold
from des.estimate.foresight.limits import answer_s
from des.estimate.foresight.load import calls_while, copies, holds_back
from des.estimate.foresight.outlook import Outlook
from des.estimate.foresight.words import duration, rate, share, written

_MUCH: Final = 0.2
"""Further copies per call above which a hedge adds much load."""
_MOST_SLOW: Final = 0.5
"""The same while an incident slows answers down."""
_MEANT: Final = 0.95
"""Hedging after this quantile adds about 5 % of load (Dean and Barroso, The Tail at Scale, CACM 2013)."""


def hedge_load(outlook: Outlook) -> Iterator[Foretold]:
    """Copies sent for a large share of the calls: always, or when answers are slow and load hurts most."""
    for leg in outlook.legs:
        hedge = outlook.plan.client.legs[leg.index].hedge
        if hedge is None:
            continue
        calm = copies(outlook, leg)
        slow = max((effect.latency_factor for effect in outlook.effects_at(leg.endpoint)), default=1.0)
        at_worst = max(copies(outlook, leg, slow), outlook.hang_share(leg) * hedge.at_most)
        if calm <= _MUCH and at_worst <= _MOST_SLOW:
            continue
        meant_s = outlook.answered_within_s(leg, _MEANT)
        sentence = f"a hedge after {duration(hedge.after_s)} adds {share(calm)} to the calls of {leg.name}"
        if at_worst > calm + 0.01:
            sentence += f", and {share(at_worst) if at_worst < 1 else f'{100 * at_worst:.3g} %'} in its incidents"
        yield Foretold(
            code="hedge_load",
            path=(*outlook.setting_path(leg, "hedge"), "after"),
            sentence=sentence,
            remedy=f"after: {written(meant_s)}, the 95th percentile of its answers, which adds 5 %"
            + ("; a breaker for its incidents" if at_worst > _MOST_SLOW else ""),
            figures={"copies_per_call": calm, "copies_per_call_in_incident": at_worst},
        )


def hedges_keep_queue_full(outlook: Outlook) -> Iterator[Foretold]:
    """A queue longer than the delay of a hedge: once it is full, every call sends its copies and keeps it full."""
    per_s, plan = outlook.busiest_per_s, outlook.plan
    calls = calls_while(outlook)[0]
    for capacity in plan.capacities:
        for leg in plan.chain:
            hedge = plan.client.legs[leg.index].hedge
            if hedge is None or per_s is None or plan.endpoints[leg.endpoint].capacity != capacity.index:
                continue
            serves_per_s = capacity.concurrent / answer_s(plan, leg.index)
            own_per_s = per_s * calls.get(leg.index, 0.0)
            calm = own_per_s * (1.0 + copies(outlook, leg))
            if own_per_s <= 0.0 or hedge.to != "same" or capacity.queue / serves_per_s < hedge.after_s:
                continue
            feeding, lost = _calls_of_full_queue(own_per_s, hedge.at_most, serves_per_s)
            if not calm < serves_per_s < feeding or holds_back(outlook, leg.index):
                continue
            yield Foretold(
                code="hedges_keep_queue_full",
                path=(*outlook.setting_path(leg, "hedge"), "after"),
                sentence=f"hedges raise the calls of {leg.name} from {rate(own_per_s, 'calls')} to "
                f"{rate(feeding, 'calls')} once its queue makes calls wait for {duration(hedge.after_s)}; it serves "
                f"{rate(serves_per_s, 'calls')}, so the queue stays full and refuses {share(lost)}",
                remedy=f"a queue of less than {int(hedge.after_s * serves_per_s)}, or no hedge",
                figures={"offered_per_s": feeding, "serves_per_s": serves_per_s, "refused_share": lost},
            )


def _calls_of_full_queue(own_per_s: float, at_most: int, serves_per_s: float) -> tuple[float, float]:
    """(calls a second, share refused) while the queue refuses what exceeds its service. What it takes in is hedged."""
    offered, taken = own_per_s, 1.0
    for _ in range(60):
        offered = own_per_s * (1.0 + at_most * taken)
        taken = 0.5 * (taken + min(1.0, serves_per_s / offered))
    return offered, 1.0 - taken


CHECKS: Final = (hedge_load, hedges_keep_queue_full)
