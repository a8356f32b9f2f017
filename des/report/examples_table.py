"""What `des examples` prints."""

from collections.abc import Sequence

from rich.console import Console

from des.report.layout import say, say_indented
from des.study.scenario_files import Example


def print_examples(examples: Sequence[Example], console: Console) -> None:
    """A line with each name, and the question below it."""
    for example in examples:
        needs = "  (needs files under ${DES_DATA})" if example.needs_data else ""
        say(console, f"{example.name}{needs}", whole=True)
        say_indented(console, example.question, indent="  ", inside="  ")
    say(console, "")
    say(console, "des answer NAME answers a question; des run NAME simulates every request")
