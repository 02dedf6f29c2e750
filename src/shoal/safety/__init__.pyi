from .agreement import (
    RefusalAgreement as RefusalAgreement,
    measure_refusal_agreement as measure_refusal_agreement,
)
from .answers import (
    PromptAnswer as PromptAnswer,
    read_answers as read_answers,
    read_prompt_rows as read_prompt_rows,
)
from .certificate import (
    RefusalScorer as RefusalScorer,
    certify_refusal_scorer as certify_refusal_scorer,
    dummy_scorers as dummy_scorers,
)
from .certificate_cases import (
    CertificateCase as CertificateCase,
    certificate_cases as certificate_cases,
)
from .certifying import (
    FamilyFinding as FamilyFinding,
    ScorerCertificate as ScorerCertificate,
)
from .garak_detectors import (
    GARAK_DETECTORS as GARAK_DETECTORS,
    garak_refusals as garak_refusals,
)
from .generating import generate_answers as generate_answers
from .head import (
    RefusalHead as RefusalHead,
    decide_conduct as decide_conduct,
    load_refusal_head as load_refusal_head,
    shipped_refusal_head as shipped_refusal_head,
)
from .head_training import (
    LabelledAnswer as LabelledAnswer,
    apply_temperatures as apply_temperatures,
    fit_temperatures as fit_temperatures,
    held_out_probabilities as held_out_probabilities,
    train_refusal_head as train_refusal_head,
)
from .labelled_sets import (
    read_labelled_answers as read_labelled_answers,
    read_xstest as read_xstest,
)
from .labels import (
    CONDUCTS as CONDUCTS,
    Conduct as Conduct,
)
from .prompt_scores import (
    PromptScore as PromptScore,
    score_model as score_model,
)
from .rating import (
    RefusalRating as RefusalRating,
    ScoredAnswer as ScoredAnswer,
    rate_refusals as rate_refusals,
)
from .string_match import (
    REFUSAL_STRINGS as REFUSAL_STRINGS,
    matches_refusal as matches_refusal,
)
