"""What tables say of cascades: calls per request, refusals, recovery, what was out of service, metastable runs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from des.report import figures
from des.report.lines import MOST_NAMES, Figure, Line, Write, number, share

TITLE: Final = "limits, retries and recovery"
MINUTE_S: Final = 60.0

ALWAYS: Final[Sequence[tuple[str, str, Write]]] = (
    ("  retry amplification", "retry_amplification", number),
    ("  goodput a minute", "goodput_per_minute", number),
    ("  calls a minute, at most", "peak_calls_per_minute", number),
)
REFUSALS: Final[Sequence[tuple[str, str, Write]]] = (
    ("  refused by own budgets", "refused_by_budget_share", share),
    ("  refused by limits", "refused_by_limit_share", share),
    ("  refused by capacities", "refused_by_capacity_share", share),
    ("  kept back by the client", "refused_by_client_share", share),
)
"""Left out where no arm had any."""
CASCADE_WRITTEN: Final[Mapping[str, Write]] = {
    **{metric: write for _, metric, write in (*ALWAYS, *REFUSALS)},
    "time_to_recover_s": lambda found: _recovery(found, narrow=False),
    "metastable": lambda found: _runs(found),
    "blackout": lambda found: _runs(found),
}
"""How a metric's value is written, as its line does."""
REFUSING: Final = " refusing"
"""Limits and capacities have it from a refusal to the next call admitted, asked or not: that is no time out."""


def cascade_lines(summary: Mapping[str, Any], arms: Sequence[str], *, narrow: bool = False) -> Iterator[Line]:
    """One column an arm, `narrow` ones in fewer words; nothing for runs in which there can be no cascade."""
    of = [summary["arms"][arm] for arm in arms]
    if not any("retry_amplification" in metrics for metrics in of):
        return
    yield Line(TITLE)
    for label, metric, write in ALWAYS:
        yield Line(label, tuple(write(metrics.get(metric)) for metrics in of))
    for label, metric, write in REFUSALS:
        if any(_mean(metrics.get(metric)) for metrics in of):
            yield Line(label, tuple(write(metrics.get(metric)) for metrics in of))
    if any((metrics.get("time_to_recover_s") or {}).get("triggers") for metrics in of):
        yield Line("  time to recover", tuple(_recovery(metrics.get("time_to_recover_s"), narrow) for metrics in of))
        yield Line("  metastable runs", tuple(_runs(metrics.get("metastable")) for metrics in of))
    if any((metrics.get("blackout") or {}).get("runs") for metrics in of):
        yield Line("  blackouts of its own", tuple(_runs(metrics.get("blackout")) for metrics in of))
    yield from _times_out(of)


def cascade_sentences(summary: Mapping[str, Any], arms: Sequence[str]) -> Iterator[str]:
    """Metastable arms and blackouts by name, and how coarse the minutes are where they are no minutes."""
    several = len(arms) > 1
    for arm in arms:
        found = summary["arms"][arm].get("metastable")
        if found is not None and found["runs"]:
            yield f"metastable{f' ({arm})' if several else ''}: {_collapse(found)}"
    for arm in arms:
        found = summary["arms"][arm].get("blackout")
        if found is not None and found["runs"]:
            yield f"blackout{f' ({arm})' if several else ''}: {_of_its_own(found)}"
    bins_s = [found["resolution_s"] for arm in arms if (found := summary["arms"][arm].get("time_to_recover_s"))]
    if bins_s and max(bins_s) > MINUTE_S:
        yield (
            f"minutes are in bins of {max(bins_s) / MINUTE_S:,.0f} min, and times to recover as coarse: "
            "the run is longer than 31 days"
        )


def _collapse(found: Mapping[str, Any]) -> str:
    which = _which(found)
    goodput = figures.percent(found["goodput_share"], figures.significant(100.0 * found["goodput_share"], 2))
    observed = _between(*found["observed_s"])
    return (
        f"{which} stayed collapsed after the trigger had ended "
        f"(goodput {goodput} of what was offered for the {observed} observed)"
    )


def _of_its_own(found: Mapping[str, Any]) -> str:
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
        return _duration(found)
    text = f"not {'in' if narrow else 'within'} {_between(*found['not_within_s'])}"
    missing = found["triggers"] - found["recovered"]
    return text if missing == found["triggers"] == 1 else f"{text}: {missing:,} of {found['triggers']:,}"


def _runs(found: Mapping[str, Any] | None) -> str:
    return figures.NOTHING if found is None or not found["n"] else f"{found['runs']:,} of {found['n']:,}"


def _times_out(of: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    """Share of the time that each breaker was open, each leg cooling and so on, those out longest first."""
    shares = [metrics.get("time_out_share") or {} for metrics in of]
    times = [metrics.get("times_out") or {} for metrics in of]
    told = sorted({name for arm in shares for name in arm if not name.endswith(REFUSING)})
    longest = {name: max(_mean(arm.get(name)) for arm in shares) for name in told}
    names = sorted(longest, key=lambda name: -longest[name])
    if not names:
        return
    more = f", the {MOST_NAMES} longest of {len(names)}" if len(names) > MOST_NAMES else ""
    yield Line(f"share of the time out (times){more}")
    for name in names[:MOST_NAMES]:
        yield Line(
            f"  {name}",
            tuple(_out(arm.get(name), often.get(name)) for arm, often in zip(shares, times, strict=True)),
        )


def _out(found: Figure | None, times: Figure | None) -> str:
    """Means alone: arms have to fit side by side."""
    if found is None or times is None:
        return figures.NOTHING
    often = float(times["mean"])
    return f"{figures.percent(found['mean'], 2)} ({figures.plain(often, 0 if often.is_integer() else 1)})"


def _duration(figure: Mapping[str, Any]) -> str:
    """Seconds, or minutes from two on."""
    if figure["mean"] is None or figure["mean"] < 2 * MINUTE_S:
        return figures.shown(figure, figures.seconds)
    of_minutes = {key: None if figure[key] is None else figure[key] / MINUTE_S for key in ("mean", "low", "high")}
    return f"{figures.shown(of_minutes, figures.plain)} min"


def _between(low_s: float, high_s: float) -> str:
    """`25 min`, or `12 to 25 min`."""
    unit_s, unit = (MINUTE_S, "min") if high_s >= 2 * MINUTE_S else (1.0, "s")
    low, high = (f"{value / unit_s:,.0f}" for value in (low_s, high_s))
    return f"{high} {unit}" if low == high else f"{low} to {high} {unit}"


def _mean(figure: Figure | None) -> float:
    return 0.0 if figure is None or figure["mean"] is None else float(figure["mean"])
