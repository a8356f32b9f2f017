"""The providers' side of a replication, which the calls of all legs share."""

from des.engine.admission import Admission, Capacity, Limit
from des.engine.codes import Kinds
from des.engine.incidents import EndpointState, Ledger, Surge
from des.engine.recorder import Recorder
from des.scenario.plan import Leg, Plan


class Providers:
    """Incidents, the condition of each endpoint, limits, capacities and surges."""

    def __init__(self, plan: Plan, replication: int, kinds: Kinds, ledger: Ledger, recorder: Recorder) -> None:
        self.plan = plan
        self.replication = replication
        self.kinds = kinds
        self.ledger = ledger
        self.endpoints = [EndpointState(endpoint.index) for endpoint in plan.endpoints]
        self._limits = [Limit(limit, recorder) for limit in plan.limits]
        self._capacities = [Capacity(capacity, recorder) for capacity in plan.capacities]
        self._surges = [Surge(surge, self.endpoints) for surge in plan.surges]

    def admission(self, leg: Leg) -> Admission | None:
        """What admits the calls of a leg; None where nothing can refuse them."""
        endpoint = self.plan.endpoints[leg.endpoint]
        budgets = [self._limits[index] for index in leg.limits]
        limits = [self._limits[index] for index in endpoint.limits]
        if not budgets and not limits and endpoint.capacity is None:
            return None
        return Admission(budgets, limits, None if endpoint.capacity is None else self._capacities[endpoint.capacity])

    def surges_at(self, endpoint: int) -> list[Surge]:
        """The surges that calls of an endpoint may meet."""
        return [surge for surge, said in zip(self._surges, self.plan.surges, strict=True) if endpoint in said.to]
