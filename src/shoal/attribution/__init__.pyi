from .answers import ItemAnswer as ItemAnswer, ask_model as ask_model
from .candidates import (
    NOISE as NOISE,
    RULE as RULE,
    CandidateTable as CandidateTable,
    candidates_of as candidates_of,
)
from .explain import explain as explain
from .explanation import (
    Agreement as Agreement,
    Explanation as Explanation,
    ExplanationShare as ExplanationShare,
    ItemExplanation as ItemExplanation,
)
from .posterior import explain_answers as explain_answers
