"""Modules that are imported when something of them is first used."""

import subprocess
import sys
from contextlib import suppress

import pytest

from des.late import late_module, late_modules


@pytest.fixture(autouse=True)
def _not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)


def test_a_late_module_is_imported_at_the_first_use() -> None:
    colours = late_module("colorsys")
    assert "colorsys" not in sys.modules
    assert colours.rgb_to_hls(0.0, 0.0, 0.0) == (0.0, 0.0, 0.0)
    assert colours.rgb_to_hls is sys.modules["colorsys"].rgb_to_hls
    with pytest.raises(AttributeError, match="colorsys"):
        _ = colours.no_such_name


def test_a_module_that_is_imported_stands_for_itself() -> None:
    import colorsys

    assert late_module("colorsys") is colorsys


def test_only_what_is_imported_within_gets_a_stand_in() -> None:
    with suppress(LookupError), late_modules("colorsys", "sys"):
        import colorsys as stand_in

        raise LookupError
    assert "colorsys" not in sys.modules
    import colorsys

    assert stand_in is not colorsys
    assert stand_in.rgb_to_hls is colorsys.rgb_to_hls


def test_a_module_that_is_used_within_is_imported_as_ever() -> None:
    with late_modules("colorsys"):
        import colorsys as stand_in

        assert stand_in.rgb_to_hls(0.0, 0.0, 0.0) == (0.0, 0.0, 0.0)
        assert sys.modules["colorsys"] is not stand_in
    assert sys.modules["colorsys"].rgb_to_hls is stand_in.rgb_to_hls


def test_distributions_draw_whether_numpy_was_imported_before_or_not() -> None:
    code = (
        "import sys; {first}; from des.distributions import Exponential; from des.mixture import Mixture; "
        "assert ('numpy' in sys.modules) is bool('{first}' != 'pass'); import numpy; "
        "mixed = Mixture((Exponential(1.0), Exponential(9.0)), (0.5, 0.5)); "
        "print(mixed.sample(numpy.random.default_rng(1), 5).tolist())"
    )
    drawn = [
        subprocess.run(
            [sys.executable, "-c", code.format(first=first)], capture_output=True, text=True, check=True
        ).stdout
        for first in ("pass", "import numpy")
    ]
    assert drawn[0] == drawn[1] != ""
