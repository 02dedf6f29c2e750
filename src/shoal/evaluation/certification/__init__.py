"""Certification: proof that an evaluator scores models as it must, on dummies whose right scores are known."""

from __future__ import annotations

from shoal.evaluation.certification.certificate import Certificate, CheckResult
from shoal.evaluation.certification.certify import certify
from shoal.evaluation.certification.records import Evaluator

__all__ = ["Certificate", "CheckResult", "Evaluator", "certify"]
