"""What is printed of faults foreseen: once for all arms that share it, with its place whole, within the width."""

from des.estimate.foresight.foreseen import Foreseen
from des.report.foreseen_lines import print_foreseen
from des.report.layout import as_text

PLACE = "scenarios/a_scenario_with_a_long_name.yaml:123: providers.some_provider.models.a_model.limits.requests"


def _fault(code: str = "limit_exceeded", sentence: str = "too much of it " * 12) -> Foreseen:
    file, line, path = PLACE.split(":")
    return Foreseen(
        code=code, path=path.strip(), sentence=sentence.strip(), remedy="less", figures={}, file=file, line=int(line)
    )


def _printed(foreseen: dict[str, tuple[Foreseen, ...]], width: int = 80) -> list[str]:
    return as_text(lambda console: print_foreseen(foreseen, console), width=width).splitlines()


def test_a_fault_of_some_arms_names_them_and_is_said_once() -> None:
    lines = _printed({"one": (_fault(),), "two": (), "three": (_fault(),)})
    assert [line for line in lines if line.startswith("limit_exceeded")] == ["limit_exceeded (one, three)"]


def test_a_fault_of_all_arms_names_none() -> None:
    assert "limit_exceeded" in _printed({"one": (_fault(),), "two": (_fault(),)})


def test_faults_with_other_figures_are_said_apart() -> None:
    lines = _printed({"one": (_fault(),), "two": (_fault(sentence="much more"),)})
    assert {"limit_exceeded (one)", "limit_exceeded (two)"} <= set(lines)


def test_places_stay_whole_and_sentences_keep_the_width() -> None:
    lines = _printed({"one": (_fault(),)}, width=60)
    assert f"  {PLACE}" in lines
    assert max(len(line) for line in lines if PLACE not in line) <= 60


def test_numbers_stay_with_their_units() -> None:
    for width in range(30, 60):
        lines = _printed({"one": (_fault(sentence="of all answers 67.2 % take 30 s and 4 min of the 12 h"),)}, width)
        assert not [line for line in lines if line.strip().startswith(("%", "s ", "min", "h"))]


def test_nothing_foreseen_is_said() -> None:
    assert _printed({"one": ()})[-1] == "foreseen: none of the faults that this command looks for"
