"""Episodes: maximal times of being down, of components, of endpoints or of the whole chain."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import pandas as pd

from des.errors import DesError
from des.scenario import Scenario
from des.scenario.schema.scenario import Scenario as Settings
from des.traces import Run
from des.words import unknown

_OF: Final = ("component", "endpoint", "chain")
_Outage = tuple[float, float, int]
"""Start, end, and the number of incidents in it."""


def episodes(run: Run, scenario: Scenario, of: str) -> pd.DataFrame:
    """See `Run.episodes`."""
    if of not in _OF:
        raise DesError(unknown("kind of episode", of, _OF))
    rows: list[dict[str, Any]] = []
    for arm in run.manifest["arms"]:
        settings = scenario.loaded.arms[arm].scenario
        for file in run.files("incidents", arm):
            incidents = run.of_file(file, ["replication", "component", "start_s", "end_s", "error_rate", "endpoints"])
            outages = incidents[incidents["error_rate"] >= 1.0]
            for name, found in _by_name(outages, of, settings):
                rows += [
                    {
                        "arm": arm,
                        "replication": int(outages["replication"].iloc[0]),
                        of: name,
                        "start_s": start_s,
                        "end_s": end_s,
                        "duration_s": end_s - start_s,
                        "incidents": count,
                    }
                    for start_s, end_s, count in found
                ]
    columns = ["arm", "replication", of, "start_s", "end_s", "duration_s", "incidents"]
    return pd.DataFrame(rows, columns=columns).set_index(["arm", "replication", of])


def _by_name(outages: pd.DataFrame, of: str, settings: Settings) -> Iterator[tuple[str, list[_Outage]]]:
    if of == "component":
        for name, each in outages.groupby("component", sort=True):
            yield str(name), _merged(zip(each["start_s"], each["end_s"], [1] * len(each), strict=True))
        return
    hit: dict[str, list[_Outage]] = {}
    for start_s, end_s, endpoints in zip(outages["start_s"], outages["end_s"], outages["endpoints"], strict=True):
        for endpoint in endpoints:
            hit.setdefault(str(endpoint), []).append((start_s, end_s, 1))
    down = {endpoint: _merged(iter(each)) for endpoint, each in sorted(hit.items())}
    if of == "endpoint":
        yield from down.items()
        return
    chain = list(dict.fromkeys(_endpoints(settings)))
    if together := _together([down.get(endpoint, []) for endpoint in chain]):
        yield "every leg", together


def _merged(outages: Iterator[_Outage]) -> list[_Outage]:
    """Overlapping and touching outages as one each, in order."""
    found: list[_Outage] = []
    for start_s, end_s, count in sorted(outages):
        if found and start_s <= found[-1][1]:
            first_s, last_s, before = found[-1]
            found[-1] = first_s, max(last_s, end_s), before + count
        else:
            found.append((start_s, end_s, count))
    return found


def _together(each: Sequence[list[_Outage]]) -> list[_Outage]:
    """The times in which all of them are down, with the most incidents of any one."""
    if not each:
        return []
    shared = each[0]
    for other in each[1:]:
        shared = list(_overlaps(shared, other))
    return shared


def _overlaps(ours: list[_Outage], theirs: list[_Outage]) -> Iterator[_Outage]:
    """The times in both of two lists, each in order and without overlaps of its own."""
    one, two = 0, 0
    while one < len(ours) and two < len(theirs):
        start_s, end_s = max(ours[one][0], theirs[two][0]), min(ours[one][1], theirs[two][1])
        if start_s < end_s:
            yield start_s, end_s, max(ours[one][2], theirs[two][2])
        if ours[one][1] <= theirs[two][1]:
            one += 1
        else:
            two += 1


def _endpoints(settings: Settings) -> Iterator[str]:
    for leg in settings.legs:
        models = settings.providers[leg.spec.provider].models
        yield f"{leg.spec.provider}/{leg.spec.model or next(iter(models))}"
