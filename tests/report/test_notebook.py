"""What a notebook shows of results: their tables and the charts of the report; without Altair, what to install."""

import re
from pathlib import Path

import pytest

import des
from des.report import notebook
from des.report.charts.extra import missing
from des.report.page import write_report
from des.report.page.results import findings_of
from des.study.answer_file import load_answer
from des.study.compare import Comparison
from des.study.recorded import Run
from des.study.sweep_record import load_sweep

with_charts = pytest.mark.skipif(bool(missing()), reason=missing())


def titles(shown: str) -> list[str]:
    return re.findall(r"<figcaption><b>(.*?)\.</b>", shown)


@with_charts
def test_a_comparison_is_shown_with_its_charts_and_nothing_from_elsewhere(compared: Run) -> None:
    shown = Comparison(des.load(compared.path))._repr_html_()
    assert titles(shown)[:2] == ["Nines against cost", "Each endpoint by itself"]
    assert shown.count("<svg") == len(titles(shown)) >= 3
    assert "<table" in shown
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", shown)


@with_charts
def test_charts_are_altair_charts_of_the_report_by_name(ran: Run) -> None:
    import altair as alt

    charts = des.load(ran.path).charts
    assert len(charts) > 4
    chart = charts["nines_against_cost"]
    assert isinstance(chart, alt.TopLevelMixin)
    arms = {row["arm"] for rows in chart.to_dict()["datasets"].values() for row in rows if "arm" in row}
    assert arms == {"as_modelled", "primary_only"}
    with pytest.raises(KeyError, match="no chart 'nines'; there are: nines_against_cost"):
        charts["nines"]


@with_charts
def test_a_chart_that_a_sample_lacks_names_the_level_that_has_it(tmp_path: Path) -> None:
    run = des.run("two_stage", overrides=["horizon=30d", "replications=2"], traces="sampled: 50%", out=tmp_path / "run")
    with pytest.raises(KeyError, match=r"others need a run with --traces full, and this one has sampled: 50%"):
        run.charts["latency"]


@with_charts
def test_answers_and_sweeps_are_shown_with_their_charts(answered: Path, swept: Path) -> None:
    answer = load_answer(answered)
    shown = answer._repr_html_()
    assert answer.sentence[:40] in shown
    assert "Nines against cost" in titles(shown)
    assert "Cost" in titles(load_sweep(swept)._repr_html_())


def test_without_the_libraries_there_is_the_table_and_a_hint(ran: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "a report needs Altair: pip install 'des-fallback[report]'"
    monkeypatch.setattr(notebook, "missing", lambda: words)
    shown = des.load(ran.path)._repr_html_()
    assert "<table" in shown
    assert "No charts: a report needs Altair: pip install" in shown
    assert "<svg" not in shown


@with_charts
def test_the_package_is_the_function_that_writes_reports(answered: Path, compared: Run, tmp_path: Path) -> None:
    written = des.report([load_answer(answered), compared], out=tmp_path / "page.html")
    assert written.page == tmp_path / "page.html"
    page = written.page.read_text(encoding="utf-8")
    assert page.count('class="chapter') + page.count("Two peers behind one CDN") > 2
    write_report(compared.path, out=tmp_path / "same.html")
    des.report(compared, out=tmp_path / "also.html")
    assert (tmp_path / "same.html").read_bytes() == (tmp_path / "also.html").read_bytes()


def test_what_is_no_result_says_so() -> None:
    with pytest.raises(TypeError, match="dict is no result"):
        findings_of({})  # type: ignore[arg-type]
