"""Reports: one run to one HTML file."""

from shoal.reports.report import write_report

__all__ = ["write_report"]
