"""Recorded tables: histories of incidents and workloads, read for replay and for fitting."""
