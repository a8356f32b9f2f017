"""The lines of the tables of arms: a label, and each arm's figure as text."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from des.estimate.estimate import Estimate
from des.report import figures
from des.report.figures import mean_of, read
from des.report.layout import Line
from des.report.unseen_lines import unseen_lines
from des.scenario.text.units import read_positive_duration

_MOST_NAMES: Final = 12
"""Most legs, causes or components listed by name in one block; the others make one line."""
_MINUTE_S: Final = 60.0
_MILLION: Final = 1e6
LOST_TO: Final = "lost to, of a million requests"
"""The label of losses by cause, wherever they stand."""
_REFUSING: Final = " refusing"
"""State of a limit or capacity from a refusal to the next admitted call. It is not counted as time out of service."""

Write = Callable[[Estimate | None], str]
Metrics = Mapping[str, Any]
"""The metrics of an arm, as `summary.json` holds them."""


def lines(
    summary: Mapping[str, Any], arms: Sequence[str], *, brief: bool = False, lost_as_shares: bool = False
) -> Iterator[Line]:
    """Every line of the table of these arms, except those of cascades.

    A `brief` run, of less than a day, has no line of the time down in 30 days. Lost requests are counts, of an answer
    shares of all (`lost_as_shares`).
    """
    of: list[Metrics] = [summary["arms"][arm] for arm in arms]
    adjusted: set[str] = set()  # metrics whose control-variate adjusted figure has its line already
    for label, metric, write in _HEADLINES:
        if not any(metric in metrics for metrics in of) or (metric in _NOTABLE and not _any_above_zero(of, metric)):
            continue
        if metric in _OF_COST and not any("cost_usd" in metrics for metrics in of):
            label = _OF_COST[metric]
        budgets = metric == "rate_limited_share" and any(_mean(metrics, "refused_by_budget_share") for metrics in of)
        found = [read(metrics.get(metric)) for metrics in of]
        if not (brief and write is figures.availability_minutes):
            yield Line(f"{label}, budgets too" if budgets else label, tuple(map(write, found)))
        if write is figures.availability_minutes:
            yield from unseen_lines(summary, arms)
        better = [None if figure is None else figure.controlled for figure in found]
        if any(better) and metric not in adjusted:
            adjusted.add(metric)
            yield Line("  control-variate adjusted", tuple(map(write, better)))
    served = [_read_all(metrics.get("served_share")) for metrics in of]
    yield from _by_name("served by (share of ok requests)", served, share, list(_names(served)))
    lost = [of_a_million(metrics, lost_as_shares) for metrics in of]
    causes = [name for name in _names(lost) if _largest(lost, name) > 0.0]
    yield from _by_name(LOST_TO, lost, round_count, sorted(causes, key=lambda name: -_largest(lost, name)))
    yield from _time_up(summary, arms)


def of_a_million(metrics: Metrics, shares: bool = False) -> "Figures":
    """Lost requests by cause: counts in the metrics of a run, `shares` of all in those of an answer."""
    requests = 1.0 if shares else _mean(metrics, "requests") or 1.0
    factor = _MILLION / requests
    found = _read_all(metrics.get("lost_by_cause"))
    return {name: figures.scaled(figure, factor) for name, figure in found.items()}


def horizon_s(scenario: Mapping[str, Any], arm: str) -> float:
    """Of an arm, which may have its own, in the scenario of a manifest."""
    changes = (scenario.get("arms") or {}).get(arm) or {}
    return read_positive_duration(changes.get("horizon", scenario["horizon"]))


def written(metric: str, found: Mapping[str, Any] | None) -> str:
    """A metric of `summary.json` as its line shows it."""
    if metric == "time_to_recover_s":
        return _recovery(found, narrow=False)
    if metric in ("metastable", "blackout"):
        return _runs(found)
    return _WRITTEN[metric](read(found))


def cascade_lines(summary: Mapping[str, Any], arms: Sequence[str], *, narrow: bool = False) -> Iterator[Line]:
    """Calls per request, refusals, recovery and time out of service; nothing where there can be no cascade.

    `narrow` lines use fewer words.
    """
    of: list[Metrics] = [summary["arms"][arm] for arm in arms]
    if not any("retry_amplification" in metrics for metrics in of):
        return
    yield Line("limits, retries and recovery")
    for label, metric, write in _CALLS:
        if metric in _OF_MINUTES and not any(_mean(metrics, "goodput_per_minute") >= _BUSY for metrics in of):
            continue
        yield Line(label, tuple(write(read(metrics.get(metric))) for metrics in of))
    for label, metric, write in _REFUSALS:
        if any(_mean(metrics, metric) for metrics in of):
            yield Line(label, tuple(write(read(metrics.get(metric))) for metrics in of))
    if any((metrics.get("time_to_recover_s") or {}).get("triggers") for metrics in of):
        yield Line("  time to recover", tuple(_recovery(metrics.get("time_to_recover_s"), narrow) for metrics in of))
        yield Line("  metastable runs", tuple(_runs(metrics.get("metastable")) for metrics in of))
    if any((metrics.get("blackout") or {}).get("runs") for metrics in of):
        yield Line("  blackouts of its own", tuple(_runs(metrics.get("blackout")) for metrics in of))
    yield from _times_out(of)


def cascade_sentences(summary: Mapping[str, Any], arms: Sequence[str]) -> Iterator[str]:
    """Metastable arms and blackouts by name, and the width of the bins where they are wider than a minute."""
    several = len(arms) > 1
    for word, sentence in (("metastable", _collapse), ("blackout", _blackout)):
        for arm in arms:
            found = summary["arms"][arm].get(word)
            if found is not None and found["runs"]:
                yield f"{word}{f' ({arm})' if several else ''}: {sentence(found)}"
    bins_s = [found["resolution_s"] for arm in arms if (found := summary["arms"][arm].get("time_to_recover_s"))]
    if bins_s and max(bins_s) > _MINUTE_S:
        yield (
            f"the run is longer than 31 days: minutes and times to recover have a resolution of "
            f"{max(bins_s) / _MINUTE_S:,.0f} min"
        )


def count(figure: Estimate | None) -> str:
    if figure is not None and figure.mean is not None and float(figure.mean).is_integer():
        return figures.with_interval(figure.mean, figure.low, figure.high, figures.plain, 0)
    return figures.shown(figure, figures.plain, digits=4)


def round_count(figure: Estimate | None) -> str:
    """Its interval decides the digits; without one it has no decimals from ten on."""
    return figures.shown(figure, figures.plain, digits=2)


def money(figure: Estimate | None) -> str:
    return figures.shown(figure, figures.dollars)


def per_thousand(figure: Estimate | None) -> str:
    """A cost of one request, for a thousand of them."""
    return money(None if figure is None or figure.mean is None else figures.scaled(figure, 1000.0))


def share(figure: Estimate | None) -> str:
    return figures.shown(figure, figures.percent, scale=100.0)


def seconds(figure: Estimate | None) -> str:
    return figures.shown(figure, figures.seconds)


def _number(figure: Estimate | None) -> str:
    return figures.shown(figure, figures.plain, digits=4, most=4)


_HEADLINES: Final[Sequence[tuple[str, str, Write]]] = (
    ("requests", "requests", count),
    ("availability", "availability", figures.availability),
    ("  nines", "availability", figures.availability_nines),
    ("  minutes down in 30 days", "availability", figures.availability_minutes),
    ("cost", "cost_usd", money),
    ("  per 1,000 requests", "cost_usd_per_request", per_thousand),
    ("  per 1,000 answered", "cost_usd_per_success", per_thousand),
    ("  wasted", "wasted_cost_share", share),
    ("latency, mean", "latency_s_mean", seconds),
    ("  p50", "latency_s_p50", seconds),
    ("  p95", "latency_s_p95", seconds),
    ("  p99", "latency_s_p99", seconds),
    ("calls per request", "attempts_per_request", _number),
    ("  rate-limited", "rate_limited_share", share),
    ("answered by a fallback", "fallback_share", share),
    ("batches", "batches", count),
    ("  hit by an incident", "batches_hit_by_incident", count),
    ("  with lost requests", "batches_with_lost_requests", count),
    ("  done after, mean", "batch_lateness_s_mean", seconds),
    ("  done after, p95", "batch_lateness_s_p95", seconds),
    ("  done after, at most", "batch_lateness_s_max", seconds),
)
"""Label, metric, and the function that writes its value."""
_OF_COST: Final = {"cost_usd_per_request": "cost per 1,000 requests"}
"""Labels where the bill itself, under which they stand otherwise, is not known."""
_NOTABLE: Final = ("rate_limited_share", "wasted_cost_share")
"""Lines left out where they are 0 in all arms."""
_OF_MINUTES: Final = ("goodput_per_minute", "peak_calls_per_minute")
_BUSY: Final = 1.0
"""Answers a minute below which counts of minutes say nothing."""
_CALLS: Final[Sequence[tuple[str, str, Write]]] = (
    ("  retry amplification", "retry_amplification", _number),
    ("  goodput a minute", "goodput_per_minute", _number),
    ("  calls a minute, at most", "peak_calls_per_minute", _number),
)
_REFUSALS: Final[Sequence[tuple[str, str, Write]]] = (
    ("  refused by own budgets", "refused_by_budget_share", share),
    ("  refused by limits", "refused_by_limit_share", share),
    ("  refused by capacities", "refused_by_capacity_share", share),
    ("  kept back by the client", "refused_by_client_share", share),
)
"""Lines left out where no arm has any."""
_WRITTEN: Final[Mapping[str, Write]] = {
    metric: write for _, metric, write in (*reversed(_HEADLINES), *_CALLS, *_REFUSALS)
} | {
    "failure_share": share,
    "all_down": share,
    "objective": figures.shown_chance,
    "cost_usd_per_request": money,
    "cost_usd_per_success": money,
}
"""By metric, the function that writes the value in the metric's own unit, in which expectations are written."""

Figures = Mapping[str, Estimate]


def _read_all(found: Mapping[str, Any] | None) -> Figures:
    return {name: figure for name, each in (found or {}).items() if (figure := read(each)) is not None}


def _by_name(title: str, arms: Sequence[Figures], write: Write, names: Sequence[str]) -> Iterator[Line]:
    """One line per name, in this order. Of too many names, the largest, and one line for the rest."""
    if not names:
        return
    yield Line(title)
    kept = set(names)
    if len(names) > _MOST_NAMES:
        kept = set(sorted(names, key=lambda name: -_largest(arms, name))[: _MOST_NAMES - 1])
    for name in names:
        if name in kept:
            yield Line(f"  {name}", tuple(write(arm.get(name)) for arm in arms))
    rest = [name for name in names if name not in kept]
    if rest:
        sums = (sum(mean_of(arm.get(name)) for name in rest) for arm in arms)
        yield Line(f"  {others(len(rest))}", tuple(write(Estimate(total)) for total in sums))


def others(many: int) -> str:
    """The label of a line for those that have none."""
    return f"{many:,} other{'s' if many > 1 else ''}"


def _time_up(summary: Mapping[str, Any], arms: Sequence[str]) -> Iterator[Line]:
    """Time-weighted: the share of the horizon up, whatever the traffic, and the number of times it went down."""
    components, endpoints, chain = (
        [{name: _read_all(spell) for name, spell in summary.get(group, {}).get(arm, {}).items()} for arm in arms]
        for group in ("components", "endpoints", "chain")
    )
    rows = [(name, components) for name in _names(components)]
    rows += [(name, endpoints) for name in _names(endpoints) if not _repeats(name, endpoints, components)]
    if not any(mean_of(arm[name]["availability"]) < 1.0 for name, group in rows for arm in group if name in arm):
        return
    if len(rows) > _MOST_NAMES:
        rows.sort(key=lambda row: min(mean_of(arm[row[0]]["availability"]) for arm in row[1] if row[0] in arm))
        yield Line(f"share of the time up (times down), the {_MOST_NAMES} lowest of {len(rows)}")
    else:
        yield Line("share of the time up (times down)")
    for name, group in rows[:_MOST_NAMES]:
        yield Line(f"  {name}", tuple(_spell(arm.get(name)) for arm in group))
    for name in _names(chain):
        yield Line("  any leg", tuple(_spell(arm.get(name)) for arm in chain))


def _repeats(
    endpoint: str, endpoints: Sequence[Mapping[str, Figures]], components: Sequence[Mapping[str, Figures]]
) -> bool:
    """Whether an endpoint's figures are those of its own or its provider's component in every arm."""
    provider = endpoint.partition("/")[0]
    return all(
        endpoint not in arm or arm[endpoint] in (parts.get(endpoint), parts.get(provider))
        for arm, parts in zip(endpoints, components, strict=True)
    )


def _spell(spell: Figures | None) -> str:
    if spell is None:
        return figures.NOTHING
    availability, episodes = spell["availability"], spell["episodes"]
    if not mean_of(episodes) and availability.mean == 1.0:
        return "100 % (0)"
    return f"{figures.availability(availability)} ({_times(mean_of(episodes))})"


def _names(arms: Sequence[Mapping[str, Any]]) -> dict[str, None]:
    return dict.fromkeys(name for arm in arms for name in arm)


def _largest(arms: Sequence[Figures], name: str) -> float:
    return max(mean_of(arm.get(name)) for arm in arms)


def _any_above_zero(of: Sequence[Metrics], metric: str) -> bool:
    return any(_mean(metrics, metric) > 0.0 for metrics in of)


def _mean(metrics: Metrics, metric: str) -> float:
    return mean_of(read(metrics.get(metric)))


def _collapse(found: Mapping[str, Any]) -> str:
    goodput = figures.percent(found["goodput_share"], figures.significant(100.0 * found["goodput_share"], 2))
    observed = _between(*found["observed_s"])
    return (
        f"{_which(found)} stayed collapsed after the trigger had ended "
        f"(goodput {goodput} of what was offered for the {observed} observed)"
    )


def _blackout(found: Mapping[str, Any]) -> str:
    kept_out, failed = (
        figures.percent(found[name], figures.significant(100.0 * found[name], 2))
        for name in ("kept_out_share", "failed_share")
    )
    return (
        f"with nothing down or full, the client's own guards lost {kept_out} of the requests in {_which(found)}, "
        f"where {failed} of the calls failed"
    )


def _which(found: Mapping[str, Any]) -> str:
    runs, of = found["runs"], found["n"]
    return "the run" if of == 1 else f"{runs:,} of {of:,} runs"


def _recovery(found: Mapping[str, Any] | None, narrow: bool) -> str:
    """`3.0 min ± 0.4`, or `not within 41 min: 17 of 20`, narrow `not in 41 min: 17 of 20`."""
    if found is None or not found["triggers"]:
        return figures.NOTHING
    if found["not_within_s"] is None:
        return _duration(read(found))
    text = f"not {'in' if narrow else 'within'} {_between(*found['not_within_s'])}"
    missing = found["triggers"] - found["recovered"]
    return text if missing == found["triggers"] == 1 else f"{text}: {missing:,} of {found['triggers']:,}"


def _runs(found: Mapping[str, Any] | None) -> str:
    return figures.NOTHING if found is None or not found["n"] else f"{found['runs']:,} of {found['n']:,}"


def _times_out(of: Sequence[Metrics]) -> Iterator[Line]:
    """Share of the time that each breaker was open, each leg cooling and so on, longest first."""
    shares = [_read_all(metrics.get("time_out_share")) for metrics in of]
    times = [_read_all(metrics.get("times_out")) for metrics in of]
    shown = sorted({name for arm in shares for name in arm if not name.endswith(_REFUSING)})
    names = sorted(shown, key=lambda name: -_largest(shares, name))
    if not names:
        return
    more = f", the {_MOST_NAMES} longest of {len(names)}" if len(names) > _MOST_NAMES else ""
    yield Line(f"share of the time out (times){more}")
    for name in names[:_MOST_NAMES]:
        yield Line(
            f"  {name}",
            tuple(_out(arm.get(name), often.get(name)) for arm, often in zip(shares, times, strict=True)),
        )


def _out(found: Estimate | None, times: Estimate | None) -> str:
    """Without intervals, as arms have to fit side by side."""
    if found is None or times is None:
        return figures.NOTHING
    return f"{figures.percent(mean_of(found), 2)} ({_times(mean_of(times))})"


def _times(often: float) -> str:
    """A mean count: whole, or with one decimal, or its first digit."""
    decimals = 0 if often.is_integer() else max(1, figures.significant(often, 1))
    return figures.plain(often, decimals)


def _duration(figure: Estimate | None) -> str:
    """In seconds, or in minutes from two minutes on."""
    if figure is None or mean_of(figure) < 2 * _MINUTE_S:
        return figures.shown(figure, figures.seconds)
    return f"{figures.shown(figures.scaled(figure, 1.0 / _MINUTE_S), figures.plain)} min"


def _between(low_s: float, high_s: float) -> str:
    """`25 min`, or `12 to 25 min`."""
    unit_s, unit = (_MINUTE_S, "min") if high_s >= 2 * _MINUTE_S else (1.0, "s")
    low, high = (f"{value / unit_s:,.0f}" for value in (low_s, high_s))
    return f"{high} {unit}" if low == high else f"{low} to {high} {unit}"
