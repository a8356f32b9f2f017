"""Figures of `availability`, `compare`, `explain` and `fit`: the JSON they print, without what a clock measured."""

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.guard.shipped import REPLAYED, SCENARIOS, SHORTENED, lacks_data, path_of
from tests.guard.simulator import command

MEASURED = {"wall_s", "seconds", "requests_per_s", "run_s", "availability_s", "compare_s"}
MEASURED |= {"run_bytes", "engine", "engine_reason"}
"""Keys whose values a clock or the machine has a say in."""
NO_FIGURES = {"remarks", "foreseen"}
"""Keys of words about the input; the figures of faults foreseen are held against runs."""

HISTORY = "incidents/status_page_incidents.csv"
COLUMNS = "start=started_at,end=resolved_at,service=service,provider=provider,severity=impact_level,id=incident_id"


SLOW = {
    "availability aws_region",
    "availability backoff_zoo",
    "availability common_cause_sweep",
    "availability cost_overhead",
    "availability eu_only",
    "availability forty_providers",
    "availability four_hourly_batch",
    "availability history_fitted",
    "availability image_chain",
    "availability image_chain_cached",
    "availability price_of_downtime",
    "availability prompt_cache_cold_fallback",
    "availability research_pipeline",
    "availability same_provider_fallback",
    "availability shared_cdn",
    "availability three_stage",
    "availability three_stage_correlated",
    "availability twenty_minute_outage",
    "availability two_stage",
    "compare aws_region",
    "compare backoff_zoo",
    "compare common_cause_sweep",
    "compare eu_only",
    "compare four_hourly_batch",
    "compare hang_without_timeout",
    "compare history_fitted",
    "compare image_chain",
    "compare image_chain_cached",
    "compare market_failover_surge",
    "compare named_shocks_replay",
    "compare openai_sdk_hang",
    "compare price_of_downtime",
    "compare prompt_cache_cold_fallback",
    "compare research_pipeline",
    "compare shared_cdn",
    "compare single_provider",
    "compare status_page_replay",
    "compare three_stage",
    "compare three_stage_correlated",
    "compare two_stage",
    "explain aws_region",
    "explain backoff_zoo",
    "explain common_cause_sweep",
    "explain forty_providers",
    "explain nested_retries",
    "explain research_pipeline",
    "explain shared_cdn",
    "explain three_stage_correlated",
    "fit few permutations",
}
"""Those that take longer and show what others show: the writer checks them, the tests leave them out."""
QUICK = {
    "explain two_stage",
    "explain four_hourly_batch",
    "availability shared_cdn",
    "availability rarely single_provider",
    "availability by itself hedged",
    "availability openai_sdk_hang",
    "compare rate_limit_cascade",
    "compare same_provider_fallback",
    "compare retry_storm",
    "fit api",
    "fit refused",
}

BARE = ("--set", "arms=null", "--set", "expect=null")
"""The scenario and, where there is one, its twin."""

COMPARED = {
    "retry_storm": [
        "horizon=11min",
        "workload.arrivals.rate=20/s",
        "providers.backend.capacity={concurrent: 21, queue: 43}",
    ],
    "nested_retries": ["horizon=11min"],
}
"""Instead of what shortens them for the traces: shorter ones are refused."""


@dataclass(frozen=True, slots=True)
class Case:
    """A command whose output is kept."""

    name: str
    arguments: tuple[str, ...]
    files: tuple[str, ...] = ()  # under DES_DATA


def cases() -> Iterator[Case]:
    for name in SHORTENED:
        path, files = str(path_of(name)), REPLAYED.get(name, ())
        availability = ("availability", path, "--json", *BARE)
        yield Case(f"explain {name}", ("explain", path, "--json", *BARE), files)
        yield Case(f"availability {name}", (*availability, "--years", "0.05", "--estimator", "timeline"), files)
        if name in ("hedged", "published_calculator", "twenty_minute_outage", "litellm_router"):
            yield Case(f"availability by itself {name}", (*availability, "--years", "0.05"), files)
        if name == "single_provider":
            yield Case(f"availability rarely {name}", (*availability, "--estimator", "rare events"), files)
        changes = [argument for change in COMPARED.get(name, SHORTENED[name]) for argument in ("--set", change)]
        options = ("--json", "--no-traces", "--replications", "2")
        if name == "forty_providers":
            continue  # most of a minute, for what the others show as well
        yield Case(f"compare {name}", ("compare", path, *options, *changes, *BARE), files)
    yield from fits()


def fits() -> Iterator[Case]:
    path = f"{os.environ.get('DES_DATA', '')}/{HISTORY}"
    for name, rest in (
        ("fit api", ("--service", "api")),
        ("fit since 2024", ("--since", "2024-01-01", "--between", "weibull", "--repair", "lognormal")),
        ("fit few permutations", ("--permutations", "20", "--seed", "3")),
        ("fit refused", ("--service", "no_such_service")),
    ):
        yield Case(name, ("fit", path, "--columns", COLUMNS, "--json", *rest), (HISTORY,))


def skipped(case: Case) -> str:
    """Why a case cannot be had here; nothing where it can."""
    return lacks_data(case.files)


def figures(case: Case) -> dict[str, Any]:
    """Exit code and output; a refusal, with its words beside it, where there is none."""
    with tempfile.TemporaryDirectory() as folder:
        out = ("--out", str(Path(folder) / "run")) if case.arguments[0] == "compare" else ()
        code, output, complaints = command(*case.arguments, *out)
        words = _without_folders(complaints, folder)
    try:
        content = json.loads(output)
    except ValueError:
        return {"refused": True, "exit": code, "text": words}
    return {"exit": code, "figures": _without_folders(unmeasured(content), folder)}


def _without_folders(value: Any, folder: str) -> Any:
    """Texts without the places of this machine."""
    if isinstance(value, str):
        data = os.environ.get("DES_DATA") or "\0"
        for place, word in ((folder, "OUT"), (data, "DES_DATA"), (str(SCENARIOS.parent), "CHECKOUT")):
            value = value.replace(place, word)
        return value
    if isinstance(value, dict):
        return {key: _without_folders(below, folder) for key, below in value.items()}
    return [_without_folders(below, folder) for below in value] if isinstance(value, list) else value


def unmeasured(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: unmeasured(below) for key, below in value.items() if key not in MEASURED | NO_FIGURES}
    return [unmeasured(below) for below in value] if isinstance(value, list) else value
