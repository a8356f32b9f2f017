"""How the run of a shipped scenario is read."""

import math
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from des.traces import Run

SCHEMA = Path(__file__).parents[2] / "des.schema.json"

Answer = Callable[..., Run]


def plain(text: str) -> str:
    return " ".join(text.split())


def of_arm(table: str, run: Run, arm: str, columns: list[str] | None = None) -> pd.DataFrame:
    return pq.read_table(run.path / table / f"{arm}-0000.parquet", columns=columns).to_pandas()


def mean(run: Run, arm: str, metric: str) -> float:
    return float(run.summary["arms"][arm][metric]["mean"])


def four_errors(share: float, n: int) -> float:
    return 4.0 * math.sqrt(share * (1.0 - share) / n)
