"""LiteLLM's `model_list`: deployments (a model at an account), listed under the name of their group."""

import re
from dataclasses import dataclass
from typing import Any, Final

from des.importers.configuration import Configuration, not_carried_over
from des.scenario.text.places import Path

_ACCOUNT: Final = ("api_base", "base_url", "api_key", "organization", "litellm_credential_name")
_REGIONS: Final = ("region_name", "aws_region_name", "vertex_location", "watsonx_region_name")
_WITHOUT_EFFECT: Final = re.compile(
    r"api_version|aws_.*|vertex_.*|azure_.*|tenant_id|client_.*|.*credentials?.*|"
    r".*headers|drop_params|additional_drop_params|merge_.*|temperature|top_p|top_k|stop|seed|user|tags|"
    r"use_in_pass_through|project.*|id|mode|supports_.*|db_model|access_groups|health_check_.*|max_input_tokens|description|metadata"
)
"""Keys that do not change what is simulated."""
_CARRIED: Final = frozenset(
    {
        "model",
        "rpm",
        "tpm",
        "itpm",
        "otpm",
        "weight",
        "order",
        "timeout",
        "num_retries",
        "max_parallel_requests",
        "base_model",
        "custom_llm_provider",
        "input_cost_per_token",
        "output_cost_per_token",
        *_ACCOUNT,
        *_REGIONS,
    }
)
_CARRIED_OF_INFO: Final = frozenset({"base_model", "order", "input_cost_per_token", "output_cost_per_token"})
_LEFT_OUT: Final = {
    "stream_timeout": "limits the wait between parts of a stream: write timeout: {idle: ...} on the leg",
    "max_retries": "it has no effect in LiteLLM 1.109: the Router makes the retries, num_retries of them",
    "max_tokens": "workload.tokens.output sets the length of outputs here",
    "max_completion_tokens": "workload.tokens.output sets the length of outputs here",
    "cooldown_time": "a cooldown for one deployment; policy.cooldown.for applies to all of them",
    "allowed_fails": "a threshold for one deployment; policy.cooldown.allowed_fails applies to all of them",
    "allowed_fails_policy": "thresholds by kind of error; policy.cooldown.allowed_fails counts all kinds together",
    "cache_read_input_token_cost": "set cached_input_per_mtok in the price of the model",
    "cache_creation_input_token_cost": "set cache_write_per_mtok in the price of the model",
    "mock_response": "responses depend on the provider here: set its latency and errors",
    "max_budget": "spending budgets are not simulated",
    "budget_duration": "spending budgets are not simulated",
}
_BARE: Final = (
    (re.compile(r"(gpt-|chatgpt-|o[1-9]|text-embedding-|tts-|whisper-|dall-e|ft:)"), "openai"),
    (re.compile(r"claude"), "anthropic"),
    (re.compile(r"gemini"), "vertex_ai"),
    (re.compile(r"command"), "cohere"),
)
"""Providers of models whose names have no provider, by the start of the name."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account, whose deployments share limits and outages: provider, region, address and key."""

    provider: str
    region: str
    address: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One entry of `model_list`. Limits are per minute. Values that are not given are None."""

    group: str
    account: Account
    model: str
    base_model: str | None
    rpm: float | None
    tpm: float | None
    itpm: float | None
    otpm: float | None
    weight: float | None
    order: int | None
    timeout_s: float | None
    retries: int | None
    concurrent: int | None
    per_token: tuple[float, float] | None
    path: Path


def read_deployments(config: Configuration) -> list[Deployment]:
    """Every deployment, in order. Faults become problems of the configuration."""
    if config.document.content.get("model_list") is None:
        config.problem((), "no model_list: a LiteLLM proxy configuration lists its deployments there")
        return []
    entries = config.entries("model_list")
    if not entries and not config.problems:
        config.problem(("model_list",), "no deployment is listed")
    found = (_deployment(config, ("model_list", position)) for position in range(len(entries)))
    return [deployment for deployment in found if deployment is not None]


def _deployment(config: Configuration, path: Path) -> Deployment | None:
    entry = config.section(*path)
    if not entry:
        config.problem(path, "a deployment is a mapping with model_name and litellm_params")
        return None
    params, info = (*path, "litellm_params"), (*path, "model_info")
    given, known = config.section(*params), config.section(*info)
    group = config.text((*path, "model_name"))
    model = config.text((*params, "model"))
    if "model_name" not in entry:
        config.problem(path, "model_name is required, but missing")
    if "model" not in given:
        config.problem(params, "litellm_params.model is required, but missing")
    _remark_left_out(config, params, given, _CARRIED)
    _remark_left_out(config, info, known, _CARRIED_OF_INFO)
    for key in entry.keys() - {"model_name", "litellm_params", "model_info"}:
        if key in ("rpm", "tpm"):  # LiteLLM reads them here too, for its SDK
            continue
        config.remark((*path, key), not_carried_over(key, entry[key], _LEFT_OUT, _WITHOUT_EFFECT))
    if group is None or model is None:
        return None
    provider, name = _split(model, config.text((*params, "custom_llm_provider")))

    def amount(key: str) -> float | None:
        here = (*(params if key in given else path), key)
        found = config.number(here)
        if found is not None and 0.0 < found < 1.0:
            config.problem(here, f"expected at least 1 a minute; got {found:g}")
        return found or None

    return Deployment(
        group=group,
        account=_account(provider, given),
        model=name,
        base_model=_base_model(config, params, info),
        rpm=amount("rpm"),
        tpm=amount("tpm"),
        itpm=amount("itpm"),
        otpm=amount("otpm"),
        weight=config.number((*params, "weight")),
        order=config.count((*params, "order")) if "order" in given else config.count((*info, "order")),
        timeout_s=config.number((*params, "timeout")) or None,
        retries=config.count((*params, "num_retries")),
        concurrent=config.count((*params, "max_parallel_requests")) or None,
        per_token=_per_token(config, params, given) or _per_token(config, info, known),
        path=path,
    )


def _split(model: str, provider: str | None) -> tuple[str, str]:
    """(provider, model) of `azure/gpt-4o-eu`, or of a model named without a provider."""
    before, slash, after = model.partition("/")
    if provider is not None:
        return provider, after if before == provider and slash else model
    if slash and after:
        return before, after
    return next((known for pattern, known in _BARE if pattern.match(model)), "openai"), model


def _base_model(config: Configuration, params: Path, info: Path) -> str | None:
    base = config.text((*info, "base_model")) or config.text((*params, "base_model"))
    return base.rpartition("/")[2] if base else None


def _account(provider: str, given: dict[str, Any]) -> Account:
    def said(keys: tuple[str, ...]) -> str:
        return " ".join(str(given[key]) for key in keys if given.get(key) is not None)

    return Account(provider, said(_REGIONS), said(("api_base", "base_url")), said(_ACCOUNT[2:]))


def _per_token(config: Configuration, path: Path, given: dict[str, Any]) -> tuple[float, float] | None:
    """USD of an input and an output token, if the configuration prices them itself."""
    if not given.keys() & {"input_cost_per_token", "output_cost_per_token"}:
        return None
    return (
        config.number((*path, "input_cost_per_token")) or 0.0,
        config.number((*path, "output_cost_per_token")) or 0.0,
    )


def _remark_left_out(config: Configuration, path: Path, given: dict[str, Any], carried: frozenset[str]) -> None:
    for key, value in given.items():
        if value is not None and key not in carried:
            config.remark((*path, key), not_carried_over(key, value, _LEFT_OUT, _WITHOUT_EFFECT))
