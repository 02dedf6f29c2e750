"""Reports: one run, or one sweep, to one HTML file."""

from shoal.reports.report import write_report
from shoal.reports.sweep import write_sweep_report

__all__ = ["write_report", "write_sweep_report"]
