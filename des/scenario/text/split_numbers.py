"""Numbers that YAML splits at their comma: `{requests: 4,000/min}` has the keys `requests` and `000/min`."""

import re
from collections.abc import Iterator, Mapping

from des.scenario.text.names import at, mapping
from des.scenario.text.other_units import in_our_units
from des.scenario.text.problems import Finding
from des.scenario.text.right_forms import as_text

_REST = re.compile(r"[0-9]+([^0-9].*)?")
_BEGINNING = re.compile(r"\$?\s*[0-9]+")


def with_whole_numbers(findings: list[Finding], content: Mapping[str, object]) -> list[Finding]:
    """The findings with one in place of those on the parts of a number."""
    for above in dict.fromkeys(each.path[:-1] for each in findings if each.at_key):
        here = mapping(at(content, above))
        for key, rests in _split(here):
            said = ",".join((as_text(here[key]), *rests))
            of_parts = {above, (*above, key), *((*above, rest) for rest in rests)}
            message = f"the comma of {said} ends the value here: write {in_our_units(said)}"
            findings = [each for each in findings if each.path not in of_parts]
            findings.append(Finding((*above, key), message))
    return findings


def _split(here: Mapping[str, object]) -> Iterator[tuple[str, list[str]]]:
    """The key of each number that is split, with the keys that are the rest of it."""
    key, rests = "", list[str]()
    for each, value in [*here.items(), ("", 0)]:
        if value is None and _REST.fullmatch(each):
            rests.append(each)
            continue
        if rests and _BEGINNING.fullmatch(as_text(here.get(key))):
            yield key, rests
        key, rests = each, []
