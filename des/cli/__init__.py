"""The command line: parse, call the API, print.

Heavy libraries are imported inside the commands, so `des --help` stays fast. Importing a family registers its commands.
"""

from des.cli import running, studying, writing
from des.cli.application import app, main

__all__ = ["app", "main", "running", "studying", "writing"]
