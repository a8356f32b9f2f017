"""A plan as arrays: what the kernel reads of it, the same for every replication."""

from math import inf, nan
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.compiled.client_tables import ClientTables, filled, mask, rows, whole
from des.compiled.kept import Kept
from des.compiled.kernel import limits
from des.compiled.kernel.world import (
    CAPACITY,
    COMPONENT,
    DELAY,
    ENTRY,
    ERROR,
    FIRST_INNER,
    LEG,
    LIMIT,
    MODES,
    NUMBER,
    REQUIRED,
    RULE,
    WAITS,
    WAITS_AT_HAND,
)
from des.distributions import Constant, Distribution
from des.engine.codes import Kinds, Names
from des.engine.incidents import last_kill_s
from des.engine.retries import APPLICATION
from des.engine.retries import ENTRY as ENTRY_RULE
from des.rules.billing import picodollars
from des.rules.retry import backoff_s
from des.scenario import plan as plans
from des.vocabulary import (
    INVALID_OUTPUT,
    OVERLOADED,
    RATE_LIMITED,
    REQUEST_DEADLINE,
    REQUEST_FAILED,
    REQUEST_OUTCOMES,
    TIMEOUT,
)

Array = NDArray[Any]

_ALGORITHMS: Final = ("requests", "token_bucket", "fixed_window", "sliding_log", "acceleration", "concurrency")
_METRICS: Final = ("requests", "input_tokens", "output_tokens", "tokens", "concurrency")
_COUNTED: Final = ("dispatch", "estimate", "success")
_JITTERS: Final = ("none", "full", "equal", "additive", "scaled", "decorrelated")
_ABOVE: Final = ("clip", "refuse", "ignore")
_COMBINED: Final = ("max", "replace")


class Tables:
    """The records of one plan. `delays` lists (purpose, distribution) of streams by what they delay."""

    def __init__(self, plan: plans.Plan) -> None:
        self.plan = plan
        self.kinds = Kinds(plan)
        self.names = Names.of(plan)
        self.delays: list[tuple[str, Distribution]] = []
        self._waits: list[plans.Backoff] = []
        self._rules: list[Array] = []
        self.effects: list[plans.Effect] = []
        self.inner_layers = max((len(leg.inner) for leg in plan.client.legs), default=0)
        self.first_delay = FIRST_INNER + 2 * self.inner_layers
        kinds = self.kinds
        self.useless_mask = mask(kinds.of_outcomes((INVALID_OUTPUT,)))
        self.throttle_mask = mask(kinds.of_outcomes((RATE_LIMITED, OVERLOADED)))
        self.outcomes = whole(kinds.outcomes)
        self.errors, self.rates = self._error_tables()
        self.limits = self._limit_table()
        self.capacities = self._capacity_table()
        self.application = -1 if plan.client.application is None else self._rule(plan.client.application, APPLICATION)
        self.client = ClientTables(plan, kinds, self.names)
        self.legs, self.modes, self.limits_of_legs = self._leg_tables()
        self.entry_legs: list[int] = []
        self.entries, self.requirements = self._entry_tables()
        self.order_router = self.client.router(plan.client.order, len(plan.client.groups))
        self.keeps_memory = bool((self.entries["open_leg"] < 0).any())
        self.entry_leg_table = whole(self.entry_legs)
        self.round_waits = self._waits_number(plan.policy.round_backoff)
        self.components = self._component_table()
        self.delay_of_effect: dict[plans.Effect, int] = {}
        for component in plan.components:
            for incidents in component.incidents:
                for effect in incidents.every_effect:
                    if effect not in self.delay_of_effect:
                        self.delay_of_effect[effect] = self._delay("incident_latency", effect.error_latency)
        self.delay_table = rows(len(self.delays), DELAY)
        for number, (_, distribution) in enumerate(self.delays):
            self.delay_table[number]["is_constant"] = isinstance(distribution, Constant)
            self.delay_table[number]["value"] = distribution.value if isinstance(distribution, Constant) else nan
        self.rules = np.concatenate(self._rules) if self._rules else rows(0, RULE)
        self.waits, self.waits_s = self._wait_tables()
        self.purposes = self.first_delay + len(self.delays)
        self.depth = 3 + self.inner_layers

    def _delay(self, purpose: str, distribution: Distribution) -> int:
        key = (purpose, distribution)
        if key not in self.delays:
            self.delays.append(key)
        return self.delays.index(key)

    # Endpoints and legs

    def _error_tables(self) -> tuple[Array, Array]:
        self._errors_of: list[tuple[int, int]] = []
        errors: list[tuple[float, int, int]] = []
        rates: list[float] = []
        for endpoint in self.plan.endpoints:
            own = [error for error in endpoint.errors if error.outcome not in ("invalid_output", "hang")]
            self._errors_of.append((len(errors), len(own)))
            for error in own:
                delay = self._delay(f"{error.outcome}_latency", error.latency)
                errors.append((error.told_s, self.kinds.code(error.outcome, error.status), delay))
                rates.append(error.rate)
        return filled(errors, ERROR), filled(rates, NUMBER)

    def _leg_tables(self) -> tuple[Array, Array, Array]:
        plan, kinds = self.plan, self.kinds
        table = rows(len(plan.chain), LEG)
        modes: list[int] = []
        limits_of: list[int] = []
        learns = {
            index: not group.retry.waits_with_healthy_peer for group in plan.client.groups for index in group.legs
        }
        for leg, client in zip(plan.chain, plan.client.legs, strict=True):
            endpoint, row = plan.endpoints[leg.endpoint], table[leg.index]
            row["index"], row["endpoint"] = leg.index, leg.endpoint
            self._fill_service(row, leg, endpoint)
            self._fill_tariff(row, leg, endpoint)
            names = [endpoint.billing[name] for name in kinds.names]
            if endpoint.broken_streams is not None:
                names[kinds.broken_stream] = endpoint.billing["broken_stream"]
            modes.extend(MODES.index(name) for name in names)
            row["first_limit"], row["budgets"] = len(limits_of), len(leg.limits)
            own = [*leg.limits, *endpoint.limits]
            limits_of.extend(own)
            row["limits"], row["has_limits"] = len(own), bool(own)
            row["counts_ends"] = any(not self.limits[index]["is_known"] for index in own)
            refused = any(self.limits[index]["counts_refused"] for index in endpoint.limits)
            row["charges_refusals"] = bool(leg.limits) or refused
            row["capacity"] = -1 if endpoint.capacity is None else endpoint.capacity
            row["first_inner"], row["inner"] = len(self._rules), len(client.inner)
            for place, rule in enumerate(client.inner):
                self._rule(rule, place)
            row["entity"] = self.names.entities.index(leg.name)
            self._fill_rot(row, leg)
            self.client.fill_leg(row, client, leg.index)
            row["learns"] = learns[leg.index] or any(
                row[name] for name in ("has_rot", "has_prefix", "has_statistics", "is_closed")
            )
        return table, whole(modes), whole(limits_of)

    def _fill_service(self, row: Any, leg: plans.Leg, endpoint: plans.Endpoint) -> None:
        valid, answered = 1.0 - leg.invalid_output, 1.0
        for error in endpoint.errors:
            if error.outcome == "invalid_output":
                valid *= 1.0 - error.rate
            elif error.outcome == "hang":
                answered *= 1.0 - error.rate
        row["hang_rate"], row["invalid_rate"] = 1.0 - answered, 1.0 - valid
        row["broken_rate"] = endpoint.broken_streams.rate if endpoint.broken_streams is not None else 0.0
        row["spoils"] = row["invalid_rate"] > 0.0 or row["broken_rate"] > 0.0
        row["first_error"], row["errors"] = self._errors_of[leg.endpoint]
        row["fails_by_chance"] = row["errors"] > 0 or row["hang_rate"] > 0.0
        latency, timeout = endpoint.latency, leg.timeout
        row["has_whole"], row["has_connect"] = latency.whole is not None, latency.connect is not None
        row["has_first_token"], row["has_speed"] = latency.first_token is not None, latency.tokens_per_s is not None
        given = (timeout.connect_s, timeout.first_token_s, timeout.idle_s, timeout.total_s)
        bounds = [inf if bound is None else bound for bound in given]
        row["connect_s"], row["first_token_s"], row["idle_s"], row["total_s"] = bounds
        row["least_bound_s"] = min(bounds)
        row["last_kill_s"] = last_kill_s(self.plan, endpoint.index)

    def _fill_rot(self, row: Any, leg: plans.Leg) -> None:
        settings = leg.silent_rot
        if settings is None:
            return
        row["has_rot"], row["fails_by_chance"] = True, True
        row["rot_kind"] = self.names.entity_kinds.index("leg")
        row["rot_outcome"] = self.kinds.code(settings.outcome)
        row["rot_delay"] = self._delay("rot_latency", settings.error_latency)
        row["rot_order"] = len(self.plan.components) + leg.index  # legs come after components at one instant

    def _fill_tariff(self, row: Any, leg: plans.Leg, endpoint: plans.Endpoint) -> None:
        price = endpoint.price
        row["input_price"] = picodollars(price.input_per_token)
        row["cached_price"] = picodollars(price.cached_input_per_token)
        row["write_price"] = picodollars(price.cache_write_per_token)
        row["output_price"] = picodollars(price.output_per_token)
        row["per_request"], row["per_unit"] = picodollars(price.per_request), picodollars(price.per_unit)
        row["counts_calls"] = bool(row["per_request"] or row["per_unit"])
        if leg.prompt_cache is not None:
            row["has_prefix"], row["prefix_share"] = True, leg.prompt_cache.share
            row["prefix_ttl_s"], row["warm_until_s"] = leg.prompt_cache.ttl_s, -1.0

    # Limits

    def _limit_table(self) -> Array:
        table = rows(len(self.plan.limits), LIMIT)
        kind = self.names.entity_kinds.index("limit")
        for limit in self.plan.limits:
            row = table[limit.index]
            is_bucket_of_requests = limit.metric == "requests" and limit.algorithm == "token_bucket"
            row["index"], row["rate_per_s"], row["burst"] = limit.index, limit.rate_per_s, limit.burst
            row["metric"] = _METRICS.index(limit.metric)
            algorithm = _ALGORITHMS.index(limit.algorithm)
            row["algorithm"] = limits.BUCKET_OF_REQUESTS if is_bucket_of_requests else algorithm
            row["window_s"], row["growth"] = limit.window_s or nan, limit.growth or nan
            row["tokens"] = limit.burst
            row["counted"] = _COUNTED.index(limit.counted)
            row["estimated_output"] = -1 if limit.estimated_output is None else limit.estimated_output
            row["counts_failed"], row["counts_cached"] = limit.counts_failed, limit.counts_cached
            row["sends_retry_after"] = limit.sends_retry_after
            row["retry_after_step_s"] = limit.retry_after_step_s
            is_concurrency = limit.metric == "concurrency"
            row["counts_by_number"] = limit.counted == "success" or limit.metric == "requests" or is_concurrency
            row["is_known"] = limit.counted == "dispatch" and limit.counts_failed and not is_concurrency
            row["counts_refused"] = limit.counts_refused and limit.counted != "success" and not is_concurrency
            row["delay"] = self._delay("refusal", limit.refusal_latency)
            row["entity"], row["entity_kind"] = self.names.entities.index(f"limit {limit.name}"), kind
        return table

    def _capacity_table(self) -> Array:
        table = rows(len(self.plan.capacities), CAPACITY)
        kind = self.names.entity_kinds.index("capacity")
        for capacity in self.plan.capacities:
            row = table[capacity.index]
            row["index"], row["queue"] = capacity.index, capacity.queue
            row["delay"] = self._delay("overload", capacity.refusal_latency)
            row["entity"], row["entity_kind"] = self.names.entities.index(f"capacity {capacity.name}"), kind
        return table

    # The client

    def _rule(self, settings: plans.RetryRule, place: int) -> int:
        """The number of a rule."""
        row = rows(1, RULE)
        rule, kinds = row[0], self.kinds
        is_application = place == APPLICATION
        rule["timeout_s"] = nan if settings.timeout_s is None else settings.timeout_s
        rule["attempt_timeout_s"] = nan if settings.attempt_timeout_s is None else settings.attempt_timeout_s
        rule["is_bounded"] = settings.timeout_s is not None or settings.attempt_timeout_s is not None
        rule["first_wait_s"], rule["retries"] = settings.backoff.base_s, settings.retries
        rule["timed_out"] = REQUEST_FAILED if is_application else TIMEOUT
        rule["attempt_timed_out"] = REQUEST_DEADLINE if is_application else TIMEOUT
        words = settings.retry_on
        retried = [name in words for name in REQUEST_OUTCOMES] if is_application else kinds.table(words)
        rule["retried"], rule["heeds"] = mask(retried), mask(kinds.table(settings.retry_after.on))
        rule["place"], rule["is_application"] = place, is_application
        rule["waits"] = self._waits_number(settings.backoff)
        throttled = None if is_application else settings.throttled_backoff
        rule["throttled_waits"] = -1 if throttled is None else self._waits_number(throttled)
        told = settings.retry_after
        rule["honours"], rule["retry_after_cap_s"] = told.honours, told.cap_s
        rule["retry_after_total_s"], rule["spread_s"] = told.total_s, told.spread_s
        rule["above"], rule["combine"] = _ABOVE.index(told.above), _COMBINED.index(told.combine)
        rule["waits_after_last"] = settings.waits_after_last
        rule["ends_when_all_out"] = settings.ends_when_all_out
        rule["is_budgeted"] = bool(self.plan.client.retry_budgets) and not is_application
        is_random = settings.backoff.jitter != "none" and settings.backoff.kind != "none"
        rule["is_deterministic"] = not is_random and not told.honours and throttled is None
        self._rules.append(row)
        return len(self._rules) - 1

    def _waits_number(self, settings: plans.Backoff) -> int:
        if settings not in self._waits:
            self._waits.append(settings)
        return self._waits.index(settings)

    def _wait_tables(self) -> tuple[Array, Array]:
        table = rows(len(self._waits), WAITS)
        waits_s: list[float] = []
        for row, settings in zip(table, self._waits, strict=False):
            row["base_s"], row["factor"], row["cap_s"] = settings.base_s, settings.factor, settings.cap_s
            row["spread_s"], row["low"], row["high"] = settings.spread_s, settings.low, settings.high
            row["most_s"], row["jitter"] = settings.most_s, _JITTERS.index(settings.jitter)
            row["has_jitter"] = settings.jitter != "none" and settings.kind != "none"
            waits_s.extend(wait_before_jitter_s(settings, k) for k in range(WAITS_AT_HAND))
        return table, filled(waits_s, NUMBER)

    def wait_s(self, waits: int, k: int) -> float:
        """The wait of a back-off after k retries, before jitter."""
        return wait_before_jitter_s(self._waits[waits], k)

    def _entry_tables(self) -> tuple[Array, Array]:
        plan = self.plan
        entries: list[Array] = []
        requirements = rows(len(plan.workload.requirements) + 1, REQUIRED)
        tags = [each.tags.items() for each in plan.workload.requirements]
        for number, required in enumerate([*tags, {}.items()]):
            requirements[number]["first"] = len(entries)
            for group in plan.client.groups:
                legs = [index for index in group.legs if required <= plan.chain[index].tags.items()]
                if legs:
                    entries.append(self._entry(group, legs))
            requirements[number]["count"] = len(entries) - requirements[number]["first"]
        return (np.concatenate(entries) if entries else rows(0, ENTRY)), requirements

    def _entry(self, group: plans.Group, legs: list[int]) -> Array:
        row = rows(1, ENTRY)
        entry = row[0]
        entry["index"], entry["first_leg"], entry["legs"] = group.index, len(self.entry_legs), len(legs)
        self.entry_legs.extend(legs)
        entry["router"] = self.client.router(group.routing, group.index, ties_first=group.ties_first)
        entry["once"] = group.routing.once
        guards = [self.plan.client.legs[index].guards for index in legs]
        entry["bypasses"] = all(any(guard.all_open == "bypass" for guard in own) for own in guards)
        entry["panic"] = min(max((getattr(guard, "panic", 0.0) for guard in own), default=0.0) for own in guards)
        entry["prefers_peers"] = len(legs) > 1 and not group.retry.waits_with_healthy_peer
        entry["rule"] = self._rule(group.retry, ENTRY_RULE)
        entry["falls_back"] = mask(self.kinds.table(group.fallback_on))
        is_open = len(legs) == 1 and not self.legs[legs[0]]["is_closed"]
        is_first = group.routing.kind not in ("usage_based", "round_robin")
        entry["open_leg"] = legs[0] if is_open and is_first else -1
        return row

    def _component_table(self) -> Array:
        table = rows(len(self.plan.components), COMPONENT)
        for component in self.plan.components:
            row = table[component.index]
            row["entity"] = self.names.entities.index(component.name)
            row["kind"] = self.names.entity_kinds.index(component.kind)
        return table


def wait_before_jitter_s(settings: plans.Backoff, k: int) -> float:
    """The wait after k retries or rounds, before jitter."""
    return backoff_s(settings.kind, settings.base_s, settings.factor, settings.cap_s, k)


tables_of: Final = Kept(Tables)
"""The tables of a plan."""
