"""The client of a plan as arrays: guards, budgets, queues, routing, hedges and probes, and the surges of others."""

from collections.abc import Sequence
from math import inf, nan
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.compiled.kernel import budgets, guards
from des.compiled.kernel.world import (
    BUDGET,
    GUARD,
    POOL,
    PROBE,
    ROUTER,
    SHAPER,
    SURGE,
    WHOLE,
)
from des.engine.codes import Kinds, Names
from des.engine.guards import guard_kind
from des.engine.routing import BY_STATISTICS
from des.rules.retry import thousandths
from des.scenario import plan as plans
from des.vocabulary import RATE_LIMITED

Array = NDArray[Any]

_BREAKERS: Final = ("consecutive", "count_window", "time_window")
_BUDGETS: Final = ("active", "ratio", "quota", "throttle", "bucket")
_ROUTINGS: Final = ("ordered", "round_robin", "weighted", "cheapest", "least_latency", "least_busy", "usage_based")


def mask(table: Sequence[bool]) -> int:
    """A table by outcome kind as the bits of an integer."""
    return sum(1 << kind for kind, listed in enumerate(table) if listed)


def rows(number: int, dtype: np.dtype[Any]) -> Array:
    """Records of zeros: at least one, so that there is memory to point at."""
    return np.zeros(max(1, number), dtype)


def filled(values: Sequence[Any], dtype: np.dtype[Any]) -> Array:
    """Records of these values."""
    table = rows(len(values), dtype)
    if values:
        if dtype.names == ("value",):
            table["value"] = values
        else:
            table[:] = np.array(values, dtype)
    return table


def whole(values: Sequence[int]) -> Array:
    """Records of one integer each."""
    table = rows(len(values), WHOLE)
    if values:
        table["value"] = values
    return table


class ClientTables:
    """Records of the client's parts. Each of the lists that they remember things in has a number of its own."""

    def __init__(self, plan: plans.Plan, kinds: Kinds, names: Names) -> None:
        self._plan, self._kinds, self._names = plan, kinds, names
        client = plan.client
        self.lists = 0
        self.budget_count = len(client.retry_budgets)
        self._guards: list[Array] = []
        self._routers: list[Array] = []
        self.pools = rows(len(client.groups), POOL)
        for group in client.groups:
            self.pools[group.index]["legs"] = len(group.legs)
        self._group_of = {index: group for group in client.groups for index in group.legs}
        self.budgets = self._budget_table()
        self.shapers = self._shaper_table()
        self.surges, self.fled = self._surge_tables()
        self._surges_of: list[int] = []
        self.most_guards = max((len(leg.guards) for leg in client.legs), default=0)
        hedges = [leg.hedge.at_most for leg in client.legs if leg.hedge is not None]
        self.most_flights = 1 + max(hedges) if hedges else 0
        self.probes = self._probe_table()

    def new_list(self) -> int:
        """The number of a list."""
        self.lists += 1
        return self.lists - 1

    @property
    def guards(self) -> Array:
        return np.concatenate(self._guards) if self._guards else rows(0, GUARD)

    @property
    def routers(self) -> Array:
        return np.concatenate(self._routers) if self._routers else rows(0, ROUTER)

    @property
    def surges_of_legs(self) -> Array:
        return whole(self._surges_of)

    def fill_leg(self, row: Any, leg: plans.LegClient, index: int) -> None:
        """What the client has around the calls of a leg."""
        group = self._group_of[index]
        routings = [each for each in (group.routing, self._plan.client.order) if each.kind != "ordered"]
        row["has_statistics"] = any(each.kind in BY_STATISTICS for each in routings)
        row["samples"], row["minute"] = max((each.samples for each in routings), default=0), -1
        row["weight"], row["tier"] = leg.weight, leg.tier
        row["rpm"], row["tpm"] = inf if leg.rpm is None else leg.rpm, inf if leg.tpm is None else leg.tpm
        row["latencies"], row["costs"] = self.new_list(), self.new_list()
        row["first_guard"], row["guards"] = len(self._guards), len(leg.guards)
        for guard in leg.guards:
            self._guards.append(self._guard(guard, row, group))
        row["healthy"] = True
        if leg.probes is not None:
            row["has_health"], row["health_kind"] = True, self._names.entity_kinds.index("health")
            row["unhealthy_after"], row["healthy_after"] = leg.probes.unhealthy_after, leg.probes.healthy_after
        row["budget"] = -1 if leg.retry_budget is None else leg.retry_budget
        row["shaper"] = -1 if leg.shaping is None else leg.shaping
        self._fill_queues(row, leg)
        if leg.hedge is not None:
            row["has_hedge"], row["hedge_after_s"], row["hedges"] = True, leg.hedge.after_s, leg.hedge.at_most
            row["hedge_runs"], row["hedge_is_billed"] = leg.hedge.loser == "run", leg.hedge.billed
            row["hedges_next"] = leg.hedge.to == "next"
        row["first_surge"] = len(self._surges_of)
        endpoint = self._plan.chain[index].endpoint
        self._surges_of.extend(number for number, surge in enumerate(self._plan.surges) if endpoint in surge.to)
        row["surges"] = len(self._surges_of) - row["first_surge"]
        own = (leg.probes, leg.hedge, leg.retry_budget, leg.shaping, leg.bulkhead, leg.ramp, leg.throttle)
        row["is_closed"] = bool(leg.guards) or bool(leg.inner) or any(part is not None for part in own)

    def _fill_queues(self, row: Any, leg: plans.LegClient) -> None:
        row["waiting"] = self.new_list()
        row["throttle_requests"], row["throttle_accepts"] = self.new_list(), self.new_list()
        if leg.bulkhead is not None:
            row["has_bulkhead"], row["free_places"] = True, leg.bulkhead.concurrent
            row["places"], row["queue"] = leg.bulkhead.concurrent, leg.bulkhead.queue
            row["max_wait_s"] = nan if leg.bulkhead.max_wait_s is None else leg.bulkhead.max_wait_s
            row["refuses_as_429"] = leg.bulkhead.refuses_as == "rate_limited"
        if leg.ramp is not None:
            row["has_ramp"], row["asked_s"] = True, -inf
            row["ramp_start"], row["ramp_over_s"] = leg.ramp.start, leg.ramp.over_s
            row["ramp_reset_s"] = leg.ramp.reset_after_s
        if leg.throttle is not None:
            row["has_throttling"], row["throttle_k"] = True, leg.throttle.k
            row["throttle_window_s"] = leg.throttle.window_s

    def _guard(self, settings: plans.Guard, leg: Any, group: plans.Group) -> Array:
        table = rows(1, GUARD)
        row, kinds = table[0], self._kinds
        row["index"], row["leg"], row["pool"] = len(self._guards), leg["index"], group.index
        row["entity"], row["entity_kind"] = leg["entity"], self._names.entity_kinds.index(guard_kind(settings))
        row["times"], row["failures"] = self.new_list(), self.new_list()
        row["failure_share"] = row["window_s"] = row["rate_limited_s"] = nan
        row["calls"] = row["half_open"] = row["failures_in_a_row"] = row["allowed_fails"] = -1
        assert not isinstance(settings, plans.OwnBreaker), "left to SimPy"
        row["fails"] = mask(kinds.table(settings.counts))
        if isinstance(settings, plans.Cooldown):
            self._fill_cooldown(row, settings, group)
        elif isinstance(settings, plans.Ejection):
            self._fill_ejection(row, settings)
        else:
            self._fill_breaker(row, settings)
        return table

    def _fill_breaker(
        self, row: Any, settings: plans.ConsecutiveBreaker | plans.CountWindowBreaker | plans.TimeWindowBreaker
    ) -> None:
        row["what"], row["kind"] = guards.BREAKER, _BREAKERS.index(settings.kind)
        row["stops_calls"], row["open_s"] = settings.stops == "calls", settings.open_s
        row["half_open"] = -1 if settings.half_open is None else settings.half_open
        if isinstance(settings, plans.ConsecutiveBreaker):
            row["failures_in_a_row"] = settings.failures
            return
        row["failure_share"], row["minimum"] = settings.failure_share, settings.minimum
        if isinstance(settings, plans.CountWindowBreaker):
            row["calls"] = settings.calls
        else:
            row["window_s"] = settings.window_s

    def _fill_cooldown(self, row: Any, settings: plans.Cooldown, group: plans.Group) -> None:
        kinds = self._kinds
        row["what"] = guards.COOLDOWN
        row["at_once"], row["always"] = mask(kinds.table(settings.at_once)), mask(kinds.table(settings.always))
        row["counted_only"] = mask(kinds.table(settings.counted_only))
        row["failure_share"] = nan if settings.failure_share is None else settings.failure_share
        row["minimum"], row["window_s"], row["own_windows"] = settings.minimum, settings.window_s, settings.own_windows
        row["all_failed"] = 1 << 60 if settings.all_failed is None else settings.all_failed
        row["allowed_fails"] = -1 if settings.allowed_fails is None else settings.allowed_fails
        row["cooldown_s"], row["honours_retry_after"] = settings.cooldown_s, settings.honours_retry_after
        row["renews"] = settings.renews
        row["deployments"] = 2 if settings.one_of_several else len(group.legs)
        has_fallback = group.index == 0 and len(self._plan.client.groups) > 1
        row["is_spared"] = settings.spares_fallbacks and row["deployments"] == 1 and not has_fallback
        row["until_s"] = row["first_end_s"] = -1.0
        row["failed_opened_s"] = row["served_opened_s"] = -inf

    def _fill_ejection(self, row: Any, settings: plans.Ejection) -> None:
        row["what"] = guards.EJECTION
        row["refusals"] = mask(self._kinds.of_outcomes((RATE_LIMITED,)))
        row["rate_limited_s"] = nan if settings.rate_limited_s is None else settings.rate_limited_s
        row["failure_share"] = nan if settings.failure_share is None else settings.failure_share
        row["failures_in_a_row"] = -1 if settings.consecutive is None else settings.consecutive
        row["minimum"], row["window_s"], row["every_s"] = settings.minimum, settings.window_s, settings.every_s
        row["for_s"], row["longest_s"], row["most"] = settings.for_s, settings.longest_s, settings.most
        row["always_eject_one"] = settings.always_eject_one

    def _budget_table(self) -> Array:
        table = rows(len(self._plan.client.retry_budgets), BUDGET)
        for row, settings in zip(table, self._plan.client.retry_budgets, strict=False):
            row["kind"] = _BUDGETS.index(settings.kind)
            row["requests"], row["retries"] = self.new_list(), self.new_list()
            if isinstance(settings, plans.ActiveBudget):
                row["share"], row["minimum"] = settings.share, settings.minimum
            elif isinstance(settings, plans.RatioBudget):
                row["share"], row["per_second"], row["ttl_s"] = settings.share, settings.per_second, settings.ttl_s
            elif isinstance(settings, plans.QuotaBudget):
                row["capacity"] = row["left"] = settings.capacity
                row["retry_cost"], row["throttle_cost"] = settings.retry_cost, settings.throttle_cost
                row["success"] = settings.success
            elif isinstance(settings, plans.ThrottleBudget):
                row["most"] = row["tokens"] = thousandths(settings.max_tokens)
                row["ratio"] = thousandths(settings.token_ratio)
            else:
                row["most"] = row["tokens"] = thousandths(settings.capacity)
                row["deposit"] = thousandths(settings.deposit)
        assert len(_BUDGETS) - 1 == budgets.BUCKET
        return table

    def _shaper_table(self) -> Array:
        table = rows(len(self._plan.client.shapings), SHAPER)
        for row, settings in zip(table, self._plan.client.shapings, strict=False):
            row["rate_per_s"], row["burst"] = settings.rate_per_s, settings.burst
            row["queue"] = -1 if settings.queue is None else settings.queue
            row["max_wait_s"] = nan if settings.max_wait_s is None else settings.max_wait_s
            row["leave"] = self.new_list()
        return table

    def _surge_tables(self) -> tuple[Array, Array]:
        table, fled = rows(len(self._plan.surges), SURGE), list[int]()
        for row, surge in zip(table, self._plan.surges, strict=False):
            row["load"], row["own"] = surge.load, self.new_list()
            row["capacity_per_s"] = nan if surge.capacity_per_s is None else surge.capacity_per_s
            row["first_fled"], row["fled"] = len(fled), len(surge.when)
            fled.extend(surge.when)
        return table, whole(fled)

    def _probe_table(self) -> Array:
        """Probes of legs that rot, then those of the client's health."""
        table = []
        for leg in self._plan.chain:
            if leg.silent_rot is not None and leg.silent_rot.probe_every_s is not None:
                table.append((leg.silent_rot.probe_every_s, nan, leg.index, 0, 0, 0, False))
        for client in self._plan.client.legs:
            if client.probes is not None:
                timeout_s = nan if client.probes.timeout_s is None else client.probes.timeout_s
                table.append((client.probes.every_s, timeout_s, client.leg, 0, 0, 0, True))
        self.probe_count = len(table)
        probes = filled(table, PROBE)
        probes["call"] = np.arange(1, len(probes) + 1)
        return probes

    def router(self, settings: plans.Routing, group: int, *, ties_first: bool = False) -> int:
        """The number of a router: of a group, or of the groups themselves, which come after them."""
        table = rows(1, ROUTER)
        row = table[0]
        row["kind"], row["buffer"] = _ROUTINGS.index(settings.kind), settings.buffer
        row["choices"] = -1 if settings.choices is None else settings.choices
        row["owner"], row["last"], row["ties_first"] = len(self._plan.chain) + 1 + group, -1, ties_first
        self._routers.append(table)
        return len(self._routers) - 1
