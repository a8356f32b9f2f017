"""The command line: parse, call the API, print.

Heavy libraries are imported inside the commands, so that `des --help` stays fast. Importing `answering`, `optimising`,
`reporting`, `results`, `running`, `serving`, `starting`, `sweeping`, `telling` and `verifying` registers their
commands.
"""

from des.cli import answering, optimising, reporting, results, running, serving, starting, sweeping, telling, verifying
from des.cli.application import app, main

__all__ = [
    "answering",
    "app",
    "main",
    "optimising",
    "reporting",
    "results",
    "running",
    "serving",
    "starting",
    "sweeping",
    "telling",
    "verifying",
]
