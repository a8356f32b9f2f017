"""Each field, in each place where it can stand, changes a run; or it is refused there; or a remark says it is idle."""

from collections.abc import Iterator

import pytest

from des.errors import ScenarioError
from fields.base import HORIZON, SHORT_HORIZON
from fields.entries import Case, Refused, Remarked
from fields.places import DESCRIBED, PLACES
from fields.routes import DEFINITIONS, Route, fields_of, routes
from fields.trying import CASES, Tried, content_with, expected

ROUTES = [*dict.fromkeys(routes())]


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Tried:
    return Tried(tmp_path_factory.mktemp("tried"))


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_field_acts_or_is_refused_or_is_remarked_on(route: Route, tried: Tried) -> None:
    assert [*_idle(route, tried)] == []


def _idle(route: Route, tried: Tried) -> Iterator[str]:
    for name in fields_of(route.definition):
        entry = expected(route, name)
        if isinstance(entry, Case):
            yield from _same(route, name, entry, tried)
        elif isinstance(entry, Refused):
            problem = tried.problem(content_with(route, name, entry.value, entry))
            if entry.message not in problem:
                yield f"{name}: refused by {problem or 'nothing'}"
        elif isinstance(entry, Remarked):
            remarks = tried.load(content_with(route, name, entry.value, entry)).remarks
            if not any(remark.partition(":")[0].endswith(name) and entry.message in remark for remark in remarks):
                yield f"{name}: remarks are {remarks}"


def _same(route: Route, name: str, case: Case, tried: Tried) -> Iterator[str]:
    contents = [content_with(route, name, value, case) for value in (case.first, case.second)]
    if all(content["horizon"] == HORIZON for content in contents):
        short = [tried.seen_or_refused({**content, "horizon": SHORT_HORIZON}) for content in contents]
        if None not in short and short[0] != short[1]:
            return
    try:
        first, second = map(tried.seen, contents)
    except ScenarioError as error:
        yield f"{name}: {error}"
    else:
        if first == second:
            yield f"{name}: {case.first!r} and {case.second!r} come to the same"


def test_every_entry_of_the_tables_is_of_a_field() -> None:
    known = {f"{definition}.{name}" for definition in DEFINITIONS for name in DEFINITIONS[definition]["properties"]}
    subjects = {key.partition(" @ ")[0] for key in (*CASES, *PLACES, *DESCRIBED)} - {"*"}
    assert subjects <= known
    for key in PLACES:
        place = key.partition(" @ ")[2]
        assert any(route.is_at(place) for route in ROUTES), key
