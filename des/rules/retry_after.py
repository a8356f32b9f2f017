"""What a client makes of a `Retry-After`: honoured, clipped, refused or ignored, and joined with its own back-off.

NaN is no header, infinity no retry at all.
"""

from math import inf, isnan, nan


def honoured_s(asked_s: float, cap_s: float, above: str) -> float:
    """The wait that the header is worth; NaN where the client goes by its back-off alone, infinity for no retry.

    Above the cap: `clip` waits the cap, `refuse` does not retry, `ignore` goes by the back-off. A header of 0 is none.
    openai-python 3.54 (_base_client.py): cap 120 s, refuse; anthropic-sdk 2.12: no cap; litellm 1.109
    (router_python_core.py): cap 60 s, ignore.
    """
    if isnan(asked_s) or asked_s <= 0.0:
        return nan
    if asked_s <= cap_s:
        return asked_s
    if above == "clip":
        return cap_s
    return inf if above == "refuse" else nan


def spread_out_s(honoured_s: float, u: float, spread_s: float) -> float:
    """The header's wait plus U(0, spread): litellm 1.109 adds 0.75 U. NaN and infinity stay what they are."""
    return honoured_s + u * spread_s


def combined_s(backoff_s: float, honoured_s: float, combine: str) -> float:
    """The wait before the retry: the back-off where no header counts; else the longer of both (`max`) or the header
    in its place (`replace`: openai-python, anthropic-sdk, litellm)."""
    if isnan(honoured_s):
        return backoff_s
    return max(backoff_s, honoured_s) if combine == "max" else honoured_s


def cap_within_total_s(cap_s: float, waited_s: float, total_s: float) -> float:
    """The cap of the next header, where all headers of one request may make it wait `total_s` and have so `waited_s`.

    portkey 2026-05 (src/handlers/retryHandler.ts): 60 s in all, and no retry beyond it.
    """
    return max(0.0, min(cap_s, total_s - waited_s))
