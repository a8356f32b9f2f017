"""The records of a replication: the plan's, which stay as they are, and those of its state."""

from typing import Any, Final, NamedTuple

import numpy as np

from des.compiled.kernel.memory import Records


def _type(
    floats: str = "", integers: str = "", flags: str = "", *, numbers: str = "", codes: str = ""
) -> np.dtype[Any]:
    """A record of floats, integers of 64 bits, flags, numbers of 32 bits and codes of 16.

    The narrow ones are of the records of which there are many, so that the processor's caches hold more of them. The
    kernel reads all integers as 64 bits.
    """
    of_kind = ((floats, "f8"), (integers, "i8"), (numbers, "i4"), (codes, "i2"), (flags, "?"))
    return np.dtype([(name, kind) for names, kind in of_kind for name in names.split()], align=True)


RUN: Final = _type(
    "now_s horizon_s cut_s deadline_s incidents_until_s answer first_round_wait_s count_from_s count_until_s"
    " hit_rate ttl_s mark_units",
    "answering kinds purposes calls_kept legs rounds round_waits application broken_stream events event_places"
    " next_order next_event_id arrivals arrival change changes arrived open orphans attempt_rows attempt_places"
    " request_rows request_places transition_rows transition_places refusal_rows refusal_places free_slots slots depth"
    " first_limit first_capacity first_other first counted_from counted_until left users useless_mask"
    " throttle_mask fallback_depth most_entries order_router groups budgets most_guards waiters free_calls most_flights"
    " keys mark_input mark_output mark_requirement probes",
    "over wrong arrivals_are_over keeps_memory done_is_due has_drain has_response_cache has_hit_rate orders_entries"
    " has_begun is_window first_is_free",
)
LEG: Final = _type(
    "hang_rate invalid_rate broken_rate connect_s first_token_s idle_s total_s least_bound_s last_kill_s prefix_share"
    " prefix_ttl_s warm_until_s max_wait_s throttle_k throttle_window_s asked_s begun_s ramp_start ramp_over_s"
    " ramp_reset_s weight rpm tpm hedge_after_s",
    "index endpoint first_error errors capacity input_price cached_price write_price output_price per_request per_unit"
    " first_kill kills first_inner inner first_limit limits budgets first_surge surges entity first_guard guards budget"
    " shaper free_places places lost queue queued waiting throttle_requests throttle_accepts probe_streak"
    " unhealthy_after healthy_after health_kind tier samples busy minute calls_this_minute tokens_this_minute latencies"
    " costs hedges rot_kind rot_outcome rot_delay rot_cycle rot_order",
    "fails_by_chance spoils has_whole has_connect has_first_token has_speed counts_calls learns is_closed has_limits"
    " counts_ends charges_refusals has_prefix has_health healthy has_bulkhead refuses_as_429 has_ramp has_throttling"
    " has_statistics has_hedge hedge_runs hedge_is_billed hedges_next has_rot is_broken awaits_notice",
)
ERROR: Final = _type("told_s", "kind delay")
EFFECT: Final = _type("error_rate hang latency_factor told_s", "kind delay", "is_outage")
DELAY: Final = _type("value", "", "is_constant")
INCIDENT: Final = _type("", "effect component")
CHANGE: Final = _type("time_s", "priority order first count state")
NUMBER: Final = np.dtype([("value", "f8")])
WHOLE: Final = np.dtype([("value", "i8")])
CONDITION: Final = _type("factor", "count slowest first", "hangs is_outage")
COMPONENT: Final = _type("", "entity kind state open outages")
REQUIRED: Final = _type("", "first count")
ENTRY: Final = _type("panic", "index open_leg first_leg legs rule falls_back router", "once bypasses prefers_peers")
ROUTER: Final = _type("buffer", "kind choices owner last", "ties_first")
RULE: Final = _type(
    "timeout_s attempt_timeout_s first_wait_s retry_after_cap_s retry_after_total_s spread_s",
    "retries timed_out attempt_timed_out retried heeds place waits throttled_waits above combine",
    "waits_after_last is_application is_bounded is_budgeted is_deterministic honours ends_when_all_out",
)
WAITS: Final = _type("base_s factor cap_s spread_s low high most_s", "kind jitter", "has_jitter")
STREAM: Final = _type("value", "tags")
REQUEST: Final = _type(
    "arrival_s deadline_s units backoff_s queued_s waiting_since_s retry_after_total_s now_s retry_after_s last_start_s"
    " last_end_s give_up_s hedge_s own_end_s",
    "id draw cost last_cost left_out waiter",
    "is_open hangs struck_is_whole has_result let_in strands is_bypassed has_own",
    numbers="slot input_tokens output_tokens requirement rounds round_waits attempts unrecorded last_leg last_cause_id"
    " last_output last_call leg open_leg entry depth result_leg result_nth struck user picked decisions waits_at wanted"
    " flights hedges_sent own_place",
    codes="waits refused_by last_outcome last_cause due stage result outcome own_outcome",
)
PAST: Final = _type("taken", "", "has_deposited has_begun")
LAYER: Final = _type(
    "waited_s until_s attempt_until_s retry_after_s",
    "",
    "is_chain is_over renews is_whole attempt_is_whole",
    numbers="rule entry first_inside inside retry granted owner attempt_owner first_entry entries place made rounds",
    codes="outcome",
)
CALL: Final = _type(
    "start_s end_s retry_after_s after_s told_s connect_s first_token_s gap_s whole_s unbroken_s speed queued_s factor",
    "place leg nth attempt outcome cause cause_id failure failure_cause failure_id response slowest cost input_tokens"
    " cached_tokens output_tokens kind",
    "failed has_condition is_warm has_tickets",
)
EVENT: Final = _type("time_s", "order extra", numbers="who", codes="priority what")
ARRIVAL_MARKS: Final = _type("time_s units", "input_tokens output_tokens requirement")
LIMIT: Final = _type(
    "rate_per_s burst window_s growth retry_after_step_s tokens refilled_at_s used before",
    "index metric algorithm counted estimated_output delay entity entity_kind window pending numbered times amounts"
    " gone ends",
    "counts_refused counts_failed counts_cached sends_retry_after counts_by_number is_known refuses",
)
CAPACITY: Final = _type("", "index queue delay entity entity_kind free_at starts", "refuses")
GUARD: Final = _type(
    "failure_share window_s open_s cooldown_s rate_limited_s every_s for_s longest_s most first_end_s until_s"
    " failed_opened_s served_opened_s",
    "index what kind leg entity entity_kind state age streak half_open failures_in_a_row minimum calls fails at_once"
    " always counted_only refusals allowed_fails all_failed deployments times failures failed served probes_started"
    " probes_ended probes_failed times_out pool",
    "stops_calls is_out own_windows is_spared honours_retry_after renews always_eject_one check_is_due",
)
POOL: Final = _type("", "legs ejected")
BUDGET: Final = _type(
    "share per_second ttl_s capacity retry_cost throttle_cost success left",
    "kind active retrying minimum requests retries tokens most ratio deposit",
)
SHAPER: Final = _type("tat_s rate_per_s burst max_wait_s", "queue leave")
SURGE: Final = _type("load capacity_per_s", "own first_fled fled")
PROBE: Final = _type("every_s timeout_s", "leg nth order call", "is_of_health")
LIST: Final = _type("", "address places first count")
"""A list of floats or integers in memory that Python enlarges: `count` from the place `first` on."""
REFUSAL: Final = _type("", "minute leg reason")


class World(NamedTuple):
    """Arrays of records; in the kernel, pointers to their first ones."""

    addresses: Records  # of the others, for the compiled kernel
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
    entry_legs: Records
    routers: Records  # of the entries, then of the groups
    requirements: Records  # first entry and number of entries, of each requirement; the last of those without
    rules: Records
    waits: Records
    waits_s: Records  # before jitter, by waits and number
    streams: Records
    requests: Records
    layers: Records  # by slot and depth
    calls_made: Records  # by slot and leg
    picks: Records  # by slot and group
    pasts: Records  # by slot and budget
    tickets: Records  # by slot and guard
    flights: Records  # calls, by slot
    orders: Records  # entries, by slot
    free: Records  # slots
    calls: Records  # one that is not hedged, those of probes, and copies
    free_calls: Records
    call_tickets: Records  # by call and guard
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
    guards: Records
    pools: Records
    budgets: Records
    shapers: Records
    surges: Records
    surges_of_legs: Records
    fled: Records  # endpoints
    probes: Records
    probe_requests: Records
    users: Records  # requests that each has sent
    cumulative: Records  # popularity of keys of the response cache
    expires: Records
    candidates: Records
    scratch: Records
    lists: Records


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
(
    STAGE_PICK,
    STAGE_LEARN,
    STAGE_WAIT,
    STAGE_DECIDE,
    STAGE_CACHE,
    STAGE_SHAPED,
    STAGE_PLACED,
    STAGE_COPY,
    STAGE_FLIGHT,
) = range(9)
"""What a request does when it goes on: calls, learns of its call's end, ends a wait, decides what follows, is answered
by the cache, leaves the shaper or the bulkhead's queue, sends a copy, or learns of the end of a hedged call."""
NO_WAIT, WAITS_BACKOFF, WAITS_QUEUE = range(3)
NOT_REFUSED, REFUSED_BY_OPEN_CIRCUIT, REFUSED_BY_CLIENT = range(3)
NONE_STRUCK, DEADLINE_STRUCK = -2, -1
(
    REQUEST_RESUMES,
    WAIT_ENDS,
    WAITER_GIVES_UP,
    GUARD_TIMER,
    ORPHAN_ENDS,
    USER_SENDS,
    PROBE_COMES,
    PROBE_ENDS,
    LEG_ROTS,
    ROT_IS_NOTICED,
    LEG_IS_REPAIRED,
    HORIZON_COMES,
    CUT_COMES,
    RUN_IS_DONE,
    COUNT_BEGINS,
    COUNT_ENDS,
) = range(16)
"""What an event is."""
