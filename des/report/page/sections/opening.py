"""The answer in a sentence, the verdicts on what was expected, and what was not seen."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from des.estimate.estimate import INCONCLUSIVE, MET, MISSED, Estimate
from des.report import figures
from des.report.availability_tables import same_words
from des.report.lines import written
from des.report.page.blocks import LEAD, NOTE, WARNING, Block, Paragraph, Row, Section, Table
from des.report.page.findings import Findings
from des.report.unseen_lines import unseen_sentences
from des.study.answer_sentence import window_said
from des.study.verdicts import Verdict

_ERROR: Final = (
    "The ± and intervals are the error of the simulation given the assumptions listed under Methods, not the error of "
    "these assumptions."
)
_MOST_ARMS: Final = 4
"""Arms that a sentence can name one by one."""


def answer_section(findings: Findings) -> Section | None:
    """The sentence, and in how far it can be relied on."""
    if not findings.metrics:
        return None
    blocks: list[Block] = [Paragraph(findings.answer.get("sentence") or sentence(findings), LEAD)]
    blocks.append(Paragraph(_ERROR, NOTE))
    blocks += [Paragraph(_opened(same_words(arm, other)), NOTE) for arm, other in findings.same.items()]
    for arm, of in findings.answer.get("arms", {}).items():
        if of.get("refused"):
            blocks.append(Paragraph(f"{arm}: no figures of requests, because {of['refused']}.", WARNING))
    blocks += [Paragraph(remark, WARNING) for remark in findings.remarks]
    return Section("answer", "Answer", tuple(blocks))


def sentence(findings: Findings) -> str:
    """`With as_modelled, 99.957 % [99.951, 99.962] of the requests are answered, at $6.05 per 1,000; with ...`."""
    arms = findings.arms
    told = arms[:_MOST_ARMS]
    parts = [_arm_words(findings, arm, first=number == 0) for number, arm in enumerate(told)]
    if len(arms) > len(told):
        parts.append(f"{len(arms) - len(told)} more arms are in the table")
    said = "; ".join(parts)
    return f"{said[0].upper()}{said[1:]}."


def verdict_section(findings: Findings) -> Section | None:
    """What the scenario expects, and the chance of its objective."""
    blocks: list[Block] = []
    if findings.verdicts:
        columns = ("arm", "figure", "expected", "found", "verdict")
        blocks.append(Table("Expectations", columns, tuple(map(_verdict_row, findings.verdicts))))
        reasons = {f"{each.arm}.{each.metric}: {each.reason}." for each in findings.verdicts if each.reason}
        blocks += [Paragraph(reason, NOTE) for reason in sorted(reasons)]
    if objective := findings.answer.get("objective"):
        blocks.append(_objective(findings, objective))
    title = "What was expected" if findings.verdicts else "The chance of the objective"
    return Section("verdicts", title, tuple(blocks)) if blocks else None


def unseen_section(findings: Findings) -> Section | None:
    """Incidents that no simulated request met, and legs that none called."""
    if not findings.metrics:
        return None
    said = [*unseen_sentences(findings.summary, findings.arms)] if findings.summary else [*_unseen_of_answer(findings)]
    if not said:
        told = "Nothing that matters: every class of incidents was met often enough."
        return Section("unseen", "What was not seen", (Paragraph(told, NOTE),))
    return Section("unseen", "What was not seen", tuple(Paragraph(f"{words}.", WARNING) for words in said))


def per_thousand(cost: Estimate) -> str:
    """USD per 1,000 requests, with the interval."""
    return figures.shown(figures.scaled(cost, 1000.0), figures.dollars)


def _arm_words(findings: Findings, arm: str, *, first: bool) -> str:
    availability, cost = findings.availability(arm), findings.figure(arm, "cost_usd_per_request")
    answered = figures.availability(availability, findings.lost.get(arm)) if availability else "an unknown share"
    words = f"{answered} of the requests are answered" if first else answered
    if findings.run is not None and arm in findings.lost:
        words += " in the long run"
    at = "" if cost is None else f", at {per_thousand(cost)}{' per 1,000 requests' if first else ''}"
    return f"{f'with {arm}, ' if len(findings.arms) > 1 else ''}{words}{at}"


def _verdict_row(verdict: Verdict) -> Row:
    mark = {MET: "met", MISSED: "missed", INCONCLUSIVE: "inconclusive"}.get(verdict.result, "")
    return Row((verdict.arm, verdict.metric, verdict.expected, _found(verdict), verdict.result), mark)


def _found(verdict: Verdict) -> str:
    if verdict.figure is None:
        return figures.NOTHING
    try:
        return written(verdict.metric, verdict.figure)
    except KeyError:  # what an answer keeps of a verdict lacks the counts behind figures of cascades
        return figures.shown(Estimate.from_json(verdict.figure), figures.plain)


def _objective(findings: Findings, objective: Mapping[str, Any]) -> Table:
    rows = []
    for arm in findings.arms:
        of = findings.answer["arms"][arm]
        chance = figures.read(of.get("objective"))
        cell = _chance(chance) if chance and chance.mean is not None else of.get("objective_reason") or "-"
        rows.append((arm, cell))
    asked = figures.percent(objective["availability"], 12).rstrip("% 0").rstrip(".")
    a_window = window_said(objective.get("per"), findings.answer.get("window") or "window of the objective")
    return Table.of(f"Chance that {a_window} reaches {asked} %", ("arm", "chance"), rows)


def _opened(words: str) -> str:
    """As a sentence; the name of an arm keeps its letters."""
    return f"The {words.removeprefix('the ')}." if words.startswith("the ") else f"{words}."


def _chance(found: Estimate) -> str:
    if found.low is None:
        return figures.chance_met(found.known)
    return figures.shown_chance(found)


def _unseen_of_answer(findings: Findings) -> Iterator[str]:
    said: dict[str, list[str]] = {}
    for arm in findings.arms:
        not_seen = findings.answer["arms"][arm].get("not_seen") or {}
        for missed in not_seen.get("incidents", ()):
            said.setdefault(missed_words(missed), []).append(arm)
        if few := not_seen.get("few_losses"):
            said.setdefault(few, []).append(arm)
        if uncalled := not_seen.get("uncalled"):
            said.setdefault(f"no simulated request called {', '.join(uncalled)}", []).append(arm)
    for words, arms in said.items():
        yield words if len(arms) == len(findings.arms) else f"{', '.join(arms)}: {words}"


def missed_words(missed: Mapping[str, Any]) -> str:
    part = missed.get("of_unavailability")
    of_all = "" if part is None else f", at most {_rough(part)} of the unavailability"
    open_share = missed.get("open_share")
    open_for = "" if open_share is None else f": open {_rough(open_share)} of the time"
    return f"{missed['words']}{open_for}{of_all}"


def _rough(share: float) -> str:
    return figures.percent(share, figures.significant(100.0 * share, 2))
