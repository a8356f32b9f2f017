"""Digests of every trace and the figures of every command, written down to notice any change of behaviour."""
