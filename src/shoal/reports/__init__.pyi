from .report import write_report as write_report
from .sweep import write_sweep_report as write_sweep_report
