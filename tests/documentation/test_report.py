"""The page on reports names what there is: its sections, its charts, and Python that runs."""

import importlib
import re
from pathlib import Path

import pytest

from des.report.charts.extra import missing

TEXT = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")


def rows(after: str) -> list[list[str]]:
    table = TEXT.partition(after)[2].partition("|---|---|\n")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_every_section_that_it_names_is_made() -> None:
    folder = Path(__file__).parents[2] / "des" / "report" / "page" / "sections"
    code = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    titles = set(re.findall(r'Section\(\s*"\w+", f?"([^"{]+)', code)) | {"Arms side by side"}
    named = [title for title, _ in rows("## What is on it")]
    assert len(named) >= 12
    assert not [title for title in named if not any(made.strip().startswith(title.split()[0]) for made in titles)]


def test_every_chart_that_it_names_is_there_and_the_other_way_round() -> None:
    for module, functions in rows("show themselves in a notebook"):
        found = importlib.import_module(module.strip("`"))
        public = {name for name, each in vars(found).items() if getattr(each, "__module__", "") == found.__name__}
        assert set(re.findall(r"\w+", functions)) == {name for name in public if not name.startswith("_")}


@pytest.mark.skipif(bool(missing()), reason=missing() or "installed")
def test_its_chart_is_drawn() -> None:
    block = re.findall(r"^```python\n(.*?)^```", TEXT, flags=re.DOTALL | re.MULTILINE)[1]
    names: dict[str, object] = {}
    before, _, last = block.strip().rpartition("\n")
    exec(compile(before, "report.md", "exec"), names)
    chart = eval(compile(last, "report.md", "eval"), names)
    assert "vega" in str(chart.to_dict()["$schema"])
