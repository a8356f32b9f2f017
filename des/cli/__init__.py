"""The command line: parse, call the API, print.

Heavy libraries are imported inside the commands, so that `des --help` stays fast. Importing `answering`, `results`,
`running`, `starting` and `telling` registers their commands.
"""

from des.cli import answering, results, running, starting, telling
from des.cli.application import app, main

__all__ = ["answering", "app", "main", "results", "running", "starting", "telling"]
