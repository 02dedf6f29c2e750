"""What an answer does with a request: comply, refuse, or both."""

from __future__ import annotations

from typing import Literal, get_args

Conduct = Literal["compliance", "refusal", "partial"]
"""Full compliance, full refusal, partial refusal: the three labels of XSTest (Röttger et al. 2024, section 3.3)."""

CONDUCTS: tuple[Conduct, ...] = get_args(Conduct)
"""In the order of all tables."""
