"""AI gateways: their default retries, failover, cooldowns and breakers."""

from typing import Any, Final

from des.catalogue.presets.preset import Preset

READ: Final = "2026-11-22"

ANY_ERROR: Final = ("4xx", "5xx", "timeout", "connection_error")


def _any_error() -> list[str]:
    return list(ANY_ERROR)


LITELLM: Final[dict[str, Any]] = {
    "retries": 2,
    "retry_on": [401, 403, 408, 409, 429, "5xx", "timeout", "connection_error"],
    "fallback_on": _any_error(),
    "timeout": "6000s",
    "backoff": {
        "kind": "exponential",
        "base": "500ms",
        "factor": 2,
        "cap": "8s",
        "jitter": "additive",
        "spread": "750ms",
    },
    "retry_after": {"mode": "honour", "cap": "60s", "above": "ignore", "combine": "replace", "spread": "750ms"},
    "wait_after_last": "after_retries",
    "wait_with_healthy_peer": False,
    "end_when_all_out": True,
    "cooldown": {
        "on": ["rate_limited", 402],
        "counts": ["server_error", "overloaded", "rate_limited", "timeout", "connection_error", 408],
        "counted_only": ["4xx"],
        "share": "50%",
        "minimum": 5,
        "all_failed": 1000,
        "window": "60s",
        "own_windows": True,
        "also_on": [401, 404],
        "spares_fallbacks": True,
        "for": "5s",
        "retry_after": True,
        "renews": False,
    },
    "routing": "weighted",
    "ties": "first",
}

_PORTKEY: Final[dict[str, Any]] = {
    "retries": 0,
    "retry_on": [429, 500, 502, 503, 504, "connection_error"],
    "fallback_on": _any_error(),
    "backoff": {"kind": "exponential", "base": "1s", "factor": 2},
    "retry_after": {
        "mode": "honour",
        "above": "refuse",
        "on": ["rate_limited"],
        "combine": "replace",
        "total": "60s",
    },
    "routing": {"kind": "weighted", "once": True},
}
"""As measured on the real Router by `benchmarks/real_litellm.py`; versions 1.109.1 and 1.110.2 behave the same."""

LITELLM_NOT_MODELLED: Final = (
    "LiteLLM honours a Retry-After of 1 to 60 whole seconds; here a fraction such as 0.4 s is honoured too. 0 leaves "
    "the back-off, in both.",
    "The preset is for OpenAI and providers with its API. For others, LiteLLM does not retry a 403 of a single "
    "deployment.",
    "LiteLLM never retries a 401 of a single deployment; here it is retried if cooldowns are off.",
    "In LiteLLM, a fallback that has its own fallbacks may cool by allowed_fails: write spares_fallbacks: false on its "
    "cooldown. max_fallbacks (5) bounds the nesting of such lists: write fallback_depth.",
    "In LiteLLM, usage_based may refuse while another deployment has room, because its counts are not up to date.",
    "Context-window and content-policy fallbacks: requests here have no content.",
)

GATEWAYS: Final = (
    Preset(
        name="litellm",
        version="1.109",
        kind="gateway",
        title="LiteLLM router and proxy",
        policy=LITELLM,
        source=(
            "package litellm 1.109.1: router_python_core.py, router_utils/cooldown_handlers.py, "
            "router_utils/fallback_event_handlers.py, constants.py"
        ),
        date=READ,
        not_modelled=LITELLM_NOT_MODELLED,
    ),
    Preset(
        name="litellm",
        version="1.110",
        kind="gateway",
        title="LiteLLM router and proxy",
        policy=LITELLM,
        source=(
            "package litellm 1.110.2: router.py over the Rust core in router_rust, router_attempt.py, "
            "router_utils/cooldown_handlers.py, router_utils/fallback_event_handlers.py, constants.py; behaves as 1.109"
        ),
        date="2026-11-28",
        not_modelled=LITELLM_NOT_MODELLED,
    ),
    Preset(
        name="portkey",
        version="2026-05",
        kind="gateway",
        title="Portkey gateway, open source",
        policy=_PORTKEY,
        source="repository Portkey-AI/gateway: src/handlers/retryHandler.ts, src/globals.ts",
        date=READ,
        not_modelled=(
            "In Portkey, Retry-After is an option (use_retry_after_header), off by default: retry_after: ignore.",
            "In Portkey, the waits after a Retry-After are 0.",
            "Portkey cuts a Retry-After to whole seconds, and refuses one of 60 s; here one of 60 s is waited for. 0 "
            "leaves the back-off, in both.",
            "The headers retry-after-ms and x-ms-retry-after-ms, which count before Retry-After.",
        ),
    ),
    Preset(
        name="portkey-hosted",
        version="2026-05",
        kind="gateway",
        title="Portkey's hosted gateway, with its circuit breaker",
        policy={
            **_PORTKEY,
            "breaker": {
                "kind": "time_window",
                "window": "60s",
                "failure_share": "20%",
                "minimum": 10,
                "open": "30s",
                "counts": ["5xx"],
                "all_open": "bypass",
            },
        },
        source="documentation portkey.ai/docs: product/ai-gateway/circuit-breaker (2026-09-15)",
        date=READ,
        not_modelled=(
            "In Portkey, the share and its minimum have no default: here they are from the documentation's example.",
            "The window in which failures count is undocumented: 60 s are assumed.",
            "In Portkey, statuses above 500 count by default; here 500 counts as well.",
            "Portkey's targets are the legs of a group here: put them into one group of the chain, routing: ordered.",
        ),
    ),
    Preset(
        name="bifrost",
        version="2026",
        kind="gateway",
        title="Bifrost gateway",
        policy={
            "retries": 0,
            "retry_on": [429, "5xx", "timeout", "connection_error"],
            "fallback_on": _any_error(),
            "timeout": "30s",
            "backoff": {
                "kind": "exponential",
                "base": "500ms",
                "factor": 2,
                "cap": "5s",
                "jitter": "scaled",
                "low": 0.8,
                "high": 1.2,
            },
            "retry_after": "ignore",
        },
        source="repository maximhq/bifrost: core/bifrost.go, core/utils.go",
        date=READ,
        not_modelled=(
            "Several keys of one provider. In Bifrost, a 429 moves on to the next key; a 401, 402 or 403 removes a key "
            "permanently.",
        ),
    ),
    Preset(
        name="kong-ai",
        version="3.13",
        kind="gateway",
        title="Kong AI Gateway, plugin ai-proxy-advanced",
        policy={
            "retries": 5,
            "retry_on": ["timeout", "connection_error"],
            "fallback_on": ["timeout", "connection_error"],
            "timeout": "60s",
            "backoff": "none",
            "retry_after": "ignore",
            "routing": "round_robin",
        },
        source="documentation developer.konghq.com: plugin ai-proxy-advanced 3.13, reference",
        date=READ,
        not_modelled=(
            "A retry goes to the next target of a group: put the targets into one group of the chain.",
            "Kong's breaker is off by default: for max_fails: N, write breaker: {kind: consecutive, failures: N, "
            "open: 10s, half_open: null}.",
        ),
    ),
    Preset(
        name="cloudflare-ai",
        version="2026",
        kind="gateway",
        title="Cloudflare AI Gateway, with its maximum number of retries",
        policy={
            "retries": 4,
            "retry_on": [429, "5xx", "timeout", "connection_error"],
            "backoff": {"kind": "exponential", "base": "100ms", "factor": 2, "cap": "5s"},
            "retry_after": "ignore",
        },
        source="documentation developers.cloudflare.com/ai-gateway: configuration/request-handling (2026-06-15)",
        date=READ,
        not_modelled=(
            "In Cloudflare, attempts, delay and kind of back-off have no default: here the delay is the shortest one.",
            "The retried statuses are undocumented: 429 and 5xx are assumed.",
            "Cloudflare's timeout is to the first byte (timeout: {first_token: ...}); the last attempt has none.",
        ),
    ),
    Preset(
        name="helicone",
        version="2025-07",
        kind="gateway",
        title="Helicone AI Gateway",
        policy={
            "ejection": {
                "share": "10%",
                "minimum": 20,
                "window": "60s",
                "every": "5s",
                "for": "30s",
                "longest": "30s",
                "on_rate_limited": "30s",
            },
            "routing": {"kind": "least_busy", "choices": 2},
        },
        source="repository Helicone/ai-gateway: ai-gateway/src/discover/monitor, ai-gateway/src/config",
        date=READ,
        not_modelled=(
            "In Helicone, an endpoint returns once its errors have left the window of 60 s; here after 30 s, if they "
            "have.",
            "Helicone compares two endpoints by a moving average of latency times calls in flight.",
        ),
    ),
)
