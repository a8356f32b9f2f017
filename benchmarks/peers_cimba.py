"""M/M/1 in Cimba's Python package, which compiles classes at the top level of a module."""

import cimba as cb
import numpy as np
from cimba import inputs


class OneServer(cb.Model):
    """Customers are counted from their arrival to the end of their service."""

    interarrival_s: cb.Input[float] = inputs.dist.exponential(mean=1.0 / 0.8)
    service_s: cb.Input[float] = inputs.dist.exponential(mean=1.0)
    waiting: cb.Container
    present: cb.Container
    mean_present: cb.Output[float]

    @cb.process
    def arrivals(self) -> None:
        while True:
            cb.hold(self.interarrival_s.next())
            self.present.put(1)
            self.waiting.put(1)

    @cb.process
    def server(self) -> None:
        while True:
            self.waiting.get(1)
            cb.hold(self.service_s.next())
            self.present.get(1)

    @cb.on_end
    def measure(self) -> None:
        self.mean_present = self.present.mean_level()


def mean_number(horizon_s: float, seed: int) -> float:
    """Of customers in the system, over the horizon."""
    model = OneServer()
    results = cb.Experiment(model, replications=1, window=cb.Window(warmup=0, duration=horizon_s), seed=seed).run()
    return float(np.mean(results[model].mean_present))
