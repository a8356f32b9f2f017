"""The shipped scenarios, and what makes each run in about half a second with something going wrong in it."""

import os
from pathlib import Path

GUARD = Path(__file__).parent
SCENARIOS = GUARD.parents[1] / "scenarios"
SEEDS = (7, 11)

SHORTENED = {
    "image_chain": ["horizon=1h"],
    "image_chain_cached": ["horizon=1h"],
    "two_stage": ["horizon=3y"],
    "three_stage": ["horizon=2y"],
    "single_provider": ["horizon=2y"],
    "published_calculator": ["horizon=1h"],
    "hang_without_timeout": ["horizon=2d"],
    "four_hourly_batch": ["horizon=30d"],
    "forty_providers": ["horizon=40d"],
    "eu_only": ["horizon=2y"],
    "cost_overhead": ["horizon=5h"],
    "silent_rot": ["horizon=1y"],
    "status_page_replay": ["horizon=5d"],
    "history_fitted": ["horizon=180d"],
    "shared_cdn": ["horizon=2y"],
    "same_provider_fallback": ["horizon=150d"],
    "aws_region": ["horizon=1y"],
    "common_cause_sweep": ["horizon=2y"],
    "three_stage_correlated": ["horizon=2y"],
    "market_failover_surge": ["horizon=1y"],
    "named_shocks_replay": ["workload.arrivals.rate=1/4h"],
    "price_of_downtime": ["horizon=2y"],
    "research_pipeline": ["horizon=10d", "workload.arrivals.rate=4/h"],
    "rate_limit_cascade": ["horizon=16min", "workload.arrivals.rate=60/min"],
    "retry_storm": [
        "horizon=90s",
        "workload.arrivals.rate=60/s",
        "providers.backend.capacity={concurrent: 64, queue: 130}",
        "arms.half_load={workload.arrivals.rate: 30/s}",
    ],
    "cooldown_blackout": ["horizon=2min"],
    "nested_retries": ["horizon=8min"],
    "hedged": ["horizon=2min"],
    "backoff_zoo": ["horizon=9min", "workload.arrivals.size=60"],
    "litellm_router": ["horizon=11min", "workload.arrivals.rate=90/min"],
    "openai_sdk_hang": ["horizon=3h", "workload.arrivals.rate=5/min"],
    "prompt_cache_cold_fallback": [
        "workload.arrivals.rate=5/min",
        "arms.quiet.horizon=10d",
        "arms.quiet_never_cached.horizon=10d",
    ],
    "twenty_minute_outage": ["workload.arrivals.rate=5/min"],
}

REPLAYED = {
    "status_page_replay": ("incidents/status_page_incidents.csv", "workloads/AzureLLMInferenceTrace_conv.csv"),
    "named_shocks_replay": ("incidents/shared_infrastructure_shocks.csv",),
}
"""The files under DES_DATA that a scenario replays."""


def path_of(name: str) -> Path:
    return SCENARIOS / f"{name}.yaml"


def lacks_data(files: tuple[str, ...]) -> str:
    """Why files cannot be read here; nothing where they can."""
    folder = os.environ.get("DES_DATA")
    if not folder:
        return "DES_DATA is not set" if files else ""
    missing = [file for file in files if not (Path(folder) / file).is_file()]
    return f"DES_DATA lacks {', '.join(missing)}" if missing else ""
