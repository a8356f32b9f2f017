"""A group of legs, tried as one entry of the chain."""

from typing import TYPE_CHECKING

from des.engine.client.leg import ClientLeg
from des.engine.client.retrying import Retrying
from des.engine.client.routing import Router
from des.scenario import plan

if TYPE_CHECKING:
    from des.engine.client.client import Client
    from des.engine.client.request import ClientRequest


class Group:
    """The legs of a group that one requirement leaves eligible, with the group's rules."""

    def __init__(self, client: "Client", law: plan.Group, legs: list[ClientLeg]) -> None:
        kinds = client.sim.kinds
        self.plan = law
        self.index, self.name = law.index, law.name
        self.legs = legs
        self.retrying = Retrying(law.retry, kinds, client.luck, None)
        self.falls_back = [kind in law.fallback_on for kind in range(len(kinds.outcomes))]
        self._router = Router(law.routing, client.luck, law.name)
        self._bypasses = all(leg.bypasses for leg in legs)

    @property
    def has_healthy_peer(self) -> bool:
        """Whether the group has several legs, and one that admits."""
        return len(self.legs) > 1 and any(leg.admits() for leg in self.legs)

    def pick(
        self,
        request: "ClientRequest",
        nth: int,
        left_out: list[ClientLeg],
        now_s: float,
        picked: ClientLeg | None = None,
    ) -> tuple[ClientLeg | None, str]:
        """The leg of a request's n-th pick, or none and why: circuit_open or client_limit.

        Where every leg is out, breakers may be bypassed: then all of them are open to the pick. Where the group is
        picked from once, a visit's further attempts have the leg `picked` before, or none.
        """
        among = self.legs if picked is None or not self.plan.routing.once else [picked]
        legs = _of_the_least_tier([leg for leg in among if leg not in left_out and leg.admits()])
        if not legs and not left_out and self._bypasses:
            legs = _of_the_least_tier(among)
        if not legs:
            return None, "client_limit" if left_out else "circuit_open"
        place = self._router.pick(request, nth, legs, now_s)
        return (None, "client_limit") if place < 0 else (legs[place], "")

    def peer(self, left_out: list[ClientLeg]) -> ClientLeg | None:
        """The first leg of the least tier that admits, but for those."""
        legs = _of_the_least_tier([leg for leg in self.legs if leg not in left_out and leg.admits()])
        return legs[0] if legs else None


def _of_the_least_tier(legs: list[ClientLeg]) -> list[ClientLeg]:
    if len(legs) < 2:
        return legs
    least = min([leg.plan.tier for leg in legs])
    return [leg for leg in legs if leg.plan.tier == least]
