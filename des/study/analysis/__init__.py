"""Questions to the traces of a finished run, each answered by a frame whose columns say their units.

Traces are read in pieces of one replication, so that a long run takes little more memory than a short one.
"""
