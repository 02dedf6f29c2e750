from .completing import (
    Completion as Completion,
    complete_prompts as complete_prompts,
)
from .copying import CopyFinder as CopyFinder
from .facts import (
    make_questions as make_questions,
    score_facts as score_facts,
)
from .heldout import held_out_bits as held_out_bits
from .measures import Measure as Measure
from .minimal import (
    PairScores as PairScores,
    minimal_pairs as minimal_pairs,
)
from .pairs import (
    MinimalPair as MinimalPair,
    read_pairs as read_pairs,
)
from .prompts import (
    StoryPrompt as StoryPrompt,
    default_prompts as default_prompts,
    read_beginnings as read_beginnings,
    read_prompts as read_prompts,
)
from .rating import (
    Material as Material,
    Sampling as Sampling,
    StoryRating as StoryRating,
    rate_model as rate_model,
)
