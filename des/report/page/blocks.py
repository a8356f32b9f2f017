"""What a page is made of: sections of paragraphs, tables, charts and text as it is. Plain data, without any HTML."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from des.report.layout import Line
from des.report.marks import Mark, Marks

if TYPE_CHECKING:
    import altair as alt

LEAD: Final = "lead"
NOTE: Final = "note"
WARNING: Final = "warning"
NO_MARKS: Final = Marks()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence or more. `tone` is LEAD for the answer, which has a line for each part, NOTE, WARNING, or empty."""

    text: str
    tone: str = ""
    kind: ClassVar[str] = "paragraph"


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row of a table; the first is its heading. A row that is a title has one cell."""

    cells: tuple[str, ...]
    mark: str = ""

    @property
    def is_title(self) -> bool:
        return len(self.cells) == 1


@dataclass(frozen=True, slots=True)
class Table:
    """Text in rows and columns; `words` has sentences rather than numbers.

    `mark` of a row is a word for its look: `best`, `missed`, `met`, `inconclusive`. `marks` are signs beside names: of
    the columns after the first, or of the rows where `marks_rows`.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    words: bool = False
    marks: Marks = NO_MARKS
    marks_rows: bool = False
    kind: ClassVar[str] = "table"

    def at_column(self, name: str) -> tuple[Mark, ...]:
        return () if self.marks_rows else self.marks.at(name)

    def at_row(self, name: str) -> tuple[Mark, ...]:
        return self.marks.at(name) if self.marks_rows else ()

    @classmethod
    def of(cls, caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, words: bool = False) -> "Table":
        return cls(caption, tuple(columns), tuple(Row(tuple(cells)) for cells in rows), words)

    @classmethod
    def of_lines(cls, caption: str, lines: Sequence[Line], arms: Sequence[str], marks: Marks = NO_MARKS) -> "Table":
        """Lines as a terminal shows them, with a column for each arm."""
        return cls(caption, ("", *arms), tuple(Row((line.label, *line.cells)) for line in lines), marks=marks)


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, and the table behind it for those who cannot see it.

    `name` is unique in a page and the name of the PNG file. `draw` makes the chart when it is needed, so that sections
    can be made without Altair. `summary` says in a sentence what the chart shows.
    """

    name: str
    title: str
    summary: str
    draw: "Callable[[], alt.TopLevelMixin]"
    table: Table
    kind: ClassVar[str] = "figure"

    def specification(self) -> dict[str, Any]:
        """In Vega-Lite, with each frame once however many layers use it. Tests check it against Vega-Lite's schema."""
        import altair as alt

        with alt.data_transformers.enable("default", max_rows=None):
            found: Mapping[str, Any] = self.draw().to_dict(validate=False)
        sets = {name: [_without_nan(row) for row in rows] for name, rows in found.get("datasets", {}).items()}
        return {key: value for key, value in found.items() if key not in ("config", "usermeta")} | {"datasets": sets}


def _without_nan(row: Mapping[str, Any]) -> dict[str, Any]:
    """Null in place of what JSON lacks; Altair turns it into NaN in columns of numbers."""
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text in a fixed-width font, folded away under its title."""

    title: str
    text: str
    kind: ClassVar[str] = "verbatim"


Block = Paragraph | Table | Figure | Verbatim


@dataclass(frozen=True, slots=True)
class Section:
    """`key` is its anchor, unique in a chapter."""

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """The sections of one result."""

    key: str
    title: str
    question: str
    about: str
    sections: tuple[Section, ...]

    def figures(self) -> list[Figure]:
        return [block for section in self.sections for block in section.blocks if isinstance(block, Figure)]
