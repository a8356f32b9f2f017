"""An answer in a sentence about the reader's chain, where `des answer` speaks of arms."""

from collections.abc import Iterator

from des.digits import nines_of_lost, plain
from des.estimate.estimate import Estimate
from des.report import figures
from des.service.equivalent import FIRST_ALONE, INDEPENDENT
from des.service.figures import none_met
from des.study.answer_sentence import minutes, per_thousand
from des.study.answered import Answer, ArmAnswer


def sentence(found: Answer) -> str:
    """`The chain answers 99.973 % of the requests (3.57 nines, ...), at $6.05 per 1,000; if nothing ...`."""
    return f"{'; '.join(_parts(found))}."


def down_in_30_days(lost: Estimate | None) -> str:
    """`4.35 minutes`, as in the table."""
    if lost is None or lost.mean is None:
        return figures.NOTHING
    return "none" if lost.mean <= 0.0 else f"{minutes(lost.mean)} minutes"


def nines_words(lost: Estimate | None) -> str:
    """Two decimals, as in the table."""
    return figures.NOTHING if lost is None or not lost.mean else plain(nines_of_lost(lost.mean), 2)


def _parts(found: Answer) -> Iterator[str]:
    modelled = found.arms["as_modelled"]
    yield f"The chain answers {_share(modelled, whole=True)}{_aside(modelled)}{_cost(modelled, ' per 1,000')}"
    if INDEPENDENT in found.arms:
        twin = found.arms[INDEPENDENT]
        yield f"if nothing were shared, it would answer {_share(twin)}{_aside(twin, down=False)}"
    if FIRST_ALONE in found.arms:
        alone = found.arms[FIRST_ALONE]
        yield f"its first leg alone answers {_share(alone)}{_aside(alone)}{_cost(alone)}"


def _share(of: ArmAnswer, *, whole: bool = False) -> str:
    figure = of.figure("availability")
    if figure is None:
        return "an unknown share"
    if none_met(of):
        return f"all {of.basis.simulated:,} requests that were simulated"
    share = figures.availability_alone(figure, of.lost)
    return f"{share} of the requests" if whole else share


def _aside(of: ArmAnswer, *, down: bool = True) -> str:
    if of.lost is None or not of.lost.mean:
        return ""
    nines = f"{nines_words(of.lost)} nines"
    return f" ({nines}, {minutes(of.lost.mean)} minutes down in 30 days)" if down else f" ({nines})"


def _cost(of: ArmAnswer, unit: str = "") -> str:
    cost = of.figure("cost_usd_per_request")
    return "" if cost is None else f", at {per_thousand(cost)}{unit}"
