"""Named random streams: every draw is a pure function of (seed, replication, name, index)."""

from des.draws.sampling import sample, sample_residual
from des.draws.streams import Stream, generator

__all__ = ["Stream", "generator", "sample", "sample_residual"]
