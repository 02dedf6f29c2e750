"""Judges of stories, and the certificate that says what a judge can and cannot see."""

from shoal.evaluation.judging.asking import EndpointJudge
from shoal.evaluation.judging.certificate import DamageFinding, JudgeCertificate
from shoal.evaluation.judging.certify import certify_judge
from shoal.evaluation.judging.damage import damaged_pieces
from shoal.evaluation.judging.rubric import AGES, DIMENSIONS, Judgement, Piece, read_judgement, rubric_prompt

__all__ = [
    "AGES",
    "DIMENSIONS",
    "DamageFinding",
    "EndpointJudge",
    "JudgeCertificate",
    "Judgement",
    "Piece",
    "certify_judge",
    "damaged_pieces",
    "read_judgement",
    "rubric_prompt",
]
