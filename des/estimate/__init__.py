"""Estimates: streaming accumulators over the rows of a run, intervals over replications, judgements."""
