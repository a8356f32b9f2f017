"""What a terminal is shown is text: neither its escapes nor Rich's markup in names, titles and files do anything."""

import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest
from study.small_scenario import small, write_small

from des.words import printable
from tests.command import DES, ENVIRONMENT, des
from tests.patience import PATIENCE_S

NASTY = "\x1b[31mred\x1b]0;t\x07 \r\u202eback\u2066 \x9b2J [bold]x[/bold] [link=http://x]y[/link] [/]"
SHOWN = (
    "\\u001b[31mred\\u001b]0;t\\u0007 \\u000d\\u202eback\\u2066 \\u009b2J [bold]x[/bold] [link=http://x]y[/link] [/]"
)
NAME = "\x1b7\u202eback\u2066\x07\x9b"
"""What a name may have of it, without brackets and spaces."""
_DOES_SOMETHING = "\x1b\r\x07\x9b\u202e\u2066"


def _nasty() -> dict[str, Any]:
    """The small scenario with such a title, question and names of models, wherever names are free."""
    content = small(title=NASTY, question=NASTY, horizon="1h")
    for provider, model in (("first", "a"), ("second", "b")):
        models = content["providers"][provider]["models"]
        models[f"{model}{NAME}"] = models.pop(model)
    return content


def _write(folder: Path) -> Path:
    path = folder / f"nasty{NASTY.replace('/', '')}.yaml"
    path.write_text(json.dumps(_nasty()))
    return path


@pytest.mark.parametrize(
    "command",
    [
        ["run", "{}", "--no-traces"],
        ["compare", "{}", "--no-traces", "--replications", "2"],
        ["sweep", "{}", "--over", "providers.second.limits.burst=1,2"],
        ["explain", "{}"],
        ["availability", "{}", "--years", "0.05", "--estimator", "timeline"],
        ["validate", "{}"],
        ["validate", "{}", "--set", "\x1b[31m\u202e=1"],
        ["validate", "{}", "--set", "title=[\x1b[31m\r]"],
        ["run", "{}", "--json", "--no-traces"],
        ["availability", "{}", "--years", "0.5", "--estimator", "\x1b[31m\u202e"],
        ["run", "{}", "--\x1b[31m\u202e"],
        ["run", "{}", "\x1b[31m\u202e", "b"],
        ["\x1b[31m\u202e"],
        ["fit", "{}"],
        ["fit", "nobody\x1b[31m\r.csv"],
        ["import", "litellm", "{}"],
    ],
)
def test_no_command_hands_the_terminal_what_a_file_or_an_option_holds(tmp_path: Path, command: list[str]) -> None:
    path = _write(tmp_path)
    done = des(*(path.name if each == "{}" else each for each in command), folder=tmp_path)
    for said in (done.stdout, done.stderr):
        assert not any(letter in said for letter in _DOES_SOMETHING)
        assert "Traceback" not in said
    assert done.stdout or done.stderr


def test_titles_and_names_are_shown_as_they_are_written(tmp_path: Path) -> None:
    path = _write(tmp_path)
    out = " ".join(des("run", path.name, "--no-traces", folder=tmp_path, env={"COLUMNS": "400"}).stdout.split())
    assert " ".join(SHOWN.split()) in out


def test_json_means_what_it_meant(tmp_path: Path) -> None:
    path = _write(tmp_path)
    done = des("explain", path.name, "--json", folder=tmp_path)
    names = json.loads(done.stdout)["arms"]["as_modelled"]["incidents"]
    assert all(name == "first" or NAME in name for name in names)


def test_a_terminal_gets_colours_of_ours_alone(tmp_path: Path) -> None:
    path = write_small(tmp_path, title=NASTY, horizon="1h")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [DES, "run", path, "--no-traces"],
        cwd=tmp_path,
        env=ENVIRONMENT | {"TERM": "xterm-256color", "COLUMNS": "300"},
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 65_536):
            seen += chunk
    except OSError:  # the terminal's other end is closed
        pass
    finally:
        os.close(ours)
    assert process.wait(timeout=PATIENCE_S) == 0
    assert b"\x1b[1m" in seen  # titles are bold
    assert b"\x1b[31m" not in seen
    assert b"\x1b]" not in seen
    assert SHOWN.encode() in seen


def test_line_breaks_tabs_and_other_scripts_stay() -> None:
    assert printable("a\n\tß 漢字 🙂 é") == "a\n\tß 漢字 🙂 é"
    assert printable("a\r\nb\ud800") == "a\\u000d\nb\\ud800"
    assert json.loads(printable(json.dumps(NASTY, ensure_ascii=False))) == NASTY
