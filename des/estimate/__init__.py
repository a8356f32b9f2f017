"""Estimators: exact, by a drawn timeline, for rare events, and from the rows of simulated runs."""
