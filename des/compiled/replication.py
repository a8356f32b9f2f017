"""One replication of one arm by the compiled event loop: the same rows as the engine's, byte for byte."""

import ctypes
from collections.abc import Callable, Iterator
from math import inf
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.compiled.compiling import Kernel
from des.compiled.kernel.memory import answering
from des.compiled.kernel.questions import (
    ARRIVALS,
    DRAW_BLOCK,
    INCIDENTS_ARE_OVER,
    KILL,
    LARGER,
    LONG_WAIT,
    OVER,
    PLACES_ARE_FULL,
    ROWS_ARE_FULL,
    SLOW_DRAW,
)
from des.compiled.kernel.queue import push
from des.compiled.kernel.world import (
    ARRIVAL_MARKS,
    CALL,
    EVENT,
    LAYER,
    LIST,
    REQUEST,
    RUN,
    WHOLE,
    World,
)
from des.compiled.output import Output
from des.compiled.streams import Streams
from des.compiled.tables import Array, Tables, rows
from des.compiled.timelines import Timelines
from des.engine.arrivals import in_blocks
from des.engine.columns import Sink
from des.engine.incidents import Ledger
from des.engine.marks import BLOCK, RequestMarks
from des.engine.priorities import FIRST_ORDER
from des.faults import Timeline

Progress = Callable[[float], None]

_EVENT_PLACES: Final = 1 << 14
_SLOTS: Final = 1 << 10
_ANSWER_TYPE: Final = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


class Replication:
    """The state of a replication, and the answers to the kernel's questions."""

    def __init__(
        self, tables: Tables, replication: int, sink: Sink, timeline: Timeline | None = None, begin_s: float = 0.0
    ) -> None:
        plan = tables.plan
        self.tables = tables
        self.plan = plan
        self.replication = replication
        self.ledger = Ledger(plan, replication, timeline)
        self.streams = Streams(tables, replication)
        self.output = Output(tables, sink)
        self.timelines = Timelines(tables, replication, self.ledger, begin_s)
        self.on_progress: Progress | None = None
        self._arrivals: Iterator[NDArray[np.float64]] = iter(())
        self._marks = RequestMarks(plan, replication)
        self._block = 0
        self._lists: dict[int, NDArray[np.int64]] = {}
        self._wrong: BaseException | None = None
        self.world = self._new_world(begin_s)
        self.run = self.world.run[0]

    def _new_world(self, begin_s: float) -> World:
        tables, plan = self.tables, self.plan
        run = rows(1, RUN)
        self._fill_run(run[0], begin_s)
        limits, capacities = tables.limits.copy(), tables.capacities.copy()
        legs, output = tables.legs.copy(), self.output
        self.timelines.say_kills(legs)
        world = World(
            **self.timelines.arrays(),
            run=run,
            legs=legs,
            outcomes=tables.outcomes,
            modes=tables.modes,
            errors=tables.errors,
            rates=tables.rates,
            delays=tables.delay_table,
            components=tables.components.copy(),
            entries=tables.entries,
            requirements=tables.requirements,
            rules=tables.rules,
            waits=tables.waits,
            waits_s=tables.waits_s,
            streams=self.streams.table,
            requests=rows(_SLOTS, REQUEST),
            layers=rows(_SLOTS * tables.depth, LAYER),
            calls_made=rows(_SLOTS * len(plan.chain), WHOLE),
            free=rows(_SLOTS, WHOLE),
            calls=rows(1, CALL),
            events=rows(_EVENT_PLACES, EVENT),
            arrivals=rows(BLOCK, ARRIVAL_MARKS),
            attempt_rows=output.attempts,
            request_rows=output.requests,
            transition_rows=output.transitions,
            refusal_rows=output.refusals,
            limits=limits,
            limits_of_legs=tables.limits_of_legs,
            capacities=capacities,
            lists=self._new_lists(limits, capacities),
        )
        world.requests["slot"] = np.arange(_SLOTS)
        world.free["value"] = np.arange(_SLOTS)[::-1]
        return world

    def _fill_run(self, g: Any, begin_s: float) -> None:
        tables, plan, names = self.tables, self.plan, self.tables.names
        g["now_s"] = g["begin_s"] = begin_s
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
        self.output.say_places(g)

    def _new_lists(self, limits: Array, capacities: Array) -> Array:
        """A list for each thing that limits and capacities remember."""
        counted = len(self.plan.limits)
        table = rows(4 * counted + 2 * len(self.plan.capacities), LIST)
        for number in range(counted):
            for place, field in enumerate(("pending", "times", "amounts", "ends")):
                limits[number][field] = 4 * number + place
        for number, capacity in enumerate(self.plan.capacities):
            first = 4 * counted + 2 * number
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

    def schedule(self, time_s: float, priority: int, order: int, what: int) -> None:
        """An event of the run itself, before it starts."""
        views = self.world._replace(run=self.world.run.view(np.recarray), events=self.world.events.view(np.recarray))
        push(views, time_s, priority, order, what, 0, 0)

    def next_order(self) -> int:
        """The order of a timer that is set before the run starts."""
        order = int(self.run["next_order"])
        self.run["next_order"] += 1
        return order

    def play(self, kernel: Kernel) -> None:
        """Play to the end. What fails in an answer is raised here."""
        callback = _ANSWER_TYPE(self._answer)
        address = ctypes.cast(callback, ctypes.c_void_p).value or 0
        self.run["answering"] = address
        answering(address, self._answer)
        try:
            while True:
                stopped = kernel(self.world)
                if self._wrong is not None:
                    raise self._wrong
                if stopped == OVER:
                    return
                if stopped == ROWS_ARE_FULL:
                    self.output.hand_over(self.run)
                elif stopped == PLACES_ARE_FULL:
                    self._make_places()
                elif stopped == INCIDENTS_ARE_OVER:
                    self._draw_on()
        finally:
            answering(address, None)

    def _draw_on(self) -> None:
        """Incidents are known until now: draw more of them."""
        self.timelines.go_on()
        self.world = self.world._replace(**self.timelines.arrays())
        self.timelines.say_kills(self.world.legs)
        self.run["changes"], self.run["change"] = self.timelines.count, self.timelines.place
        self.run["incidents_until_s"] = self.timelines.until_s

    def _make_places(self) -> None:
        """Twice as many requests may be open, or events to come."""
        world, g = self.world, self.run
        if g["free_slots"] == 0:
            slots = len(world.requests)
            requests = _twice(world.requests)
            requests["slot"] = np.arange(2 * slots)
            free = _twice(world.free)
            free["value"][:slots] = np.arange(slots, 2 * slots)[::-1]
            self.world = world = world._replace(
                requests=requests,
                free=free,
                layers=_twice(world.layers),
                calls_made=_twice(world.calls_made),
            )
            g["free_slots"], g["slots"] = slots, 2 * slots
            self.output.hold(2 * slots, g)
            self.world = world = self.world._replace(request_rows=self.output.requests)
        if g["events"] + (_EVENT_PLACES >> 1) > g["event_places"]:
            self.world = world._replace(events=_twice(world.events))
            g["event_places"] = len(self.world.events)

    # Answers

    def _answer(self, what: int, first: int, second: int, third: int) -> int:
        try:
            self._reply(what, first, second, third)
        except BaseException as error:  # it cannot pass through the compiled code
            self._wrong = error
            self.run["wrong"] = True
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


def _twice(table: Array) -> Array:
    return np.concatenate([table, np.zeros_like(table)])
