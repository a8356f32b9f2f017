"""The SimPy processes: arrivals, requests, components, and the state of endpoints, limits and caches."""

from des.model.names import names
from des.model.recorder import Sink
from des.model.simulation import simulate

__all__ = ["Sink", "names", "simulate"]
