"""What tables say of the incidents that a run was too short to meet, beside the figure that lacks them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from des.estimate.unseen import expected_count
from des.report import figures
from des.report.figures import read
from des.report.layout import Line

_EXPECTED: Final = " expected"
_Unseen = Mapping[str, Mapping[str, Any]]
"""`unseen` of a summary: by arm, only those to which it applies."""


def met_lines(summary: Mapping[str, Any], arms: Sequence[str]) -> Iterator[Line]:
    """How many incidents the run met of those to be expected, for the class that matters most in each arm."""
    of = _told(summary, arms)
    if of:
        yield Line("  incidents met", tuple(_met(of.get(arm)) for arm in arms))


def unseen_lines(summary: Mapping[str, Any], arms: Sequence[str]) -> Iterator[Line]:
    """The same, and the availability in the long run where it is known."""
    yield from met_lines(summary, arms)
    of = _told(summary, arms)
    known = {arm: read(of[arm]["long_run"]) for arm in of}
    if any(known.values()):
        cells = (figures.availability(known.get(arm)) for arm in arms)
        yield Line("  in the long run", tuple(cells))


def unseen_sentences(summary: Mapping[str, Any], arms: Sequence[str]) -> Iterator[str]:
    """`0 of 0.002 expected outages of cloudflare met: this is availability between outages`, and what tells the rest.

    Arms of which the same is said share a sentence.
    """
    said: dict[str, list[str]] = {}
    for arm, of in _told(summary, arms).items():
        said.setdefault(_sentence(of), []).append(arm)
    for sentence, those in said.items():
        yield sentence if len(arms) == 1 else f"{', '.join(those)}: {sentence}"


def unseen_cells(summary: Mapping[str, Any], arm: str) -> list[str]:
    """Cells of an arm's row: incidents met of those expected, and the availability in the long run if it is known."""
    of = _told(summary, [arm]).get(arm)
    return [
        _met(of).removesuffix(_EXPECTED),
        figures.NOTHING if of is None else figures.availability(read(of["long_run"])),
    ]


def unseen_by_point(summaries: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Of which incidents a sweep met too few, at which points. Points of which the same is said share a line."""
    said: dict[str, list[str]] = {}
    for point, summary in summaries.items():
        for of in _told(summary, list(summary["arms"])).values():
            points = said.setdefault(f"{of['words']}: {_meaning(of['incidents'])}", [])
            if point not in points:
                points.append(point)
    for sentence, points in said.items():
        where = "every point" if len(points) == len(summaries) else "; ".join(points)
        yield f"{where}: {sentence}"


def _sentence(of: Mapping[str, Any]) -> str:
    what = f"{of['words']}: {_meaning(of['incidents'])}"
    known = read(of["long_run"])
    if known is not None:
        return f"{what}; in the long run it is {figures.availability(known)} ({known.estimator})"
    if not of["long_run_reason"]:  # the long run was not asked for, since availability hardly depends on them
        return what
    return (
        f"{what}, without an interval, as only simulated requests tell the long run ({of['long_run_reason']}): "
        "des answer SCENARIO"
    )


def _meaning(incidents: Sequence[Mapping[str, Any]]) -> str:
    if any(one["met"] for one in incidents):
        return "too few to tell the availability"
    return f"this is availability between {'outages' if incidents[0]['outages'] else 'incidents'}"


def _told(summary: Mapping[str, Any], arms: Sequence[str]) -> _Unseen:
    found = summary.get("unseen", {})
    return {arm: found[arm] for arm in arms if arm in found}


def _met(of: Mapping[str, Any] | None) -> str:
    if of is None:
        return figures.NOTHING
    first = of["incidents"][0]
    return f"{first['met']} of {expected_count(first['expected'])}{_EXPECTED}"
