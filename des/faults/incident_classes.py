"""One incident class at a time: its windows, its effects and its kind."""

import numpy as np
from numpy.typing import NDArray

from des.faults.intervals import Intervals
from des.faults.keys import ClassKeys
from des.faults.ledger import ledger
from des.faults.marked_renewal import marked_renewal
from des.faults.recorded import recorded
from des.faults.renewal import renewal
from des.scenario.plan import (
    IncidentClass,
    MarkedRenewalIncidents,
    PoissonIncidents,
    RecordedIncidents,
    RenewalIncidents,
)


def draw_class(
    incidents: IncidentClass, keys: ClassKeys, until_s: float, start_up: bool
) -> tuple[Intervals, NDArray[np.int64]]:
    """Incidents in order of their number in the class, and each one's position in `every_effect`."""
    match incidents:
        case PoissonIncidents():
            drawn = ledger(incidents, keys, until_s, start_up)
        case RenewalIncidents():
            drawn = renewal(incidents, keys, until_s, start_up)
        case MarkedRenewalIncidents():
            drawn = marked_renewal(incidents, keys, until_s, start_up)
        case RecordedIncidents():
            return recorded(incidents, until_s)
    return drawn, np.zeros(len(drawn.start_s), dtype=np.int64)


def kind_of(incidents: IncidentClass) -> str:
    """Its name among INCIDENT_KINDS."""
    match incidents:
        case PoissonIncidents():
            return "poisson"
        case RenewalIncidents():
            return "renewal"
        case MarkedRenewalIncidents():
            return "marked_renewal"
        case RecordedIncidents():
            return incidents.kind
