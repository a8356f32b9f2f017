"""Whole tables of an answer, a comparison and an availability, as they stand on a terminal of 80 columns.

`GOLDEN=write python -m pytest tests/report/test_golden_results.py` writes them again. Read what has changed before
committing it.
"""

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from rich.console import Console

import des
from des.report.answer_tables import print_answer
from des.report.availability_tables import print_availability
from des.report.comparison_tables import print_comparison
from des.report.layout import as_text
from des.study.answer_file import load_answer
from des.traces import Run
from report.results import comparison_scenario

FOLDER: Final = Path(__file__).parent / "golden"
WIDTH: Final = 80


def text_of(show: Callable[[Console], None]) -> str:
    """Without what differs from one machine to another: times taken, and where files are."""
    text = "\n".join(line.rstrip() for line in as_text(show, WIDTH).splitlines()) + "\n"
    text = re.sub(r"simulated in [\d.,]+ s|(?<=, )[\d.]+ s$", "<time>", text, flags=re.MULTILINE)
    return re.sub(r"^(traces, manifest and summary: ).*$", r"\1<place>", text, flags=re.MULTILINE)


def is_as_it_was(name: str, text: str) -> None:
    file = FOLDER / f"{name}_{WIDTH}.txt"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= WIDTH


def test_an_answer_is_printed_as_it_was(answered: Path) -> None:
    answer = replace(load_answer(answered), wall_s=1.0)
    is_as_it_was("answer", text_of(lambda console: print_answer(answer, console)))


def test_a_comparison_is_printed_as_it_was(compared: Run) -> None:
    is_as_it_was("compare", text_of(lambda console: print_comparison(compared, (), reused=False, console=console)))


def test_an_availability_is_printed_as_it_was() -> None:
    found = des.availability(comparison_scenario())
    timed = {arm: replace(answer, wall_s=0.0) for arm, answer in found.answers.items()}
    is_as_it_was("availability", text_of(lambda console: print_availability("Two peers", timed, console)))


@pytest.mark.parametrize("name", ["answer", "compare", "availability"])
def test_money_and_downtime_have_one_unit(name: str) -> None:
    text = (FOLDER / f"{name}_{WIDTH}.txt").read_text(encoding="utf-8")
    assert "per request" not in text.replace("calls per request", "").replace("attempts per request", "")
    assert "per success" not in text
