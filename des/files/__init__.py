"""Recorded files: incidents and arrivals to replay, and histories of incidents to fit.

All go through one reader of CSV, JSON lines, parquet and status pages (`des.files.formats`).
"""

from des.files.history import History, RecordedIncident, read_history, read_moment
from des.files.replay import RecordedArrivalRows, RecordedRows, read_arrivals, read_incidents
from des.files.table import RecordedFileError

__all__ = [
    "History",
    "RecordedArrivalRows",
    "RecordedFileError",
    "RecordedIncident",
    "RecordedRows",
    "read_arrivals",
    "read_history",
    "read_incidents",
    "read_moment",
]
