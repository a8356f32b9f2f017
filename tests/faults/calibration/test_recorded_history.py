"""The figures of the recorded status pages (FAILS, AtLarge Research), which the shipped scenarios are made with."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from des.errors import DesError
from des.faults.calibration import Overlap, ServiceCalibration, service_histories
from des.files import read_history
from des.report.fit_tables import lines
from des.study.fit import Fit, fit

NAME = "incidents/status_page_incidents.csv"
FILE = Path(os.environ.get("DES_DATA", "."), NAME)

pytestmark = pytest.mark.skipif(
    "DES_DATA" not in os.environ or not FILE.exists(),
    reason=f"DES_DATA is unset or lacks {NAME}",
)

REPAIR = {
    "openai/api": (0.248, 1.226),
    "openai/chatgpt": (0.404, 1.299),
    "anthropic/api": (0.262, 1.406),
    "anthropic/claude.ai": (0.086, 1.376),
    "character-ai/chat": (0.298, 1.316),
    "stability/rest-api": (-0.543, 1.651),
}
BETWEEN = {
    "openai/api": (0.671, 3.919),
    "openai/chatgpt": (0.817, 3.661),
    "anthropic/api": (0.700, 2.868),
    "anthropic/claude.ai": (0.653, 2.754),
    "stability/rest-api": (0.705, 6.073),
}
BETWEEN_FROM_2024 = {"openai/api": (0.749, 3.086), "anthropic/api": (0.813, 2.392)}
OPEN = {"openai/api": 0.0217, "openai/chatgpt": 0.0485, "anthropic/api": 0.0378, "anthropic/claude.ai": 0.0305}
TOGETHER = {
    ("openai/api", "openai/chatgpt"): (7.60, 5.94, 0.010),
    ("anthropic/api", "anthropic/claude.ai"): (19.46, 12.80, 0.014),
    ("anthropic/api", "openai/api"): (0.97, 0.69, 0.68),
}


@pytest.fixture(scope="module")
def whole() -> Fit:
    return fit(FILE)


@pytest.fixture(scope="module")
def services(whole: Fit) -> dict[str, ServiceCalibration]:
    return {service.name: service for service in whole.calibration.services}


@pytest.fixture(scope="module")
def pairs(whole: Fit) -> dict[tuple[str, str], Overlap]:
    return {(pair.first, pair.second): pair for pair in whole.calibration.overlaps}


def _parameters(service: ServiceCalibration, times: str, kind: str) -> tuple[float, ...]:
    fitted = getattr(service, times).fitted(kind)
    assert fitted is not None
    return tuple(round(value, 3) for value in fitted.parameters)


def test_every_row_is_read_and_sound(whole: Fit) -> None:
    assert len(whole.history.incidents) == 1009
    assert not whole.history.skipped
    assert len(whole.calibration.services) == 9


@pytest.mark.parametrize("name", REPAIR)
def test_time_to_repair(services: dict[str, ServiceCalibration], name: str) -> None:
    assert _parameters(services[name], "repair", "lognormal") == REPAIR[name]
    assert services[name].repair.distributions[0].kind == "lognormal"


@pytest.mark.parametrize("name", BETWEEN)
def test_start_to_start(services: dict[str, ServiceCalibration], name: str) -> None:
    assert _parameters(services[name], "between", "weibull") == BETWEEN[name]


def test_start_to_start_from_2024_on() -> None:
    later = fit(FILE, services=list(BETWEEN_FROM_2024), since="2024-01-01")
    for service in later.calibration.services:
        assert _parameters(service, "between", "weibull") == BETWEEN_FROM_2024[service.name]


@pytest.mark.parametrize("name", OPEN)
def test_share_of_time_open(services: dict[str, ServiceCalibration], name: str) -> None:
    assert round(services[name].share_open, 4) == OPEN[name]


@pytest.mark.parametrize("names", TOGETHER, ids=" and ".join)
def test_overlap(pairs: dict[tuple[str, str], Overlap], names: tuple[str, str]) -> None:
    product, shifted, p_value = TOGETHER[names]
    pair = pairs[names]
    assert round(pair.ratio_to_product, 2) == product
    assert round(pair.ratio_to_shifts, 2) == shifted
    assert round(pair.p_value, 2 if p_value > 0.1 else 3) == p_value


def test_overlap_of_another_model_of_the_same_provider_is_seven_to_27_fold(
    pairs: dict[tuple[str, str], Overlap],
) -> None:
    names = ("openai/api", "openai/chatgpt"), ("anthropic/claude.ai", "anthropic/console")
    assert [round(pairs[name].ratio_to_product, 1) for name in names] == [7.6, 26.7]


def test_open_time_in_2024_by_time_of_week() -> None:
    found = fit(FILE, services=["openai/api", "anthropic/api"], since="2024-01-01", until="2025-01-01")
    factors = [service.seasonality.classes for service in found.calibration.services if service.seasonality]
    busy, weekend = ([round(each[place].open_factor, 2) for each in factors] for place in (0, 2))
    assert busy == [1.77, 1.52]
    assert weekend == [0.28, 0.14]


def test_growth_is_noticed(whole: Fit, services: dict[str, ServiceCalibration]) -> None:
    for name in ("openai/api", "anthropic/api", "anthropic/claude.ai"):
        trend = services[name].trend
        assert trend is not None
        assert trend.p_value < 0.01
        assert trend.after_per_year > 2 * trend.before_per_year
        assert any(caution.startswith(f"{name}: the rate changed") for caution in whole.cautions)


def test_few_services_leave_room_for_adjusted_p_values() -> None:
    found = fit(FILE, services=["openai/api", "chatgpt", "anthropic/api"])
    adjusted = {(pair.first, pair.second): pair.p_adjusted for pair in found.calibration.overlaps}
    assert adjusted["openai/api", "openai/chatgpt"] == pytest.approx(3 / 97)
    assert "Open together 7.6 times" in found.fragment.replace("\n# ", " ")


def test_permutations_over_some_of_the_shifts_agree_with_all() -> None:
    found = fit(FILE, services=["openai/api", "chatgpt"], permutations=60, seed=3)
    (pair,) = found.calibration.overlaps
    assert pair.shifts == 60
    assert pair.p_value == pytest.approx(1 / 61)
    assert pair.ratio_to_shifts == pytest.approx(5.94, rel=0.15)


def test_what_is_printed_fits_80_columns(whole: Fit) -> None:
    printed = list(lines(whole.calibration, whole.cautions, whole.history.source))
    assert max(map(len, printed)) <= 80


def test_the_fragment_names_every_service(whole: Fit) -> None:
    piece = yaml.safe_load(whole.fragment)
    assert len(piece["components"]) == 9
    between = piece["components"]["openai_api"]["incidents"][0]["between"]
    assert between == {"kind": "weibull", "shape": 0.6706, "scale": "3.919d"}


def test_open_time_is_that_of_the_minute_grid() -> None:
    for service in service_histories(read_history(FILE)):
        minutes = service.open_minutes(service.from_s, service.until_s)
        assert service.open_s() == pytest.approx(60.0 * np.count_nonzero(minutes), rel=5e-3)


WIDE = {"openai/api": "API", "openai/chatgpt": "ChatGPT", "anthropic/api": "api.anthropic.com"} | {
    "anthropic/claude.ai": "claude.ai",
    "character-ai/chat": "Character.AI",
}
"""The columns of flags that the data set of Chu et al. (ICPE 2025) has for these services."""


OUT_OF_ORDER = ("h3vtgftrvl61", "1jr5v353kpcc", "xzsbnxzpw1j2", "462433f2fk2j", "2gqshgzt6gpb")
"""Incidents of that data set that were identified before they were investigated, or monitored before identified."""
PUBLISHED = {
    "API": (2.56, 5.64),
    "ChatGPT": (3.64, 4.01),
    "api.anthropic.com": (2.81, 5.22),
    "claude.ai": (3.16, 4.79),
    "Character.AI": (3.95, 8.74),
}
"""Mean hours to repair and mean days between failures, up to August 2024."""


def _wide(path: Path) -> Path:
    """The history as that data set has it: a flag for each service, and the stages of each incident."""
    rows = pd.read_csv(FILE)
    rows = rows[rows.started_at < "2024-08-31"]
    flags = pd.crosstab(rows.incident_id, rows.provider + "/" + rows.service).clip(upper=1)[[*WIDE]]
    wide = rows.groupby("incident_id").agg(
        incident_impact_level=("impact_level", "first"),
        provider=("provider", "first"),
        investigating_timestamp=("started_at", "first"),
        resolved_timestamp=("resolved_at", "first"),
    )
    wide["identified_timestamp"] = wide.investigating_timestamp.where(~wide.index.isin(OUT_OF_ORDER), "2021-01-01")
    wide["start_timestamp"], wide["close_timestamp"] = wide.investigating_timestamp, wide.resolved_timestamp
    wide.join(flags.rename(columns=WIDE)).assign(resolved_flag=1, over_one_day=False).reset_index().to_csv(path)
    return path


def test_a_wide_file_of_flags_gives_the_published_mean_times_in_one_call(tmp_path: Path) -> None:
    found = fit(_wide(tmp_path / "incident_stages.csv"), flags=[",".join(WIDE.values())], skip_bad=True)
    figures = {
        service.name.partition("/")[2]: (service.repair.mean_s / 3600, service.between.mean_s / 86_400)
        for service in found.calibration.services
    }
    assert figures == {name: pytest.approx(published, abs=0.005) for name, published in PUBLISHED.items()}
    assert len({row.partition(" ")[0] for row in found.history.skipped}) == len(OUT_OF_ORDER)


def test_its_rows_out_of_order_are_told_and_not_fitted_unasked(tmp_path: Path) -> None:
    path = _wide(tmp_path / "incident_stages.csv")
    with pytest.raises(DesError, match="identified_timestamp 2021-01-01 is before investigating_timestamp 20"):
        fit(path, flags=[",".join(WIDE.values())])
