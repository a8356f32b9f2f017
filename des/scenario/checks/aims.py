"""What `optimise:` names must exist: its aim, the metrics of its bounds, and the entries of the chain."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from des.scenario.schema.expectations import read_expectation
from des.scenario.schema.optimise import AVAILABILITY, TOTAL_COST
from des.scenario.text.names import Content, chain_legs, group_names, items, leg_names, mapping
from des.scenario.text.places import Path
from des.scenario.text.problems import Finding
from des.vocabulary import HEADLINES, METRICS_IN_OTHER_WORDS
from des.words import did_you_mean, unknown

OPTIMISABLE: Final = (HEADLINES[0], "failure_share", *HEADLINES[1:])
"""Metrics that a candidate is told apart by, as `summary.json` defines them; `failure_share` is 1 - availability."""
_AIMS: Final[Mapping[str, tuple[str, ...]]] = {
    "minimise": (*(metric for metric in OPTIMISABLE if metric != AVAILABILITY), TOTAL_COST),
    "maximise": (AVAILABILITY,),
}


def why_no_aim(direction: str, metric: str, *, priced: bool) -> str:
    """Why a metric cannot be minimised or maximised; empty where it can. `priced` says whether failing has a price."""
    known = _AIMS[direction]
    if metric in known:
        return "" if priced or metric != TOTAL_COST else "total_cost takes the price of failing: give value"
    if direction == "minimise" and metric == AVAILABILITY:
        return "availability is to be as high as can be: write maximise: availability"
    if direction == "maximise" and metric in _AIMS["minimise"]:
        return f"only availability can be maximised: write minimise: {metric}"
    return _unknown(metric, known)


def why_no_bound(metric: str, text: str) -> str:
    """Why a metric cannot be bound by a comparison such as `>= 99.95%`; empty where it can."""
    if metric not in OPTIMISABLE:
        return _unknown(metric, OPTIMISABLE)
    try:
        read_expectation(metric, text, ())
    except ValueError as error:
        return str(error)
    return ""


def entry_words(content: Content) -> dict[str, list[int]]:
    """The positions in the chain that a word means: the name of a group or of a leg outside groups, or a provider."""
    chain = items(content.get("chain"))
    found: dict[str, list[int]] = {}
    for position, name in enumerate(group_names(chain)):
        if name is not None:
            found[name] = [position]
    for (path, leg), name in zip(chain_legs(chain), leg_names(content, chain), strict=True):
        if len(path) == 1 and isinstance(path[0], int):
            found.setdefault(name, [path[0]])
            provider = mapping(leg).get("provider")
            if isinstance(provider, str) and provider != name:
                found.setdefault(provider, []).append(path[0])
    return found


def aim_findings(content: Content, known: Sequence[str] = ()) -> Iterator[Finding]:
    """Findings on `optimise:`. `known` are names of entries that an arm's chain may lack."""
    said = mapping(content.get("optimise"))
    for direction in _AIMS:
        metric = said.get(direction)
        priced = bool(mapping(content.get("value")))
        if isinstance(metric, str) and (message := why_no_aim(direction, metric, priced=priced)):
            yield Finding(("optimise", direction), message)
    for metric, texts in mapping(said.get("subject_to")).items():
        yield from _bounds(metric, texts)
    words = [*entry_words(content), *known]
    for position, name in enumerate(items(mapping(said.get("legs")).get("among"))):
        if isinstance(name, str) and name not in words:
            here: Path = ("optimise", "legs", "among", position)
            yield Finding(here, unknown("entry of the chain", name, words))


def _bounds(metric: str, texts: Any) -> Iterator[Finding]:
    here: Path = ("optimise", "subject_to", metric)
    if metric not in OPTIMISABLE:
        yield Finding(here, _unknown(metric, OPTIMISABLE), at_key=True)
        return
    for position, text in enumerate(texts if isinstance(texts, list) else [texts]):
        if isinstance(text, str) and re.match(r"\s*(>=|<=|>|<)\s*\S", text) and (why := why_no_bound(metric, text)):
            yield Finding((*here, position) if isinstance(texts, list) else here, why)


def _unknown(metric: str, known: Sequence[str]) -> str:
    question = did_you_mean(METRICS_IN_OTHER_WORDS.get(metric, metric), known)
    return f"unknown metric '{metric}'{question or ';'} expect one of {', '.join(known)}"
