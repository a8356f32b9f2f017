"""What a page says of a result that is at hand in Python, or of one on disk."""

from pathlib import Path

from des.report.page.findings import Findings, of_answer, of_run_directory, of_search, of_sweep, read_result
from des.study.answered import Answer
from des.study.compare import Comparison
from des.study.optimised import Optimised
from des.study.sweep_record import Sweep
from des.traces import Run

Result = str | Path | Run | Comparison | Answer | Sweep | Optimised
"""A result, or its directory, or its name in `results/`."""


def findings_of(result: Result) -> Findings:
    """Raises DesError for a place that holds no result, TypeError for anything else."""
    match result:
        case str() | Path():
            return read_result(result)
        case Run():
            return of_run_directory(result)
        case Comparison():
            return of_run_directory(result.run)
        case Answer():
            return of_answer(Path(result.scenario), result.as_json(), {}, result.pictured)
        case Sweep():
            return of_sweep(result.path, result.content, {})
        case Optimised():
            return of_search(Path(result.loaded.path or "search").with_suffix(""), result.as_json(), {})
    raise TypeError(f"{type(result).__name__} is no result")
