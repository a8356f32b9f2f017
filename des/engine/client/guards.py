"""What takes a leg out of the walk for a time, as state: what breakers, cooldowns and ejections have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable

Timer = Callable[[float, Callable[[], None]], None]
"""Has something done at a time to come."""
Turn = Callable[[str, str], None]
"""Traces a transition that takes place now, from and to."""


class Guard(ABC):
    """Lets calls of one leg through or not. What a call was let through with comes back when it ends."""

    @abstractmethod
    def admits(self) -> bool:
        """Whether a call may start now."""

    def enter(self) -> int:
        """A call that was admitted starts; returns its ticket."""
        return 0

    @abstractmethod
    def learn(self, ticket: int, outcome: int, retry_after_s: float, now_s: float) -> None:
        """A call has ended; `CANCELLED` tells nothing of the leg."""
