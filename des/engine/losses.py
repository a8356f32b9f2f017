"""The attribution of lost requests: to a component, a limit, a capacity, or one of the words for everything else."""

from math import inf

from des.engine.codes import OTHER_LOSSES, Kinds, Names
from des.engine.incidents import Ledger
from des.engine.records import Request
from des.vocabulary import (
    BY_CAPACITY,
    BY_DEADLINE,
    BY_INCIDENT,
    BY_LIMIT,
    BY_ROT,
    CANCELLED,
    ERROR_TYPES,
    REQUEST_DEADLINE,
    REQUEST_FAILED,
    REQUEST_REJECTED,
    TIMEOUT,
)


class Losses:
    """The codes of `Names.losses`: components, then limits, then capacities, then `OTHER_LOSSES`."""

    __slots__ = ("_first_capacity", "_first_limit", "_ledger", "_other", "_outcomes")

    def __init__(self, names: Names, kinds: Kinds, ledger: Ledger) -> None:
        self._ledger = ledger
        self._outcomes = kinds.outcomes
        self._first_limit = len(names.components)
        self._first_capacity = self._first_limit + len(names.limits)
        first_other = self._first_capacity + len(names.capacities)
        self._other = {name: first_other + place for place, name in enumerate(OTHER_LOSSES)}

    def blame(self, request: Request, outcome: int) -> tuple[int, int]:
        """(error type, what the loss is attributed to) by the request's last failure."""
        last, other = request.last, self._other
        if outcome == REQUEST_REJECTED:
            name = request.refused_by or "no_eligible_leg"
            return ERROR_TYPES.index(name), other[name]
        if last is None:  # the cache did not answer by the deadline
            return CANCELLED - 1, other["deadline"]
        error_type = self._outcomes[last.outcome] - 1
        if last.cause == BY_INCIDENT or (last.cause == BY_DEADLINE and last.cause_id >= 0):
            return error_type, int(self._ledger.timeline.component[last.cause_id])
        if last.cause == BY_LIMIT:
            return error_type, self._first_limit + last.cause_id
        if last.cause == BY_CAPACITY and last.cause_id >= 0:
            return error_type, self._first_capacity + last.cause_id
        if last.cause == BY_CAPACITY:
            return error_type, other["overload"]
        if last.cause == BY_ROT:
            return error_type, other["silent_rot"]
        if outcome == REQUEST_DEADLINE:
            return error_type, other["deadline"]
        return error_type, other["timeout" if error_type == TIMEOUT - 1 else "random_error"]

    def of_hang(self, request: Request) -> int:
        """What the loss of a request that hangs is attributed to: the cause of its last call's hang, if known."""
        if request.last is not None and request.last.end_s == inf:
            _, blamed = self.blame(request, REQUEST_FAILED)
            if blamed != self._other["timeout"]:
                return blamed
        return self._other["hang"]
