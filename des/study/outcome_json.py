"""The outcome of a replication as JSON, and back without a change.

JSON, not pickle, as reading a pickle runs what somebody else may have written. A float is read back to the last bit.
The figures of every run pass through this form, so that a run which was interrupted cannot differ from one which was
not.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from des.estimate.cascades import Blackout, Cascade
from des.estimate.minutes import Recovery
from des.estimate.summary import Observed
from des.estimate.sums import LogHistogram
from des.estimate.totals import Losses
from des.study.downtime import Spell
from des.study.replication import Outcome
from des.traces.writer import WrittenTrace


def outcome_text(outcome: Outcome) -> str:
    """One line of JSON. Keys keep their order, as tables follow it."""
    observed = outcome.observed
    content = {
        "metrics": observed.metrics,
        "losses": asdict(observed.losses),
        "latency": observed.latency.as_json(),
        "spells": {
            group: {name: asdict(spell) for name, spell in spells.items()} for group, spells in outcome.spells.items()
        },
        "written": [asdict(trace) for trace in outcome.written],
        "cascade": None if outcome.cascade is None else asdict(outcome.cascade),
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def read_outcome(text: str) -> Outcome:
    """Raises ValueError, TypeError, LookupError or AttributeError for what is no outcome."""
    content = json.loads(text)
    losses = content["losses"]
    return Outcome(
        Observed(
            content["metrics"],
            Losses(
                in_outages=tuple(losses["in_outages"]),
                apart=losses["apart"],
                spans_s=tuple((start_s, end_s) for start_s, end_s in losses["spans_s"]),
                apart_s=tuple(losses["apart_s"]),
                on_record=losses["on_record"],
            ),
            LogHistogram.from_json(content["latency"]),
        ),
        {group: {name: _spell(spell) for name, spell in spells.items()} for group, spells in content["spells"].items()},
        tuple(WrittenTrace(**trace) for trace in content["written"]),
        None if content["cascade"] is None else _cascade(content["cascade"]),
    )


def _spell(content: Mapping[str, Any]) -> Spell:
    return Spell(content["up"], content["started"], tuple(content["episodes_s"]), content["begun_s"])


def _cascade(content: Mapping[str, Any]) -> Cascade:
    return Cascade(
        metrics=content["metrics"],
        recoveries=tuple(Recovery(**one) for one in content["recoveries"]),
        times_out={name: (times, share) for name, (times, share) in content["times_out"].items()},
        bin_s=content["bin_s"],
        blackout=None if content["blackout"] is None else Blackout(**content["blackout"]),
    )
