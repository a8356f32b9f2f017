"""The outage strip of each arm: one replication against time."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from des.report import figures
from des.report.charts.time import moment, since
from des.report.page.blocks import NOTE, Block, Figure, Paragraph, Section, Table
from des.report.page.findings import Findings, chosen_arms
from des.report.series.outages import DOWN, Outages, Spell
from des.report.series.rows import replications
from des.report.series.strip import LOST, OUTCOMES, Strip, most_lost, strip
from des.traces import Run

_MOST_ARMS: Final = 4
_MOST_BINS: Final = 2400
"""Of all strips of a page together; each takes some 250 bytes of the page."""
_MOST_BINS_OF_ONE: Final = 1600
_MOST_ROWS: Final = 16
_MOST_SPELLS: Final = 900
_MOST_LISTED: Final = 30
_AROUND: Final = 1.0
"""What is shown at first before and after the worst outage, as a share of its length."""
_STATES: Final[Mapping[str, str]] = {
    "down": "down",
    "impaired": "impaired",
    "broken": "down",
    "in_repair": "down",
    "open": "kept out by the client",
    "cooling": "kept out by the client",
    "ejected": "kept out by the client",
    "unhealthy": "kept out by the client",
    "half_open": "on trial",
    "refusing": "refusing",
}


def outage_section(findings: Findings, share: float = 1.0) -> Section | None:
    """A strip for each arm, up to four. `share` is that of the page's bins that are this chapter's."""
    run = findings.run
    if run is None:
        return None
    if not run.manifest.get("traces"):
        told = "This run kept no traces, so nothing is shown against time: des run --traces full keeps them."
        return Section("outages", "Outages", (Paragraph(told, NOTE),))
    if run.trace_level.is_sample:
        told = (
            f"This run kept a sample of its requests (trace level {run.trace_level}), so no requests are shown against "
            "time: des run --traces requests keeps all. The figures above are of all requests."
        )
        return Section("outages", "Outages", (Paragraph(told, NOTE),))
    arms, others = chosen_arms(findings, _MOST_ARMS)
    blocks: list[Block] = []
    for arm in arms:
        blocks += _of_arm(findings, run, arm, int(min(_MOST_BINS_OF_ONE, _MOST_BINS * share / len(arms))))
    if others:
        blocks.append(Paragraph(f"Not drawn: {', '.join(others)}; name --arms to compare fewer.", NOTE))
    return Section("outages", "Outages, and what became of requests", tuple(blocks))


def _of_arm(findings: Findings, run: Run, arm: str, most_bins: int) -> Iterator[Block]:
    several = replications(run, "requests", arm)
    if not several:
        return
    chosen = most_lost(run, arm, several)
    found = strip(run, arm, chosen, findings.horizon_s(arm), _endpoints(findings, arm), most_bins)
    if not found.counts.sum():
        yield Paragraph(f"{arm}: no request arrived.", NOTE)
        return
    rows, left_out = spell_rows(found.outages, found.states, _endpoints(findings, arm))
    which = ""
    if len(several) > 1:
        why = "which lost most requests" if found.worst else "as none lost a request"
        which = f"Of {len(several)} replications number {chosen}, {why}. "
    summary = (
        f"{which}Above, the share of the requests that arrived in each bin of time by what became of them; a gap where "
        "none arrived. Below, when components and legs were down or impaired and when guards and limits were at work. "
        "Bins are finer around outages; states of guards and limits are widened to whole bins."
    )
    if left_out:
        summary += f" The {_MOST_ROWS} rows with most time out of {_MOST_ROWS + left_out} are shown."
    yield Figure(
        f"outages_{findings.arms.index(arm)}",
        arm,
        summary,
        lambda: _draw(findings, found, rows),
        _table(findings, found),
    )


def _endpoints(findings: Findings, arm: str) -> list[str]:
    """Those of the arm's chain, in its order."""
    return list(findings.summary.get("endpoints", {}).get(arm, {}))


def spell_rows(outages: Outages, states: Sequence[Spell], endpoints: Sequence[str]) -> tuple[list[Spell], int]:
    """Spells of the entities with most time out, and how many entities are left out.

    Components come first, shared ones before the others, then endpoints in the order of the chain, then the rest. A
    component is left out where its one endpoint has the same spells.
    """
    of_endpoints: dict[str, set[tuple[str, float, float]]] = {}
    for spell in outages.endpoints:
        of_endpoints.setdefault(spell.entity, set()).add((spell.state, spell.start_s, spell.end_s))
    components: dict[str, list[Spell]] = {}
    for spell in outages.components:
        components.setdefault(spell.entity, []).append(spell)
    named = [
        spell
        for of in components.values()
        if {(each.state, each.start_s, each.end_s) for each in of} not in of_endpoints.values()
        for spell in of
    ]
    named.sort(key=lambda spell: (not any(each.shared for each in components[spell.entity]), spell.entity))
    in_chain = sorted(outages.endpoints, key=lambda spell: endpoints.index(spell.entity))
    every = [*named, *in_chain, *states]
    out_s: dict[str, float] = {}
    for spell in every:
        out_s[spell.entity] = out_s.get(spell.entity, 0.0) + spell.end_s - spell.start_s
    kept = sorted(out_s, key=lambda name: -out_s[name])[:_MOST_ROWS]
    order = {name: number for number, name in enumerate(dict.fromkeys(spell.entity for spell in every))}
    shown = sorted((spell for spell in every if spell.entity in kept), key=lambda spell: order[spell.entity])
    return shown, len(out_s) - len(kept)


def _draw(findings: Findings, found: Strip, spells: Sequence[Spell]) -> Any:
    import pandas as pd

    from des.report.charts.outage_strip import SPELL_COLUMNS, outage_strip
    from des.report.charts.time import in_ms, time_axis

    start, end_s = findings.start, float(found.edges_s[-1])
    outcomes = pd.DataFrame(_outcome_rows(found, lambda seconds: in_ms(seconds, start)))
    rows = pd.DataFrame(
        [spell_row(spell, lambda seconds: in_ms(seconds, start)) for spell in thinned(spells)], columns=SPELL_COLUMNS
    )
    zoom = None
    if found.worst is not None:
        low, high = found.worst
        around = _AROUND * (high - low)
        zoom = in_ms(max(0.0, low - around), start), in_ms(min(end_s, high + around), start)
    return outage_strip(
        outcomes,
        rows,
        time_axis(start, end_s),
        (in_ms(0.0, start), in_ms(end_s, start)),
        zoom,
    )


def _outcome_rows(found: Strip, at: Any) -> Iterator[dict[str, Any]]:
    """Bins in a row that had the same one outcome are one rectangle."""
    totals = found.counts.sum(axis=0)
    open_one: dict[str, Any] | None = None
    for place, total in enumerate(totals.tolist()):
        if not total:
            continue
        of = {name: int(found.counts[number, place]) for number, name in enumerate(OUTCOMES)}
        present = [name for name, many in of.items() if many]
        begin, end = at(float(found.edges_s[place])), at(float(found.edges_s[place + 1]))
        alike = open_one is not None and present == [open_one["outcome"]] and open_one["end"] == begin
        if alike and open_one is not None:
            open_one["end"], open_one["requests"] = end, open_one["requests"] + total
            continue
        if open_one is not None:
            yield open_one
            open_one = None
        low = 0.0
        for name in present:
            share = of[name] / total
            row = {"begin": begin, "end": end, "outcome": name, "low": low, "high": low + share, "share": share}
            row["requests"] = of[name]
            low += share
            if len(present) == 1:
                open_one = row
            else:
                yield row
    if open_one is not None:
        yield open_one


def thinned(spells: Sequence[Spell]) -> list[Spell]:
    """Where there are too many to draw, those of an entity and state that are closest together become one."""
    if len(spells) <= _MOST_SPELLS:
        return list(spells)
    by_row: dict[tuple[str, str, bool], list[Spell]] = {}
    for spell in spells:
        by_row.setdefault((spell.entity, spell.state, spell.shared), []).append(spell)
    room = max(1, _MOST_SPELLS // len(by_row))
    found: list[Spell] = []
    for of in by_row.values():
        gaps = sorted((after.start_s - one.end_s for one, after in pairwise(of)), reverse=True)
        least = gaps[room - 1] if len(gaps) >= room else -1.0
        found += _joined(of, least)
    return found


def _joined(of: Sequence[Spell], least_s: float) -> Iterator[Spell]:
    """Spells in order of time, with those joined that are at most `least_s` apart."""
    start_s, last = of[0].start_s, of[0]
    for spell in of[1:]:
        if spell.start_s - last.end_s > least_s:
            yield Spell(last.entity, last.state, start_s, last.end_s, last.shared)
            start_s = spell.start_s
        last = spell
    yield Spell(last.entity, last.state, start_s, last.end_s, last.shared)


def spell_row(spell: Spell, at: Any) -> tuple[Any, ...]:
    state = _STATES.get(spell.state, "kept out by the client")
    if state == DOWN and spell.shared:
        state = "down (shared)"
    length = figures.duration(spell.end_s - spell.start_s)
    return (spell.entity, state, at(spell.start_s), at(spell.end_s), spell.state.replace("_", " "), length)


def _table(findings: Findings, found: Strip) -> Table:
    """The longest outages of endpoints, with the requests that were lost meanwhile."""
    down = [spell for spell in found.outages.endpoints if spell.state == DOWN]
    longest = sorted(down, key=lambda spell: spell.start_s - spell.end_s)[:_MOST_LISTED]
    lost, edges_s = found.counts[OUTCOMES.index(LOST)], found.edges_s
    rows = []
    for spell in sorted(longest, key=lambda spell: (spell.start_s, spell.entity)):
        inside = (edges_s[:-1] < spell.end_s) & (edges_s[1:] > spell.start_s)
        begin = moment(spell.start_s, findings.start, float(edges_s[-1]))
        cells = (spell.entity, begin, figures.duration(spell.end_s - spell.start_s))
        rows.append((*cells, "yes" if spell.shared else "no", f"{int(lost[inside].sum()):,}"))
    more = f", the {len(longest)} longest of {len(down)}" if len(down) > len(longest) else ""
    columns = ("endpoint", since(findings.start), "length", "shared", "requests lost meanwhile")
    return Table.of(f"Outages of endpoints{more}", columns, rows)
