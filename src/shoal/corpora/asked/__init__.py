"""Stories told by a language model at an OpenAI-compatible endpoint: prompts, cost, and a record that can go on."""

from shoal.corpora.asked.asking import ask_all
from shoal.corpora.asked.cost import Estimate, estimate_cost
from shoal.corpora.asked.endpoint import Endpoint
from shoal.corpora.asked.prompts import Prompt, make_prompts

__all__ = ["Endpoint", "Estimate", "Prompt", "ask_all", "estimate_cost", "make_prompts"]
