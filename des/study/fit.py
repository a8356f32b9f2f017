"""`des fit`: reads a history, fits it, and writes it as part of a scenario, with cautions."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from des.errors import DesError
from des.faults.calibration import (
    KINDS,
    Calibration,
    FittedTimes,
    Overlap,
    ServiceCalibration,
    ServiceHistory,
    calibrate,
    cautions,
    fragment,
    observed,
    service_histories,
)
from des.faults.calibration.fragment import LEAST_INCIDENTS
from des.files import History, read_history, read_moment
from des.frames import Told, html
from des.scenario.text.units import DAY_S, HOUR_S
from des.single_files import output_path, refuse_existing, write_new
from des.study.fitted_into import put_into, read_error_rates, target, the_service
from des.words import did_you_mean

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Fit(Told):
    """The figures of a history, cautions about them, and the YAML to paste."""

    history: History
    calibration: Calibration
    cautions: tuple[str, ...]
    fragment: str
    replaced: tuple[str, ...] = ()
    """Keys of the scenario of `into` whose place the history took."""

    @cached_property
    def table(self) -> "pd.DataFrame":
        """One row per service: how often, how long, and what share of the time an incident is open."""
        import pandas as pd

        rows = [
            {
                "service": service.name,
                "incidents": service.incidents,
                "incidents_per_year": service.per_year,
                "share_open": service.share_open,
                "between_mean_d": service.between.mean_s / DAY_S,
                "between_kind": _best(service.between),
                "repair_mean_h": service.repair.mean_s / HOUR_S,
                "repair_median_h": service.repair.median_s / HOUR_S,
                "repair_kind": _best(service.repair),
            }
            for service in self.calibration.services
        ]
        return pd.DataFrame(rows).set_index("service")

    def _repr_html_(self) -> str:
        return html(repr(self), self.table)

    def __repr__(self) -> str:
        return f"<Fit of {self.history.source}: {', '.join(each.name for each in self.calibration.services)}>"


def fit(
    path: str | Path,
    *,
    columns: Sequence[str] = (),
    flags: Sequence[str] = (),
    where: Sequence[str] = (),
    format: str | None = None,  # noqa: A002
    services: Sequence[str] = (),
    severities: Sequence[str] = (),
    since: str | None = None,
    until: str | None = None,
    skip_bad: bool = False,
    open_ends: bool = False,
    between: str | None = None,
    repair: str | None = None,
    permutations: int | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    into: str | Path | None = None,
    name: str | None = None,
    error_rates: Sequence[str] = (),
) -> Fit:
    """Fit a history from `since` to `until` (dates or timestamps), and write the part of a scenario to `out`.

    The options from `columns` to `severities`, `skip_bad` and `open_ends` are those of `read_history`. `between` and
    `repair` choose the kind of distribution for the scenario, instead of the one of the lowest AIC. `into` is a
    scenario in which `name` is to fail as recorded: with a class of incidents for each severity, for which
    `error_rates` says how many calls fail (`minor=5%`).

    Raises DesError for a history that cannot be fitted, OutputError if `out` exists, WriteError if a file cannot be
    written, and errors of `target` and `put_into`.
    """
    out = None if out is None else output_path(out)
    refuse_existing(out)
    if problems := list(_wrong_options(between, repair, permutations, since, until)):
        raise DesError("\n".join(problems))
    place = None if into is None else target(Path(into), name)
    rates = read_error_rates(error_rates)
    since_s, until_s = (None if text is None else read_moment(text) for text in (since, until))
    history = read_history(
        Path(path),
        columns=columns,
        flags=flags,
        where=where,
        services=services,
        severities=severities,
        skip_bad=skip_bad,
        open_ends=open_ends,
        format=format,
    )
    windows = [observed(service, since_s, until_s) for service in service_histories(history)]
    seen = [service for service in windows if service.from_s <= service.until_s]
    if not any(len(service.starts_s) for service in seen):
        raise DesError(f"{path}: no incident starts between {since or 'the beginning'} and {until or 'the end'}")
    if all(len(service.starts_s) < LEAST_INCIDENTS for service in seen):
        raise DesError(f"{path}: {_singles(seen)}: no rate can be estimated; a service needs at least two incidents")
    calibration = calibrate(seen, permutations=permutations, seed=seed)
    unseen = [
        f"{service.name}: not recorded between these dates, left out"
        for service in windows
        if service.from_s > service.until_s
    ]
    relative = (
        ["times are seconds without a date: second 0 is taken as a Monday 00:00 UTC and shown as 1970-01-05"]
        if history.relative
        else []
    )
    text = fragment(calibration, history.source, between, repair)
    if place is None:
        put: tuple[str, ...] = ()
    else:
        service, dated = the_service(seen), not history.relative
        put = put_into(place, service, history.source, rates, between, repair, dated=dated)
    if out is not None:
        write_new(out, text)
    told = (
        *(*relative, *history.remarks, *unseen),
        *cautions(calibration, between, repair, one_class=place is None),
        *put,
    )
    return Fit(history, calibration, told, text, () if place is None else place.replaced)


def _wrong_options(
    between: str | None, repair: str | None, permutations: int | None, since: str | None, until: str | None
) -> Iterator[str]:
    """Messages about invalid options."""
    for option, kind in (("--between", between), ("--repair", repair)):
        if kind not in (None, *KINDS):
            question = did_you_mean(str(kind), KINDS)
            yield f"{option} {kind!r}: unknown distribution{question} (there are: {', '.join(KINDS)})"
    if permutations is not None and permutations < 1:
        yield f"--permutations {permutations}: at least 1"
    moments_s: list[float] = []
    for option, text in (("--since", since), ("--until", until)):
        try:
            moments_s += [] if text is None else [read_moment(text)]
        except ValueError as error:
            yield f"{option} {text!r}: {error}"
    if len(moments_s) == 2 and moments_s[0] >= moments_s[1]:
        yield f"--since {since} is not before --until {until}"


def _singles(services: Sequence[ServiceHistory]) -> str:
    names = [service.name for service in services if len(service.starts_s)]
    each = f" each of {len(names)} services" if len(names) > 1 else f" of {names[0]}"
    return f"only one incident{each}"


def _best(times: FittedTimes) -> str | None:
    """The kind of distribution of the lowest AIC; None where too few times are known."""
    return times.distributions[0].kind if times.distributions else None


def as_json(found: Fit) -> dict[str, Any]:
    """All figures, for programs. Missing ones are null, and instants are timestamps."""
    document = {
        "source": found.history.source,
        "rows": len(found.history.incidents),
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
    } | ({} if service.error_rate is None else {"error_rate": service.error_rate})


def _times(times: FittedTimes) -> dict[str, Any]:
    return {
        "count": times.count,
        "censored": times.censored,
        "dropped": times.dropped,
        "mean": times.mean_s / times.unit_s,
        "median": times.median_s / times.unit_s,
        "best": _best(times),
        "few": times.few,
        "laws": {
            fitted.kind: {
                **fitted.named,
                "standard_errors": dict(zip(fitted.named, fitted.standard_errors, strict=True)),
                "aic": fitted.aic,
                "mean": fitted.distribution_s.mean / fitted.unit_s,
            }
            for fitted in times.distributions
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
