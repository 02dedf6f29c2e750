from .agreement import (
    LabelAgreement as LabelAgreement,
    choose_cut as choose_cut,
    measure_agreement as measure_agreement,
)
from .choice import choose_documents as choose_documents
from .head import (
    QualityHead as QualityHead,
    load_quality_head as load_quality_head,
)
from .judge import (
    EducationalJudge as EducationalJudge,
    educational_prompt as educational_prompt,
    read_score as read_score,
)
from .labelling import draw_documents as draw_documents
from .labels import (
    LabelledDocument as LabelledDocument,
    read_labels as read_labels,
)
from .ridge import (
    RidgeFit as RidgeFit,
    fit_ridge as fit_ridge,
)
from .training import (
    QualityHeadReport as QualityHeadReport,
    encode_all as encode_all,
    train_quality_head as train_quality_head,
)
from .vectorizers import (
    Vectorizer as Vectorizer,
    make_vectorizer as make_vectorizer,
)
