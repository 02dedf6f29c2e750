"""The checks: the essential ones, with which every run begins, and the thorough ones behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.evaluation.certification.suite.essential import ESSENTIAL
from shoal.evaluation.certification.suite.thorough import THOROUGH

if TYPE_CHECKING:
    from shoal.evaluation.certification.checks import Check


def checks(*, fast: bool) -> tuple[Check, ...]:
    """The checks in the order in which they are made: the cheapest and most telling ones first."""
    return ESSENTIAL if fast else (*ESSENTIAL, *THOROUGH)
