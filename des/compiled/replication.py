"""One replication of one arm by the compiled event loop: the same rows as the engine's, byte for byte."""

import ctypes
from collections.abc import Callable, Iterator
from itertools import accumulate
from math import inf
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.compiled.client_tables import Array, filled, rows
from des.compiled.compiling import Kernel
from des.compiled.kernel.memory import answering
from des.compiled.kernel.questions import (
    ARRIVALS,
    DRAW_BLOCK,
    INCIDENTS_ARE_OVER,
    KILL,
    LARGER,
    LONG_WAIT,
    MARKS,
    OVER,
    PLACES_ARE_FULL,
    ROWS_ARE_FULL,
    SLOW_DRAW,
    WRONG,
)
from des.compiled.kernel.world import (
    ARRIVAL_MARKS,
    CALL,
    EVENT,
    LAYER,
    LIST,
    NUMBER,
    PAST,
    REQUEST,
    RUN,
    WHOLE,
    World,
)
from des.compiled.output import Output
from des.compiled.streams import Streams
from des.compiled.tables import Tables, tables_of
from des.compiled.timelines import Timelines
from des.engine.arrivals import in_blocks
from des.engine.columns import Sink
from des.engine.incidents import Ledger
from des.engine.marks import BLOCK, RequestMarks
from des.engine.priorities import FIRST_ORDER
from des.faults import Timeline
from des.scenario.plan import ClosedArrivals, Plan
from des.signals import signals_noted

Progress = Callable[[float], None]

_EVENT_PLACES: Final = 1 << 14
_PLACES: Final = {name: place for place, name in enumerate(World._fields)}
_SLOTS: Final = 1 << 10
_ANSWER_TYPE: Final = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


class Replication:
    """The state of a replication, and the answers to the kernel's questions."""

    def __init__(
        self, plan: Plan, replication: int, sink: Sink, timeline: Timeline | None = None, begin_s: float = 0.0
    ) -> None:
        tables = tables_of(plan)
        self.tables = tables
        self.plan = plan
        self.replication = replication
        self.ledger = Ledger(plan, replication, timeline)
        self.streams = Streams(tables, plan.seed, replication)
        self.output = Output(tables, sink)
        self.timelines = Timelines(tables, plan.seed, replication, self.ledger, begin_s)
        self.on_progress: Progress | None = None
        self._arrivals: Iterator[NDArray[np.float64]] = iter(())
        self._marks = self._marks_of_draws = RequestMarks(plan, replication)
        self._block = 0
        self._lists: dict[int, NDArray[np.int64]] = {}
        self._wrong: BaseException | None = None
        self._signals: list[int] = []
        self.world = self._new_world(begin_s)
        self._renew(**self.world._asdict())
        self.run = self.world.run[0]

    def _new_world(self, begin_s: float) -> World:
        tables, client, output = self.tables, self.tables.client, self.output
        state: dict[str, Array] = {name: np.zeros_like(table) for name, table in _slots(tables, _SLOTS).items()}
        state["requests"]["slot"] = np.arange(_SLOTS)
        state["free"]["value"] = np.arange(_SLOTS)[::-1]
        run = rows(1, RUN)
        calls, free_calls, call_tickets = self._new_calls(run[0])
        cache = _CacheTables(self.plan)
        table: dict[str, Array] = {
            **{
                name: getattr(tables, name).copy() for name in ("legs", "limits", "capacities", "components", "entries")
            },
            **{
                name: getattr(client, name).copy()
                for name in ("guards", "pools", "budgets", "shapers", "surges", "probes")
            },
            "routers": client.routers,
            "probe_requests": rows(client.probe_count, REQUEST),
            "users": rows(_users(self.plan), WHOLE),
            "cumulative": cache.cumulative,
            "expires": cache.expires,
            "streams": self.streams.table,
        }
        self._fill_run(run[0], begin_s, cache)
        self.timelines.say_kills(table["legs"])
        for probe in table["probes"][: client.probe_count]:
            probe["nth"] = max(1, int(begin_s / float(probe["every_s"])))
        most = 4 * max(1, len(self.plan.chain), len(self.plan.client.groups))
        return World(
            **self.timelines.arrays(),
            **output.arrays(),
            **state,
            **table,
            addresses=rows(len(World._fields), WHOLE),
            run=run,
            outcomes=tables.outcomes,
            modes=tables.modes,
            errors=tables.errors,
            rates=tables.rates,
            delays=tables.delay_table,
            entry_legs=tables.entry_leg_table,
            requirements=tables.requirements,
            rules=tables.rules,
            waits=tables.waits,
            waits_s=tables.waits_s,
            calls=calls,
            free_calls=free_calls,
            call_tickets=call_tickets,
            events=rows(_EVENT_PLACES, EVENT),
            arrivals=rows(BLOCK, ARRIVAL_MARKS),
            limits_of_legs=tables.limits_of_legs,
            surges_of_legs=client.surges_of_legs,
            fled=client.fled,
            candidates=rows(most, WHOLE),
            scratch=rows(most, NUMBER),
            lists=self._new_lists(table["limits"], table["capacities"]),
        )

    def _renew(self, **arrays: Array) -> None:
        """Put arrays in the place of others, and say where the kernel finds them."""
        self.world = self.world._replace(**arrays)
        addresses = self.world.addresses["value"]
        for name, records in arrays.items():
            addresses[_PLACES[name]] = records.ctypes.data

    def _new_calls(self, g: Any) -> tuple[Array, Array, Array]:
        """Records of calls: one that is not hedged, those of probes, and at first a few for copies."""
        client = self.tables.client
        fixed = 1 + client.probe_count
        copies = 64 + 2 * client.most_flights
        calls = rows(fixed + copies, CALL)
        calls["place"] = np.arange(len(calls))
        free = rows(len(calls), WHOLE)
        free["value"][:copies] = np.arange(fixed, len(calls))
        g["free_calls"], g["most_flights"] = copies, client.most_flights
        return calls, free, rows(len(calls) * max(1, client.most_guards), WHOLE)

    def _fill_run(self, g: Any, begin_s: float, cache: "_CacheTables") -> None:
        tables, plan, names = self.tables, self.plan, self.tables.names
        client = tables.client
        g["now_s"] = begin_s
        g["horizon_s"] = plan.horizon_s
        g["has_drain"] = plan.drain_s is not None
        g["cut_s"] = inf if plan.drain_s is None else plan.horizon_s + plan.drain_s
        g["deadline_s"] = inf if plan.policy.deadline_s is None else plan.policy.deadline_s
        g["kinds"], g["purposes"] = len(tables.kinds.names), tables.purposes
        g["first"] = tables.first_delay
        g["calls_kept"] = self.streams.kept
        g["legs"], g["depth"] = len(plan.chain), tables.depth
        g["rounds"], g["round_waits"] = plan.policy.rounds, tables.round_waits
        g["first_round_wait_s"] = plan.policy.round_backoff.base_s
        g["application"] = tables.application
        g["broken_stream"] = tables.kinds.broken_stream
        g["useless_mask"], g["throttle_mask"] = tables.useless_mask, tables.throttle_mask
        g["event_places"], g["next_order"] = _EVENT_PLACES, FIRST_ORDER
        g["slots"] = g["free_slots"] = _SLOTS
        g["arrivals"] = -1
        g["first_limit"] = len(names.components)
        g["first_capacity"] = g["first_limit"] + len(names.limits)
        g["first_other"] = g["first_capacity"] + len(names.capacities)
        g["changes"], g["incidents_until_s"] = self.timelines.count, self.timelines.until_s
        g["keeps_memory"], g["groups"], g["budgets"] = tables.keeps_memory, len(plan.client.groups), client.budget_count
        g["most_guards"], g["most_entries"] = max(1, client.most_guards), max(1, len(tables.entries))
        g["order_router"], g["orders_entries"] = tables.order_router, plan.client.order.kind != "ordered"
        g["fallback_depth"] = -1 if plan.client.fallback_depth is None else plan.client.fallback_depth
        g["users"], g["probes"] = _users(plan), client.probe_count
        g["has_response_cache"], g["has_hit_rate"] = cache.is_there, cache.hit_rate is not None
        g["hit_rate"], g["ttl_s"], g["keys"] = cache.hit_rate or 0.0, cache.ttl_s, cache.keys
        self.output.say_places(g)

    def _new_lists(self, limits: Array, capacities: Array) -> Array:
        """A list for each thing that limits and capacities remember."""
        counted, own = len(self.plan.limits), self.tables.client.lists
        table = rows(own + 4 * counted + 2 * len(self.plan.capacities), LIST)
        for number in range(counted):
            for place, field in enumerate(("pending", "times", "amounts", "ends")):
                limits[number][field] = own + 4 * number + place
        for number, capacity in enumerate(self.plan.capacities):
            first = own + 4 * counted + 2 * number
            capacities[number]["free_at"], capacities[number]["starts"] = first, first + 1
            self._enlarge(table[first], first, capacity.concurrent)
            table[first]["count"] = capacity.concurrent  # all free at 0
        return table

    def _enlarge(self, several: Any, number: int, most: int) -> None:
        """Move a list to memory of twice the size."""
        words = np.zeros(max(64, 2 * most), np.int64)
        old = self._lists.get(number)
        if old is not None:
            kept = old[int(several["first"]) :]
            words[: len(kept)] = kept
        self._lists[number] = words
        several["address"], several["places"], several["first"] = words.ctypes.data, len(words), 0

    # Playing

    def arrive(self, times: Iterator[NDArray[np.float64]], marks: RequestMarks) -> None:
        """Have requests come at these times."""
        self._arrivals = in_blocks(times, BLOCK)
        self._marks = marks
        self.run["arrivals"] = 0
        self._next_arrivals()

    def play(self, kernel: Kernel) -> None:
        """Play to the end. What fails in an answer is raised here, and so is what a signal's handler raises."""
        self.output.kernel = kernel
        callback = _ANSWER_TYPE(self._answer)
        address = ctypes.cast(callback, ctypes.c_void_p).value or 0
        self.run["answering"] = address
        answering(address, self._answer)
        try:
            stopped = -1
            while stopped != OVER:
                with signals_noted() as self._signals:
                    stopped = kernel.play(self.world)
                if self._wrong is not None:
                    raise self._wrong
                self._go_on_after(stopped)
        finally:
            answering(address, None)

    def _go_on_after(self, stopped: int) -> None:
        """Do what the kernel has stopped for."""
        if stopped == ROWS_ARE_FULL:
            self.output.hand_over(self.run)
            self._renew(**self.output.arrays())
        elif stopped == PLACES_ARE_FULL:
            self._make_places()
        elif stopped == INCIDENTS_ARE_OVER:
            self._draw_on()
        elif stopped == WRONG:  # a signal whose handler has raised nothing
            self.run["wrong"] = False

    def _draw_on(self) -> None:
        """Incidents are known until now: draw more of them."""
        self.timelines.go_on()
        self._renew(**self.timelines.arrays())
        self.timelines.say_kills(self.world.legs)
        self.run["changes"], self.run["change"] = self.timelines.count, self.timelines.place
        self.run["incidents_until_s"] = self.timelines.until_s

    def _make_places(self) -> None:
        """Twice as many requests may be open, or events to come."""
        g = self.run
        if g["free_slots"] == 0:
            slots = len(self.world.requests)
            more = {name: _twice(getattr(self.world, name)) for name in _slots(self.tables, 1)}
            more["requests"]["slot"] = np.arange(2 * slots)
            more["free"]["value"][:slots] = np.arange(slots, 2 * slots)[::-1]
            self._renew(**more)
            g["free_slots"], g["slots"] = slots, 2 * slots
            self.output.hold(2 * slots, g)
            self._renew(**self.output.arrays())
        if g["free_calls"] <= g["most_flights"]:
            calls = len(self.world.calls)
            more = {name: _twice(getattr(self.world, name)) for name in ("calls", "free_calls", "call_tickets")}
            more["calls"]["place"] = np.arange(2 * calls)
            left = int(g["free_calls"])
            more["free_calls"]["value"][left : left + calls] = np.arange(calls, 2 * calls)
            self._renew(**more)
            g["free_calls"] = left + calls
        if g["events"] + (_EVENT_PLACES >> 1) > g["event_places"]:
            self._renew(events=_twice(self.world.events))
            g["event_places"] = len(self.world.events)

    # Answers

    def _answer(self, what: int, first: int, second: int, third: int) -> int:
        try:
            self._reply(what, first, second, third)
        except BaseException as error:  # it cannot pass through the compiled code
            self._wrong = error
        if self._wrong is not None or self._signals:
            self.run["wrong"] = True  # the kernel stops as soon as it can
        return 0

    def _reply(self, what: int, first: int, second: int, third: int) -> None:
        g = self.run
        if what == DRAW_BLOCK:
            self.streams.draw_block(first, second)
        elif what == ARRIVALS:
            if self.on_progress is not None:
                self.on_progress(float(g["now_s"]))
            self._next_arrivals()
        elif what == SLOW_DRAW:
            owner, purpose = divmod(first, self.tables.purposes)
            g["answer"] = self.streams.draw(owner, second, purpose, third)
        elif what == LONG_WAIT:
            g["answer"] = self.tables.wait_s(first, second)
        elif what == LARGER:
            self._enlarge(self.world.lists[first], first, int(self.world.lists[first]["places"]))
        elif what == MARKS:
            marks = self._marks_of_draws(first)
            g["mark_input"], g["mark_output"], g["mark_units"] = marks[:3]
            g["mark_requirement"] = marks[3] if marks[3] >= 0 else len(self.plan.workload.requirements)
        elif what == KILL:
            self.timelines.kill(self.world.calls[first], second)

    def _next_arrivals(self) -> None:
        g = self.run
        times = next(self._arrivals, None)
        if times is None:
            g["arrivals"] = g["arrival"] = -1
            return
        columns = self._marks.columns(self._block)
        self._block += 1
        block: Array = self.world.arrivals[: len(times)]
        block["time_s"] = times
        input_tokens, output_tokens, units, requirement = (column[: len(times)] for column in columns)
        block["input_tokens"], block["output_tokens"], block["units"] = input_tokens, output_tokens, units
        block["requirement"] = np.where(requirement < 0, len(self.plan.workload.requirements), requirement)
        g["arrivals"], g["arrival"] = len(times), 0


def _users(plan: Plan) -> int:
    arrivals = plan.workload.arrivals
    return arrivals.users if isinstance(arrivals, ClosedArrivals) else 0


def _slots(tables: Tables, slots: int) -> dict[str, Array]:
    """The records of `slots` requests that are open at once, by their names in the world."""
    client, legs, groups = tables.client, len(tables.plan.chain), len(tables.plan.client.groups)
    return {
        "requests": np.zeros(slots, REQUEST),
        "layers": np.zeros(slots * tables.depth, LAYER),
        "calls_made": np.zeros(slots * legs, WHOLE),
        "picks": np.zeros(slots * max(1, groups), WHOLE),
        "pasts": np.zeros(slots * max(1, client.budget_count), PAST),
        "tickets": np.zeros(slots * max(1, client.most_guards), WHOLE),
        "flights": np.zeros(slots * max(1, client.most_flights), WHOLE),
        "orders": np.zeros(slots * max(1, len(tables.entries)), WHOLE),
        "free": np.zeros(slots, WHOLE),
    }


class _CacheTables:
    """The response cache: the popularity of its keys, added up, and when their responses expire."""

    def __init__(self, plan: Plan) -> None:
        cache = plan.policy.response_cache
        self.is_there = cache is not None
        self.hit_rate = None if cache is None else cache.hit_rate
        self.ttl_s = 0.0 if cache is None else cache.ttl_s
        self.keys = 0 if cache is None else cache.keys or 0
        exponent = 0.0 if cache is None else cache.exponent
        weights = list(accumulate((k + 1.0) ** -exponent for k in range(self.keys)))
        self.cumulative = filled(weights, NUMBER)
        self.expires = rows(self.keys, NUMBER)
        self.expires["value"] = -1.0


def _twice(table: Array) -> Array:
    return np.concatenate([table, np.zeros_like(table)])
