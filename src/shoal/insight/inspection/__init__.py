"""Everything that can be seen of a model on one text."""

from shoal.insight.inspection.gather import Findings, Inspection, check_text, inspect_text

__all__ = ["Findings", "Inspection", "check_text", "inspect_text"]
