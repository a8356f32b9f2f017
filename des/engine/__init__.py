"""One replication in SimPy: arrivals, requests, components, and the state of endpoints, limits, guards and caches."""

from des.engine.codes import names
from des.engine.columns import Sink
from des.engine.records import RunWindow
from des.engine.simulate import simulate, simulate_window

__all__ = ["RunWindow", "Sink", "names", "simulate", "simulate_window"]
