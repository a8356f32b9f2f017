"""Figures of a chain: from the equivalent scenario and what `des answer` finds of it, to the parts of the answer."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from des.digits import dollars, nines_of_lost, percent, plain, seconds
from des.errors import DesError
from des.estimate.effort import TOO_MUCH
from des.estimate.estimate import Estimate
from des.report import figures
from des.report.answer_tables import answer_lines, basis_and_unseen
from des.service import answers as parts
from des.service.addresses import address_of
from des.service.bodies import SimulateBody
from des.service.bounds import FIXED, Bounds
from des.service.equivalent import (
    FIRST_ALONE,
    INDEPENDENT,
    ROUNDS,
    Equivalent,
    equivalent,
)
from des.service.figures import availability_figure, lost_to_note, shown_figure
from des.service.printed import CHANCE, LATENCY, PER_1000, YEAR_IN_ALL, YEAR_OF_ANSWERS, YEAR_OF_FAILING, Printed
from des.service.problems import Fault, invalid
from des.service.recommending import recommendation
from des.service.said import down_in_30_days, nines_words, sentence
from des.study.answer import answered
from des.study.answered import Answer, ArmAnswer
from des.study.rounds import Clock

_MINUTES_IN_30_DAYS: Final = 43_200.0
_LATENCIES: Final = ("mean", "p50", "p95", "p99")
_UNTIMED_S: Final = 1e9


def simulated(body: SimulateBody, bounds: Bounds, key: str | None = None) -> dict[str, Any]:
    """The answer as JSON-able data, under its address. Raises ProblemError for a body with faults."""
    asked = equivalent(body, bounds)
    found = _answered(asked)
    if _unknown(found) and body.workload.rate is None:
        asked = equivalent(body, bounds, light=True)
        found = _answered(asked)
    modelled = found.arms["as_modelled"]
    if _unknown(found):
        reason = modelled.refused or "its availability is not known"
        limit = "quick_calls" if reason.startswith(TOO_MUCH) else None
        most = FIXED["quick_calls"] if limit else None
        detail = f"this chain has no figures here: {reason}; POST /runs simulates it whole"
        raise invalid([Fault(pointer="", detail=detail, limit=limit, most=most)])
    return as_answer(asked, found, key or address_of(body)).model_dump(mode="json")


def _answered(asked: Equivalent) -> Answer:
    try:
        return answered(asked.loaded, Clock(_UNTIMED_S, ROUNDS), workers=1, quick=asked.quick)
    except DesError as error:
        raise invalid([Fault(pointer="", detail=str(error))]) from None


def _unknown(found: Answer) -> bool:
    modelled = found.arms["as_modelled"]
    return bool(modelled.refused) or modelled.lost is None


def as_answer(asked: Equivalent, found: Answer, key: str) -> parts.SimulateAnswer:
    """The parts of the answer."""
    modelled = found.arms["as_modelled"]
    basis, unseen = basis_and_unseen(found)
    alone = found.arms.get(FIRST_ALONE)
    printed = Printed(found)
    uptimes = parts.Uptimes(
        as_modelled=_uptime(printed, "as_modelled", modelled, same=True),
        independent=_uptime(printed, INDEPENDENT, found.arms[INDEPENDENT], same=False)
        if INDEPENDENT in found.arms
        else _uptime(printed, "as_modelled", modelled, same=True).model_copy(update={"arm": INDEPENDENT}),
        single=None if alone is None else _uptime(printed, FIRST_ALONE, alone, same=False),
    )
    file = f"{found.scenario}.yaml"
    assumed = [parts.Default(**_fields(each)) for each in asked.assumed]
    return parts.SimulateAnswer(
        id=key,
        title=found.title,
        sentence=sentence(found),
        headline=_headline(printed, modelled),
        uptime=uptimes,
        lost_to_sharing=_sharing(found, asked),
        cost=_cost(printed, modelled, alone),
        latency=parts.Latency(**{name: _latency(printed, modelled, name) for name in _LATENCIES}),
        served=[
            parts.Served(leg=leg, share=shown_figure(share, percent, scale=100.0))
            for leg, share in modelled.by_name("served_share").items()
        ],
        lost_to=[
            parts.Lost(cause=cause, share=shown_figure(share, percent, scale=100.0))
            for cause, share in sorted(
                modelled.by_name("lost_by_cause").items(), key=lambda each: -(each[1].mean or 0.0)
            )
            if share.mean
        ],
        lost_to_note=lost_to_note(modelled),
        recommendation=recommendation(asked, found, printed),
        estimators=parts.Estimators(
            availability=modelled.basis.availability,
            requests=modelled.basis.requests,
            reason=modelled.basis.reason,
            simulated=sum(of.basis.simulated for arm, of in found.arms.items() if arm not in found.same),
            years=modelled.basis.years,
            text=basis,
        ),
        not_seen=unseen,
        remarks=[*found.remarks, *_left_out(asked)],
        assumed=assumed,
        legs=[_leg(asked, number, assumed) for number in range(len(asked.legs))],
        figures=parts.Table(
            arms=[arm for arm in found.arms if arm not in found.same],
            rows=[parts.Row(label=line.label, cells=list(line.cells)) for line in answer_lines(found)],
        ),
        scenario=asked.text,
        file=file,
        command=f"des answer {file} {'--quick' if asked.quick else f'--rounds {ROUNDS}'}",
        full=parts.Full(**asked.full),
        charts=f"/simulations/{key}/charts",
        answer=found.as_json(),
    )


def _left_out(asked: Equivalent) -> Iterator[str]:
    """What was left out, for want of time."""
    if asked.left_out:
        listed = ", ".join(asked.left_out.values())
        yield (
            f"left out, as each alternative of this chain takes long: {listed}; "
            "add them as arms to the scenario file to compare them"
        )
    if asked.quick:
        yield (
            "a quick answer, with fewer years of incidents and fewer simulated requests than this chain needs, so its "
            "intervals are wide: POST /runs with the scenario and `full` narrows them"
        )


def _fields(of: Any) -> dict[str, Any]:
    return {name: getattr(of, name) for name in type(of).__dataclass_fields__}


def _uptime(printed: Printed, arm: str, of: ArmAnswer, *, same: bool) -> parts.Uptime:
    lost = of.lost
    chance = None
    if of.objective is not None:
        chance = shown_figure(of.objective, percent, scale=100.0)
        chance = chance.model_copy(update={"shown": figures.shown_chance(of.objective)})
    return parts.Uptime(
        arm=arm,
        same=same,
        availability=availability_figure(printed, arm, of),
        lost=shown_figure(lost, percent, scale=100.0),
        nines=_of_lost(lost, nines_of_lost, nines_words(lost), falling=True),
        down_minutes_per_30_days=_of_lost(lost, lambda share: share * _MINUTES_IN_30_DAYS, down_in_30_days(lost)),
        objective_chance=None if chance is None else printed.of(chance, arm, CHANCE),
        objective_reason=of.objective_reason,
    )


def _of_lost(
    lost: Estimate | None, transform: Callable[[float], float], shown: str, *, falling: bool = False
) -> parts.Figure:
    """A figure made of the share lost; none where no request is lost."""

    def of(share: float | None) -> float | None:
        return None if share is None or (falling and share <= 0.0) else transform(share)

    if lost is None:
        return parts.Figure(mean=None, low=None, high=None, estimator="", shown=figures.NOTHING)
    low, high = (of(lost.high), of(lost.low)) if falling else (of(lost.low), of(lost.high))
    return parts.Figure(mean=of(lost.mean), low=low, high=high, estimator=lost.estimator, shown=shown)


def _headline(printed: Printed, of: ArmAnswer) -> dict[str, str]:
    lost = of.lost
    return {
        "availability": availability_figure(printed, "as_modelled", of).shown,
        "nines": nines_words(lost),
        "down_per_30_days": down_in_30_days(lost),
        "cost_per_1000": _cost(printed, of, None).per_1000.shown,
        **{f"latency_{name}": _latency(printed, of, name).shown for name in LATENCY},
    }


def _latency(printed: Printed, of: ArmAnswer, name: str) -> parts.Figure:
    found = shown_figure(of.figure(f"latency_s_{name}"), seconds)
    return printed.of(found, "as_modelled", LATENCY[name]) if name in LATENCY else found


def _sharing(found: Answer, asked: Equivalent) -> parts.Sharing:
    twin, modelled = found.arms.get(INDEPENDENT), found.arms["as_modelled"]
    if twin is None:
        return parts.Sharing(nines=None, text="nothing is shared: the legs fail independently of each other")
    if twin.lost is None or modelled.lost is None or not twin.lost.mean or not modelled.lost.mean:
        return parts.Sharing(nines=None, text="not known")
    lost = nines_of_lost(twin.lost.mean) - nines_of_lost(modelled.lost.mean)
    independent = plain(nines_of_lost(twin.lost.mean), 2)
    left = plain(nines_of_lost(modelled.lost.mean), 2)
    names = " and ".join(asked.content["components"])
    return parts.Sharing(
        nines=lost,
        text=f"of {independent} nines of independent legs, {left} are left: sharing {names} takes {plain(lost, 2)}",
    )


def _cost(printed: Printed, of: ArmAnswer, alone: ArmAnswer | None) -> parts.Cost:
    each, single = of.figure("cost_usd_per_request"), None if alone is None else alone.figure("cost_usd_per_request")
    thousand = None if each is None else figures.scaled(each, 1000.0)
    return parts.Cost(
        per_request=shown_figure(each, dollars),
        per_success=shown_figure(of.figure("cost_usd_per_success"), dollars),
        per_1000=printed.of(shown_figure(thousand, dollars), "as_modelled", PER_1000),
        single_per_request=None if single is None else shown_figure(single, dollars),
        overhead=_overhead(each, single),
        per_year=None
        if of.money is None
        else parts.PerYear(
            answers=printed.of(shown_figure(of.money.answers, dollars), "as_modelled", YEAR_OF_ANSWERS),
            failing=printed.of(shown_figure(of.money.failing, dollars), "as_modelled", YEAR_OF_FAILING),
            total=printed.of(shown_figure(of.money.total, dollars), "as_modelled", YEAR_IN_ALL),
        ),
    )


def _overhead(each: Estimate | None, single: Estimate | None) -> parts.Overhead:
    if each is None or single is None or not single.mean or each.mean is None:
        return parts.Overhead(
            share=None, usd_per_request=None, text="a single provider: nothing is spent on a fallback"
        )
    more = each.mean - single.mean
    share = more / single.mean
    words = "more" if more >= 0.0 else "less"
    told = (
        f"{percent(abs(share), figures.significant(100.0 * abs(share), 2))} {words} a request than the first leg alone"
    )
    return parts.Overhead(share=share, usd_per_request=more, text=told)


def _leg(asked: Equivalent, number: int, assumed: list[parts.Default]) -> parts.LegSaid:
    said = asked.content["chain"][number]
    of = {each.field: each for each in assumed if each.pointer.startswith(f"/chain/{number}/")}
    of_provider = {
        each.field: each for each in assumed if each.of == said["provider"] and each.pointer.startswith("/chain/")
    }
    return parts.LegSaid(
        leg=asked.legs[number],
        provider=said["provider"],
        model=said["model"],
        timeout=said.get("timeout"),
        retries=said.get("retries"),
        assumed=of_provider | of,
    )
