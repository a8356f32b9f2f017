"""Discrete-event simulation of AI requests over several providers with fallback chains."""
