"""The rows of incidents that a run leaves, handed over once at its end."""

import numpy as np

from des.engine.conditions import Ledger
from des.engine.recorder import Block
from des.scenario.plan import Plan


def incident_rows(plan: Plan, ledger: Ledger, end_s: float) -> Block:
    """Every incident that has started by the end of the run, in order of its number."""
    timeline = ledger.timeline
    begun = int(np.searchsorted(timeline.start_s, max(end_s, 0.0), side="right"))
    effects = [timeline.effects[index] for index in timeline.effect[:begun].tolist()]
    endpoint_names = [f"{endpoint.provider}/{endpoint.model}" for endpoint in plan.endpoints]
    struck = np.empty(begun, dtype=object)
    for incident in range(begun):
        struck[incident] = [endpoint_names[index] for index in ledger.struck(incident)]
    return {
        "incident_id": np.arange(begun),
        "component": timeline.component[:begun],
        "kind": timeline.kind[:begun],
        "shared": timeline.shared[:begun],
        "start_s": timeline.start_s[:begun],
        "end_s": timeline.end_s[:begun],
        "error_rate": np.array([effect.error_rate for effect in effects], dtype=np.float64),
        "latency_factor": np.array([effect.latency_factor for effect in effects], dtype=np.float64),
        "hang": np.array([effect.hang for effect in effects], dtype=np.float64),
        "kills_in_flight": np.array([effect.kills_in_flight for effect in effects], dtype=bool),
        "endpoints": struck,
    }
