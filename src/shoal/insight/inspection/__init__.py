"""Everything that can be seen of a model on one text, as values and as one page."""

from shoal.insight.inspection.causes import Findings
from shoal.insight.inspection.gather import Inspection, check_text, inspect_text
from shoal.insight.inspection.page import inspection_page

__all__ = ["Findings", "Inspection", "check_text", "inspect_text", "inspection_page"]
