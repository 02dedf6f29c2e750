from .client import (
    Endpoint as Endpoint,
    Reply as Reply,
    UselessAnswerError as UselessAnswerError,
)
from .generation import (
    complete_all as complete_all,
    generate_all as generate_all,
    read_record as read_record,
)
from .prompts import (
    FEATURE_INSTRUCTIONS as FEATURE_INSTRUCTIONS,
    CostEstimate as CostEstimate,
    Prompt as Prompt,
    estimate_cost as estimate_cost,
    make_prompts as make_prompts,
)
