"""Fits the distributions, profiles and overlaps of a scenario to the recorded incidents of services."""

from des.faults.calibration.calibrate import (
    Calibration,
    ServiceCalibration,
    Severity,
    calibrate,
    calibrate_service,
    severities,
)
from des.faults.calibration.cautions import cautions
from des.faults.calibration.fitted import KINDS, FittedDistribution, FittedTimes, fit_times
from des.faults.calibration.fragment import component_names, fragment
from des.faults.calibration.overlap import Overlap, holm, overlap, overlaps
from des.faults.calibration.seasonality import Seasonality, WeekProfile, seasonality
from des.faults.calibration.service_history import ServiceHistory, observed, service_histories
from des.faults.calibration.trend import Trend, trend

__all__ = [
    "KINDS",
    "Calibration",
    "FittedDistribution",
    "FittedTimes",
    "Overlap",
    "Seasonality",
    "ServiceCalibration",
    "ServiceHistory",
    "Severity",
    "Trend",
    "WeekProfile",
    "calibrate",
    "calibrate_service",
    "cautions",
    "component_names",
    "fit_times",
    "fragment",
    "holm",
    "observed",
    "overlap",
    "overlaps",
    "seasonality",
    "service_histories",
    "severities",
    "trend",
]
