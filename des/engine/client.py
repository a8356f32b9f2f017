"""The client of a replication: what its requests share before their calls are sent."""

from collections.abc import Sequence, Set

from des.draws import Stream
from des.engine.budgets import make_budget
from des.engine.call import Calls
from des.engine.clock import Clock
from des.engine.codes import Kinds
from des.engine.draws import ClientDraws, LegDraws, uniform
from des.engine.guards import Health, Pool, guard_kind, make_guard
from des.engine.leg import Leg, Statistics
from des.engine.providers import Providers
from des.engine.queues import Bulkhead, Shaper
from des.engine.recorder import Recorder
from des.engine.records import Request
from des.engine.retries import APPLICATION, ENTRY, RetryRule, Waits
from des.engine.routing import BY_STATISTICS, Entry, Router
from des.scenario import plan


class Client:
    """Budgets, queues, legs and entries, whose state requests change."""

    def __init__(self, of: plan.Plan, clock: Clock, kinds: Kinds, recorder: Recorder, providers: Providers) -> None:
        self._clock, self._kinds, self._recorder = clock, kinds, recorder
        self._settings = settings = of.client
        self._seed, self._replication = of.seed, providers.replication
        self.rounds = of.policy.rounds
        self.draws = ClientDraws(of.seed, providers.replication)
        self._names = [leg.name for leg in of.chain]
        self._leg_draws = [
            LegDraws(of.seed, providers.replication, leg, of.endpoints[leg.endpoint]) for leg in of.chain
        ]
        self._budgets = [make_budget(each, kinds) for each in settings.retry_budgets]
        self._shapers = [Shaper(each) for each in settings.shapings]
        self.application = None if settings.application is None else self._rule(settings.application, APPLICATION)
        self.legs = self._make_legs(of, providers)
        self._router = Router(settings.order, self.draws, "groups")
        required = [each.tags.items() for each in of.workload.requirements]
        self._entries = [self._entries_meeting(tags) for tags in required] + [self._entries_meeting(set())]
        self.keeps_memory = any(entry.open_leg is None for entries in self._entries for entry in entries)
        """Whether a request's past affects what its client allows."""
        self._round_draws: list[Stream] = []
        self._round_waits = Waits(of.policy.round_backoff)
        self.first_round_wait_s = of.policy.round_backoff.base_s

    def _rule(self, settings: plan.RetryRule, place: int) -> RetryRule:
        is_budgeted = bool(self._settings.retry_budgets)
        return RetryRule(
            settings, self._kinds, self.draws, self._leg_draws, self._names, place, is_budgeted=is_budgeted
        )

    def _make_legs(self, of: plan.Plan, providers: Providers) -> list[Leg]:
        """By index."""
        legs: dict[int, Leg] = {}
        for group in self._settings.groups:
            pool = Pool(len(group.legs), has_fallback=group.index == 0 and len(self._settings.groups) > 1)
            routings = [each for each in (group.routing, self._settings.order) if each.kind != "ordered"]
            goes_by_statistics = any(each.kind in BY_STATISTICS or each.own is not None for each in routings)
            for index in group.legs:
                calls = Calls(providers, of.chain[index], self._leg_draws[index])
                leg = legs[index] = Leg(self._settings.legs[index], of.chain[index], self._kinds, calls)
                self._equip(leg, pool)
                if goes_by_statistics:
                    leg.statistics = Statistics(max(each.samples for each in routings))
                leg.learns = leg.learns_something or not group.retry.waits_with_healthy_peer
        return [legs[index] for index in range(len(of.chain))]

    def _equip(self, leg: Leg, pool: Pool) -> None:
        """Give a leg the layers, guards, budgets and queues of its settings."""
        settings = leg.plan
        leg.layers = tuple(self._rule(rule, place) for place, rule in enumerate(settings.inner))
        changes_of = self._recorder.changes_of
        leg.guards = tuple(
            make_guard(guard, self._kinds, pool, changes_of(leg.name, guard_kind(guard)), self._clock)
            for guard in settings.guards
        )
        if settings.probes is not None:
            leg.health = Health(settings.probes, changes_of(leg.name, "health"))
        if settings.retry_budget is not None:
            leg.budget = self._budgets[settings.retry_budget]
        if settings.shaping is not None:
            leg.shaper = self._shapers[settings.shaping]
        if settings.bulkhead is not None:
            leg.bulkhead = Bulkhead(settings.bulkhead, self._clock)

    def _entries_meeting(self, tags: Set[tuple[str, str]]) -> list[Entry]:
        """The entries of the chain, with only the legs that carry these tags."""
        entries = []
        for group in self._settings.groups:
            legs = [self.legs[index] for index in group.legs if tags <= self.legs[index].of.tags.items()]
            if legs:
                entries.append(Entry(group, legs, self._kinds, self._rule(group.retry, ENTRY), self.draws))
        return entries

    def may_call(self, request: Request) -> bool:
        """Whether any leg meets the request's requirement."""
        return bool(self._entries[request.requirement])

    def entries(self, request: Request, nth: int, now_s: float) -> Sequence[Entry]:
        """The entries of a request's n-th pass, in order, up to the fallback depth."""
        entries = self._entries[request.requirement]
        if self._settings.order.kind != "ordered" and len(entries) > 1:
            entries = self._in_order(entries, request, nth, now_s)
        depth = self._settings.fallback_depth
        return entries if depth is None else entries[: depth + 1]

    def _in_order(self, entries: Sequence[Entry], request: Request, nth: int, now_s: float) -> list[Entry]:
        left = list(entries)
        ordered: list[Entry] = []
        while len(left) > 1:
            pick = nth * len(entries) + len(ordered)
            place = self._router.pick(request, pick, [entry.legs[0] for entry in left], now_s)
            if place < 0:
                break
            ordered.append(left.pop(place))
        return ordered + left

    def round_wait_s(self, request: Request, rounds_done: int, previous_s: float) -> float:
        """The wait after a round. `rounds_done` counts from 0, `previous_s` is the wait before it."""
        nth = request.round_waits
        request.round_waits += 1
        while nth >= len(self._round_draws):
            name = f"round_backoff/{len(self._round_draws)}"
            self._round_draws.append(Stream(self._seed, self._replication, name, uniform))
        return self._round_waits.wait_s(rounds_done, self._round_draws[nth], request.draw, previous_s)
