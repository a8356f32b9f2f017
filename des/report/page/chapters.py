"""The sections of a result in the order in which people read them."""

from collections.abc import Sequence

from des.report.page.blocks import Chapter, Section
from des.report.page.findings import Findings
from des.report.page.sections.answered import answered_sections
from des.report.page.sections.arms import arms_section
from des.report.page.sections.comparison import comparison_section
from des.report.page.sections.methods import methods_section
from des.report.page.sections.opening import answer_section, unseen_section, verdict_section
from des.report.page.sections.outages import outage_section
from des.report.page.sections.search import search_section
from des.report.page.sections.sweeps import sweep_section
from des.report.page.sections.traffic import traffic_sections


def chapters(every: Sequence[Findings]) -> list[Chapter]:
    """One for each result; what a result does not have is left out."""
    with_traces = sum(1 for each in every if each.run is not None) or 1
    return [_chapter(f"c{number}", each, 1.0 / with_traces) for number, each in enumerate(every)]


def _chapter(key: str, findings: Findings, share: float) -> Chapter:
    found: list[Section | None] = [
        answer_section(findings),
        verdict_section(findings),
        unseen_section(findings),
        arms_section(findings),
        comparison_section(findings),
        outage_section(findings, share),
        *traffic_sections(findings),
        *answered_sections(findings),
        sweep_section(findings),
        search_section(findings),
        methods_section(findings),
    ]
    sections = tuple(section for section in found if section is not None)
    return Chapter(key, findings.title, findings.question, _about(findings), sections)


def _about(findings: Findings) -> str:
    kind = "answer" if findings.answer else "sweep" if findings.sweep else "search" if findings.search else "run"
    if "comparison" in findings.summary:
        kind = "comparison"
    made = f", made {findings.manifest['created_at'][:10]}" if findings.manifest.get("created_at") else ""
    return f"{kind} {findings.path.name}{made}"
