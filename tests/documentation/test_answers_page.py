"""The table of docs/answer.md is written by its benchmark, and says of each availability how sure it is."""

from dataclasses import replace
from datetime import date

import pytest

import des
from benchmarks import answers
from des.estimate.estimate import Estimate
from des.report.answer_tables import availability_words
from des.study.answered import Answer
from tests.report.test_answer_tables import SCENARIO


@pytest.fixture(scope="module")
def found() -> Answer:
    return des.answer(SCENARIO, rounds=1, workers=1)


def test_the_page_has_one_block_which_is_replaced_and_nothing_else() -> None:
    page = answers.PAGE.read_text(encoding="utf-8")
    made = answers.block(["| `a` | b |"], "60s", 2, "abc1234 with changes", date(2026, 2, 3), 61.4, 0)
    written = answers.with_block(page, made)
    assert "`python -m benchmarks.answers --within 60s` measured these in one go on 2026-02-03" in written
    assert "commit abc1234 with changes, with 2 processes." in written
    assert "the longest took 61. None is refused." in written
    assert "\n| `a` | b |\n<!-- /answers -->\n" in written
    before, _, after = page.partition("<!-- answers:")[0], "", page.partition("<!-- /answers -->")[2]
    assert written.startswith(before)
    assert written.endswith(after)
    assert answers.with_block(written, made) == written


def test_a_page_without_a_block_is_refused() -> None:
    with pytest.raises(SystemExit, match="not one block"):
        answers.with_block("# Answers\n", "new\n")


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        (Estimate(0.0, estimator="exact"), "100 %"),
        (Estimate(0.0, 0.0, 3.2e-6, 2), "more than 99.99968 %"),
        (Estimate(0.0, n=40, estimator="timeline", interval="none: the same throughout"), "none lost"),
        (Estimate(4.25e-12, n=40, estimator="rare events", interval="none"), "99.999999999575 %"),
        (Estimate(9.1e-6, 9.0e-6, 9.2e-6, 40), "99.999090 % [99.9990800, 99.9991000]"),
        (Estimate(3e-13, n=40), "100 % less 0.0000000000300 %"),
    ],
)
def test_only_an_exact_availability_is_a_bare_hundred_per_cent(found: Answer, lost: Estimate, words: str) -> None:
    of = found.arms["two_stages"]
    changed = replace(of, lost=lost, figures={**of.figures, "availability": lost.complement()})
    assert availability_words(changed) == words
    row = answers.row("small", replace(found, arms={"two_stages": changed}, same={}), 12.3)
    assert row.endswith(f"| two_stages: {words} | 12 |")
