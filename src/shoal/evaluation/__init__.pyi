from .batches import Row as Row
from .certification.certificate import Certificate as Certificate
from .certification.proving import certify as certify
from .evaluator import (
    evaluate as evaluate,
    scoring_mode as scoring_mode,
)
from .likelihoods import (
    document_opening as document_opening,
    log_likelihoods as log_likelihoods,
)
from .metrics import (
    bleu as bleu,
    chrf as chrf,
    sentence_bleus as sentence_bleus,
)
from .reference import evaluate_by_generation as evaluate_by_generation
from .rows import encode_rows as encode_rows
from .scores import (
    ItemScore as ItemScore,
    Scores as Scores,
)
from .scoring import Scorer as Scorer
from .windows import score_to_divergence as score_to_divergence
