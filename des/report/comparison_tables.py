"""The tables of a comparison: first how each endpoint fails in every arm, then how endpoints fail together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from des.estimate.estimate import EXACT, Estimate
from des.estimate.joint_figures import APPROXIMATION
from des.report import figures
from des.report.figures import mean_of, read
from des.report.layout import Line, as_text, fitted, print_arms, say, table_of
from des.report.lines import cascade_lines, cascade_sentences, horizon_s, per_thousand, seconds
from des.report.marks import marks_of_comparison
from des.report.tables import (
    interval_sentences,
    precision_sentence,
    print_heading,
    print_verdicts,
    print_where,
)
from des.report.unseen_lines import met_lines, unseen_sentences
from des.scenario.text.units import DAY_S
from des.study.verdicts import Verdict
from des.traces import Run
from des.words import printable

_MOST_ENDPOINTS: Final = 12
_MINUTES_IN_30_DAYS: Final = 43_200.0
_KEYS: Final = 2
"""Columns that name a row."""
_FEWEST_COLUMNS: Final = 4
_GAP: Final = 3
"""Between two columns of a table."""
_HOUR_S: Final = 3600.0
_NOTICEABLY: Final = 1.2
_ANY_IN_A_YEAR: Final = ("any_in_a_year", "any_impaired_in_a_year")


def print_comparison(run: Run, verdicts: Sequence[Verdict], *, reused: bool, console: Console) -> None:
    """Marginals and whether they match, the joint figures, and each arm against the baseline."""
    found = run.summary["comparison"]
    arms = list(run.summary["arms"])
    print_heading(run.manifest, console)
    _print_marginals(found, arms, console)
    for arm in arms:
        once = f"; the same as {found['same'][arm]}, simulated once for both" if arm in found["same"] else ""
        say(console, f"{arm}: {found['joint'][arm]['sharing']}{once}")
    console.print()
    say(console, "All of a chain's endpoints down at once, and what requests met", style="bold")
    points = figures.without_intervals(run.summary)
    scenario, marks = run.manifest["scenario"], marks_of_comparison(run.summary, arms)
    narrow = [*joint_lines(points, arms, scenario), *cascade_lines(points, arms, narrow=True)]
    whole = [*joint_lines(run.summary, arms, scenario), *cascade_lines(run.summary, arms)]
    table, dropped = fitted(whole, narrow, marks.names(arms), console.width)
    print_arms(table, marks.names(arms), console)
    for sentence in marks.sentences:
        say(console, sentence)
    if dropped:
        say(console, "rows too wide for the terminal are shown without intervals, summary.json has them all")
    for sentence in (*unseen_sentences(run.summary, arms), *cascade_sentences(run.summary, arms)):
        say(console, sentence)
    others = [arm for arm in arms if arm != found["baseline"]]
    if others:
        say(console, f"Against {found['baseline']}, replication by replication", style="bold")
        print_arms(list(difference_lines(found, others)), others, console)
    for sentence in _notes(run, arms):
        say(console, sentence)
    if verdicts:
        print_verdicts(verdicts, console)
    print_where(run, reused, console)


def comparison_text(run: Run) -> str:
    """The tables of a comparison as plain text."""
    return as_text(lambda console: print_comparison(run, (), reused=False, console=console))


def _print_marginals(found: Mapping[str, Any], arms: Sequence[str], console: Console) -> None:
    names = list(dict.fromkeys(name for arm in arms for name in found["marginals"][arm]))
    console.print()
    say(console, "Each endpoint by itself", style="bold")
    brownouts = _has_brownouts(found)
    shown = names[:_MOST_ENDPOINTS]
    columns = _marginal_columns(found, shown, arms, brownouts=brownouts)
    without = _marginal_columns(figures.without_intervals(found), shown, arms, brownouts=brownouts)
    narrowed = _taken(columns) > console.width
    if narrowed:
        columns = without
    left_out = []
    while _taken(columns) > console.width and len(columns) > _FEWEST_COLUMNS:
        left_out.append(columns.pop(-1 if columns[-1][0] != "impaired" else -2)[0])
    table = table_of()
    for number, (title, _) in enumerate(columns):
        table.add_column(title, justify="left" if number < _KEYS else "right", no_wrap=number < _KEYS)
    for row in zip(*(cells for _, cells in columns), strict=True):
        table.add_row(*map(Text, row))
    console.print(table)
    if narrowed:
        also = f", nor {' and '.join(left_out)}" if left_out else ""
        say(console, f"no room for intervals{also}: summary.json has them")
    if len(names) > _MOST_ENDPOINTS:
        say(console, f"and {len(names) - _MOST_ENDPOINTS} more, in summary.json")
    for arm, verdict in found["match"].items():
        say(console, f"{arm}: {matching(verdict, found['baseline'])}")
    console.print()


_Column = tuple[str, list[str]]


def _marginal_columns(
    found: Mapping[str, Any], names: Sequence[str], arms: Sequence[str], *, brownouts: bool
) -> list[_Column]:
    """(title, cells): two that name the row, then its figures."""
    rows = [
        (name if number == 0 else "", arm, _Read(found["marginals"][arm][name]))
        for name in names
        for number, arm in enumerate(arm for arm in arms if name in found["marginals"][arm])
    ]
    columns = [
        ("endpoint", [name for name, _, _ in rows]),
        ("arm", [arm for _, arm, _ in rows]),
        ("unavailable", [_percent(of("unavailability")) for *_, of in rows]),
        ("episodes a year", [_number(of("episodes_per_year")) for *_, of in rows]),
        ("mean length", [_length(of("mean_duration_s")) for *_, of in rows]),
        ("95th percentile", [_length(of("p95_duration_s")) for *_, of in rows]),
    ]
    return [*columns, ("impaired", [_percent(of("impaired_share")) for *_, of in rows])] if brownouts else columns


def _taken(columns: Sequence[_Column]) -> int:
    """The width of a table of these columns, with the gaps between them."""
    return sum(max(cell_len(printable(cell)) for cell in (title, *cells)) + _GAP for title, cells in columns) - _GAP


def matching(match: Mapping[str, Any], baseline: str) -> str:
    worst = match["worst_standard_errors"]
    estimated = f"estimates at most {worst:.1f} standard errors apart"
    match match["verdict"]:
        case "equal":
            return f"each endpoint by itself fails exactly as in {baseline} ({estimated})"
        case "agree":
            return f"each endpoint by itself fails as in {baseline} ({estimated})"
        case "none":
            return f"it has no endpoint in common with {baseline}"
        case _:
            return f"its endpoints fail differently than in {baseline}: this compares more than what is shared"


def joint_lines(summary: Mapping[str, Any], arms: Sequence[str], scenario: Mapping[str, Any]) -> Iterator[Line]:
    """`scenario` is that of the manifest. Arms of less than a day have no line of the time down in 30 days."""
    joint = [_Read(summary["comparison"]["joint"][arm]) for arm in arms]
    metrics = [_Read(summary["arms"][arm]) for arm in arms]

    def line(label: str, write: Callable[[_Read], str], of: Sequence[_Read] = joint) -> Line:
        return Line(label, tuple(write(each) for each in of))

    brief = all(horizon_s(scenario, arm) < DAY_S for arm in arms)
    outages = any(mean_of(of("all_down")) or of.found["frechet_high"] for of in joint)
    if outages:
        yield line("all down, share of the time", lambda of: _percent(of("all_down")))
        if not brief:
            yield line("  minutes down in 30 days", lambda of: _number(of("all_down"), _MINUTES_IN_30_DAYS))
        yield line("  nines", lambda of: _nines(of("all_down")))
        yield line("  between (Fréchet)", lambda of: _percent(_exact(of.found["frechet_low"])))
        yield line("  and", lambda of: _percent(_exact(of.found["frechet_high"])))
        yield line("total outages a year", lambda of: _number(of("episodes_per_year")))
        yield line("  mean length", lambda of: _length(of("mean_duration_s")))
        yield line("  at least one in a year", lambda of: _chance(of("any_in_a_year")))
        yield line("equivalent to independent legs (k_eff)", lambda of: _number(_exact(of.found["k_eff"])))
        yield line("  estimator", lambda of: str(of.found["estimator"]))
    if _has_brownouts(summary["comparison"]):
        yield line("all impaired, share of the time", lambda of: _percent(of("all_impaired")))
        yield line("  at least once in a year", lambda of: _chance(of("any_impaired_in_a_year")))
        yield line("  estimator", lambda of: _estimator(of("all_impaired")))
    elif not outages:
        yield line("all down, share of the time", lambda of: _percent(of("all_down")))
    if any(of("failure_share") for of in joint):
        yield line("requests lost, in the long run", lambda of: _percent(of("failure_share")))
        yield line("  estimator", lambda of: _estimator(of("failure_share")))
    yield line("requests lost, in this run", lambda of: _lost(of("availability")), metrics)
    yield from met_lines(summary, arms)
    yield line("cost per 1,000 requests", lambda of: per_thousand(of("cost_usd_per_request")), metrics)
    yield line("latency, p95", lambda of: seconds(of("latency_s_p95")), metrics)


def difference_lines(found: Mapping[str, Any], arms: Sequence[str]) -> Iterator[Line]:
    ratios = [found["joint_ratios"][arm] for arm in arms]
    for label, key in (
        ("all down, share of the time", "all_down"),
        ("total outages a year", "episodes_per_year"),
        ("all impaired, share of the time", "all_impaired"),
        ("requests lost, in the long run", "failure_share"),
    ):
        if key == "all_impaired" and not _has_brownouts(found):
            continue
        if any(of.get(key) is not None for of in ratios):
            yield Line(label, tuple(_times(of.get(key), of.get(f"{key}_ends")) for of in ratios))
    for label, metric, write in (
        ("requests lost, in this run", "failure_share", _signed(figures.percent, 100.0)),
        ("cost per 1,000 requests", "cost_usd_per_request", _signed_per_thousand),
        ("latency, p95", "latency_s_p95", _signed(figures.seconds)),
    ):
        of = [found["differences"][arm][metric] for arm in arms]
        if all(each is None for each in of):
            continue
        yield Line(label, tuple(figures.NOTHING if each is None else write(read(each["difference"])) for each in of))
        yield Line("  ratio", tuple(_ratio(each) for each in of))
        if any(each and each["n"] > 1 for each in of):
            yield Line("  p (adjusted for all, Holm)", tuple(_p_value(each) for each in of))
            yield Line("  interval", tuple(_method(each) for each in of))
            yield Line("  variance reduced by pairing", tuple(_reduction(each) for each in of))


def _notes(run: Run, arms: Sequence[str]) -> Iterator[str]:
    joint = run.summary["comparison"]["joint"]
    reasons = {(joint[arm]["failure_share"] is None, joint[arm]["failure_share_reason"]) for arm in arms}
    for is_unknown, reason in sorted(reasons):
        if reason:
            because = f"known only by simulating every request, because {reason}" if is_unknown else reason
            yield f"requests lost in the long run: {because}"
    if any(APPROXIMATION in _estimator(read(joint[arm].get(key))) for arm in arms for key in _ANY_IN_A_YEAR):
        yield (
            "at least one in a year: approximate, from their number and length, assuming a Poisson process; "
            "summary.json marks each such figure"
        )
    many = run.manifest["replications"]
    if many == 1:
        yield "one replication: no interval for what requests met (--replications N gives one)"
    else:
        yield f"intervals: 95 %; of requests over {many} replications, which all arms share"
        yield from interval_sentences(run.summary)
        yield "no interval: the estimator is exact, or too few events were seen"
    yield from precision_sentence(run.summary)


class _Read:
    """Figures of `summary.json` by name."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.found = found

    def __call__(self, name: str) -> Estimate | None:
        return read(self.found.get(name))


def _has_brownouts(found: Mapping[str, Any]) -> bool:
    """Whether some endpoint is noticeably more often impaired than down."""
    return any(
        of["impaired_share"]["mean"] > _NOTICEABLY * (of["unavailability"]["high"] or of["unavailability"]["mean"])
        for endpoints in found["marginals"].values()
        for of in endpoints.values()
    )


def _estimator(figure: Estimate | None) -> str:
    return figures.NOTHING if figure is None else figure.estimator


def _lost(availability: Estimate | None) -> str:
    if availability is None or availability.mean is None:
        return figures.NOTHING
    if availability.mean == 1.0 and availability.low is None:
        return "none"
    return _percent(replace(availability.complement(), estimator=""))


def _percent(figure: Estimate | None) -> str:
    if figure is not None and figure.mean == 0.0 and not figure.high:
        return "0 %" if figure.estimator in ("", EXACT) else "none seen"
    return figures.shown(figure, figures.percent, scale=100.0)


def _chance(figure: Estimate | None) -> str:
    if figure is None or figure.mean is None or figure.low is not None or not 0.0 < figure.mean < 1.0:
        return _percent(figure)
    return figures.chance(figure.mean)


def _number(figure: Estimate | None, factor: float = 1.0) -> str:
    return figures.shown(None if figure is None else figures.scaled(figure, factor), figures.plain)


def _nines(share: Estimate | None) -> str:
    if share is None or share.mean is None:
        return figures.NOTHING
    if share.mean > 0.0:
        return f"{figures.nines_of_lost(share.mean):.2f}"
    return "no end" if share.estimator == EXACT else figures.NOTHING


def _length(figure: Estimate | None) -> str:
    """In minutes, or in hours from two hours on."""
    if figure is None or figure.mean is None:
        return figures.NOTHING
    unit_s, unit = (_HOUR_S, "h") if figure.mean >= 2 * _HOUR_S else (60.0, "min")
    return f"{_number(figure, 1.0 / unit_s)} {unit}"


def _times(ratio: float | None, ends: Sequence[float] | None) -> str:
    if ratio is None:
        return figures.NOTHING
    low, high = ends if ends is not None else (None, None)
    return f"x {_number(Estimate(ratio, low, high))}"


def _ratio(pair: Mapping[str, Any] | None) -> str:
    ratio = None if pair is None else read(pair["ratio"])
    if ratio is None:
        return figures.NOTHING
    if ratio.low is None or ratio.high is not None:
        return figures.NOTHING if ratio.mean is None else f"x {_number(ratio)}"
    least = figures.plain(ratio.low, figures.significant(ratio.low))
    if ratio.mean is None:
        return f"x {least} or more"
    return f"x {figures.plain(ratio.mean, figures.significant(ratio.mean))} [{least}, no limit]"


def _p_value(pair: Mapping[str, Any] | None) -> str:
    if pair is None or pair["p_holm"] is None:
        return figures.NOTHING
    return f"{_probability(pair['p_value'])} ({_probability(pair['p_holm'])})"


def _probability(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _method(pair: Mapping[str, Any] | None) -> str:
    """A word or two on how the interval was made."""
    if pair is None:
        return figures.NOTHING
    method = str(pair.get("interval", ""))
    incidents = method.removeprefix("of ").partition(" ")[0]
    return f"{incidents} incidents" if incidents.isdigit() else method.removeprefix("none: ").removesuffix(", paired")


def _reduction(pair: Mapping[str, Any] | None) -> str:
    if pair is None or pair["variance_reduction"] is None:
        return figures.NOTHING
    return f"{pair['variance_reduction']:,.1f} times"


def _signed(write: figures.Format, scale: float = 1.0) -> Callable[[Estimate | None], str]:
    def signed(figure: Estimate | None) -> str:
        text = figures.shown(figure, write, scale=scale)
        return text if mean_of(figure) < 0.0 else f"+{text}"

    return signed


def _signed_per_thousand(figure: Estimate | None) -> str:
    return _signed(figures.dollars)(None if figure is None else figures.scaled(figure, 1000.0))


def _exact(value: float | None) -> Estimate:
    return Estimate(value, estimator=EXACT)
