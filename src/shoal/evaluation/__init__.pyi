from .batching import ScoringRow as ScoringRow, encode_rows as encode_rows, model_limits as model_limits
from .certification.certificate import Certificate as Certificate, certify as certify
from .documents import (
    DocumentLikelihood as DocumentLikelihood,
    document_likelihoods as document_likelihoods,
)
from .evaluator import (
    evaluate as evaluate,
    scoring_mode as scoring_mode,
)
from .likelihoods import (
    document_opening as document_opening,
    log_likelihoods as log_likelihoods,
    token_log_likelihoods as token_log_likelihoods,
)
from .metrics import (
    bleu as bleu,
    chrf as chrf,
    sentence_bleus as sentence_bleus,
)
from .reference import evaluate_by_generation as evaluate_by_generation
from .results import (
    ItemScore as ItemScore,
    Scores as Scores,
)
from .rouge import (
    Rouge as Rouge,
    rouge_l as rouge_l,
    rouge_lsum as rouge_lsum,
    rouge_n as rouge_n,
)
from .scoring import Scorer as Scorer, score_to_divergence as score_to_divergence
from .text_metrics import (
    TextMetric as TextMetric,
    token_f1 as token_f1,
)
from .text_scores import (
    TextScore as TextScore,
    TextScores as TextScores,
    score_texts as score_texts,
)
