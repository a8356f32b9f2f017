"""A page is complete in itself, says only what its result says, and nothing in it is read as markup but its own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from des.errors import DesError, OutputError
from des.report.lines import lines
from des.report.page import write_report
from des.report.page.blocks import Paragraph
from des.report.page.chapters import chapters
from des.report.page.findings import Findings, read_result
from des.report.page.render import script_json
from des.traces import Run
from report.page.reading import Page
from report.results import HOSTILE

PageOf = Callable[[Path], tuple[Path, Page]]
RUN_SECTIONS = ["answer", "verdicts", "unseen", "arms", "outages", "cost", "latency", "flow", "served", "methods"]
MEGABYTE = 1_000_000


def test_a_run_has_its_sections_in_order(findings: Findings) -> None:
    (chapter,) = chapters([findings])
    assert [section.key for section in chapter.sections] == RUN_SECTIONS


def test_a_comparison_has_marginals_before_the_joint(compared: Run) -> None:
    (chapter,) = chapters([read_result(compared.path)])
    keys = [section.key for section in chapter.sections]
    assert keys.index("arms") < keys.index("comparison") < keys.index("outages")
    names = [figure.name for figure in chapter.figures()]
    assert names.index("marginals") < names.index("all_down") < names.index("waterfall")


def test_an_answer_and_a_sweep_have_what_they_can_have(answered: Path, swept: Path) -> None:
    answer, sweep = chapters([read_result(answered), read_result(swept)])
    drawn = ["outages", "cost", "latency", "served"]
    assert [section.key for section in answer.sections] == ["answer", "verdicts", "unseen", "arms", *drawn, "methods"]
    names = {figure.name for figure in answer.figures()}
    assert {"outages_0", "cost_histogram", "cost_cumulative", "latency", "served", "lost"} <= names
    assert [section.key for section in sweep.sections] == ["sweep", "methods"]
    lead = sweep.sections[0].blocks[0]
    assert isinstance(lead, Paragraph)
    assert "The availability is lowest at " in lead.text
    assert ", and highest at " in lead.text


def test_an_answer_says_what_rests_on_few_losses_and_what_never_broke(answered: Path, tmp_path: Path) -> None:
    """Of legs that break unnoticed it is not known how long they stay broken."""
    answer = json.loads((answered / "answer.json").read_text(encoding="utf-8"))
    broke = {"component": "p/m", "words": "0 of 2 breaks met", "open_share": None, "of_unavailability": None}
    for of in answer["arms"].values():
        of["not_seen"] |= {"few_losses": "the availability rests on few losses: 3", "incidents": [broke]}
    (tmp_path / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
    (tmp_path / "manifest.json").write_bytes((answered / "manifest.json").read_bytes())
    (chapter,) = chapters([read_result(tmp_path)])
    (section,) = [section for section in chapter.sections if section.key == "unseen"]
    said = repr(section.blocks)
    assert "the availability rests on few losses: 3" in said
    assert "0 of 2 breaks met" in said


def test_an_answer_without_what_its_charts_are_of_says_so(answered: Path, tmp_path: Path) -> None:
    for name in ("answer.json", "manifest.json"):
        (tmp_path / name).write_bytes((answered / name).read_bytes())
    (chapter,) = chapters([read_result(tmp_path)])
    (section,) = [section for section in chapter.sections if section.key == "outages"]
    assert "no charts.json" in section.blocks[0].text  # type: ignore[union-attr]
    assert "latency" not in [section.key for section in chapter.sections]


def test_a_run_without_traces_says_so_in_place_of_charts(findings: Findings) -> None:
    assert findings.run is not None
    bare = Run(findings.run.path, {**findings.manifest, "traces": {}}, findings.summary)
    from des.report.page.findings import of_run_directory

    (chapter,) = chapters([of_run_directory(bare)])
    (section,) = [section for section in chapter.sections if section.key == "outages"]
    assert "kept no traces" in section.blocks[0].text  # type: ignore[union-attr]
    assert "latency" not in [section.key for section in chapter.sections]


@pytest.mark.parametrize("result", ["ran", "compared", "answered", "swept", "hostile"])
def test_a_page_is_small_and_needs_nothing_but_itself(
    page_of: PageOf, request: pytest.FixtureRequest, result: str
) -> None:
    found = request.getfixturevalue(result)
    file, page = page_of(found if isinstance(found, Path) else found.path)
    assert file.stat().st_size < 2 * MEGABYTE
    fetching = [value for _, name, value in page.attributes if name in ("src", "href", "action", "data", "srcset")]
    assert all(value.startswith(("#", "data:,")) for value in fetching)
    policy = next(value for _, name, value in page.attributes if name == "content" and "default-src" in value)
    assert policy.startswith("default-src 'none'")
    assert "@import" not in file.read_text(encoding="utf-8").partition("</style>")[0]
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize("result", ["ran", "compared", "answered", "swept", "hostile"])
def test_every_chart_is_valid_and_has_a_place_and_a_table(request: pytest.FixtureRequest, result: str) -> None:
    import altair as alt

    found = request.getfixturevalue(result)
    (chapter,) = chapters([read_result(found if isinstance(found, Path) else found.path)])
    assert chapter.figures()
    assert len({figure.name for figure in chapter.figures()}) == len(chapter.figures())
    for figure in chapter.figures():
        specification = figure.specification()
        small = {name: rows[:3] for name, rows in specification["datasets"].items()}
        alt.core.Root.validate({**specification, "datasets": small})
        assert figure.table.rows
        assert all(len(row.cells) in (1, len(figure.table.columns)) for row in figure.table.rows)


def test_charts_have_the_rows_of_a_figure_once(findings: Findings) -> None:
    (chapter,) = chapters([findings])
    strip = next(figure for figure in chapter.figures() if figure.name == "outages_0").specification()
    assert len(strip["datasets"]) == 2
    assert len(strip["vconcat"]) == 4


def test_nothing_that_a_user_wrote_is_markup(page_of: PageOf, hostile: Run) -> None:
    file, page = page_of(hostile.path)
    html = file.read_text(encoding="utf-8")
    assert page.tags.count("script") == 3
    assert "img" not in page.tags
    assert "b" not in page.tags
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert "\u202e" not in html
    assert "\u2066" not in html
    assert HOSTILE.partition("\u202e")[0] in "".join(page.text)


def test_names_in_charts_are_text(hostile: Run) -> None:
    (chapter,) = chapters([read_result(hostile.path)])
    sent = script_json({figure.name: figure.specification() for figure in chapter.figures()})
    assert not set("<>&\u2028\u2029\u202e") & set(sent)
    assert json.loads(sent)


def test_the_first_sentence_has_the_availability_and_its_interval(page_of: PageOf, ran: Run) -> None:
    _, page = page_of(ran.path)
    (said,) = [text for text in page.text if text.startswith("With as_modelled")]
    figure = ran.summary["arms"]["as_modelled"]["availability"]
    assert f"{100 * figure['mean']:.1f}" in said
    assert "±" in said or "[" in said


def test_verdicts_are_those_of_the_run(page_of: PageOf, ran: Run) -> None:
    _, page = page_of(ran.path)
    rows = page.tables["Expectations"][1:]
    assert [(row[0], row[1], row[-1]) for row in rows] == [
        (each["arm"], each["metric"], each["result"]) for each in ran.summary["expectations"]
    ]


def test_a_result_may_be_named_in_results(ran: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "small-0123456789ab").symlink_to(ran.path)
    monkeypatch.chdir(tmp_path)
    assert read_result("small-0123456789ab").title == "Two small peers"
    with pytest.raises(DesError, match="did you mean 'small-0123456789ab'"):
        read_result("small-0123456789ac")


def test_what_is_no_result_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "answer").mkdir()
    (tmp_path / "answer" / "answer.json").write_text("{]", encoding="utf-8")
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / "sweep.json").write_text("{}", encoding="utf-8")
    for name, words in (
        ("file", "is a file"),
        ("nowhere", "no such run"),
        ("answer", "not valid JSON"),
        ("sweep", "has no points"),
        (".", "holds no manifest"),
    ):
        with pytest.raises(DesError, match=words):
            read_result(tmp_path / name)


def test_a_page_replaces_nothing(ran: Run, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="exists already"):
        write_report(ran.path, out=tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == "mine"


def test_the_same_results_make_the_same_page(findings: Findings) -> None:
    def made() -> dict[str, Any]:
        (chapter,) = chapters([read_result(findings.path)])
        return {figure.name: figure.specification() for figure in chapter.figures()}

    assert made() == made()


def test_several_results_are_chapters_of_one_page(ran: Run, answered: Path, tmp_path: Path) -> None:
    file = tmp_path / "both.html"
    write_report([answered, ran.path], out=file)
    page = Page(file.read_text(encoding="utf-8"))
    assert page.tags.count("article") == 2
    assert len(page.ids) == len(set(page.ids))
    assert {name.partition("-")[0] for name in page.charts} == {"c0", "c1"}


def test_costs_are_named_whole_where_no_bill_stands_above() -> None:
    cost = {"mean": 0.006, "low": None, "high": None}
    each = {"cost_usd_per_request": cost, "cost_usd_per_success": cost}
    below, whole = (
        [line.label for line in lines({"arms": {"a": metrics}}, ["a"])] for metrics in (each | {"cost_usd": cost}, each)
    )
    assert below == ["cost", "  per 1,000 requests", "  per 1,000 answered"]
    assert whole == ["cost per 1,000 requests", "  per 1,000 answered"]


def test_numbers_stay_with_their_units_and_intervals_whole() -> None:
    from des.report.page.render import _together

    assert _together("99.9945 % [99.9741, 99.9984] (13)") == "99.9945\xa0% [99.9741,\xa099.9984] (13)"
    assert _together("  $6.04 ± 0.03") == "\xa0\xa0$6.04 ±\xa00.03"
    assert _together("x 0.16 [0.02, no limit]") == "x\xa00.16 [0.02,\xa0no\xa0limit]"
    assert _together("3 incidents met 5 sites") == "3 incidents met 5 sites"
