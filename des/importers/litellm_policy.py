"""LiteLLM's router settings as fields of `policy:` over the preset. Remarks list what is left out."""

import re
from typing import Any, Final

from des.catalogue.presets import preset
from des.importers.configuration import Configuration, not_carried_over
from des.scenario.text.places import Path
from des.scenario.text.units import shown
from des.words import meant

_LONGEST_WAIT_S: Final = 8.0
_FIRST_WAIT_S: Final = 0.5
PRESET: Final = "litellm@1.109"
_RETRIES: Final = 2
"""Of the preset."""

_ROUTING: Final = {
    "simple-shuffle": "weighted",
    "least-busy": "least_busy",
    "latency-based-routing": "least_latency",
    "usage-based-routing": "usage_based",
    "usage-based-routing-v2": "usage_based",
    "cost-based-routing": "cheapest",
}
_USUAL_ROUTING: Final = "simple-shuffle"
_RETRIED: Final[dict[str, tuple[str | int, ...]]] = {
    "RateLimitErrorRetries": (429,),
    "TimeoutErrorRetries": (408, "timeout"),
    "InternalServerErrorRetries": ("5xx", "connection_error"),
    "ServiceUnavailableErrorRetries": (503,),
    "BadRequestErrorRetries": (400,),
    "AuthenticationErrorRetries": (401,),
    "NotFoundErrorRetries": (404,),
}
"""The failures to which each field of a retry policy applies."""
_BY_DEFAULT: Final[tuple[str | int, ...]] = tuple(preset(PRESET).policy["retry_on"])
_SHARED: Final = ("num_retries", "max_fallbacks", "fallbacks", "default_fallbacks")
"""Keys that both sections may have; those of `router_settings` take precedence."""
_WITHOUT_EFFECT: Final = re.compile(
    r"redis_.*|cache_kwargs|cache_responses|caching_groups|client_ttl|set_verbose|debug_level|.*callbacks?|json_logs|"
    r"drop_params|modify_params|telemetry|turn_off_.*|redact_.*|langfuse_.*|force_ipv4|ssl_.*|cache_params|"
    r"alerting.*|.*_logging.*|s3_.*|enable_preview_features|default_team_settings|guardrails.*|"
    r"enable_json_schema_validation|public_.*|disable_.*_logs?|return_response_headers|"
    r"forward_.*|default_internal_user_params"
)
"""Keys that do not change what is simulated."""
_CARRIED: Final = {
    "router_settings": frozenset(
        {
            "retry_after",
            "retry_policy",
            "allowed_fails",
            "cooldown_time",
            "disable_cooldowns",
            "routing_strategy",
            "routing_strategy_args",
            "model_group_alias",
            "optional_pre_call_checks",
            "timeout",
            *_SHARED,
        }
    ),
    "litellm_settings": frozenset({"request_timeout", "cache", "allowed_fails", *_SHARED}),
}
"""Keys that this import reads."""
_LEFT_OUT: Final = {
    "context_window_fallbacks": "requests here have no content that could be too long",
    "content_policy_fallbacks": "requests here have no content that could be refused",
    "allowed_fails_policy": "thresholds by kind of error; cooldown.allowed_fails counts all kinds together",
    "model_group_retry_policy": "retries by group and kind of error; write retries on the group of the chain",
    "stream_timeout": "limits the wait between parts of a stream: write timeout: {idle: ...} on the leg",
    "enable_pre_call_checks": "it leaves deployments out by the length of the prompt, which is not simulated",
    "enable_tag_filtering": "requests here have no tags to route by",
    "tag_filtering_match_any": "requests here have no tags to route by",
    "provider_budget_config": "spending budgets are not simulated",
    "max_budget": "spending budgets are not simulated",
    "budget_duration": "spending budgets are not simulated",
    "max_parallel_requests": "a limit on the whole proxy; write bulkhead: {concurrent: ..., refuses_as: rate_limited}",
}


def read_policy(config: Configuration) -> dict[str, Any]:
    """The fields of `policy:` that differ from the preset."""
    policy: dict[str, Any] = {"preset": PRESET}
    if (retries := setting(config, "num_retries")) is not None:
        policy["retries"] = retries
    timeout_s = _timeout_s(config)
    if timeout_s:
        policy["timeout"] = f"{timeout_s:g}s"
    _retry_policy(config, policy)
    _least_wait(config, policy)
    _cooldown(config, policy)
    _routing(config, policy)
    _cache(config)
    _remark_left_out(config)
    return policy


def _timeout_s(config: Configuration) -> float | None:
    """The timeout of an attempt: the library's `request_timeout`, else the router's `timeout`."""
    router: Path = ("router_settings", "timeout")
    of_attempt_s = config.number(("litellm_settings", "request_timeout"))
    of_router_s = config.number(router)
    if of_attempt_s and of_router_s:
        config.remark(router, "not carried over: for attempts, LiteLLM 1.109 uses litellm_settings.request_timeout")
    return of_attempt_s or of_router_s


def setting(config: Configuration, key: str) -> int | None:
    """A count of `router_settings`, else of `litellm_settings`."""
    own = config.count(("router_settings", key))
    general: Path = ("litellm_settings", key)
    if own is None:
        return config.count(general)
    if config.section("litellm_settings").get(key) is not None:
        config.remark(general, f"not carried over: router_settings.{key} replaces it")
    return own


def enforces_limits(config: Configuration) -> bool:
    """Whether the proxy itself refuses requests over a deployment's rpm and tpm."""
    return "enforce_model_rate_limits" in config.entries("router_settings", "optional_pre_call_checks")


def _retry_policy(config: Configuration, policy: dict[str, Any]) -> None:
    path: Path = ("router_settings", "retry_policy")
    counts: dict[str, int] = {}
    for key in config.section(*path):
        count = config.count((*path, key))
        if key not in _RETRIED and key != "DefaultRetries":
            what = "requests here have no content" if key.startswith("ContentPolicy") else "unknown to this import"
            config.remark((*path, key), what + meant(key, _RETRIED) if key.endswith("Retries") else what)
        elif count is not None:
            counts[key] = count
    if not counts:
        return
    usual = counts.pop("DefaultRetries", policy.get("retries", _RETRIES))
    retried = [each for each in _BY_DEFAULT if usual]
    for key, count in counts.items():
        retried = [each for each in retried if each not in _RETRIED[key]] + (list(_RETRIED[key]) if count else [])
    positive = {count for count in counts.values() if count} | ({usual} if usual else set())
    policy["retries"] = max(positive, default=0)
    if retried != list(_BY_DEFAULT) and policy["retries"]:
        policy["retry_on"] = retried
    if len(positive) > 1:
        config.remark(path, f"retries differ by kind of error: here {policy['retries']} after any of them")
    if counts.get("ServiceUnavailableErrorRetries") == 0 and "5xx" in retried:
        config.remark((*path, "ServiceUnavailableErrorRetries"), "here 503 is one of 5xx, which are retried")


def _least_wait(config: Configuration, policy: dict[str, Any]) -> None:
    """`retry_after` is the least wait before a retry; the longest wait is 8 s."""
    path: Path = ("router_settings", "retry_after")
    least_s = config.number(path)
    retries = policy.get("retries", _RETRIES)
    if not least_s or least_s <= _FIRST_WAIT_S:
        return
    if least_s >= min(_FIRST_WAIT_S * 2.0 ** min(retries, 10), _LONGEST_WAIT_S):
        policy["backoff"] = {
            "kind": "constant",
            "base": f"{min(least_s, _LONGEST_WAIT_S):g}s",
            "jitter": "additive",
            "spread": "750ms",
        }
    else:
        config.remark(path, "not carried over: a minimum wait below the maximum; waits here are 0.5 s x 2^k")


def _cooldown(config: Configuration, policy: dict[str, Any]) -> None:
    router: Path = ("router_settings",)
    cooldown: dict[str, Any] = {}
    if (allowed := config.count((*router, "allowed_fails"))) is not None:
        cooldown["allowed_fails"] = allowed
    if "allowed_fails" in config.section("litellm_settings"):
        config.remark(
            ("litellm_settings", "allowed_fails"),
            "without effect: LiteLLM 1.109 reads it only in router_settings",
        )
    if for_s := config.number((*router, "cooldown_time")):
        cooldown["for"] = f"{for_s:g}s"
    if config.flag((*router, "disable_cooldowns")):
        policy["cooldown"] = "none"
    elif cooldown:
        policy["cooldown"] = cooldown


def _routing(config: Configuration, policy: dict[str, Any]) -> None:
    path: Path = ("router_settings", "routing_strategy")
    strategy = config.text(path) or _USUAL_ROUTING
    if strategy not in _ROUTING:
        config.remark(path, f"unknown strategy {shown(strategy)}{meant(strategy, _ROUTING)}; {_USUAL_ROUTING} is used")
        strategy = _USUAL_ROUTING
    args: Path = ("router_settings", "routing_strategy_args")
    kind = _ROUTING[strategy]
    for key in config.section(*args):
        if not (kind == "least_latency" and key == "lowest_latency_buffer"):
            config.remark((*args, key), f"not carried over: {strategy} here has no such argument")
    buffer = config.number((*args, "lowest_latency_buffer")) if kind == "least_latency" else None
    if buffer:
        policy["routing"] = {"kind": kind, "buffer": buffer}
    elif kind != "weighted":
        policy["routing"] = kind


def _cache(config: Configuration) -> None:
    if config.flag(("litellm_settings", "cache")):
        config.remark(
            ("litellm_settings", "cache"),
            "the configuration does not say how often it hits: add policy.response_cache: {kind: share, hit_rate: ...}",
        )


def _remark_left_out(config: Configuration) -> None:
    for section, carried in _CARRIED.items():
        for key, value in config.section(section).items():
            if value is not None and key not in carried and not (value is False and key in _LEFT_OUT):
                config.remark((section, key), not_carried_over(key, value, _LEFT_OUT, _WITHOUT_EFFECT))
    checks: Path = ("router_settings", "optional_pre_call_checks")
    for position, check in enumerate(config.entries(*checks)):
        if check != "enforce_model_rate_limits":
            config.remark((*checks, position), f"not carried over: {shown(check)} is not simulated")
    for key, value in config.section("general_settings").items():
        if value is not None:
            config.remark(("general_settings", key), "not carried over: the proxy itself is not simulated")
    for name, content in config.document.content.items():
        if name not in ("model_list", "general_settings", *_CARRIED) and content is not None:
            what = "only this file is read" if name == "include" else "not a section that this import reads"
            config.remark((name,), f"not carried over: {what}")
