from .certification.certificate import Certificate as Certificate
from .certification.proving import certify as certify
from .evaluator import evaluate as evaluate
from .metrics import (
    bleu as bleu,
    chrf as chrf,
    sentence_bleus as sentence_bleus,
)
from .reference import evaluate_by_generation as evaluate_by_generation
from .scores import (
    ItemScore as ItemScore,
    Scores as Scores,
)
