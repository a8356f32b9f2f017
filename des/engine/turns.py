"""What a limit or a capacity leaves in the transitions: when it began to refuse, and when it admitted again."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from des.engine.recorder import Recorder


class Turns:
    """Refusing from its first refusal until it admits again, be that because nobody asked in between.

    A plain bucket under stress turns with every token that comes: the codes of its two rows are at hand.
    """

    __slots__ = ("_append", "_to_admitting", "_to_refusing", "refuses")

    def __init__(self, recorder: "Recorder", kind: str, name: str) -> None:
        entity = f"{kind} {name}"
        self._append = recorder.transitions.append
        self._to_refusing = recorder.turn(entity, kind, "admitting", "refusing")
        self._to_admitting = recorder.turn(entity, kind, "refusing", "admitting")
        self.refuses = False

    def refused(self, now_s: float) -> None:
        if not self.refuses:
            self.refuses = True
            self._append((now_s, *self._to_refusing))

    def admitted(self, now_s: float) -> None:
        if self.refuses:
            self.refuses = False
            self._append((now_s, *self._to_admitting))
