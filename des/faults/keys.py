"""The random streams of one incident class: each named by component, class number and purpose."""

from dataclasses import dataclass, replace

import numpy as np

from des.draws import generator


@dataclass(frozen=True, slots=True)
class ClassKeys:
    """What an incident class draws from; `number` counts the classes of its component from 0.

    A stream depends on its names alone, so a component or class that comes or goes moves no other's incidents.
    `endpoint` names the one that a copy of the class is for, where each has a copy of its own.
    """

    seed: int
    replication: int
    component: str
    number: int
    endpoint: str | None = None

    @property
    def label(self) -> str:
        """How a message names the class."""
        return f"{self.component}: incidents[{self.number}]"

    def copy_for(self, endpoint: str) -> "ClassKeys":
        return replace(self, endpoint=endpoint)

    def stream(self, purpose: str, block: int = 0) -> np.random.Generator:
        return self._named(f"incidents\x1f{self.component}\x1f{self.number}\x1f{purpose}", block)

    def marks(self, dependent: str, dependency: str) -> np.random.Generator:
        """One uniform an incident, in their order, for the edge `dependent` -> `dependency`."""
        return self._named(f"marks\x1f{self.component}\x1f{self.number}\x1f{dependent}\x1f{dependency}", 0)

    def _named(self, name: str, block: int) -> np.random.Generator:
        if self.endpoint is not None:
            name = f"for\x1f{self.endpoint}\x1f{name}"
        return generator(self.seed, self.replication, name, block)
