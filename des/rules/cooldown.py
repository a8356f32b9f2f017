"""Cooldowns of deployments in a group, as LiteLLM decides them: litellm 1.109, router_utils/cooldown_handlers.py.

No half-open state: when a cooldown expires, full traffic returns.
"""

from math import isnan


def window_is_open(opened_s: float, window_s: float, now_s: float) -> bool:
    """Whether the counters of a window opened by its first event still count; the next event opens another."""
    return now_s < opened_s + window_s


def cools(
    *,
    at_once: bool,
    always: bool,
    deployments: int,
    failed: int,
    calls: int,
    share: float | None,
    minimum: int,
    all_failed: int | None,
) -> bool:
    """Whether a deployment cools down after a failed call; the default algorithm.

    `at_once`: the outcome (429) cools at once where the group has several deployments; `always`: it cools in any group
    (401, 404). `failed` of `calls` ended calls of the window, this one included: all of at least `all_failed` (1000),
    or more than the share (50 %) of at least `minimum` (5) in a group of several. None switches a condition off.
    """
    several = deployments > 1
    if always or (at_once and several):
        return True
    if all_failed is not None and calls >= all_failed and failed == calls:
        return True
    return several and share is not None and calls >= minimum and failed / calls > share


def exceeds_allowed(fails: int, allowed_fails: int) -> bool:
    """With `allowed_fails` set, in place of the default: the failures within the cooldown time, this one included,
    exceed it."""
    return fails > allowed_fails


def lasts_s(for_s: float, asked_s: float, *, retry_after: bool) -> float:
    """How long a deployment cools: its Retry-After where one was given (0: not at all) and counts, or the default 5 s.

    `asked_s` is NaN without a header.
    """
    return asked_s if retry_after and not isnan(asked_s) else for_s
