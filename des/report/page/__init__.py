"""The report: one HTML page that is complete in itself, of one result or several.

from des.report.page import write_report
write_report(["results/two_stage-0123456789ab"], out="two_stage.html")
"""

from des.report.page.write import REPORT, Written, html_of, write_report

__all__ = ["REPORT", "Written", "html_of", "write_report"]
