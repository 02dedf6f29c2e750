"""Certification: proof that an evaluator scores models as it must, on dummies whose right scores are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.evaluation.certification.certificate import Certificate, CheckResult
from shoal.evaluation.certification.certify import certify
from shoal.evaluation.certification.records import Evaluator

if TYPE_CHECKING:
    from shoal.evaluation.certification.head_path import check_head_path

__all__ = ["Certificate", "CheckResult", "Evaluator", "certify", "check_head_path"]


def __getattr__(name: str) -> Any:
    """The check of a model's own head needs torch, so it is imported when it is first asked for."""
    if name != "check_head_path":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from shoal.evaluation.certification.head_path import check_head_path

    return check_head_path
