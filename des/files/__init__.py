"""Recorded files: incidents and arrivals to replay, and histories of incidents to fit.

All are read through `des.files.formats`: tables, status pages, issue trackers, feeds and gateway logs.
"""

from des.files.history import History, RecordedIncident, read_history, read_moment
from des.files.incident_rows import incident_columns
from des.files.replay import (
    RecordedArrivalRows,
    RecordedRows,
    arrival_columns,
    outside,
    read_arrivals,
    read_incidents,
)
from des.files.roles import is_no_failure
from des.files.table import RecordedFileError
from des.files.values import read_values

__all__ = [
    "History",
    "RecordedArrivalRows",
    "RecordedFileError",
    "RecordedIncident",
    "RecordedRows",
    "arrival_columns",
    "incident_columns",
    "is_no_failure",
    "outside",
    "read_arrivals",
    "read_history",
    "read_incidents",
    "read_moment",
    "read_values",
]
