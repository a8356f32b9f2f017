"""The page marks the best arms as the terminal does, and a screen reader says what the marks mean."""

from collections.abc import Callable
from pathlib import Path

from des.report.answer_tables import answer_text
from des.report.comparison_tables import comparison_text
from des.study.answer_file import load_answer
from des.traces import Run
from report.page.reading import Page

PageOf = Callable[[Path], tuple[Path, Page]]
TOGETHER = "All endpoints of the chain together"


def header(text: str, arms: list[str]) -> list[str]:
    """The names above the columns of the table of figures, with their marks."""
    line = next(line for line in text.splitlines() if line.startswith("   ") and all(arm in line for arm in arms))
    return [name.strip() for name in line.split("  ") if name.strip()]


def test_an_answer_has_the_marks_and_the_legend_of_the_terminal(page_of: PageOf, answered: Path) -> None:
    _, page = page_of(answered)
    answer = load_answer(answered)
    arms = [arm for arm in answer.arms if arm not in answer.same]
    text = answer_text(answer)
    assert page.seen["All figures"][0][1:] == header(text, arms)
    assert page.tables["All figures"][0][1:] == arms
    (legend,) = page.legends["All figures"]
    assert legend.startswith("* the cheapest, counting what failing costs")
    assert legend in text.splitlines()
    assert page.legends["USD a year"] == [legend]
    names = {row[0] for row in page.seen["USD a year"][1:]}
    assert names == set(header(text, arms))


def test_a_comparison_has_the_marks_and_the_legend_of_the_terminal(page_of: PageOf, compared: Run) -> None:
    _, page = page_of(compared.path)
    arms = list(compared.summary["arms"])
    text = comparison_text(compared)
    for caption in ("All figures", TOGETHER):
        assert page.seen[caption][0][1:] == header(text, arms)
        assert page.legends[caption]
        assert set(page.legends[caption]) <= set(text.splitlines())
    assert "as_modelled *" in page.seen[TOGETHER][0]
    rows = [row[0] for row in page.seen["Nines against cost"][1:]]
    assert sorted(rows) == sorted(page.seen[TOGETHER][0][1:])


def test_a_screen_reader_says_the_words_in_place_of_the_signs(page_of: PageOf, compared: Run) -> None:
    _, page = page_of(compared.path)
    said = page.spoken[TOGETHER][0]
    assert said == ["", "as_modelled, the most available", "independent", "primary_only"]


def test_a_run_has_no_marks_as_on_the_terminal(page_of: PageOf, ran: Run) -> None:
    _, page = page_of(ran.path)
    assert page.seen["All figures"][0] == page.tables["All figures"][0]
    assert page.legends["All figures"] == []
