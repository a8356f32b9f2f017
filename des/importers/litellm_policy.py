"""LiteLLM's router settings as fields of `policy:` over the preset; the rest is said to be left out."""

import re
from typing import Any, Final

from des.importers.reading import Reading, not_carried_over
from des.scenario.text.document import Path
from des.scenario.text.units import shown
from des.words import meant

LONGEST_WAIT_S: Final = 8.0
FIRST_WAIT_S: Final = 0.5
PRESET: Final = "litellm@1.109"
RETRIES: Final = 2
"""The preset's."""

ROUTING: Final = {
    "simple-shuffle": "weighted",
    "least-busy": "least_busy",
    "latency-based-routing": "least_latency",
    "usage-based-routing": "usage_based",
    "usage-based-routing-v2": "usage_based",
    "cost-based-routing": "cheapest",
}
USUAL_ROUTING: Final = "simple-shuffle"
RETRIED: Final[dict[str, tuple[str | int, ...]]] = {
    "RateLimitErrorRetries": (429,),
    "TimeoutErrorRetries": (408, "timeout"),
    "InternalServerErrorRetries": ("5xx", "connection_error"),
    "ServiceUnavailableErrorRetries": (503,),
    "BadRequestErrorRetries": (400,),
    "AuthenticationErrorRetries": (401,),
    "NotFoundErrorRetries": (404,),
}
"""What each field of a retry policy is about."""
BY_DEFAULT: Final[tuple[str | int, ...]] = (408, 409, 429, "5xx", "timeout", "connection_error")
SHARED: Final = ("num_retries", "max_fallbacks", "fallbacks", "default_fallbacks")
"""What both sections may say; the router's own prevails."""
_NO_ACCOUNT: Final = re.compile(
    r"redis_.*|cache_kwargs|cache_responses|caching_groups|client_ttl|set_verbose|debug_level|.*callbacks?|json_logs|"
    r"drop_params|modify_params|telemetry|turn_off_.*|redact_.*|langfuse_.*|force_ipv4|ssl_.*|cache_params|"
    r"alerting.*|.*_logging.*|s3_.*|enable_preview_features|default_team_settings|guardrails.*|"
    r"enable_json_schema_validation|public_.*|disable_.*_logs?|return_response_headers|"
    r"forward_.*|default_internal_user_params"
)
"""Keys that say nothing of what a simulation shows."""
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
            *SHARED,
        }
    ),
    "litellm_settings": frozenset({"request_timeout", "cache", "allowed_fails", *SHARED}),
}
"""What is read, here or elsewhere."""
_LEFT_OUT: Final = {
    "context_window_fallbacks": "requests here have no content that could be too long",
    "content_policy_fallbacks": "requests here have no content that could be refused",
    "allowed_fails_policy": "thresholds by kind of error; cooldown.allowed_fails counts all kinds together",
    "model_group_retry_policy": "retries by group and kind of error; write retries on the group of the chain",
    "stream_timeout": "bounds the wait between parts of a stream: write timeout: {idle: ...} on the leg",
    "enable_pre_call_checks": "deployments are left out there by the length of a prompt: requests here have none",
    "enable_tag_filtering": "requests here have no tags to route by",
    "tag_filtering_match_any": "requests here have no tags to route by",
    "provider_budget_config": "budgets of money are not simulated",
    "max_budget": "budgets of money are not simulated",
    "budget_duration": "budgets of money are not simulated",
    "max_parallel_requests": "a bound on the whole proxy; write bulkhead: {concurrent: ...} on the legs",
}


def read_policy(reading: Reading) -> dict[str, Any]:
    """What the configuration says otherwise than the preset, as fields of `policy:`."""
    policy: dict[str, Any] = {"preset": PRESET}
    if (retries := setting(reading, "num_retries")) is not None:
        policy["retries"] = retries
    timeout_s = _timeout_s(reading)
    if timeout_s:
        policy["timeout"] = f"{timeout_s:g}s"
    _retry_policy(reading, policy)
    if policy.get("retries") == 0:
        policy["wait_after_last"] = False  # of no retries at all LiteLLM makes no wait either
    _least_wait(reading, policy)
    _cooldown(reading, policy)
    _routing(reading, policy)
    _cache(reading)
    _remark_left_out(reading)
    return policy


def _timeout_s(reading: Reading) -> float | None:
    """Of an attempt: LiteLLM takes the library's `request_timeout` first, then the router's `timeout`."""
    router: Path = ("router_settings", "timeout")
    of_attempt_s = reading.number(("litellm_settings", "request_timeout"))
    of_router_s = reading.number(router)
    if of_attempt_s and of_router_s:
        reading.remark(
            router, "not carried over: of an attempt, litellm_settings.request_timeout prevails in LiteLLM 1.109"
        )
    return of_attempt_s or of_router_s


def setting(reading: Reading, key: str) -> int | None:
    """A count that the router is given itself, else the one of the whole library."""
    own = reading.count(("router_settings", key))
    general: Path = ("litellm_settings", key)
    if own is None:
        return reading.count(general)
    if reading.section("litellm_settings").get(key) is not None:
        reading.remark(general, f"not carried over: router_settings.{key} prevails")
    return own


def enforces_limits(reading: Reading) -> bool:
    """Whether the proxy itself refuses what is over a deployment's rpm and tpm."""
    return "enforce_model_rate_limits" in reading.entries("router_settings", "optional_pre_call_checks")


def _retry_policy(reading: Reading, policy: dict[str, Any]) -> None:
    path: Path = ("router_settings", "retry_policy")
    counts: dict[str, int] = {}
    for key in reading.section(*path):
        count = reading.count((*path, key))
        if key not in RETRIED and key != "DefaultRetries":
            what = "requests here have no content" if key.startswith("ContentPolicy") else "not known to this import"
            reading.remark((*path, key), what + meant(key, RETRIED) if key.endswith("Retries") else what)
        elif count is not None:
            counts[key] = count
    if not counts:
        return
    usual = counts.pop("DefaultRetries", policy.get("retries", RETRIES))
    retried = [each for each in BY_DEFAULT if usual]
    for key, count in counts.items():
        retried = [each for each in retried if each not in RETRIED[key]] + (list(RETRIED[key]) if count else [])
    positive = {count for count in counts.values() if count} | ({usual} if usual else set())
    policy["retries"] = max(positive, default=0)
    if retried != list(BY_DEFAULT) and policy["retries"]:
        policy["retry_on"] = retried
    if len(positive) > 1:
        reading.remark(path, f"several numbers of retries by kind of error: here {policy['retries']} after any of them")
    if counts.get("ServiceUnavailableErrorRetries") == 0 and "5xx" in retried:
        reading.remark((*path, "ServiceUnavailableErrorRetries"), "503 is one of 5xx here, which are retried")


def _least_wait(reading: Reading, policy: dict[str, Any]) -> None:
    """`retry_after`: the least wait before a retry, of which the longest one is 8 s."""
    path: Path = ("router_settings", "retry_after")
    least_s = reading.number(path)
    retries = policy.get("retries", RETRIES)
    if not least_s or least_s <= FIRST_WAIT_S:
        return
    if least_s >= min(FIRST_WAIT_S * 2.0 ** min(retries, 10), LONGEST_WAIT_S):
        policy["backoff"] = {
            "kind": "constant",
            "base": f"{min(least_s, LONGEST_WAIT_S):g}s",
            "jitter": "additive",
            "spread": "750ms",
        }
    else:
        reading.remark(path, "the least of waits that grow: waits here are 0.5 s x 2^k")


def _cooldown(reading: Reading, policy: dict[str, Any]) -> None:
    router: Path = ("router_settings",)
    cooldown: dict[str, Any] = {}
    if (allowed := reading.count((*router, "allowed_fails"))) is not None:
        cooldown["allowed_fails"] = allowed
    if "allowed_fails" in reading.section("litellm_settings"):
        reading.remark(
            ("litellm_settings", "allowed_fails"),
            "without effect: LiteLLM 1.109 counts it as set only in router_settings",
        )
    if for_s := reading.number((*router, "cooldown_time")):
        cooldown["for"] = f"{for_s:g}s"
    if reading.flag((*router, "disable_cooldowns")):
        policy["cooldown"] = "none"
    elif cooldown:
        policy["cooldown"] = cooldown


def _routing(reading: Reading, policy: dict[str, Any]) -> None:
    path: Path = ("router_settings", "routing_strategy")
    strategy = reading.text(path) or USUAL_ROUTING
    if strategy not in ROUTING:
        reading.remark(path, f"unknown strategy {shown(strategy)}{meant(strategy, ROUTING)}; {USUAL_ROUTING} is taken")
        strategy = USUAL_ROUTING
    args: Path = ("router_settings", "routing_strategy_args")
    kind = ROUTING[strategy]
    for key in reading.section(*args):
        if not (kind == "least_latency" and key == "lowest_latency_buffer"):
            reading.remark((*args, key), f"not carried over: {strategy} here has no such argument")
    buffer = reading.number((*args, "lowest_latency_buffer")) if kind == "least_latency" else None
    if buffer:
        policy["routing"] = {"kind": kind, "buffer": buffer}
    elif kind != "weighted":
        policy["routing"] = kind


def _cache(reading: Reading) -> None:
    if reading.flag(("litellm_settings", "cache")):
        reading.remark(
            ("litellm_settings", "cache"),
            "how often it hits is not written here: add policy.response_cache: {kind: share, hit_rate: ...}",
        )


def _remark_left_out(reading: Reading) -> None:
    for section, carried in _CARRIED.items():
        for key, value in reading.section(section).items():
            if value is not None and key not in carried and not (value is False and key in _LEFT_OUT):
                reading.remark((section, key), not_carried_over(key, value, _LEFT_OUT, _NO_ACCOUNT))
    checks: Path = ("router_settings", "optional_pre_call_checks")
    for position, check in enumerate(reading.entries(*checks)):
        if check != "enforce_model_rate_limits":
            reading.remark((*checks, position), f"not carried over: {shown(check)} is not simulated")
    for key, value in reading.section("general_settings").items():
        if value is not None:
            reading.remark(("general_settings", key), "not carried over: of the proxy itself, which is not simulated")
    for name, content in reading.document.content.items():
        if name not in ("model_list", "general_settings", *_CARRIED) and content is not None:
            what = "only this file is read" if name == "include" else "not a section that this import reads"
            reading.remark((name,), f"not carried over: {what}")
