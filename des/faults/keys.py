"""The random streams of one incident class: each named by component, class number and purpose."""

from dataclasses import dataclass

import numpy as np

from des.draws import generator


@dataclass(frozen=True, slots=True)
class ClassKeys:
    """What an incident class draws from; `number` counts the classes of its component from 0.

    A stream depends on its names alone, so a component or class that comes or goes moves no other's incidents.
    """

    seed: int
    replication: int
    component: str
    number: int

    @property
    def label(self) -> str:
        """How a message names the class."""
        return f"{self.component}: incidents[{self.number}]"

    def stream(self, purpose: str, block: int = 0) -> np.random.Generator:
        return self._named(f"incidents\x1f{self.component}\x1f{self.number}\x1f{purpose}", block)

    def marks(self, dependent: str, dependency: str) -> np.random.Generator:
        """One uniform an incident, in their order, for the edge `dependent` -> `dependency`."""
        return self._named(f"marks\x1f{self.component}\x1f{self.number}\x1f{dependent}\x1f{dependency}", 0)

    def _named(self, name: str, block: int) -> np.random.Generator:
        return generator(self.seed, self.replication, name, block)
