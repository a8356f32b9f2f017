"""Results as text: what `print` shows of them in Python, the same as their command prints."""

from collections.abc import Iterator
from functools import singledispatch

from des.report import fit_summary
from des.report.answer_tables import answer_text
from des.report.availability_tables import print_availability
from des.report.comparison_tables import comparison_text
from des.report.explanation_tables import print_explanation
from des.report.layout import as_text
from des.report.optimise_tables import optimised_text
from des.report.sweep_table import sweep_text
from des.report.tables import print_run, verdicts
from des.study.answered import Answer
from des.study.arms import Available
from des.study.compare import Comparison
from des.study.explanation import Explained
from des.study.fit import Fit
from des.study.optimised import Optimised
from des.study.sweep_record import Sweep
from des.study.verify import Verified
from des.traces import Run

_WIDTH = 120


@singledispatch
def text_of(found: object) -> str:
    """A result of any command."""
    return repr(found)


text_of.register(Answer, answer_text)
text_of.register(Optimised, optimised_text)
text_of.register(Sweep, sweep_text)


@text_of.register
def _of_run(found: Run) -> str:
    if not found.summary:
        return repr(found)
    if "comparison" in found.summary:
        return comparison_text(found)
    return as_text(lambda console: print_run(found, verdicts(found), reused=False, console=console), _WIDTH)


@text_of.register
def _of_comparison(found: Comparison) -> str:
    return comparison_text(found.run)


@text_of.register
def _of_available(found: Available) -> str:
    return as_text(
        lambda console: print_availability("", found.answers, console, left_out=found.left_out, same=found.same),
        _WIDTH,
    ).lstrip("\n")


@text_of.register
def _of_explained(found: Explained) -> str:
    return as_text(lambda console: print_explanation("", found, console), _WIDTH).lstrip("\n")


@text_of.register
def _of_fit(found: Fit) -> str:
    return "\n".join(fit_summary.lines(found.calibration, found.cautions, str(found.history.source)))


@text_of.register
def _of_verified(found: Verified) -> str:
    return "\n".join(_verified(found))


def _verified(found: Verified) -> Iterator[str]:
    yield f"{found.path}: {found.verdict}"
    for title, each in (("differs", found.differences), ("holds", found.checked), ("not checked", found.unchecked)):
        yield from (f"  {title}: {line}" for line in each)
