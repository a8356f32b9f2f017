"""What `des fit` found, as JSON."""

import math
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from des.faults.calibration import FittedTimes, Overlap, ServiceCalibration
from des.faults.calibration.fragment import LEAST_INCIDENTS
from des.study.fit import Fit


def as_json(found: Fit) -> dict[str, Any]:
    """Everything found, for programs; what the data cannot give is null, moments are timestamps."""
    document = {
        "source": found.history.source,
        "rows": found.history.rows,
        "skipped": list(found.history.skipped),
        "services": {service.name: _service(service) for service in found.calibration.services},
        "overlaps": [_overlap(pair) for pair in found.calibration.overlaps],
        "cautions": list(found.cautions),
        "fragment": found.fragment,
    }
    cleaned: dict[str, Any] = _finite(document)
    return cleaned


def _service(service: ServiceCalibration) -> dict[str, Any]:
    return {
        "from": _iso(service.from_s),
        "until": _iso(service.until_s),
        "incidents": service.incidents,
        "incidents_per_year": service.per_year if service.incidents >= LEAST_INCIDENTS else None,
        "still_open": service.still_open,
        "share_open": service.share_open if service.incidents >= LEAST_INCIDENTS else None,
        "between_days": _times(service.between),
        "repair_hours": _times(service.repair),
        "trend": None
        if service.trend is None
        else {key: value for key, value in asdict(service.trend).items() if key != "changed_s"}
        | {"changed": _iso(service.trend.changed_s), "by_year": {str(y): rate for y, rate in service.trend.by_year}},
        "seasonality": None if service.seasonality is None else asdict(service.seasonality),
        "severities": [asdict(severity) for severity in service.severities],
    }


def _times(times: FittedTimes) -> dict[str, Any]:
    return {
        "count": times.count,
        "censored": times.censored,
        "dropped": times.dropped,
        "mean": times.mean_s / times.unit_s,
        "median": times.median_s / times.unit_s,
        "best": times.distributions[0].kind if times.distributions else None,
        "few": times.few,
        "laws": {
            law.kind: {
                **law.named,
                "standard_errors": dict(zip(law.named, law.standard_errors, strict=True)),
                "aic": law.aic,
                "mean": law.distribution_s.mean / law.unit_s,
            }
            for law in times.distributions
        },
    }


def _overlap(pair: Overlap) -> dict[str, Any]:
    return {key: value for key, value in asdict(pair).items() if key != "from_s"} | {
        "from": _iso(pair.from_s),
        "ratio_to_product": pair.ratio_to_product,
        "ratio_to_shifts": pair.ratio_to_shifts,
        "common_start_share": pair.common_start_share,
    }


def _iso(moment_s: float) -> str:
    return datetime.fromtimestamp(moment_s, UTC).isoformat().replace("+00:00", "Z")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
