"""The command line: parse, call the API, print.

Heavy libraries are imported inside the commands, so that `des --help` stays fast. Importing `answering`, `reporting`,
`results`, `running`, `starting`, `sweeping` and `telling` registers their commands.
"""

from des.cli import answering, reporting, results, running, starting, sweeping, telling
from des.cli.application import app, main

__all__ = ["answering", "app", "main", "reporting", "results", "running", "starting", "sweeping", "telling"]
