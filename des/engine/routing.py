"""Which leg of several takes a call, and in which order the entries of the chain are tried."""

from collections.abc import Callable, Sequence

from des.engine.codes import Kinds
from des.engine.draws import ClientDraws
from des.engine.leg import Leg
from des.engine.records import INFINITY, Request
from des.engine.retries import RetryRule
from des.errors import RunError
from des.rules import routing as rules
from des.rules.guards import panics
from des.scenario import plan
from des.scenario.schema.own_classes import CALLED, called, started
from des.scenario.schema.own_rules import Candidate, OwnRouting, Pick

BY_STATISTICS = ("cheapest", "least_latency", "least_busy", "usage_based")
"""Routings that go by what the client has seen of its legs."""


class Router:
    """Picks by one policy, with a uniform of the request for each pick."""

    def __init__(self, settings: plan.Routing, draws: ClientDraws, name: str, *, ties_first: bool = False) -> None:
        self._settings = settings
        self._ties_first = ties_first
        self._draws = draws
        self._name = name
        self._last = -1  # the leg that took the pick before, in turn
        own = settings.own
        self._picks: Callable[[Pick], int] | None = None if own is None else started(own, CALLED)

    def picks_first(self, among: int) -> bool:
        """Whether the pick of this number of legs is always the first, whatever came before."""
        kind = self._settings.kind
        return kind == "ordered" or (among == 1 and kind not in ("usage_based", "round_robin"))

    def pick(self, request: Request, nth: int, legs: Sequence[Leg], now_s: float) -> int:
        """The place of the leg that takes the n-th pick of a request; -1 where every one is at its bounds."""
        settings = self._settings
        if self.picks_first(len(legs)):
            return 0
        if settings.own is not None and self._picks is not None:
            return self._pick_of(settings.own, self._picks, request, nth, legs, now_s)
        if settings.kind == "round_robin":
            place = rules.next_in_turn([leg.index for leg in legs], self._last)
            self._last = legs[place].index
            return place
        if settings.kind == "weighted":
            return rules.weighted([leg.plan.weight for leg in legs], self._uniform(request, nth))
        return self._pick_by_statistics(request, nth, legs, now_s)

    def _pick_of(
        self,
        own: OwnRouting,
        picks: Callable[[Pick], int],
        request: Request,
        nth: int,
        legs: Sequence[Leg],
        now_s: float,
    ) -> int:
        """The place that the class of a user picks. Raises RunError unless it is one of them."""
        pick = Pick(
            legs=tuple(_candidate(leg, now_s) for leg in legs),
            u=self._uniform(request, nth),
            now_s=now_s,
            request=request.id,
            nth=nth,
            input_tokens=request.input_tokens,
        )
        place = called(own, picks, pick)
        if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < len(legs):
            raise RunError(
                f"{own.kind_name()}: pick returned {place!r}; expected a position among {len(legs)} legs, "
                f"0 to {len(legs) - 1}"
            )
        return place

    def _pick_by_statistics(self, request: Request, nth: int, legs: Sequence[Leg], now_s: float) -> int:
        settings = self._settings
        seen = [leg.statistics for leg in legs if leg.statistics is not None]
        if settings.kind == "cheapest":
            prices = [leg.calls.price(request, now_s) for leg in legs]
            costs = [each.cost_per_success(price) for each, price in zip(seen, prices, strict=True)]
            return costs.index(min(costs))
        u = self._uniform(request, nth)
        if settings.kind == "least_latency":
            return rules.lowest_latency([each.mean_latency_s() for each in seen], settings.buffer, u)
        if settings.kind == "least_busy":
            busy = [each.busy for each in seen]
            if settings.choices is None:
                return rules.least(busy, 0.0 if self._ties_first else u)
            return rules.best_of_choices(busy, settings.choices, u)
        for each in seen:
            each.renew_usage(now_s)
        return rules.usage_based(
            [each.tokens for each in seen],
            [each.requests for each in seen],
            request.input_tokens,
            [INFINITY if leg.plan.tpm is None else leg.plan.tpm for leg in legs],
            [INFINITY if leg.plan.rpm is None else leg.plan.rpm for leg in legs],
            u,
        )

    def _uniform(self, request: Request, nth: int) -> float:
        return self._draws.stream("route", self._name, nth).at(request.draw)


def _candidate(leg: Leg, now_s: float) -> Candidate:
    seen = leg.statistics
    assert seen is not None
    seen.renew_usage(now_s)
    return Candidate(
        name=leg.name,
        provider=leg.calls.endpoint.provider,
        model=leg.calls.endpoint.model,
        tags=leg.of.tags,
        weight=leg.plan.weight,
        busy=seen.busy,
        mean_latency_s=seen.mean_latency_s(),
        requests=seen.requests,
        tokens=seen.tokens,
    )


class Entry:
    """An entry of the chain: the legs of a group that one requirement leaves eligible, with the group's rules."""

    def __init__(
        self, settings: plan.Group, legs: Sequence[Leg], kinds: Kinds, rule: RetryRule, draws: ClientDraws
    ) -> None:
        self.plan = settings
        self.index = settings.index
        self.legs = legs
        self.rule = rule
        self.falls_back = kinds.table(settings.fallback_on)
        self._router = Router(settings.routing, draws, settings.name, ties_first=settings.ties_first)
        self._bypasses = all(leg.bypasses for leg in legs)
        self._panic = min(leg.panic for leg in legs)
        self.prefers_peers = len(legs) > 1 and not rule.settings.waits_with_healthy_peer
        """Whether a healthy leg of it is called at once instead of waiting for a retry."""
        is_open = len(legs) == 1 and legs[0].is_open and self._router.picks_first(1)
        self.open_leg = legs[0] if is_open else None
        """The leg that takes every call, at once; None where that is to be seen."""

    def has_healthy_leg(self) -> bool:
        return any(leg.admits() for leg in self.legs)

    def is_all_out(self) -> bool:
        """Whether no leg of it would be called now."""
        return not self._bypasses and self._panic <= 0.0 and not self.has_healthy_leg()

    def _panics(self) -> bool:
        """Whether so few legs are left that all are called."""
        return self._panic > 0.0 and panics(sum(leg.admits() for leg in self.legs), len(self.legs), self._panic)

    def pick(
        self, request: Request, nth: int, left_out: Sequence[Leg], now_s: float, picked: Leg | None = None
    ) -> Leg | str:
        """The leg of a request's n-th pick, or why there is none: circuit_open or client_limit.

        Where every leg is out, guards may be bypassed: then all of them are open to the pick. So they are where the
        guards panic, too few being left. Where the group is picked from once, a visit's further attempts have the leg
        `picked` before, or none.
        """
        among = self.legs if picked is None or not self.plan.routing.once else [picked]
        in_panic = self._panics()
        legs = _of_the_least_tier([leg for leg in among if leg not in left_out and (in_panic or leg.admits())])
        if not legs and not left_out and self._bypasses:
            legs = _of_the_least_tier(among)
        if not legs:
            return "client_limit" if left_out else "circuit_open"
        place = self._router.pick(request, nth, legs, now_s)
        return "client_limit" if place < 0 else legs[place]

    def peer(self, left_out: Sequence[Leg]) -> Leg | None:
        """The first leg of the least tier that admits, but for those."""
        legs = _of_the_least_tier([leg for leg in self.legs if leg not in left_out and leg.admits()])
        return legs[0] if legs else None


def _of_the_least_tier(legs: Sequence[Leg]) -> Sequence[Leg]:
    if len(legs) < 2:
        return legs
    least = min([leg.plan.tier for leg in legs])
    return [leg for leg in legs if leg.plan.tier == least]
