from .answer_shares import AnswerShare as AnswerShare, explain_one_answer as explain_one_answer
from .answers import ItemAnswer as ItemAnswer, ask_model as ask_model
from .candidates import (
    NOISE as NOISE,
    RULE as RULE,
    CandidateTable as CandidateTable,
    candidates_of as candidates_of,
)
from .discriminating import (
    Ask as Ask,
    Order as Order,
    discriminate as discriminate,
    model_answers as model_answers,
)
from .discrimination import (
    DiscriminatingItem as DiscriminatingItem,
    Discrimination as Discrimination,
    Standing as Standing,
)
from .explain import explain as explain
from .explanation import (
    Agreement as Agreement,
    Explanation as Explanation,
    ExplanationShare as ExplanationShare,
    ItemExplanation as ItemExplanation,
    MeanShare as MeanShare,
    SeedVerdict as SeedVerdict,
    TrainingsExplanation as TrainingsExplanation,
    explain_trainings as explain_trainings,
)
from .item_pool import ItemPool as ItemPool, item_pool as item_pool, pool_of as pool_of
from .leave_out import Retrain as Retrain, leave_out as leave_out
from .leave_out_result import (
    GroupEffect as GroupEffect,
    LeaveOutChange as LeaveOutChange,
    LeaveOutResult as LeaveOutResult,
)
from .left_out_groups import find_groups as find_groups
from .posterior import explain_answers as explain_answers
