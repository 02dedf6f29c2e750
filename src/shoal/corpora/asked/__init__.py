"""Stories told by a language model at an OpenAI-compatible endpoint: prompts, cost, and a record that can go on."""

from shoal.corpora.asked.asking import answer_all, ask_all
from shoal.corpora.asked.cost import Estimate, estimate_cost
from shoal.corpora.asked.endpoint import Endpoint, UselessAnswerError
from shoal.corpora.asked.prompts import WISHES, Prompt, make_prompts

__all__ = [
    "WISHES",
    "Endpoint",
    "Estimate",
    "Prompt",
    "UselessAnswerError",
    "answer_all",
    "ask_all",
    "estimate_cost",
    "make_prompts",
]
