"""Two arms of a run, paired by replication, because they have the same requests, incidents and random numbers."""

from typing import Any

import pandas as pd

from des.errors import DesError
from des.study.analysis.runs import FIGURES, Sums, paired_difference, requests_of, sums_of, together
from des.traces import Run
from des.words import unknown


def compare_arms(run: Run, a: str, b: str) -> pd.DataFrame:
    """See `Run.compare`."""
    for arm in (a, b):
        if arm not in run.manifest["arms"]:
            raise DesError(unknown("arm", arm, run.manifest["arms"]))
    run.needs_all("requests")
    ours, theirs = (
        [sums_of(requests_of(run, arm, number)) for number in range(run.manifest["replications"])] for arm in (a, b)
    )
    return pd.DataFrame([_row(name, a, b, ours, theirs) for name in FIGURES]).set_index("figure")


def _row(name: str, a: str, b: str, ours: list[Sums], theirs: list[Sums]) -> dict[str, Any]:
    figure = FIGURES[name]
    found = paired_difference(figure, ours, theirs)
    return {
        "figure": name,
        a: figure(together(ours)),
        b: figure(together(theirs)),
        "difference": found.value,
        "difference_low": found.low,
        "difference_high": found.high,
    }
