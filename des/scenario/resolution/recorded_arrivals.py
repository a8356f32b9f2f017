"""From a file of recorded arrivals to those that the plan replays."""

from pathlib import Path as FilePath

import numpy as np

from des.files import RecordedArrivalRows, arrival_columns, outside, read_arrivals
from des.scenario.checks.consistency import MOST_REQUESTS
from des.scenario.schema.workload import MOST_TOKENS, ArrivalColumns, ArrivalFile, ReplayedArrivals, Tokens
from des.scenario.text.locations import located
from des.scenario.text.places import Path, path_text

_ARRIVALS: Path = ("workload", "arrivals")


def replayed(spec: ArrivalFile, tokens: Tokens, horizon_s: float, folder: FilePath) -> ReplayedArrivals:
    """The arrivals of a file as the plan has them. Raises ValueError for a file that cannot be replayed."""
    file = located(spec.file, folder)
    columns = spec.columns or _told_columns(file, spec, tokens)
    rows = read_arrivals(
        file,
        time=columns.time,
        input_tokens=columns.input_tokens,
        output_tokens=columns.output_tokens,
        unit=spec.unit,
        where=spec.where,
        format=spec.format,
    )
    kept = len(rows.arrival_s) if spec.limit is None else min(spec.limit, len(rows.arrival_s))
    arrival_s = rows.arrival_s[:kept] * spec.stretch
    told = [*rows.remarks, outside(arrival_s, None, horizon_s, by_clock=rows.by_clock, unit=spec.unit)]
    period_s = None
    if spec.loop:
        period_s = _period(arrival_s)
        if (expected := horizon_s / period_s * kept) > MOST_REQUESTS:
            message = f"about {expected:.3g} requests until the horizon: at most {MOST_REQUESTS:.0e} are possible"
            raise ValueError(message)
    else:
        kept = int(np.searchsorted(arrival_s, horizon_s, side="left"))
        arrival_s = arrival_s[:kept]
    return ReplayedArrivals(
        arrival_s=arrival_s,
        input_tokens=_tokens(rows, "input_tokens", kept),
        output_tokens=_tokens(rows, "output_tokens", kept),
        period_s=period_s,
        remarks=tuple(f"{path_text(_ARRIVALS)}: {file.name}: {text}" for text in told if text),
    )


def _told_columns(file: FilePath, spec: ArrivalFile, tokens: Tokens) -> ArrivalColumns:
    """The columns known from the format. Tokens that the workload draws are not read from the file."""
    told = arrival_columns(file, spec.format)
    drawn = {f"{name}_tokens" for name in ("input", "output") if name in tokens.model_fields_set}
    return ArrivalColumns(**{role: column for role, column in told.items() if role not in drawn})


def _period(arrival_s: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Time from the first arrival to the first one of the next repetition, with a mean gap between repetitions."""
    span_s = float(arrival_s[-1] - arrival_s[0])
    if span_s <= 0.0:
        raise ValueError("a loop needs arrivals at two different times or more: write loop: false")
    return span_s + span_s / (len(arrival_s) - 1)


def _tokens(rows: RecordedArrivalRows, column: str, kept: int) -> np.ndarray[tuple[int], np.dtype[np.int64]] | None:
    tokens = getattr(rows, column)
    if tokens is None:
        return None
    if len(tokens) and int(tokens.max()) > MOST_TOKENS:
        raise ValueError(f"{column} reach {int(tokens.max())}, but a trace can hold at most {MOST_TOKENS}")
    return np.ascontiguousarray(tokens[:kept], dtype=np.int64)
