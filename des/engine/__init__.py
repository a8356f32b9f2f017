"""The SimPy processes: arrivals, requests, components, and the state of endpoints, limits and caches."""

from des.engine.names import names
from des.engine.recorder import Sink
from des.engine.simulation import simulate

__all__ = ["Sink", "names", "simulate"]
