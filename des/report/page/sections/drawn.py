"""Charts that sections of runs and of answers have in common, from rows."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from des.report.page.blocks import Figure, Table

QUANTILES: Final = (0.5, 0.9, 0.95, 0.99, 0.999)
"""Of the tables behind distributions."""
Rows = list[dict[str, Any]]


def cost_figures(bins: Rows, points: Rows, table: Table, *, billed: str) -> Iterator[Figure]:
    """What requests cost: bins of equal width, and the cumulative distribution where some cost anything."""
    yield Figure(
        "cost_histogram",
        "What a request costs",
        f"The share of requests by {billed}. Shares have a square-root scale, so that a long tail is seen beside a "
        "price that most requests pay.",
        lambda: drawn_histogram(bins),
        table,
    )
    if any(row["value"] > 0.0 for row in points):
        yield Figure(
            "cost_cumulative",
            "Share of requests that cost at most so much",
            "The cumulative distribution of the cost per request in each arm.",
            lambda: drawn_cumulative(points, "USD per request", logarithmic=False, panels=False),
            table,
        )


def drawn_histogram(rows: Rows) -> Any:
    import pandas as pd

    from des.report.charts.parts import histogram

    return histogram(pd.DataFrame(rows), "USD per request")


def drawn_cumulative(rows: Rows, title: str, *, logarithmic: bool, panels: bool) -> Any:
    import pandas as pd

    from des.report.charts.curves import cumulative

    return cumulative(pd.DataFrame(rows), title, logarithmic=logarithmic, panels=panels)


def drawn_shares(rows: Rows, title: str, *, not_served: bool) -> Any:
    import pandas as pd

    from des.report.charts.parts import shares
    from des.report.charts.theme import BLUE, CATEGORIES, VERMILION

    frame = pd.DataFrame(rows)
    parts = list(dict.fromkeys(frame["part"]))
    if not_served:
        others = [part for part in parts if part != "not served"]
        colours = {part: [BLUE, *CATEGORIES[5:1:-1]][number % 5] for number, part in enumerate(others)}
        colours["not served"] = VERMILION
        frame = frame.sort_values("part", key=lambda column: column == "not served", kind="stable")
        return shares(frame, title, [colours[part] for part in dict.fromkeys(frame["part"])])
    return shares(frame, title, whole=False)


def drawn_bars(rows: Rows, title: str, every: Sequence[str]) -> Any:
    import pandas as pd

    from des.report.charts.parts import bars

    return bars(pd.DataFrame(rows), title, every=every)
