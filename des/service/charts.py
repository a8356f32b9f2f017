"""The charts of a chain: the report's own figures, of the answer and of one simulated year."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from des.estimate.estimate import Estimate
from des.report import figures
from des.report.charts.extra import missing
from des.report.page.blocks import Figure, Section, Table
from des.report.page.findings import read_result
from des.report.page.sections.comparison import waterfall_of
from des.report.page.sections.outages import outage_section
from des.report.page.sections.traffic import traffic_sections
from des.scenario import Loaded, from_mapping
from des.scenario.text.units import DAY_S, YEAR_S, read_rate, read_share
from des.scratch import scratch_directory
from des.service.equivalent import FIRST_ALONE, INDEPENDENT
from des.service.problems import ProblemError
from des.service.sources import RATE
from des.study.run import run

_NAMES: Final = {
    "cost_histogram": "cost",
    "latency": "latency",
    "served": "served",
    "lost": "lost",
    "outages_0": "outages",
}
"""The report's figures that are shown, in this order, and what they are called here."""
_WORDS: Final = {"as_modelled": "as modelled", INDEPENDENT: "nothing shared", FIRST_ALONE: "first leg alone"}
_MOST_REQUESTS: Final = 2_500.0
_YEAR: Final = " Of one simulated year"


def charts_of(content: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """Specifications and tables of the figures of a scenario and its answer, as JSON-able data."""
    if words := missing():
        raise ProblemError(503, f"no charts: {words}")
    drawn = [*_of_answer(content, answer), *_of_a_year(content)]
    return {"charts": [_as_json(name, figure) for name, figure in drawn]}


def _as_json(name: str, figure: Figure) -> dict[str, Any]:
    table = {
        "caption": figure.table.caption,
        "columns": list(figure.table.columns),
        "rows": [list(row.cells) for row in figure.table.rows],
    }
    return {
        "name": name,
        "title": figure.title,
        "summary": figure.summary,
        "spec": figure.specification(),
        "table": table,
    }


def _of_answer(content: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[tuple[str, Figure]]:
    modelled = answer["arms"]["as_modelled"]
    down = {f"{leg['provider']}/{leg['model']}": content["providers"][leg["provider"]] for leg in content["chain"]}
    shares = {name: 1.0 - read_share(of.get("availability", 1.0)) for name, of in down.items()}
    together, lost_share = ((modelled[name] or {}).get("mean") for name in ("all_down", "lost"))
    twin = answer["arms"].get(INDEPENDENT)
    alone = None if twin is None else twin["lost"]["mean"]
    waterfall = waterfall_of("the chain", shares, together, lost_share, independent=alone)
    if waterfall is not None:
        yield "nines", waterfall
    rows = []
    for arm, words in _WORDS.items():
        of = answer["arms"].get(arm)
        lost = None if of is None else figures.read(of["lost"])
        if lost is not None and lost.mean:
            ends = {"value": lost.mean, "low": lost.low, "high": lost.high}
            rows.append({"name": words, "arm": "share lost", **ends, "shown": _lost(lost)})
    if rows:
        yield "sharing", _sharing(rows)


def _lost(lost: Estimate) -> str:
    return figures.shown(lost, figures.percent, scale=100.0)


def _sharing(rows: list[dict[str, Any]]) -> Figure:
    def draw() -> Any:
        import pandas as pd

        from des.report.charts.arms import intervals

        return intervals(pd.DataFrame(rows), "share of the requests lost", logarithmic=True, number=".2~p")

    title = "As modelled, and if nothing were shared"
    summary = "The share of the requests lost: by the chain as modelled, by its twin in which every provider fails as "
    summary += "often but independently, and by the first leg alone. The axis is logarithmic."
    cells = [(row["name"], row["shown"]) for row in rows]
    return Figure("sharing", title, summary, draw, Table.of(title, ("", "share of the requests lost"), cells))


def _of_a_year(content: Mapping[str, Any]) -> Iterator[tuple[str, Figure]]:
    """Figures that need requests: a run of a year with so few of them that it takes a moment."""
    loaded, thinned = _year(content)
    with scratch_directory() as folder:
        directory = Path(folder) / "year"
        run(loaded, out=directory, workers=1)
        findings = read_result(directory)
        sections: list[Section | None] = [*traffic_sections(findings), outage_section(findings, 0.5)]
        found = {
            block.name: block
            for section in sections
            if section is not None
            for block in section.blocks
            if isinstance(block, Figure)
        }
        for own, name in _NAMES.items():
            if own in found:
                figure = found[own]
                figure = Figure(
                    name,
                    "A simulated year" if name == "outages" else figure.title,
                    f"{figure.summary}{_YEAR}{thinned}.",
                    figure.draw,
                    figure.table,
                )
                yield name, figure


def _year(content: Mapping[str, Any]) -> tuple[Loaded, str]:
    rate_per_s = read_rate(content["workload"]["arrivals"]["rate"])
    kept = {key: value for key, value in content.items() if key not in ("arms", "objective", "value", "question")}
    made: dict[str, Any] = {**kept, "horizon": "1y", "replications": 1}
    if rate_per_s * YEAR_S <= _MOST_REQUESTS:
        return from_mapping(made), f", with {rate_per_s * DAY_S:,.3g} requests a day"
    arrivals = {**content["workload"]["arrivals"], "rate": RATE}
    made["workload"] = {**content["workload"], "arrivals": arrivals}
    return from_mapping(
        made
    ), f", with {RATE.replace('/d', '')} requests a day to keep it short, so that no limit binds"
