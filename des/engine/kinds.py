"""Outcome kinds: the standard outcomes of attempts, and those that a scenario gives a status of their own.

Inside the engine an outcome is the code of its kind: the standard outcomes' codes come first, and each of the plan's
statuses follows with the next. Tables by outcome have an entry for each kind; traces tell outcome and status apart.
"""

from collections.abc import Collection

from des import vocabulary
from des.scenario.plan import Plan
from des.vocabulary import ATTEMPT_OUTCOMES, TIMEOUT

STANDARD = len(ATTEMPT_OUTCOMES)


class Kinds:
    """The kinds of one plan.

    `outcomes` holds the standard outcome's code of each kind, `statuses` the HTTP status, -1 where there is none.
    """

    __slots__ = ("_codes", "names", "outcomes", "statuses")

    def __init__(self, plan: Plan) -> None:
        self.names = [*ATTEMPT_OUTCOMES, *(name for name, _ in plan.statuses)]
        self.outcomes = [ATTEMPT_OUTCOMES.index(name) for name in self.names]
        standard = [-1 if status is None else status for status in vocabulary.HTTP_STATUS]
        self.statuses = [*standard, *(status for _, status in plan.statuses)]
        self._codes: dict[tuple[str, int | None], int] = {("hang", None): TIMEOUT}
        for code, name in enumerate(ATTEMPT_OUTCOMES):
            self._codes[name, None] = self._codes[name, self.statuses[code]] = code
        for position, named in enumerate(plan.statuses):
            self._codes[named] = STANDARD + position

    def code(self, outcome: str, status: int | None = None) -> int:
        """The kind of an outcome with the status that the scenario gives it, None for the outcome's own."""
        return self._codes[outcome, status]

    def among(self, outcomes: Collection[str]) -> list[bool]:
        """Whether each kind is of one of these outcomes, whatever its status."""
        return [name in outcomes for name in self.names]
