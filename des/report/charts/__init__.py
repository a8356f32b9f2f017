"""Charts, each a function from a frame to an Altair chart: for the page, for notebooks and for PNG files.

They need Altair, which is in the extra `report`; `des.report.charts.extra.require` says so where it is missing.
"""
