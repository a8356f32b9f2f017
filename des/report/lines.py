"""The lines of a summary table: a label, and for each arm the figure as people read it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from des.report import figures

MOST_NAMES: Final = 12
"""Legs, causes and components that are listed by name in one block; what is left makes one line."""

Figure = Mapping[str, Any]
Write = Callable[[Figure | None], str]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table; a title has no cells."""

    label: str
    cells: tuple[str, ...] = ()


def lines(summary: Mapping[str, Any], arms: Sequence[str]) -> Iterator[Line]:
    """Every line of the table of these arms."""
    of = [summary["arms"][arm] for arm in arms]
    freed: set[str] = set()  # metrics whose figure by control variates has had its line
    for label, metric, write in HEADLINES:
        if any(metric in metrics for metrics in of):
            budgets = metric == "rate_limited_share" and any(
                _mean(metrics.get("refused_by_budget_share")) for metrics in of
            )
            yield Line(
                f"{label}, budgets too" if budgets else label, tuple(write(metrics.get(metric)) for metrics in of)
            )
            better = [(metrics.get(metric) or {}).get("controlled") for metrics in of]
            if any(better) and metric not in freed:
                freed.add(metric)
                yield Line("  freed of luck with outages", tuple(write(each) for each in better))
    served = [metrics.get("served_share") or {} for metrics in of]
    yield from _named("served by (share of ok requests)", served, share, list(_names(served)))
    lost = [metrics.get("lost_by_cause") or {} for metrics in of]
    to_blame = [name for name in _names(lost) if _largest(lost, name) > 0.0]
    yield from _named("requests lost to", lost, count, sorted(to_blame, key=lambda name: -_largest(lost, name)))
    yield from _time_up(summary, arms)


def _named(title: str, arms: Sequence[Mapping[str, Figure]], write: Write, names: Sequence[str]) -> Iterator[Line]:
    """One line a name, in this order; of too many the largest, and one line for the rest."""
    if not names:
        return
    yield Line(title)
    kept = set(names)
    if len(names) > MOST_NAMES:
        kept = set(sorted(names, key=lambda name: -_largest(arms, name))[: MOST_NAMES - 1])
    for name in names:
        if name in kept:
            yield Line(f"  {name}", tuple(write(arm.get(name)) for arm in arms))
    rest = [name for name in names if name not in kept]
    if rest:
        sums = (sum(_mean(arm.get(name)) for name in rest) for arm in arms)
        yield Line(f"  {len(rest)} others", tuple(write(_point(total)) for total in sums))


def _time_up(summary: Mapping[str, Any], arms: Sequence[str]) -> Iterator[Line]:
    """Time-weighted: shares of the horizon, whatever traffic there was, and how often it went down."""
    components, endpoints, chain = (
        [summary.get(group, {}).get(arm, {}) for arm in arms] for group in ("components", "endpoints", "chain")
    )
    rows = [(name, components) for name in _names(components)]
    rows += [(name, endpoints) for name in _names(endpoints) if not _repeats(name, endpoints, components)]
    if not any(_mean(arm[name]["availability"]) < 1.0 for name, group in rows for arm in group if name in arm):
        return
    if len(rows) > MOST_NAMES:
        rows.sort(key=lambda row: min(_mean(arm[row[0]]["availability"]) for arm in row[1] if row[0] in arm))
        yield Line(f"share of the time up (times down), the {MOST_NAMES} lowest of {len(rows)}")
    else:
        yield Line("share of the time up (times down)")
    for name, group in rows[:MOST_NAMES]:
        yield Line(f"  {name}", tuple(_spell(arm.get(name)) for arm in group))
    for name in _names(chain):
        yield Line("  any leg", tuple(_spell(arm.get(name)) for arm in chain))


def _repeats(endpoint: str, endpoints: Sequence[Mapping[str, Any]], components: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an endpoint fares in every arm as its own or its provider's component does, so says nothing new."""
    provider = endpoint.partition("/")[0]
    return all(
        endpoint not in arm or arm[endpoint] in (parts.get(endpoint), parts.get(provider))
        for arm, parts in zip(endpoints, components, strict=True)
    )


def _spell(spell: Mapping[str, Figure] | None) -> str:
    if spell is None:
        return figures.NOTHING
    availability, episodes = spell["availability"], spell["episodes"]
    if not _mean(episodes) and availability["mean"] == 1.0:
        return "100 % (0)"
    return f"{figures.availability(availability)} ({count(_point(_mean(episodes)))})"


def _names(arms: Sequence[Mapping[str, Any]]) -> dict[str, None]:
    return dict.fromkeys(name for arm in arms for name in arm)


def _largest(arms: Sequence[Mapping[str, Figure]], name: str) -> float:
    return max(_mean(arm.get(name)) for arm in arms)


def _mean(figure: Figure | None) -> float:
    return 0.0 if figure is None or figure["mean"] is None else float(figure["mean"])


def _point(value: float) -> Figure:
    return {"mean": value, "low": None, "high": None}


def count(figure: Figure | None) -> str:
    if figure is not None and figure["mean"] is not None and float(figure["mean"]).is_integer():
        return figures.with_interval(figure["mean"], figure["low"], figure["high"], figures.plain, 0)
    return figures.shown(figure, figures.plain, digits=4)


def money(figure: Figure | None) -> str:
    return figures.shown(figure, figures.dollars, digits=4)


def share(figure: Figure | None) -> str:
    return figures.shown(figure, figures.percent, scale=100.0)


def seconds(figure: Figure | None) -> str:
    return figures.shown(figure, figures.seconds)


def number(figure: Figure | None) -> str:
    return figures.shown(figure, figures.plain, digits=4)


HEADLINES: Final[Sequence[tuple[str, str, Write]]] = (
    ("requests", "requests", count),
    ("availability", "availability", figures.availability),
    ("  nines", "availability", figures.availability_nines),
    ("  minutes down per 30 days", "availability", figures.availability_minutes),
    ("cost", "cost_usd", money),
    ("  per request", "cost_usd_per_request", money),
    ("  per success", "cost_usd_per_success", money),
    ("  wasted", "wasted_cost_share", share),
    ("latency, mean", "latency_s_mean", seconds),
    ("  p50", "latency_s_p50", seconds),
    ("  p95", "latency_s_p95", seconds),
    ("  p99", "latency_s_p99", seconds),
    ("attempts per request", "attempts_per_request", number),
    ("  rate-limited", "rate_limited_share", share),
    ("served by a fallback", "fallback_share", share),
    ("batches", "batches", count),
    ("  hit by an incident", "batches_hit_by_incident", count),
    ("  with lost requests", "batches_with_lost_requests", count),
    ("  done after, mean", "batch_lateness_s_mean", seconds),
    ("  done after, p95", "batch_lateness_s_p95", seconds),
    ("  done after, at most", "batch_lateness_s_max", seconds),
)
"""Label, metric, and how its value is written."""

WRITTEN: Final[Mapping[str, Write]] = {metric: write for _, metric, write in reversed(HEADLINES)}
"""How a metric's value is written: as its first headline does."""
