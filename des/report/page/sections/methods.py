"""How the figures came about: estimators, years, seeds, versions, digests, and the scenario itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

from des.report import figures
from des.report.page.blocks import NOTE, Block, Paragraph, Section, Table, Verbatim
from des.report.page.findings import Findings
from des.study.causes import causes_words


def methods_section(findings: Findings) -> Section:
    """Always there: a figure without its method is worth nothing."""
    rows = [*_facts(findings.manifest), *_of_answer(findings.answer)]
    blocks: list[Block] = [Table.of("This result", ("", ""), rows, words=True)]
    if findings.answer:
        blocks.append(_bases(findings))
        blocks += [Paragraph(f"{words}.", NOTE) for words in _causes(findings)]
    if findings.summary:
        blocks.append(Paragraph(_intervals(findings.manifest), NOTE))
        for name in _estimators(findings):
            blocks.append(Paragraph(name, NOTE))
    if digests := _digests(findings.manifest):
        blocks.append(Verbatim(f"SHA-256 of {len(digests)} file{'s' if len(digests) > 1 else ''}", "\n".join(digests)))
    if findings.scenario:
        text = yaml.safe_dump(dict(findings.scenario), sort_keys=False, allow_unicode=True, width=100)
        blocks.append(Verbatim("The scenario, as it was run", text))
    return Section("methods", "Methods", tuple(blocks))


def _facts(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the manifest says, in the order in which people ask."""
    scenario = manifest.get("scenario") or {}
    for title, value in (
        ("horizon", scenario.get("horizon")),
        ("seed", manifest.get("seed", scenario.get("seed"))),
        ("replications", manifest.get("replications")),
        ("key", manifest.get("key")),
        ("made at", manifest.get("created_at")),
        ("took", f"{manifest['wall_s']:,.1f} s" if "wall_s" in manifest else None),
        ("platform", manifest.get("platform")),
        ("source, SHA-256", manifest.get("source_sha256")),
    ):
        if value is not None:
            yield title, str(value)
    versions = manifest.get("versions") or {"des": manifest.get("version", "unknown")}
    yield "versions", ", ".join(f"{name} {version}" for name, version in versions.items())


def _of_answer(answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if answer:
        yield "rounds simulated", str(answer["rounds"])
        yield "precision aimed at", "reached" if answer["precise"] else "not reached"


def _causes(findings: Findings) -> Iterator[str]:
    """Whether losses by cause add up to the share lost."""
    said: dict[str, list[str]] = {}
    for arm in findings.arms:
        factor = findings.answer["arms"][arm].get("causes_factor")
        if words := causes_words(findings.by_name(arm, "lost_by_cause"), factor):
            said.setdefault(words, []).append(arm)
    for words, arms in said.items():
        yield f"{words[0].upper()}{words[1:]}" if len(said) == 1 else f"{', '.join(arms)}: {words}"


def _bases(findings: Findings) -> Table:
    """What each arm's figures rest on, an arm a column."""
    bases = [findings.answer["arms"][arm]["basis"] for arm in findings.arms]
    rows = [(title, *(write(basis) for basis in bases)) for title, write in _BASIS]
    return Table.of("What the figures rest on", ("", *findings.arms), rows, words=True)


def _memory(basis: Mapping[str, Any]) -> str:
    if basis["memory_s"] is None:
        return figures.NOTHING
    if not basis["memory_s"]:
        return str(basis["remembers"]).removeprefix("nothing: ")
    return f"{figures.duration(basis['memory_s'])}: {basis['remembers']}"


def _limits(basis: Mapping[str, Any]) -> str:
    return ", ".join(limit["name"] for limit in basis["limits_left_out"]) or figures.NOTHING


_BASIS: Final[Sequence[tuple[str, Callable[[Mapping[str, Any]], str]]]] = (
    ("availability by", lambda basis: basis["availability"]),
    ("because of", lambda basis: basis["reason"] or figures.NOTHING),
    ("years of incidents", lambda basis: _count(basis["years"])),
    ("the rest by", lambda basis: basis["requests"]),
    ("requests simulated", lambda basis: _count(basis["simulated"])),
    ("replications", lambda basis: _count(basis["replications"])),
    ("windows", lambda basis: _count(basis["segments"])),
    ("years they are sampled from", lambda basis: _count(basis["window_years"])),
    ("what requests remember", _memory),
    ("limits left out", _limits),
)


def _intervals(manifest: Mapping[str, Any]) -> str:
    many = manifest.get("replications", 1)
    if many == 1:
        return "One replication has no intervals; the replications of a run are its unit of inference."
    return (
        f"Intervals cover 95 % and are over {many} replications, never over the requests within one. Percentiles come "
        "from a histogram with a relative error of 0.1 %."
    )


def _estimators(findings: Findings) -> Iterator[str]:
    """The kinds of intervals that are not Student's t, each with the arms and metrics that have it."""
    said: dict[str, list[str]] = {}
    for arm in findings.arms:
        for metric, of in findings.metrics[arm].items():
            if (
                isinstance(of, Mapping)
                and isinstance(of.get("interval"), str)
                and not of["interval"].startswith("none")
            ):
                said.setdefault(of["interval"], []).append(f"{arm}.{metric}")
    for interval, names in said.items():
        yield f"Interval by {interval}: {', '.join(names)}."


def _digests(manifest: Mapping[str, Any]) -> list[str]:
    traces = {name: facts["sha256"] for name, facts in (manifest.get("traces") or {}).items()}
    own = {"summary.json": manifest.get("summary_sha256"), "answer.json": manifest.get("answer_sha256")}
    own["optimise.json"] = manifest.get("optimise_sha256")
    written = manifest.get("sha256")
    every = {**traces, **own, **(written if isinstance(written, Mapping) else {}), **(manifest.get("files") or {})}
    return [f"{digest}  {name}" for name, digest in every.items() if digest]


def _count(value: float | None) -> str:
    return figures.NOTHING if value is None else f"{value:,.0f}"
