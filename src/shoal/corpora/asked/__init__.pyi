from .asking import (
    answer_all as answer_all,
    ask_all as ask_all,
    read_record as read_record,
)
from .cost import (
    Estimate as Estimate,
    estimate_cost as estimate_cost,
)
from .endpoint import (
    Endpoint as Endpoint,
    UselessAnswerError as UselessAnswerError,
)
from .prompts import (
    WISHES as WISHES,
    Prompt as Prompt,
    make_prompts as make_prompts,
)
