"""The records of a replication: the plan's, which stay as they are, and those of its state."""

from typing import Any, Final, NamedTuple

import numpy as np

from des.compiled.kernel.memory import Records, pointer


def _type(floats: str = "", integers: str = "", flags: str = "") -> np.dtype[Any]:
    fields: list[tuple[str, str]] = [(name, "f8") for name in floats.split()]
    fields += [(name, "i8") for name in integers.split()]
    fields += [(name, "?") for name in flags.split()]
    return np.dtype(fields, align=True)


RUN: Final = _type(
    "now_s horizon_s cut_s begin_s deadline_s incidents_until_s answer first_round_wait_s"
    " count_from_s count_until_s progress_s hit_rate ttl_s",
    "answering seed kinds purposes calls_kept legs rounds round_waits application broken_stream drain"
    " events event_places next_order next_event_id arrivals arrival change changes arrived open orphans"
    " attempt_rows attempt_places request_rows request_places transition_rows transition_places refusal_rows"
    " refusal_places free_slots slots depth most_open first_limit first_capacity first_other"
    " first counted_from counted_until left"
    " users accepts_mask useless_mask throttle_mask fallback_depth steps",
    "over wrong arrivals_are_over keeps_memory is_window done_is_due is_closed has_drain",
)
LEG: Final = _type(
    "hang_rate invalid_rate broken_rate connect_s first_token_s idle_s total_s least_bound_s last_kill_s"
    " prefix_share prefix_ttl_s warm_until_s",
    "index endpoint first_error errors capacity input_price cached_price write_price output_price"
    " per_request per_unit first_kill kills"
    " first_inner inner first_limit limits budgets position",
    "fails_by_chance spoils has_whole has_connect has_first_token has_speed counts_calls learns is_open has_limits"
    " counts_ends charges_refusals has_prefix",
)
ERROR: Final = _type("told_s", "kind delay")
EFFECT: Final = _type("error_rate hang latency_factor told_s", "kind delay", "is_outage")
DELAY: Final = _type("value", "", "is_constant")
INCIDENT: Final = _type("", "effect component")
CHANGE: Final = _type("time_s", "priority order first count state")
HIT: Final = _type("", "incident first count")
NUMBER: Final = np.dtype([("value", "f8")])
WHOLE: Final = np.dtype([("value", "i8")])
CONDITION: Final = _type("factor", "count slowest first", "hangs is_outage")
COMPONENT: Final = _type("", "entity kind state open outages")
REQUIRED: Final = _type("", "first count")
ENTRY: Final = _type("", "index open_leg first_leg legs rule falls_back")
RULE: Final = _type(
    "timeout_s attempt_timeout_s first_wait_s retry_after_cap_s retry_after_total_s spread_s",
    "retries timed_out attempt_timed_out retried heeds place waits throttled_waits above combine",
    "waits_after_last is_application is_bounded is_budgeted is_deterministic honours ends_when_all_out prefers_peers",
)
WAITS: Final = _type("base_s factor cap_s spread_s low high most_s", "kind jitter", "has_jitter")
STREAM: Final = _type("value", "tags")
REQUEST: Final = _type(
    "arrival_s deadline_s units backoff_s queued_s waiting_since_s retry_after_total_s now_s retry_after_s"
    " last_start_s last_end_s",
    "slot id draw input_tokens output_tokens requirement rounds round_waits attempts cost waits unrecorded"
    " refused_by last_leg last_outcome last_cause last_cause_id last_cost last_output"
    " due leg open_leg entry depth stage"
    " result result_leg result_nth struck outcome user",
    "is_open hangs struck_is_whole has_result",
)
LAYER: Final = _type(
    "waited_s until_s attempt_until_s retry_after_s",
    "rule entry first_inside inside retry granted owner attempt_owner first_entry entries place made rounds outcome",
    "is_chain is_over renews is_whole attempt_is_whole",
)
CALL: Final = _type(
    "start_s end_s retry_after_s after_s told_s connect_s first_token_s gap_s whole_s unbroken_s speed queued_s factor",
    "place leg nth attempt outcome cause cause_id failure failure_cause failure_id response slowest cost cached_tokens"
    " output_tokens kind",
    "failed has_condition is_warm",
)
EVENT: Final = _type("time_s", "priority order what who extra")
ARRIVAL_MARKS: Final = _type("time_s units", "input_tokens output_tokens requirement")
LIMIT: Final = _type(
    "rate_per_s burst window_s growth retry_after_step_s tokens refilled_at_s used before",
    "index metric algorithm counted estimated_output delay entity entity_kind window pending"
    " numbered times amounts gone ends",
    "counts_refused counts_failed counts_cached sends_retry_after counts_by_number is_known is_budget refuses",
)
CAPACITY: Final = _type("", "index queue delay entity entity_kind free_at starts concurrent", "refuses has_queue")
LIST: Final = _type("", "address places first count")
"""A list of floats or integers in memory that Python enlarges: `count` from the place `first` on."""
REFUSAL: Final = _type("", "minute leg reason")


class World(NamedTuple):
    """Arrays of records; in the kernel, pointers to their first ones."""

    run: Records
    legs: Records
    outcomes: Records  # standard outcome of each kind
    modes: Records  # of billing, by leg and kind
    errors: Records
    rates: Records  # of random errors
    effects: Records
    delays: Records
    incidents: Records
    changes: Records
    changing: Records  # incidents of the changes
    hit: Records  # endpoints hit by incidents: the first of each, and one more
    hits: Records  # endpoints
    conditions: Records  # by endpoint
    open_incidents: Records  # by endpoint and place
    open_error_rates: Records
    open_hangs: Records
    components: Records
    entries: Records
    requirements: Records  # first entry and number of entries, of each requirement; the last of those without
    rules: Records
    waits: Records
    waits_s: Records  # before jitter, by waits and number
    streams: Records
    requests: Records
    layers: Records  # by slot and depth
    calls_made: Records  # by slot and leg
    free: Records  # slots
    calls: Records  # one that is not hedged, and copies
    kills: Records  # starts of incidents that kill calls, by endpoint
    events: Records
    arrivals: Records
    attempt_rows: Records
    request_rows: Records
    transition_rows: Records
    refusal_rows: Records
    limits: Records
    limits_of_legs: Records
    capacities: Records
    lists: Records


def pointers(world: World) -> World:
    """The same world as the kernel reads it."""
    return World(
        pointer(world.run),
        pointer(world.legs),
        pointer(world.outcomes),
        pointer(world.modes),
        pointer(world.errors),
        pointer(world.rates),
        pointer(world.effects),
        pointer(world.delays),
        pointer(world.incidents),
        pointer(world.changes),
        pointer(world.changing),
        pointer(world.hit),
        pointer(world.hits),
        pointer(world.conditions),
        pointer(world.open_incidents),
        pointer(world.open_error_rates),
        pointer(world.open_hangs),
        pointer(world.components),
        pointer(world.entries),
        pointer(world.requirements),
        pointer(world.rules),
        pointer(world.waits),
        pointer(world.waits_s),
        pointer(world.streams),
        pointer(world.requests),
        pointer(world.layers),
        pointer(world.calls_made),
        pointer(world.free),
        pointer(world.calls),
        pointer(world.kills),
        pointer(world.events),
        pointer(world.arrivals),
        pointer(world.attempt_rows),
        pointer(world.request_rows),
        pointer(world.transition_rows),
        pointer(world.refusal_rows),
        pointer(world.limits),
        pointer(world.limits_of_legs),
        pointer(world.capacities),
        pointer(world.lists),
    )


CHARGE_NOTHING, CHARGE_INPUT, CHARGE_PARTIAL, CHARGE_FULL = range(4)
"""How an outcome is billed."""
MODES: Final = ("none", "input", "partial", "full")

(
    CROWD,
    HANG,
    INCIDENT_ERROR,
    RANDOM_ERROR,
    BROKEN,
    INVALID,
    BACKOFF,
    WHOLE_RESPONSE,
    CONNECT,
    FIRST_TOKEN,
    SPEED,
    AFTER,
    SPREAD,
    RAMP,
    THROTTLE,
    TIME_TO_ROT,
    REPAIR,
    FIRST_INNER,
) = range(18)
"""What a stream of a leg decides. Two of each layer inside a call follow, for back-off and spread, then the delays."""
APPLICATION_BACKOFF, APPLICATION_SPREAD, ROUND_BACKOFF, CACHE_KEY, CACHE_LATENCY, THINK = range(6)
"""What a stream of the client decides, which follows the legs."""

WAITS_AT_HAND: Final = 128
"""Waits of a back-off that are tabulated."""
TAGS: Final = 64
"""Blocks of a stream that are kept: a power of two."""
STAGE_PICK, STAGE_LEARN, STAGE_WAIT, STAGE_DECIDE = range(4)
NO_WAIT, WAITS_BACKOFF, WAITS_QUEUE = range(3)
NOT_REFUSED, REFUSED_BY_OPEN_CIRCUIT, REFUSED_BY_CLIENT = range(3)
NONE_STRUCK, DEADLINE_STRUCK = -2, -1
REQUEST_RESUMES, HORIZON_COMES, CUT_COMES, RUN_IS_DONE, COUNT_BEGINS, COUNT_ENDS = range(6)
"""What an event is."""
