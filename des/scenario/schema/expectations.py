"""The results that a scenario expects: `availability: ">= 99.95%"`."""

import re
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from des.scenario.schema.setting import Text, list_of_one
from des.scenario.text.units import read_amount, read_duration, read_share, read_usd, shown
from des.vocabulary import CASCADE_METRICS, METRICS, METRICS_IN_OTHER_WORDS
from des.words import did_you_mean

AS_MODELLED: Final = "as_modelled"
"""The arm of a scenario without arms, and the arm of expectations that name none."""
OBJECTIVE: Final = "objective"
"""The chance that a month, or another window, meets the scenario's `objective`."""
EXPECTABLE: Final = (*METRICS, "failure_share", "all_down", OBJECTIVE, *CASCADE_METRICS)
"""Metrics that a scenario may expect values of: `failure_share` is 1 - availability, `all_down` a share of the time."""

_COMPARISON: Final = re.compile(r"\s*(>=|<=|>|<)\s*(\S.*?)\s*")


@dataclass(frozen=True, slots=True)
class Expectation:
    """One comparison that a run must satisfy; `value` is in the metric's own unit."""

    arm: str
    metric: str
    comparison: str  # ">=", "<=", ">" or "<"
    value: float


def _comparison(text: str) -> str:
    if not _COMPARISON.fullmatch(text):
        raise ValueError(f'expected a comparison such as ">= 99.95%" or "< 2s"; got {shown(text)}')
    return text


_ComparisonText = Annotated[
    Text,
    AfterValidator(_comparison),
    Field(json_schema_extra={"pattern": r"^\s*(>=|<=|>|<)\s*\S", "examples": [">= 99.95%", "< 2s"]}),
]
ExpectationTexts = Annotated[
    tuple[_ComparisonText, ...],
    Field(min_length=1),
    list_of_one({"type": "string", "pattern": r"^\s*(>=|<=|>|<)\s*\S", "examples": [">= 99.95%", "< 2s"]}),
]


def split_name(name: str, arms: tuple[str, ...]) -> tuple[str, str]:
    """(arm, metric) of `metric` or `arm.metric`; without an arm it is as_modelled, else the first."""
    arm, _, metric = name.rpartition(".")
    return arm or default_arm(arms), metric


def default_arm(arms: tuple[str, ...]) -> str:
    return AS_MODELLED if AS_MODELLED in arms or not arms else arms[0]


def unknown_metric(metric: str) -> str:
    """The message: the nearest known one, and all of them."""
    question = did_you_mean(METRICS_IN_OTHER_WORDS.get(metric, metric), EXPECTABLE)
    return f"unknown metric {shown(metric)}{question or ';'} expect one of {', '.join(EXPECTABLE)}"


def read_expectation(name: str, text: str, arms: tuple[str, ...]) -> Expectation:
    """Raises ValueError if the metric is unknown or the value does not fit its unit."""
    arm, metric = split_name(name, arms)
    if metric not in EXPECTABLE:
        raise ValueError(unknown_metric(metric))
    match = _COMPARISON.fullmatch(text)
    if match is None:
        raise ValueError(_comparison(text))
    comparison, value = match.groups()
    return Expectation(arm, metric, comparison, _value(metric, value))


def _value(metric: str, text: str) -> float:
    if metric in ("availability", "all_down", OBJECTIVE, "metastable", "blackout") or metric.endswith("_share"):
        return read_share(text)
    if metric.startswith("latency_s") or metric == "time_to_recover_s":
        try:
            return read_amount(text)
        except ValueError:
            return read_duration(text)
    if metric.startswith("cost_usd"):
        return read_usd(text)
    return read_amount(text)
