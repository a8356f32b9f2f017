"""What a limit or a capacity leaves in the transitions: when it began to refuse, and when it admitted again."""

from typing import TYPE_CHECKING

from des.model.limits import is_plain
from des.scenario.plan import Plan

if TYPE_CHECKING:
    from des.model.recorder import Recorder


class Turns:
    """Refusing from its first refusal until it admits again, be that because nobody asked in between."""

    __slots__ = ("_entity", "_kind", "_recorder", "_refuses")

    def __init__(self, recorder: "Recorder", kind: str, name: str) -> None:
        self._recorder = recorder
        self._kind, self._entity = kind, f"{kind} {name}"
        self._refuses = False

    def refused(self, now_s: float) -> None:
        if not self._refuses:
            self._refuses = True
            self._recorder.transition(now_s, self._entity, self._kind, "admitting", "refusing")

    def admitted(self, now_s: float) -> None:
        if self._refuses:
            self._refuses = False
            self._recorder.transition(now_s, self._entity, self._kind, "refusing", "admitting")


def are_told(plan: Plan) -> bool:
    """Whether a plan's transitions tell of its limits: with plain limits and the plain walk alone they do not."""
    return (
        plan.client is not None
        or bool(plan.capacities)
        or any(leg.limits for leg in plan.chain)
        or not all(is_plain(limit) for limit in plan.limits)
    )
