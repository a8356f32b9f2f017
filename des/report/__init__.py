"""Tables, sentences, charts and pages for people, from finished runs.

The package is also the public function: `des.report(results, out="page.html")` is `des.report.page.write_report`.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from des.report.page.results import Result
    from des.report.page.write import Written


class _Callable(ModuleType):
    """A package of this name stood before there was a function of it, and programs import from it."""

    def __call__(
        self,
        results: "Sequence[Result] | Result",
        *,
        out: str | Path | None = None,
        png: str | Path | None = None,
    ) -> "Written":
        """As `des.report.page.write_report`."""
        from des.report.page.write import write_report

        return write_report(results, out=out, png=png)


sys.modules[__name__].__class__ = _Callable
