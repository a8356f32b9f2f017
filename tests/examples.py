"""How many examples property tests draw: DES_EXPLORE=20 asks for twenty times as many, and others on every run."""

import os

EXPLORES = "DES_EXPLORE" in os.environ
TIMES = int(os.environ.get("DES_EXPLORE", "1"))
"""A test that says how many examples it draws multiplies them by this."""
