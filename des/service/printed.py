"""The text of figures as `des answer` prints them, so that the page and the terminal show the same digits."""

from typing import Final

from des.report import figures
from des.report.answer_tables import answer_lines
from des.service import answers as parts
from des.study.answered import Answer

AVAILABILITY: Final = "availability"
CHANCE: Final = "chance of"
PER_1000: Final = "cost per 1,000 requests"
YEAR_OF_ANSWERS: Final = "of answers"
YEAR_OF_FAILING: Final = "of failing"
YEAR_IN_ALL: Final = "in all"
LATENCY: Final = {"p50": "latency, median", "p95": "p95", "p99": "p99"}
_ENDS: Final = "95 % interval"


class Printed:
    """The cells of the table, by arm and row."""

    def __init__(self, found: Answer) -> None:
        self._same = found.same
        self._arms = [arm for arm in found.arms if arm not in found.same]
        self._rows: dict[str, list[str]] = {}
        last = ""
        for line in answer_lines(found):
            label = line.label.strip()
            if label == _ENDS and last in self._rows:
                self._rows[last] = [_with_ends(*each) for each in zip(self._rows[last], line.cells, strict=True)]
                continue
            last = CHANCE if label.startswith(CHANCE) else label
            if line.cells:
                self._rows.setdefault(last, list(line.cells))

    def text(self, arm: str, row: str) -> str | None:
        """None where the table has no such row, or nothing in its place."""
        cells = self._rows.get(row)
        found = None if cells is None else cells[self._arms.index(self._same.get(arm, arm))]
        return None if found == figures.NOTHING else found

    def of(self, figure: parts.Figure, arm: str, row: str) -> parts.Figure:
        """The figure with the text of the table, if it stands there."""
        text = self.text(arm, row)
        return figure if text is None else figure.model_copy(update={"shown": text})


def _with_ends(value: str, ends: str) -> str:
    if ends == figures.NOTHING:
        return value
    return f"{value} [{ends}]" if "–" in ends else f"{value} ({ends})"
