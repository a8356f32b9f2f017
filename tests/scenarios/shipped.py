"""The shipped scenarios by name, what makes each short enough to run among the tests, and how its run is read."""

import math
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from des.traces import Run

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "scenarios"
SCHEMA = ROOT / "des.schema.json"

SHORTENED = {
    "research_pipeline": ["horizon=10d", "workload.arrivals.rate=4/h"],
    "image_chain": ["horizon=3h"],
    "image_chain_cached": ["horizon=3h"],
    "two_stage": ["horizon=5y", "replications=1"],
    "three_stage": ["horizon=5y", "replications=1"],
    "single_provider": ["horizon=3y", "replications=1"],
    "published_calculator": ["horizon=3h"],
    "hang_without_timeout": ["horizon=6d"],
    "four_hourly_batch": ["horizon=120d", "replications=1"],
    "forty_providers": ["horizon=90d", "replications=1"],
    "eu_only": ["horizon=2y", "replications=1"],
    "cost_overhead": ["horizon=1d"],
    "silent_rot": ["horizon=3y", "replications=1"],
    "status_page_replay": ["horizon=20d"],
    "history_fitted": ["horizon=1y", "replications=1"],
    "shared_cdn": ["horizon=3y", "replications=1"],
    "same_provider_fallback": ["horizon=1y", "replications=1"],
    "aws_region": ["horizon=3y", "replications=1"],
    "common_cause_sweep": ["horizon=2y", "replications=1"],
    "three_stage_correlated": ["horizon=3y", "replications=1"],
    "market_failover_surge": ["horizon=4y", "replications=1"],
    "named_shocks_replay": ["workload.arrivals.rate=1/h", "replications=1"],
    "price_of_downtime": ["horizon=6y", "replications=1"],
    "rate_limit_cascade": ["replications=1", "arms.ramp=null"],
    "retry_storm": [
        "horizon=140s",
        "workload.arrivals.rate=93/s",
        "providers.backend.capacity={concurrent: 100, queue: 200}",
        "arms.half_load={workload.arrivals.rate: 47/s}",
    ],
    "cooldown_blackout": ["horizon=6min", "replications=1"],
    "nested_retries": ["replications=1", "horizon=10min"],
    "hedged": ["replications=1", "horizon=10min"],
    "backoff_zoo": ["horizon=20min"],
    "litellm_router": ["horizon=12min"],
    "openai_sdk_hang": ["horizon=3h", "workload.arrivals.rate=10/min"],
    "prompt_cache_cold_fallback": [
        "replications=1",
        "workload.arrivals.rate=5/min",
        "arms.quiet.horizon=10d",
        "arms.quiet_never_cached.horizon=10d",
    ],
    "twenty_minute_outage": ["workload.arrivals.rate=10/min"],
}
"""Every shipped scenario, and what makes it short enough to run among the tests."""

Answer = Callable[[str], Run]


def path_of(name: str) -> Path:
    return SCENARIOS / f"{name}.yaml"


REPLAYED = {
    "status_page_replay": ("incidents/status_page_incidents.csv", "workloads/AzureLLMInferenceTrace_conv.csv"),
    "named_shocks_replay": ("incidents/shared_infrastructure_shocks.csv",),
}
"""The files under DES_DATA that a scenario replays."""


def lacks_data(name: str) -> str:
    """Why a scenario cannot run here; nothing where it can."""
    if name not in REPLAYED:
        return ""
    folder = os.environ.get("DES_DATA")
    if not folder:
        return "DES_DATA is not set"
    missing = [file for file in REPLAYED[name] if not (Path(folder) / file).is_file()]
    return f"DES_DATA ({folder}) lacks {', '.join(missing)}" if missing else ""


def plain(text: str) -> str:
    return " ".join(text.split())


def of_arm(table: str, run: Run, arm: str, columns: list[str] | None = None) -> pd.DataFrame:
    return pq.read_table(run.path / table / f"{arm}-0000.parquet", columns=columns).to_pandas()


def mean(run: Run, arm: str, metric: str) -> float:
    return float(run.summary["arms"][arm][metric]["mean"])


def four_errors(share: float, n: int) -> float:
    return 4.0 * math.sqrt(share * (1.0 - share) / n)
